"""From an inference with free sizes to the exact set of sizes for which it holds.

Every layer's conditions are relations between closed forms, so the sizes that meet them all are computed
by algebra. What the closed forms leave out is added in `stretching`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.region import Region, everything, where
from shapecalc.algebra.relation import Relation
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.engine.unread_input import unread
from shapecalc.errors import Failure
from shapecalc.layers.base import Effect, Named
from shapecalc.layers.linear import Identity
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.sizes.question import Question


@dataclass(frozen=True, slots=True)
class Imposed:
    """A condition on the sizes, and the layer that imposes it."""

    node: GraphNode
    requirement: Requirement
    region: Region

    @property
    def path(self) -> str:
        return self.node.path


@dataclass(slots=True)
class Solution:
    """The sizes that hold, in which of them a merge stretches, and what imposes the rest."""

    region: Region
    usual: Region
    """The sizes that hold without a merge that stretches."""
    stretched: Region
    lossless: Region
    inference: Inference
    unneeded: set[str]
    """The paths of the layers on which no requested output depends."""
    imposed: list[Imposed] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    inputs: dict[str, Shape] = field(default_factory=dict)


class Solver:
    """Answers one question at several assignments of its unknowns."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.names = question.names
        self.weights = question.weights_built()
        self.known: dict[Relation, Region] = {}

    def plain(self, assigned: Mapping[str, int]) -> Solution:
        """Return the sizes that hold where no merge stretches a free size."""
        is_point = 0 < len(assigned) == len(self.names)  # which holds or not, whatever else fails
        inference, inputs = self.question.infer_at(assigned, confirm=not is_point)
        unneeded = self.question.unneeded(inference.graph)
        failures = [failure for failure in inference.failures if failure.path not in unneeded]
        imposed = list(self.imposed(inference, unneeded))
        region = Region(self.names) if failures else self.pinned(assigned)
        for condition in imposed:
            region &= condition.region
        lossless = region
        for relation in dict.fromkeys(self.reading(inference, unneeded)) if region else ():
            lossless &= self.where(relation)
        return Solution(
            region, region, Region(self.names), lossless, inference, unneeded, imposed, failures, inputs
        )

    def pinned(self, assigned: Mapping[str, int]) -> Region:
        region = everything(self.names)
        for name, n in assigned.items():
            region &= along(self.names, name, IntegerSet.of([n]))
        return region

    def where(self, relation: Relation) -> Region:
        """Return where a relation holds, solved once."""
        if relation not in self.known:
            self.known[relation] = where(self.names, relation)
        return self.known[relation]

    # ---- conditions

    def imposed(self, inference: Inference, unneeded: set[str]) -> Iterator[Imposed]:
        """Yield every condition once, at the first layer that imposes it."""
        seen: set[Relation] = set()
        for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
            if effect is None or node.path in unneeded:
                continue
            for requirement in (*effect.conditions, *as_built(node, effect, self.weights.get(node.path))):
                if requirement.relation not in seen:
                    seen.add(requirement.relation)
                    yield Imposed(node, requirement, self.where(requirement.relation))
        yield from self.targeted(inference)

    def targeted(self, inference: Inference) -> Iterator[Imposed]:
        """Yield what the requested result must be, as if the layer that makes it imposed it."""
        slot, shape = self.question.slot(inference.graph), self.question.result(inference)
        if shape is None or slot is None:
            return
        unmade = GraphNode("input", Identity(), (slot,), slot, 1, self.question.spec.place)
        node = inference.graph.producer(slot) or unmade
        for size, wanted in self.question.targets(shape):
            requirement = Requirement("target", size, "==", wanted, f"{node.path} is {shown(shape[1:])}")
            yield Imposed(node, requirement, self.where(requirement.relation))

    def reading(self, inference: Inference, unneeded: set[str]) -> Iterator[Relation]:
        """Yield the relations that make every window read its input to the end."""
        for node, rows in unread(inference):
            if node.path not in unneeded:
                yield from (Relation(left, "<=", 0) for left in rows)


def as_built(node: GraphNode, effect: Effect, built: Named | None) -> Iterator[Requirement]:
    """Require that weights which were made for other sizes still fit."""
    if built is None:
        return
    for name, shape in {**effect.weights, **effect.buffers}.items():
        for size, known in zip(shape, built.get(name, ()), strict=False):
            if size != known:
                kind, was = node.layer.kind, shown(built[name])
                says = f"{kind}: {name} was built as {was}, but needs {shown(shape)}"
                yield Requirement("as-built", size, "==", known, says)


def along(names: tuple[str, ...], name: str, points: IntegerSet) -> Region:
    """Return all points of which one coordinate is in a set."""
    (box,) = everything(names).boxes
    sets = tuple(points if other == name else axis for other, axis in zip(names, box.sets, strict=True))
    return Region(names, (replace(box, sets=sets),))
