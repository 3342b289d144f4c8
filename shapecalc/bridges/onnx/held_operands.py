"""Operators whose kinds name their operands as ONNX does: initializers among them belong to the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.onnx_node import Node, Operand
from shapecalc.layers.onnx_operator import OnnxOperator


def append_operator(
    node: Node,
    kind: type[OnnxOperator],
    operands: Sequence[Operand | None] | None = None,
    /,
    *,
    holds: bool = True,
    **fields: Any,
) -> None:
    """Append an operator; the initializers among its operands are its own if it `holds` them and can.

    Without `operands` these are the first of the node, as many as the kind names. At least one stays an input
    of the step.
    """
    names = [name.rstrip("?") for name in kind.operands.split()]
    pairs = [*zip(names, node.operands if operands is None else operands, strict=False)]
    while pairs and pairs[-1][1] is None:
        pairs.pop()
    present = {name: operand for name, operand in pairs if operand is not None}
    fields["skipped"] = tuple(name for name, operand in pairs if operand is None)
    own = {name: each for name, each in present.items() if each.weight is not None and each.step is None}
    if holds and own and len(own) < len(present) and node.owns(*own.values()):
        held = {name: each.shape for name, each in own.items()}
        others = [each for name, each in present.items() if name not in own]
        if node.layer(canonical(kind, {**fields, "held": held}), [*own.values()], *others):
            return
    node.ends(canonical(kind, fields), *present.values())


def result_count(node: Node) -> int:
    """Return how many results the node has, up to the last that has a name."""
    used = [number for number, title in enumerate(node.proto.output, start=1) if title]
    return max(used, default=1)
