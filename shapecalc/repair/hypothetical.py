"""What an inference would find if some of its layers were others: asked of the flat graph, without a text.

A shadow costs little and is only nearly right, because conditions, repeats and formulas stay as they
were. It says which changes are worth a real inference.
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
from shapecalc.repair.field_changes import changed


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for a field of some layers, a layer put before them, or none in their place."""

    nodes: tuple[int, ...]
    field: str = ""
    value: Any = None  # never a list: a change stands in sets
    before: str = ""
    """The kind that is put before them."""

    @property
    def is_drop(self) -> bool:
        """Whether the layers are taken out."""
        return not self.field and not self.before


@dataclass(slots=True)
class _Run:
    """The state of an inference: shapes and taints per slot, and the code of every refusal by node."""

    shapes: list[Shape | None]
    taints: dict[int, frozenset[int]]
    refused: dict[int, str]


class HypotheticalInference:
    """Re-evaluates the layers of an inference with some of them replaced; equal calls are cached."""

    def __init__(self, inference: Inference) -> None:
        self.nodes = inference.graph.nodes
        self.evaluator = Evaluator()
        self.made: dict[tuple[Any, ...], Kind | None] = {}
        """The layers that changes make; the evaluator tells layers apart by identity, so they stay."""
        self.asked = 0
        """How many layers have been asked so far."""
        self.missing = {slot: missing_tensor(slot) for slot in inference.missing}
        self.base = _Run([*inference.shapes], {**self.missing}, {})
        self._finish(self.base, 0, {})

    def refusals(
        self,
        changes: Iterable[Change],
        *,
        inputs: Mapping[int, Shape] | None = None,
        target: int | None = None,
    ) -> dict[int, str] | None:
        """Return the refusals after some changes; None where a change is not legal or the target refuses."""
        layers = self._layers(changes)
        if layers is None:
            return None
        run, first = self._begin(layers, inputs)
        return run.refused if self._finish(run, first, layers, target) else None

    def arriving(self, changes: Iterable[Change], target: int) -> tuple[Shape | None, ...] | None:
        """Return what arrives at a layer after some changes above it; None where one is not legal."""
        layers = self._layers(changes)
        if layers is None:
            return None
        run, first = self._begin(layers)
        for index in range(first, target):
            self._take(self.nodes[index], layers.get(index, (self.nodes[index].layer,)), run)
        return tuple(run.shapes[slot] for slot in self.nodes[target].sources)

    def _begin(
        self, layers: Mapping[int, Sequence[Kind]], inputs: Mapping[int, Shape] | None = None
    ) -> tuple[_Run, int]:
        """Return the inference as it is before the first change, and the node that comes next."""
        first = 0 if inputs else min(layers, default=len(self.nodes))
        begin = self.nodes[first].first_slot if first < len(self.nodes) else len(self.base.shapes)
        run = _Run(
            [*self.base.shapes],
            self.missing | {slot: taint for slot, taint in self.base.taints.items() if slot < begin},
            {index: code for index, code in self.base.refused.items() if index < first},
        )
        for slot, shape in (inputs or {}).items():
            run.shapes[slot] = shape
        return run, first

    def _layers(self, changes: Iterable[Change]) -> dict[int, list[Kind]] | None:
        """Return the layers that stand in the place of others, or None where a change is not legal."""
        layers: dict[int, list[Kind]] = {}
        for change in changes:
            for index in change.nodes:
                after = self._changed(layers.get(index, [self.nodes[index].layer]), change)
                if after is None:
                    return None
                layers[index] = after
        return layers

    def result(self, index: int, changes: Iterable[Change], inputs: Shapes) -> Shapes | None:
        """Return what a layer by itself makes of some inputs after changes, or None where it refuses."""
        row: list[Kind] | None = [self.nodes[index].layer]
        for change in changes:
            row = self._changed(row, change) if row else None
        if not row or not inputs:
            return None
        self.asked += 1
        try:
            answer = self.evaluator.apply(row[-1], inputs)
        except ShapecalcError:
            return None
        return None if isinstance(answer, Refused) else answer.outputs

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

    def _finish(
        self, run: _Run, first: int, layers: Mapping[int, Sequence[Kind]], target: int | None = None
    ) -> bool:
        """Inference on from a node to the end; say whether the target, if there is one, accepts."""
        for index in range(first, len(self.nodes)):
            node = self.nodes[index]
            code = self._take(node, layers.get(index, (node.layer,)), run)
            if code is not None:
                if index == target:
                    return False
                run.refused[index] = code
        return True

    def _take(self, node: GraphNode, layers: Sequence[Kind], run: _Run) -> str | None:
        """Find what a node yields; return the code of a refusal that is to be told."""
        shapes = [run.shapes[slot] for slot in node.sources]
        arriving: Shapes | None = tuple([shape for shape in shapes if shape is not None])
        if len(arriving or ()) != len(shapes):
            arriving = None
        taints = [run.taints.get(slot, UNTAINTED) for slot in node.sources]
        told: str | None = None
        for layer in layers:
            if arriving is None:
                break
            self.asked += 1
            try:
                answer = self.evaluator.apply(layer, arriving)
            except ShapecalcError:
                arriving = None
                break
            if isinstance(answer, Refused):
                arriving, taint, is_told = recover(layer, arriving, answer, taints, node.first_slot)
                taints = [taint]
                if is_told and told is None:
                    told = answer.requirement.code
            else:
                arriving, taints = answer.outputs, [propagate_taint(layer, taints)]
        for number, slot in enumerate(node.slots):
            known = arriving is not None and number < len(arriving)
            run.shapes[slot] = arriving[number] if known and arriving is not None else None
        if taint := UNTAINTED.union(*taints):
            run.taints |= dict.fromkeys(node.slots, taint)
        return told
