"""Operators that are layers of a network: convolutions, products with weights, normalizations, pooling."""

from __future__ import annotations

from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.held_operands import append_operator, result_count
from shapecalc.bridges.onnx.onnx_node import Node, Operand
from shapecalc.bridges.onnx.operators import operator
from shapecalc.layers.base import Kind
from shapecalc.layers.requirement import shown


def ranked(name: str, rank: int) -> type[Kind]:
    """Return the class of a family for a number of axes, as in `ranked("Conv", 2)`."""
    kind: type[Kind] = getattr(layers, f"{name}{rank}d")
    return kind


def window_fields(node: Node, rank: int) -> dict[str, Any]:
    """Return stride, padding and dilation of a window, the padding for each side or as a word."""
    auto = node.attribute("auto_pad", "NOTSET")
    pads = node.attribute("pads") or [0] * 2 * rank
    if len(pads) != 2 * rank:
        raise node.error(f"pads has {len(pads)} numbers for {rank} axes")
    padding = tuple(zip(pads[:rank], pads[rank:], strict=True)) if auto == "NOTSET" else auto.lower()
    return {
        "stride": tuple(node.attribute("strides", [1] * rank)),
        "padding": ((0, 0),) * rank if padding == "valid" else padding,
        "dilation": tuple(node.attribute("dilations", [1] * rank)),
    }


def symmetric(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Return the fields with one padding for both sides, as torch has them; None where they differ."""
    sides = fields["padding"]
    if isinstance(sides, str) or any(before != after for before, after in sides):
        return None
    return {**fields, "padding": tuple(before for before, _ in sides)}


def check_kernel(node: Node, weight: Operand) -> None:
    """Refuse a weight whose sizes are not those that the attributes say of the kernel."""
    kernel = node.attribute("kernel_shape")
    if kernel and any(size != k for size, k in zip(node.sizes(weight)[2:], kernel, strict=False)):
        raise node.error(f"kernel_shape is {kernel}, and the weight is {shown(weight.shape)}")


def kernel_rank(node: Node, weight: Operand) -> int | None:
    """Return over how many axes a kernel slides; of what has no rule, None, and the node is opaque."""
    if not 3 <= weight.rank <= 5:
        node.opaque()
        return None
    check_kernel(node, weight)
    return weight.rank - 2


@operator("Conv")
def _convolution(node: Node) -> None:
    x, weight, bias = node.operand(0), node.operand(1), node.given(2)
    rank = kernel_rank(node, weight)
    if rank is None:
        return
    fields = window_fields(node, rank) | {"groups": node.attribute("group", 1)}
    own = {
        "in_channels": weight.shape[1] * fields["groups"],
        "out_channels": weight.shape[0],
        "kernel_size": weight.shape[2:],
        "bias": bias is not None,
    }
    title = "OnnxConv" if isinstance(fields["padding"], str) else "Conv"
    if node.layer(canonical(ranked(title, rank), {**fields, **own}), [weight, bias], x):
        return
    torchs = symmetric(fields)
    kind = ranked("OnnxFunctionalConv" if torchs is None else "FunctionalConv", rank)
    node.ends(canonical(kind, torchs or fields), x, weight, *([bias] if bias else []))


@operator("ConvTranspose")
def _transposed_convolution(node: Node) -> None:
    x, weight, bias = node.operand(0), node.operand(1), node.given(2)
    rank = kernel_rank(node, weight)
    if rank is None:
        return
    groups = node.attribute("group", 1)
    more = tuple(node.attribute("output_padding", [0] * rank))
    fields = window_fields(node, rank) | {"groups": groups, "output_padding": more}
    size = node.attribute("output_shape")
    fits = all(o < max(s, d) for o, s, d in zip(more, fields["stride"], fields["dilation"], strict=True))
    torchs = symmetric(fields) if size is None and fits else None
    title = "Onnx{}ConvTranspose" if torchs is None else "{}ConvTranspose"
    fields = torchs or {**fields, "output_size": size and tuple(size[-rank:])}
    own = {
        "in_channels": weight.shape[0],
        "out_channels": weight.shape[1] * groups,
        "kernel_size": weight.shape[2:],
        "bias": bias is not None,
    }
    if not node.layer(canonical(ranked(title.format(""), rank), {**fields, **own}), [weight, bias], x):
        kind = ranked(title.format("Functional"), rank)
        node.ends(canonical(kind, fields), x, weight, *([bias] if bias else []))


@operator("Gemm")
def _gemm(node: Node) -> None:
    x, weight, bias = node.operand(0), node.operand(1), node.given(2)
    turns = {f"trans_{key.lower()}": bool(node.attribute(f"trans{key}", 0)) for key in "AB"}
    if weight.rank == 2 and not turns["trans_a"]:
        inward, outward = weight.shape[::-1] if turns["trans_b"] else weight.shape
        is_bias = bias is None or (bias.rank == 1 and bias.shape[0] == outward)
        layer = layers.Linear(in_features=inward, out_features=outward, **({} if bias else {"bias": False}))
        if is_bias and node.layer(layer, [weight, bias], x):
            return
    append_operator(node, layers.OnnxGemm, **turns)


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
    fields = {"num_features": tensors[0].shape[0], "eps": node.decimal("epsilon", 1e-5)}
    if 2 <= x.rank <= 5 and result_count(node) == 1:
        if node.layer(canonical(ranked("BatchNorm", rank), fields), tensors, x):
            return
    append_operator(node, layers.OnnxChannelNorm, results=result_count(node))


@operator("MaxPool")
def _max_pool(node: Node) -> None:
    with_indices = len([*filter(None, node.proto.output)]) > 1
    _pool(node, "MaxPool", {"return_indices": with_indices})


@operator("AveragePool")
def _average_pool(node: Node) -> None:
    _pool(node, "AvgPool", {"count_include_pad": bool(node.attribute("count_include_pad", 0))})


@operator("LpPool")
def _power_pool(node: Node) -> None:
    _pool(node, "LPPool", {"norm_type": node.attribute("p", 2)})


def _pool(node: Node, name: str, more: dict[str, Any]) -> None:
    """Append pooling: torch's with equal padding on both sides of at most half the kernel, or else ONNX's."""
    x = node.operand(0)
    rank = x.rank - 2
    kernel = tuple(node.attribute("kernel_shape", ()))
    if not 1 <= rank <= 3 or len(kernel) != rank:
        node.opaque()
        return
    fields = window_fields(node, rank) | more
    fields |= {"kernel_size": kernel, "ceil_mode": bool(node.attribute("ceil_mode", 0))}
    kind, torchs = ranked(name, rank), symmetric(fields)
    if torchs is not None and _is_torchs(kind, torchs):
        node.ends(canonical(kind, torchs), x)
    else:
        node.ends(canonical(ranked(f"Onnx{name}", rank), fields), x)


def _is_torchs(kind: type[Kind], fields: dict[str, Any]) -> bool:
    """Say whether torch's pooling has what a window has, and takes its padding."""
    if any(2 * p > k for p, k in zip(fields["padding"], fields["kernel_size"], strict=True)):
        return False
    neutral = {"dilation": {1}, "padding": {0}}
    return all({*fields[name]} == only for name, only in neutral.items() if name not in kind.model_fields)


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
