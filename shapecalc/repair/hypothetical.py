"""Hypothetical inference: the flat graph evaluated with some layers replaced, without reading a text.

It costs little and is only nearly right, because conditions, repeats and formulas stay as they were. It
ranks candidate fixes: only the best are applied to the text and checked by a real inference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shapecalc.engine.error_recovery import UNTAINTED, missing_tensor, propagate_taint, recover
from shapecalc.engine.evaluate import Evaluator
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.registry import get
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.repair.candidate import Change
from shapecalc.repair.field_changes import changed


@dataclass(slots=True)
class _Run:
    """The state of an inference: shapes and taint per slot, and the code of every refusal by node."""

    shapes: list[Shape | None]
    taint: dict[int, frozenset[int]]
    refused: dict[int, str]


class HypotheticalInference:
    """Re-evaluates the layers of an inference with some of them replaced; equal calls are cached."""

    def __init__(self, inference: Inference) -> None:
        self.nodes = inference.graph.nodes
        self.evaluator = Evaluator()
        self.made: dict[tuple[Any, ...], Kind | None] = {}
        """The layers that changes make; the evaluator distinguishes layers by identity, so they stay."""
        self.evaluated = 0
        """How many layers have been evaluated so far."""
        self.missing = {slot: missing_tensor(slot) for slot in inference.missing}
        self.base = _Run([*inference.shapes], {**self.missing}, {})
        self._run(self.base, 0, {})

    def refusals(
        self,
        changes: Iterable[Change],
        *,
        inputs: Mapping[int, Shape] | None = None,
        target: int | None = None,
    ) -> dict[int, str] | None:
        """Return the refusals after some changes; None where one is not legal or the target refuses."""
        layers = self._layers(changes)
        if layers is None:
            return None
        first = 0 if inputs else min(layers, default=len(self.nodes))
        begin = self.nodes[first].first_slot if first < len(self.nodes) else len(self.base.shapes)
        run = _Run(
            [*self.base.shapes],
            self.missing | {slot: taint for slot, taint in self.base.taint.items() if slot < begin},
            {index: code for index, code in self.base.refused.items() if index < first},
        )
        for slot, shape in (inputs or {}).items():
            run.shapes[slot] = shape
        return run.refused if self._run(run, first, layers, target) else None

    def result(self, index: int, inputs: Shapes, change: Change | None = None) -> Shapes | None:
        """Return what a layer, perhaps changed, makes of its inputs; None where it refuses them."""
        layers = [self.nodes[index].layer]
        row = layers if change is None else self._changed(layers, change)
        if not row or not inputs:
            return None
        self.evaluated += 1
        try:
            result = self.evaluator.apply(row[-1], inputs)
        except ShapecalcError:
            return None
        return None if isinstance(result, Refused) else result.outputs

    def _layers(self, changes: Iterable[Change]) -> dict[int, list[Kind]] | None:
        """Return the layers that take the place of others; None where a change is not legal."""
        layers: dict[int, list[Kind]] = {}
        for change in changes:
            for index in change.nodes:
                after = self._changed(layers.get(index, [self.nodes[index].layer]), change)
                if after is None:
                    return None
                layers[index] = after
        return layers

    def _changed(self, row: list[Kind], change: Change) -> list[Kind] | None:
        if change.is_drop:
            return []
        if not row:
            return None
        own = row[-1]
        if change.before:
            before = self.made.setdefault((change.before,), get(change.before)())
            return None if before is None else [*row[:-1], before, own]
        key = (id(own), change.field, str(change.value))
        if key not in self.made:
            self.made[key] = changed(own, change.field, change.value)
        made = self.made[key]
        return None if made is None else [*row[:-1], made]

    def _run(
        self, run: _Run, first: int, layers: Mapping[int, Sequence[Kind]], target: int | None = None
    ) -> bool:
        """Evaluate from a node to the end; say whether the target, if there is one, accepts."""
        for index in range(first, len(self.nodes)):
            node = self.nodes[index]
            code = self._evaluate(node, layers.get(index, (node.layer,)), run)
            if code is not None:
                if index == target:
                    return False
                run.refused[index] = code
        return True

    def _evaluate(self, node: GraphNode, layers: Sequence[Kind], run: _Run) -> str | None:
        """Evaluate one node; return the code of a refusal that does not only follow from another."""
        known = [shape for slot in node.sources if (shape := run.shapes[slot]) is not None]
        shapes: Shapes | None = tuple(known) if len(known) == len(node.sources) else None
        taints = [run.taint.get(slot, UNTAINTED) for slot in node.sources]
        code: str | None = None
        for layer in layers:
            if shapes is None:
                break
            self.evaluated += 1
            try:
                result = self.evaluator.apply(layer, shapes)
            except ShapecalcError:
                shapes = None
                break
            if isinstance(result, Refused):
                shapes, taint, is_own = recover(layer, shapes, result, taints, node.first_slot)
                taints = [taint]
                if is_own and code is None:
                    code = result.requirement.code
            else:
                shapes, taints = result.outputs, [propagate_taint(layer, taints)]
        for number, slot in enumerate(node.slots):
            run.shapes[slot] = shapes[number] if shapes is not None and number < len(shapes) else None
        if taint := UNTAINTED.union(*taints):
            run.taint |= dict.fromkeys(node.slots, taint)
        return code
