"""What operators make of small tensors whose numbers are known: the arithmetic of shapes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from onnx import TensorProto

from shapecalc.bridges.onnx.onnx_node import WHOLE, Node
from shapecalc.bridges.onnx.operators import folding
from shapecalc.bridges.onnx.size_values import (
    Size,
    concrete,
    divided,
    greatest,
    is_positive,
    least,
    plain,
    rounded,
)


def _each(function: Callable[..., Any], *arrays: Any) -> Any:
    """Return what a function makes of the numbers at each place."""
    return np.asarray(np.frompyfunc(function, len(arrays), 1)(*arrays), dtype=object)


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Equal": operator.eq,
    "Less": operator.lt,
    "LessOrEqual": operator.le,
    "Greater": operator.gt,
    "GreaterOrEqual": operator.ge,
    "And": lambda x, y: bool(x) and bool(y),
    "Or": lambda x, y: bool(x) or bool(y),
    "Xor": lambda x, y: bool(x) != bool(y),
}
_TRUTHS = frozenset(_ARITHMETIC) - {"Add", "Sub", "Mul"}


@folding(*_ARITHMETIC)
def _arithmetic(node: Node, x: Any, y: Any) -> Any:
    if node.op in _TRUTHS:
        node.result_type = TensorProto.BOOL
    return _each(_ARITHMETIC[node.op], x, y)


@folding("Div")
def _quotient(node: Node, x: Any, y: Any) -> Any:
    if any(concrete(each) == 0 for each in y.flat):
        raise node.error("a number is divided by 0")
    return _each(divided if node.operand(0).dtype in WHOLE else operator.truediv, x, y)


@folding("Mod")
def _remainder(node: Node, x: Any, y: Any) -> Any:
    if node.attribute("fmod", 0) or any(concrete(each) == 0 for each in y.flat):
        return None
    return _each(operator.mod, x, y)


@folding("Min", "Max")
def _extremes(node: Node, *arrays: Any) -> Any:
    return reduce(lambda x, y: _each(least if node.op == "Min" else greatest, x, y), arrays)


@folding("Where")
def _chosen(node: Node, condition: Any, x: Any, y: Any) -> Any:
    node.result_type = node.operand(1).dtype
    return _each(lambda test, one, other: one if test else other, condition, x, y)


@folding("Not")
def _negated(node: Node, x: Any) -> Any:
    return _each(lambda each: not each, x)


@folding("Neg")
def _negative(node: Node, x: Any) -> Any:
    return _each(operator.neg, x)


@folding("Floor", "Ceil")
def _rounded(node: Node, x: Any) -> Any:
    return _each(lambda each: rounded(each, up=node.op == "Ceil"), x)


@folding("Cast")
def _cast(node: Node, x: Any) -> Any:
    node.result_type = to = node.attribute("to")
    if to == TensorProto.BOOL:
        return _each(bool, x)
    return _each(_cut if to in WHOLE else lambda each: each + 0, x)


def _cut(value: Any) -> Any:
    """Return a number without its fraction."""
    if isinstance(value, Size):
        return rounded(value) if is_positive(value) else rounded(value, up=True)
    return int(value)


@folding("Identity")
def _same(node: Node, x: Any) -> Any:
    return x


@folding("Concat")
def _joined(node: Node, *parts: Any) -> Any:
    return np.concatenate(parts, axis=node.attribute("axis", 0))


@folding("Gather")
def _gathered(node: Node, x: Any, indices: Any) -> Any:
    where = np.array([int(plain(each)) for each in indices.flat], dtype=int).reshape(indices.shape)
    return np.take(x, where, axis=node.attribute("axis", 0))


@folding("Squeeze")
def _squeezed(node: Node, x: Any, axes: Any = None) -> Any:
    chosen = node.integers(1, "axes")
    return np.squeeze(x, axis=None if chosen is None else tuple(chosen))


@folding("Unsqueeze")
def _unsqueezed(node: Node, x: Any, axes: Any = None) -> Any:
    return np.expand_dims(x, tuple(node.integers(1, "axes")))


@folding("Reshape")
def _reshaped(node: Node, x: Any, wanted: Any = None) -> Any:
    return x.reshape(node.integers(1, "shape"))


@folding("Transpose")
def _turned(node: Node, x: Any) -> Any:
    return x.transpose(node.attribute("perm"))


@folding("Slice")
def _cut_out(node: Node, x: Any, *ends: Any) -> Any:
    starts, stops = node.integers(1, "starts"), node.integers(2, "ends")
    axes = node.integers(3, "axes", [*range(len(starts))])
    steps = node.integers(4, None, [1] * len(starts))
    index = [slice(None)] * x.ndim
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        end = stop if step > 0 or stop >= -x.shape[axis] else None
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


@folding("Split")
def _parts(node: Node, x: Any, sizes: Any = None) -> Any:
    lengths = node.integers(1, "split")
    axis, count = node.attribute("axis", 0), len(node.proto.output)
    where = np.cumsum(lengths)[:-1] if lengths else -(-x.shape[axis] // count) * np.arange(1, count)
    return tuple(np.split(x, where, axis=axis))


@folding("ReduceProd", "ReduceSum", "ReduceMax", "ReduceMin")
def _reduced(node: Node, x: Any, axes: Any = None) -> Any:
    function: Any = {"Prod": operator.mul, "Sum": operator.add, "Max": greatest, "Min": least}[node.op[6:]]
    chosen = node.integers(1, "axes")
    if not x.size or (not chosen and node.attribute("noop_with_empty_axes", 0)):
        return None
    ufunc = np.frompyfunc(function, 2, 1)
    keeps = bool(node.attribute("keepdims", 1))
    return np.asarray(ufunc.reduce(x, axis=tuple(chosen or range(x.ndim)), keepdims=keeps), dtype=object)


@folding("Expand")
def _expanded(node: Node, x: Any, shape: Any) -> Any:
    if any(isinstance(each, Size) for each in shape.flat):
        return None
    sizes = np.broadcast_shapes(x.shape, tuple(shape.tolist()))
    return np.broadcast_to(x, sizes) if node.is_small(sizes) else None


@folding("ConstantOfShape")
def _filled(node: Node, shape: Any) -> Any:
    if any(isinstance(each, Size) for each in shape.flat) or not node.is_small(shape.tolist()):
        return None
    fill = node.attribute("value")
    value = 0.0 if fill is None else node.graph.value_of(node.graph.initializer(fill)).reshape(-1)[0]
    node.result_type = TensorProto.FLOAT if fill is None else fill.data_type
    return np.full(tuple(shape.tolist()), value, dtype=object)


@folding("Range")
def _counted(node: Node, start: Any, limit: Any, delta: Any) -> Any:
    ends = [each.reshape(-1)[0] for each in (start, limit, delta)]
    if any(isinstance(each, (Size, float)) for each in ends) or ends[2] == 0:
        return None
    numbers = range(*ends)
    return np.array(numbers, dtype=object) if node.is_small([len(numbers)]) else None
