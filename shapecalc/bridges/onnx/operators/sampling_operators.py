"""Operators on regions, grids and signals, and the losses."""

from __future__ import annotations

from typing import Any

from shapecalc import layers
from shapecalc.bridges.onnx.held_operands import append_operator, result_count
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import field_value


@operator("GridSample")
@operator("GridSample", domain="com.microsoft")
def _grid_sample(node: Node) -> None:
    append_operator(node, layers.OnnxGridSample)


@operator("AffineGrid")
def _affine_grid(node: Node) -> None:
    append_operator(node, layers.OnnxAffineGrid, [node.operand(0)], size=field_value(node.numbers(1)))


@operator("RoiAlign")
def _roi_align(node: Node) -> None:
    size = (node.attribute("output_height", 1), node.attribute("output_width", 1))
    append_operator(node, layers.OnnxRoiAlign, output_size=size)


@operator("MaxRoiPool")
def _roi_pool(node: Node) -> None:
    append_operator(node, layers.OnnxRoiAlign, output_size=tuple(node.attribute("pooled_shape")))


@operator("MaxUnpool")
def _unpool(node: Node) -> None:
    lists = {name: node.attribute(name) for name in ("strides", "pads")}
    fields: dict[str, Any] = {name: tuple(value) for name, value in lists.items() if value}
    if node.given(2) is not None:
        fields["output_size"] = field_value(node.numbers(2))
    kernel = tuple(node.attribute("kernel_shape"))
    append_operator(node, layers.OnnxMaxUnpool, node.operands[:2], kernel=kernel, **fields)


@operator("DFT")
def _fourier(node: Node) -> None:
    is_old = node.version < 20
    axis = node.attribute("axis", 1) if is_old else (node.integers(2) or [-2])[0]
    flags = {name: bool(node.attribute(name, 0)) for name in ("onesided", "inverse")}
    length = None if node.given(1) is None else field_value(node.numbers(1)[0])
    append_operator(node, layers.OnnxDFT, [node.operand(0)], dim=axis, length=length, **flags)


@operator("STFT")
def _short_fourier(node: Node) -> None:
    signal, window = node.operand(0), node.given(2)
    if node.given(3) is not None:
        length: Any = node.numbers(3)[0]
    else:
        length = node.sizes(window)[0] if window is not None else node.sizes(signal)[1]
    fields = {"step": field_value(node.numbers(1)[0]), "length": field_value(length)}
    fields["onesided"] = bool(node.attribute("onesided", 1))
    append_operator(node, layers.OnnxSTFT, [signal, window], **fields)


@operator("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def _class_loss(node: Node) -> None:
    fields = {"reduction": node.attribute("reduction", "mean"), "results": result_count(node)}
    append_operator(node, layers.OnnxClassLoss, **fields)


@operator("TfIdfVectorizer")
def _counts(node: Node) -> None:
    x = node.operand(0)
    width = max(node.attribute("ngram_indexes")) + 1
    sizes = [*node.written(x)[:-1], width]
    node.ends(layers.TracedFunction(function=node.op, shape=sizes), x)
