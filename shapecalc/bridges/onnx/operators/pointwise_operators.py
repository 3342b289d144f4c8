"""Operators of each element: activations, functions of one tensor, and of several that are broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator

_LAYERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Celu": ("CELU", {"alpha": "alpha"}),
    "Elu": ("ELU", {"alpha": "alpha"}),
    "HardSwish": ("Hardswish", {}),
    "LeakyRelu": ("LeakyReLU", {"alpha": "negative_slope"}),
    "Mish": ("Mish", {}),
    "Relu": ("ReLU", {}),
    "Selu": ("SELU", {}),
    "Sigmoid": ("Sigmoid", {}),
    "Softplus": ("Softplus", {}),
    "Softsign": ("Softsign", {}),
    "Tanh": ("Tanh", {}),
}
"""By operator: the class of the layer, and its fields by the names of attributes."""

_FUNCTIONS: Mapping[str, str] = {
    "Abs": "abs",
    "Acos": "acos",
    "Acosh": "acosh",
    "Asin": "asin",
    "Asinh": "asinh",
    "Atan": "atan",
    "Atanh": "atanh",
    "BitwiseNot": "bitwise_not",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Erf": "erf",
    "Exp": "exp",
    "Floor": "floor",
    "IsInf": "isinf",
    "IsNaN": "isnan",
    "Log": "log",
    "Neg": "neg",
    "Not": "logical_not",
    "Reciprocal": "reciprocal",
    "Round": "round",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Tan": "tan",
}
"""torch's functions of one tensor."""

_MERGES: Mapping[str, str] = {
    "And": "logical_and",
    "BitShift": "bitwise_left_shift",
    "BitwiseAnd": "bitwise_and",
    "BitwiseOr": "bitwise_or",
    "BitwiseXor": "bitwise_xor",
    "Div": "div",
    "Equal": "eq",
    "Greater": "gt",
    "GreaterOrEqual": "ge",
    "Less": "lt",
    "LessOrEqual": "le",
    "Max": "maximum",
    "Mean": "mean_of_tensors",
    "Min": "minimum",
    "Mod": "remainder",
    "Or": "logical_or",
    "Pow": "pow",
    "Sub": "sub",
    "Where": "where",
    "Xor": "logical_xor",
}
"""torch's functions of several tensors."""


@operator(*_LAYERS)
def _layer(node: Node) -> None:
    if node.is_plain:
        node.unknown()
        return
    name, fields = _LAYERS[node.op]
    values = {field: node.decimal(key) for key, field in fields.items() if key in node.attributes}
    node.ends(canonical(getattr(layers, name), values), node.operand(0))


@operator(*_FUNCTIONS)
def _function(node: Node) -> None:
    if node.is_plain:
        node.unknown()
    else:
        node.ends(layers.Elementwise(function=_FUNCTIONS[node.op]), node.operand(0))


@operator("Add")
def _add(node: Node) -> None:
    _broadcast(node, layers.Add(), "add")


@operator("Mul")
def _multiply(node: Node) -> None:
    _broadcast(node, layers.Multiply(), "mul")


@operator("Sum")
def _total(node: Node) -> None:
    node.ends(layers.Add(), *node.all_operands)


@operator(*_MERGES)
def _merge(node: Node) -> None:
    function = _MERGES[node.op]
    _broadcast(node, layers.Combine(function=function), function)


def _broadcast(node: Node, kind: Any, function: str) -> None:
    """Append a function of tensors that are broadcast; plain numbers among them are no tensors."""
    if node.is_plain:
        node.unknown()
        return
    rank = max(operand.rank for operand in node.all_operands)
    tensors = [
        operand
        for operand in node.all_operands
        if not (node.graph.is_constant(operand) and operand.numel == 1 and operand.rank < max(rank, 1))
    ]
    if len(tensors) == 1:
        node.ends(layers.Elementwise(function=function), tensors[0])
    else:
        node.ends(kind, *node.all_operands)


@operator("Clip")
def _clip(node: Node) -> None:
    node.ends(layers.Elementwise(function="clamp"), node.operand(0))


@operator("Gelu")
def _gelu(node: Node) -> None:
    node.ends(canonical(layers.GELU, {"approximate": node.attribute("approximate", "none")}), node.operand(0))


@operator("HardSigmoid")
def _hard_sigmoid(node: Node) -> None:
    node.ends(layers.Hardsigmoid(), node.operand(0))


@operator("PRelu")
def _parametric_relu(node: Node) -> None:
    x, slope = node.operand(0), node.operand(1)
    per_channel = x.rank > 1 and slope.shape == (x.shape[1], *[1] * (x.rank - 2))
    if (per_channel or slope.numel == 1) and node.layer(layers.PReLU(num_parameters=slope.numel), [slope], x):
        return
    node.ends(layers.Combine(function="prelu"), x, slope)


@operator("Softmax", "LogSoftmax")
def _softmax(node: Node) -> None:
    x = node.operand(0)
    axis = node.attribute("axis", -1 if node.version >= 13 else 1)
    kind = layers.LogSoftmax if node.op == "LogSoftmax" else layers.Softmax
    if node.version >= 13 or axis in (-1, x.rank - 1):
        node.ends(kind(dim=axis), x)
    else:  # over all axes from this one on
        flat = node.step(layers.Flatten(start_dim=axis), x) if axis % x.rank < x.rank - 1 else x
        node.ends(layers.View(shape=node.written(x)), node.step(kind(dim=-1), flat))
