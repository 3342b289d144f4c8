"""Operators that make one number of axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator

_TORCHS: Mapping[str, str] = {
    "ReduceSum": "sum",
    "ReduceMax": "amax",
    "ReduceMin": "amin",
    "ReduceL2": "norm",
    "ReduceLogSumExp": "logsumexp",
}
"""Reductions of several axes that torch has."""
_ONNXS: Mapping[str, str] = {
    "ReduceL1": "l1",
    "ReduceLogSum": "log_sum",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
    "ReduceSumSquare": "sum_square",
}
"""Those that it has not, or not of no element."""


@operator("ReduceMean", *_TORCHS, *_ONNXS)
def _reduce(node: Node) -> None:
    x, axes = node.operand(0), node.integers(1, "axes")
    if not axes:
        keeps = node.attribute("noop_with_empty_axes", 0)
        if keeps or not x.rank:
            node.ends(layers.Elementwise(function=_TORCHS.get(node.op, node.op)), x)
            return
        axes = [*range(x.rank)]
    fields: dict[str, Any] = {"dim": tuple(axes), "keepdim": bool(node.attribute("keepdims", 1))}
    is_empty = any(x.shape[axis] == 0 for axis in axes)
    if node.op == "ReduceMean":
        node.ends(canonical(layers.Mean, fields), x)
    elif node.op in _TORCHS and not (is_empty and node.op in _ONNXS):
        node.ends(canonical(layers.Reduce, {"function": _TORCHS[node.op], **fields}), x)
    else:
        node.ends(canonical(layers.OnnxReduce, {"function": _ONNXS[node.op], **fields}), x)


@operator("ArgMax", "ArgMin")
def _arg(node: Node) -> None:
    fields = {"dim": node.attribute("axis", 0), "keepdim": bool(node.attribute("keepdims", 1))}
    node.ends(canonical(layers.Reduce, {"function": node.op.lower(), **fields}), node.operand(0))


@operator("GlobalLpPool")
def _global_power_pool(node: Node) -> None:
    x = node.operand(0)
    fields = {"function": "norm", "dim": tuple(range(2, x.rank)), "keepdim": True}
    if x.rank < 3:
        node.opaque()
    else:
        node.ends(canonical(layers.Reduce, fields), x)
