"""Operators that arrange, join and cut tensors, and those whose results are known sizes."""

from __future__ import annotations

from math import ceil
from typing import Any

from onnx import TensorProto

from shapecalc import layers
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import field_value, plain


@operator("Identity")
def _identity(node: Node) -> None:
    node.alias(node.operand(0))


@operator("Cast")
def _cast(node: Node) -> None:
    node.alias(node.operand(0), node.attribute("to"))


@operator("CastLike")
def _cast_like(node: Node) -> None:
    node.alias(node.operand(0), node.operand(1).dtype)


@operator("Constant")
def _constant(node: Node) -> None:
    name: str = next(iter(node.attributes), "nothing")
    value: Any = node.attribute(name)
    if name == "value":
        tensor = node.graph.initializer(value)
        tensor.title, tensor.is_literal = node.proto.output[0], True
        node.alias(tensor)
    elif name in ("value_int", "value_ints", "value_float", "value_floats"):
        node.result_type = TensorProto.FLOAT if "float" in name else TensorProto.INT64
        node.fold(value)
    else:
        raise node.error(f"a constant of {name} is not read")


@operator("Shape")
def _shape(node: Node) -> None:
    sizes = node.sizes(node.operand(0))
    node.result_type = TensorProto.INT64
    node.fold(sizes[node.attribute("start", 0) : node.attribute("end")])


@operator("Size")
def _size(node: Node) -> None:
    count: Any = 1
    for each in node.sizes(node.operand(0)):
        count = each * count
    node.result_type = TensorProto.INT64
    node.fold(count)


@operator("Flatten")
def _flatten(node: Node) -> None:
    x, axis = node.operand(0), node.attribute("axis", 1)
    is_torchs = x.rank > 1 and axis in (1, 1 - x.rank)
    node.ends(layers.Flatten() if is_torchs else layers.OnnxFlatten(dim=axis), x)


@operator("Reshape")
def _reshape(node: Node) -> None:
    x = node.operand(0)
    shape = node.numbers(1, "shape")
    keeps = 0 if node.attribute("allowzero", 0) else x.rank
    for axis, size in enumerate(node.sizes(x)[:keeps]):
        if axis < len(shape) and type(shape[axis]) is int and not shape[axis]:
            shape[axis] = size
    sizes = field_value(shape)
    if 0 in sizes or 0 in x.shape:
        node.ends(layers.OnnxReshape(shape=sizes, allowzero=True), x)
    else:
        node.ends(layers.View(shape=sizes), x)


@operator("Transpose")
def _transpose(node: Node) -> None:
    x = node.operand(0)
    node.ends(layers.Permute(dims=node.attribute("perm", [*range(x.rank)][::-1])), x)


@operator("Squeeze")
def _squeeze(node: Node) -> None:
    x, axes = node.operand(0), node.integers(1, "axes")
    if axes is None:
        axes = [axis for axis, each in enumerate(node.sizes(x)) if each == 1]
    node.ends(layers.OnnxSqueeze(dims=tuple(axes)), x)


@operator("Unsqueeze")
def _unsqueeze(node: Node) -> None:
    x, axes = node.operand(0), node.integers(1, "axes")
    rank = x.rank + len(axes)
    order = sorted(axis % rank for axis in axes)
    for axis in order[:-1]:
        x = node.step(layers.Unsqueeze(dim=axis), x)
    node.ends(layers.Unsqueeze(dim=order[-1]), x)


@operator("Concat")
def _concat(node: Node) -> None:
    node.ends(layers.Concat(dim=node.attribute("axis", 1)), *node.all_operands)


@operator("Range")
def _range(node: Node) -> None:
    ends = [node.graph.value_of(node.operand(number)) for number in range(3)]
    if any(value is None for value in ends):
        node.opaque()
        return
    start, limit, delta = (value.reshape(-1)[0] for value in ends)
    if any(isinstance(each, float) for each in (start, limit, delta)):
        count = max(ceil((plain(limit) - plain(start)) / plain(delta)), 0)
    else:
        count = limit - start if delta == 1 else -((start - limit) // delta)
    _filled(node, [count])
    node.results[0].below = limit if isinstance(delta, int) and delta > 0 else None


@operator("ConstantOfShape")
def _constant_of_shape(node: Node) -> None:
    _filled(node, node.numbers(0))


def _filled(node: Node, sizes: list[Any]) -> None:
    """Append a tensor of these sizes that nothing learns."""
    shape = field_value(sizes)
    if 0 in shape:
        node.ends(layers.TracedFunction(function="zeros", shape=shape))
    else:
        node.ends(layers.Constant(shape=shape))
