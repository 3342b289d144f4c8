"""What operators make of small tensors whose numbers are known: the arithmetic of shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import folding
from shapecalc.bridges.onnx.size_values import divided, plain


@folding("Identity")
def _same(node: Node, x: Any) -> Any:
    return x


@folding("Add", "Sub", "Mul")
def _arithmetic(node: Node, x: Any, y: Any) -> Any:
    return {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}[node.op](x, y)


_divided = np.frompyfunc(divided, 2, 1)


@folding("Div")
def _quotient(node: Node, x: Any, y: Any) -> Any:
    return np.asarray(_divided(x, y), dtype=object)


@folding("Concat")
def _joined(node: Node, *parts: Any) -> Any:
    return np.concatenate(parts, axis=node.attribute("axis", 0))


@folding("Gather")
def _gathered(node: Node, x: Any, indices: Any) -> Any:
    where = np.vectorize(lambda each: int(plain(each)), otypes=[int])(indices)
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


@folding("Slice")
def _cut(node: Node, x: Any, *ends: Any) -> Any:
    starts, stops = node.integers(1, "starts"), node.integers(2, "ends")
    axes = node.integers(3, "axes", [*range(len(starts))])
    steps = node.integers(4, None, [1] * len(starts))
    index = [slice(None)] * x.ndim
    for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True):
        index[axis] = slice(start, stop if step > 0 or stop >= -x.shape[axis] else None, step)
    return x[tuple(index)]
