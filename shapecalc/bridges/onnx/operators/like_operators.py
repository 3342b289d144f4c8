"""Operators whose results have the shape of an operand, and those that make tensors of a given size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.held_operands import append_operator, result_count
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import field_value, plain

_OF_ONE: Mapping[str, str] = {
    "Bernoulli": "bernoulli",
    "BitCast": "view_dtype",
    "EyeLike": "eye_like",
    "Hardmax": "hardmax",
    "LpNormalization": "normalize",
    "MeanVarianceNormalization": "standardize",
    "RandomNormalLike": "randn_like",
    "RandomUniformLike": "rand_like",
    "Shrink": "hardshrink",
    "Swish": "silu",
    "ThresholdedRelu": "threshold",
}
"""Functions of one tensor that keep its shape, by torch's names or such as torch would have."""


@operator(*_OF_ONE)
def _of_one(node: Node) -> None:
    node.ends(layers.Elementwise(function=_OF_ONE[node.op]), node.operand(0))


@operator("Binarizer", "LabelEncoder", "Normalizer", "Scaler", "Imputer", domain="ai.onnx.ml")
def _of_one_table(node: Node) -> None:
    node.ends(layers.Elementwise(function=node.op), node.operand(0))


@operator("QuickGelu", "FastGelu", "Gelu", domain="com.microsoft")
def _gelu(node: Node) -> None:
    bias = node.given(1)
    if bias is None:
        node.ends(layers.GELU(), node.operand(0))
    else:
        node.ends(layers.GELU(), node.step(layers.Add(), node.operand(0), bias))


@operator("BiasGelu", domain="com.microsoft")
def _bias_gelu(node: Node) -> None:
    node.ends(layers.GELU(), node.step(layers.Add(), *node.all_operands))


_LIKE = (
    *("CumProd", "CumSum", "DequantizeLinear", "QuantizeLinear", "ReverseSequence", "RotaryEmbedding"),
    *("SwiGLU", "Trilu"),
)


@operator(*_LIKE)
@operator("RotaryEmbedding", "QuantizeLinear", "DequantizeLinear", domain="com.microsoft")
def _like(node: Node) -> None:
    x, *others = node.operands
    tensors = [each for each in others if each is not None and not _is_number(node, each)]
    append_operator(node, layers.OnnxLike, [x, *tensors], function=node.op, results=result_count(node))


def _is_number(node: Node, operand: Any) -> bool:
    """Say whether an operand is a known number that sets something, as the axis of a sum does."""
    return operand.numel <= 1 and node.graph.is_known(operand)


@operator("Dropout")
def _dropout(node: Node) -> None:
    if result_count(node) == 1:
        node.ends(canonical(layers.Dropout, {"p": _ratio(node)}), node.operand(0))
    else:
        append_operator(node, layers.OnnxLike, [node.operand(0)], function="Dropout", results=2)


def _ratio(node: Node) -> Any:
    given = node.given(1)
    value = None if given is None else node.graph.value_of(given)
    return node.decimal("ratio", 0.5) if value is None else float(value.item())


# ---- tensors of a given size


@operator("ConstantOfShape", "RandomNormal", "RandomUniform")
def _of_shape(node: Node) -> None:
    _filled(node, node.attribute("shape") or node.numbers(0))


@operator("BlackmanWindow", "HammingWindow", "HannWindow")
def _window(node: Node) -> None:
    _filled(node, node.numbers(0))


@operator("MelWeightMatrix")
def _mel_weights(node: Node) -> None:
    bins, length = node.numbers(0)[0], node.numbers(1)[0]
    _filled(node, [length // 2 + 1, bins])


@operator("Range")
def _range(node: Node) -> None:
    start, limit, step = [node.numbers(number)[0] for number in range(3)]
    step = plain(step)
    if isinstance(step, float) or isinstance(plain(start), float):
        count: Any = max(-int(-((plain(limit) - plain(start)) / step) // 1), 0)
    else:
        count = -((start - limit) // step)
    _filled(node, [count])


def _filled(node: Node, sizes: Any) -> None:
    """Append a tensor of given sizes that does not depend on the input."""
    node.ends(layers.TracedFunction(function=node.op, shape=field_value([*sizes])), *_one_tensor(node))


def _one_tensor(node: Node) -> list[Any]:
    return [each for each in node.all_operands if each.step is not None]
