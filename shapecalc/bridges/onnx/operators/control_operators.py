"""Operators with graphs inside: a branch that is decided is read in their place."""

from __future__ import annotations

from onnx import GraphProto

from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import Size


@operator("If")
def _branch(node: Node) -> None:
    condition = node.graph.value_of(node.operand(0))
    if condition is None:
        node.opaque()
        return
    truth = condition.reshape(-1)[0]
    chosen = "then_branch" if (truth != 0 if isinstance(truth, Size) else truth) else "else_branch"
    body = node.attribute(chosen)
    if not isinstance(body, GraphProto):
        raise node.error(f"{node.op} has no {chosen}")
    node.run_graph(body)


@operator("Loop", "Scan")
def _loop(node: Node) -> None:
    node.opaque()
