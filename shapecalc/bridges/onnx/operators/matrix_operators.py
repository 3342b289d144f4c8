"""Products of matrices, quantized ones among them, and recurrent layers."""

from __future__ import annotations

import string
from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.held_operands import append_operator
from shapecalc.bridges.onnx.onnx_node import Node, Operand
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.operators.layer_operators import ranked, window_fields
from shapecalc.layers.requirement import shown


@operator("MatMulInteger")
def _integers(node: Node) -> None:
    append_operator(node, layers.OnnxMatMulInteger)


@operator("QLinearMatMul")
def _quantized(node: Node) -> None:
    append_operator(node, layers.OnnxQLinearMatMul)


@operator("DynamicQuantizeLinear")
def _quantize(node: Node) -> None:
    append_operator(node, layers.OnnxDynamicQuantizeLinear)


@operator("MatMulNBits", domain="com.microsoft")
def _few_bits(node: Node) -> None:
    names = {"in_features": "K", "out_features": "N", "bits": "bits", "block_size": "block_size"}
    fields = {name: node.attribute(theirs) for name, theirs in names.items() if theirs in node.attributes}
    append_operator(node, layers.OnnxMatMulNBits, **fields)


@operator("FusedMatMul", "TransposeMatMul", domain="com.microsoft")
def _fused(node: Node) -> None:
    if node.attribute("transBatchA", 0) or node.attribute("transBatchB", 0):
        node.opaque()
        return
    pair: list[Operand] = []
    for number, name in enumerate(("transA", "transB")):
        x = node.operand(number)
        if node.attribute(name, 0) and x.rank > 1:
            x = node.step(layers.Transpose(dim0=-2, dim1=-1), x)
        pair.append(x)
    node.ends(layers.Matmul(), *pair)


@operator("QLinearConv")
def _quantized_conv(node: Node) -> None:
    rank = node.operand(0).rank - 2
    fields = window_fields(node, rank) | {"groups": node.attribute("group", 1)}
    append_operator(node, layers.OnnxQLinearConv, **fields)


@operator("ConvInteger")
def _integer_conv(node: Node) -> None:
    rank = node.operand(0).rank - 2
    fields = window_fields(node, rank) | {"groups": node.attribute("group", 1)}
    append_operator(node, layers.OnnxConvInteger, **fields)


@operator("QLinearAdd", "QLinearMul", domain="com.microsoft")
def _quantized_pair(node: Node) -> None:
    node.ends(layers.Combine(function=node.op), node.operand(0), node.operand(3))


@operator("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", domain="com.microsoft")
def _quantized_function(node: Node) -> None:
    node.ends(layers.Elementwise(function=node.op), node.operand(0))


@operator("QLinearConcat", domain="com.microsoft")
def _quantized_concat(node: Node) -> None:
    node.ends(layers.Concat(dim=node.attribute("axis")), *[each for each in node.operands[2::3] if each])


@operator("QLinearGlobalAveragePool", domain="com.microsoft")
def _quantized_mean(node: Node) -> None:
    x = node.operand(0)
    if node.attribute("channels_last", 0) or not 3 <= x.rank <= 5:
        node.opaque()
    else:
        node.ends(ranked("GlobalAvgPool", x.rank - 2)(keepdim=True), x)


@operator("Einsum")
def _einsum(node: Node) -> None:
    ranks = [each.rank for each in node.all_operands]
    equation = _letters(str(node.attribute("equation")).replace(" ", ""), ranks)
    terms = equation.partition("->")[0].split(",")
    repeats = any(len({*term}) < len(term) for term in terms)
    kind = layers.OnnxEinsum if repeats else layers.Einsum
    node.ends(kind(equation=equation), *node.all_operands)


def _letters(equation: str, ranks: list[int]) -> str:
    """Return an equation with letters for all axes, those behind an ellipsis too, and for the result."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if not arrow:
        letters = sorted(letter for letter in {*left} - {*",."} if left.count(letter) == 1)
        right = ("..." if "..." in left else "") + "".join(letters)
    free = [letter for letter in string.ascii_letters if letter not in equation]
    counts = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=False)]
    spare = "".join(free[: max(0, *counts)])
    pairs = zip(terms, counts, strict=False)
    terms = [term.replace("...", spare[max(len(spare) - count, 0) :]) for term, count in pairs]
    return f"{','.join(terms)}->{right.replace('...', spare)}"


# ---- recurrent layers


@operator("RNN", "GRU", "LSTM")
def _recurrent(node: Node) -> None:
    kind = {"RNN": layers.OnnxRNN, "GRU": layers.OnnxGRU, "LSTM": layers.OnnxLSTM}[node.op]
    hidden, recurrent = node.attribute("hidden_size"), node.operand(2)
    if hidden is not None and node.sizes(recurrent)[-1] != hidden:
        raise node.error(f"hidden_size is {hidden}, and the weight R is {shown(recurrent.shape)}")
    append_operator(node, kind, batch_first=bool(node.attribute("layout", 0)))


@operator("CausalConvWithState")
def _causal(node: Node) -> None:
    append_operator(node, layers.OnnxCausalConv)


@operator("DeformConv")
def _deformed(node: Node) -> None:
    lists = {name: node.attribute(name) for name in ("strides", "dilations", "pads")}
    fields: dict[str, Any] = {name: tuple(value) for name, value in lists.items() if value}
    fields |= {"groups": node.attribute("group", 1), "offset_group": node.attribute("offset_group", 1)}
    append_operator(node, layers.OnnxDeformConv, **fields)


@operator("Det")
def _determinant(node: Node) -> None:
    fields = {"function": "prod", "dim": (-2, -1)}
    node.ends(canonical(layers.OnnxReduce, fields), node.operand(0))
