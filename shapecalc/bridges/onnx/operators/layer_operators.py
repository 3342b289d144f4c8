"""Operators that are layers of a network: convolutions, products with weights, normalizations, pooling."""

from __future__ import annotations

from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.layers.base import Kind


def ranked(name: str, rank: int) -> type[Kind]:
    """Return the class of a family for a number of axes, as in `ranked("Conv", 2)`."""
    kind: type[Kind] = getattr(layers, f"{name}{rank}d")
    return kind


def window_fields(node: Node, rank: int) -> dict[str, Any] | None:
    """Return stride, padding and dilation of a window; None where the padding depends on the size."""
    auto = node.attribute("auto_pad", "NOTSET")
    pads = node.attribute("pads", [0] * 2 * rank) if auto == "NOTSET" else [0] * 2 * rank
    if auto in ("SAME_UPPER", "SAME_LOWER") or len(pads) != 2 * rank:
        return None
    return {
        "stride": tuple(node.attribute("strides", [1] * rank)),
        "padding": tuple(zip(pads[:rank], pads[rank:], strict=True)),
        "dilation": tuple(node.attribute("dilations", [1] * rank)),
    }


@operator("Conv")
def _convolution(node: Node) -> None:
    x, weight, bias = node.operand(0), node.operand(1), node.given(2)
    rank = weight.rank - 2
    fields = window_fields(node, rank) if 1 <= rank <= 3 else None
    if fields is None:
        node.opaque()
        return
    groups = node.attribute("group", 1)
    own = {
        "in_channels": weight.shape[1] * groups,
        "out_channels": weight.shape[0],
        "kernel_size": weight.shape[2:],
        "groups": groups,
        "bias": bias is not None,
    }
    if node.layer(canonical(ranked("Conv", rank), {**fields, **own}), [weight, bias], x):
        return
    sides = fields.pop("padding")
    if any(before != after for before, after in sides):
        x = node.step(canonical(ranked("ConstantPad", rank), {"padding": sides, "value": 0}), x)
        sides = ((0, 0),) * rank
    fields |= {"groups": groups, "padding": tuple(before for before, _ in sides)}
    node.ends(canonical(ranked("FunctionalConv", rank), fields), x, weight, *([bias] if bias else []))


@operator("Gemm")
def _gemm(node: Node) -> None:
    x, weight, bias = node.operand(0), node.operand(1), node.given(2)
    if node.attribute("transA", 0):
        x = node.step(layers.Transpose(dim0=0, dim1=1), x)
    is_turned = bool(node.attribute("transB", 0))
    if weight.rank == 2:
        inward, outward = weight.shape[::-1] if is_turned else weight.shape
        is_bias = bias is None or (bias.rank == 1 and bias.shape[0] == outward)
        layer = layers.Linear(in_features=inward, out_features=outward, **({} if bias else {"bias": False}))
        if is_bias and node.layer(layer, [weight, bias], x):
            return
    if is_turned:
        weight = node.step(layers.Transpose(dim0=0, dim1=1), weight)
    if bias is None:
        node.ends(layers.Matmul(), x, weight)
    else:
        node.ends(layers.Add(), node.step(layers.Matmul(), x, weight), bias)


@operator("MatMul")
def _matmul(node: Node) -> None:
    x, weight = node.operand(0), node.operand(1)
    if weight.rank == 2 and node.owns(weight):
        inward, outward = weight.shape
        if node.layer(layers.Linear(in_features=inward, out_features=outward, bias=False), [weight], x):
            return
    node.ends(layers.Matmul(), x, weight)


@operator("BatchNormalization")
def _batch_norm(node: Node) -> None:
    x, *tensors = node.all_operands
    rank = max(x.rank - 2, 1)
    if not 2 <= x.rank <= 5 or node.attribute("training_mode", 0) or not node.owns(*tensors):
        node.opaque()
        return
    fields = {"num_features": tensors[0].shape[0], "eps": node.decimal("epsilon", 1e-5)}
    layer = canonical(ranked("BatchNorm", rank), fields)
    if not node.layer(layer, tensors, x):
        node.opaque()


@operator("MaxPool")
def _max_pool(node: Node) -> None:
    with_indices = len([*filter(None, node.proto.output)]) > 1
    _pool(node, "MaxPool", {"return_indices": with_indices})


@operator("AveragePool")
def _average_pool(node: Node) -> None:
    _pool(node, "AvgPool", {"count_include_pad": bool(node.attribute("count_include_pad", 0))})


def _pool(node: Node, name: str, more: dict[str, Any]) -> None:
    """Append pooling as torch has it: equal padding on both sides, at most half the kernel."""
    x = node.operand(0)
    rank = x.rank - 2
    kernel = tuple(node.attribute("kernel_shape", ()))
    fields = window_fields(node, rank) if 1 <= rank <= 3 else None
    if fields is None or any(
        p != q or 2 * p > k for (p, q), k in zip(fields["padding"], kernel, strict=True)
    ):
        node.opaque()
        return
    kind = ranked(name, rank)
    if "dilation" not in kind.model_fields and {*fields.pop("dilation")} != {1}:
        node.opaque()
        return
    padding = tuple(before for before, _ in fields["padding"])
    is_ceil = bool(node.attribute("ceil_mode", 0))
    fields |= {"kernel_size": kernel, "ceil_mode": is_ceil, "padding": padding, **more}
    node.ends(canonical(kind, fields), x)


@operator("GlobalAveragePool")
def _global_average_pool(node: Node) -> None:
    _global_pool(node, "GlobalAvgPool")


@operator("GlobalMaxPool")
def _global_max_pool(node: Node) -> None:
    _global_pool(node, "GlobalMaxPool")


def _global_pool(node: Node, name: str) -> None:
    x = node.operand(0)
    if 3 <= x.rank <= 5:
        node.ends(ranked(name, x.rank - 2)(keepdim=True), x)
    else:
        node.opaque()
