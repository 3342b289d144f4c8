"""Operators whose results have the shape of an operand, and those that make tensors of a given size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.held_operands import append_operator, result_count
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import field_value

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


@operator("RegexFullMatch")
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


@operator("TreeEnsemble", domain="ai.onnx.ml")
def _trees(node: Node) -> None:
    x = node.operand(0)
    shape = [node.written(x)[0], node.attribute("n_targets")]
    node.ends(layers.TracedFunction(function=node.op, shape=shape), x)


@operator("StringConcat")
def _texts(node: Node) -> None:
    node.ends(layers.Combine(function=node.op), *node.all_operands)


@operator("StringNormalizer")
def _normal_texts(node: Node) -> None:
    if node.attribute("stopwords"):
        node.opaque()  # which words are left depends on the data
    else:
        node.ends(layers.Elementwise(function=node.op), node.operand(0))


@operator("Adagrad", "Adam", "Momentum", domain="ai.onnx.preview.training")
def _optimizer(node: Node) -> None:
    tensors = node.all_operands[2:]
    count = len(tensors) // (4 if node.op == "Adam" else 3)
    kept = [*tensors[:count], *tensors[2 * count :]]
    node.results = [node.step(layers.Elementwise(function=node.op), each) for each in kept]


@operator("OptionalHasElement")
def _has_element(node: Node) -> None:
    node.fold(node.given(0) is not None)


@operator("OptionalGetElement", "Optional")
def _element(node: Node) -> None:
    node.alias(node.operand(0))


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


@operator("RandomNormal", "RandomUniform")
def _of_shape(node: Node) -> None:
    _filled(node, node.attribute("shape"))


@operator("BlackmanWindow", "HammingWindow", "HannWindow")
def _window(node: Node) -> None:
    _filled(node, node.numbers(0))


@operator("MelWeightMatrix")
def _mel_weights(node: Node) -> None:
    bins, length = node.numbers(0)[0], node.numbers(1)[0]
    _filled(node, [length // 2 + 1, bins])


def _filled(node: Node, sizes: Any) -> None:
    """Append a tensor of given sizes that does not depend on the input."""
    node.ends(layers.TracedFunction(function=node.op, shape=field_value([*sizes])), *_one_tensor(node))


def _one_tensor(node: Node) -> list[Any]:
    return [each for each in node.all_operands if each.step is not None]
