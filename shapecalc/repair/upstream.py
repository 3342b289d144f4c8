"""Repairs by brute force: other numbers in the layers that a failing one depends on, tried on a shadow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations, product

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit
from shapecalc.engine.graph import GraphNode
from shapecalc.layers.base import Layer, Merge, Shapes
from shapecalc.layers.merge import Concat
from shapecalc.layers.requirement import Requirement
from shapecalc.layers.roles import Declares, fields_with
from shapecalc.repair.field_changes import every_alternative
from shapecalc.repair.hypothetical import Change, HypotheticalInference
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.propose import Proposer, refusal

_FARTHEST = 40
"""How many layers above the failing one are looked at."""
_PAIRED = 6
"""How many of the changes that cure the same axes of a merge are tried with others."""

Ranked = tuple[dict[int, str], Proposal]
"""The refusals that are left in the shadow, and the proposal."""


class Upstream:
    """Looks above a failing layer for single changes with which it accepts what arrives."""

    def __init__(self, proposer: Proposer, shadow: HypotheticalInference) -> None:
        self.proposer = proposer
        self.shadow = shadow
        self.index = {node.path: number for number, node in enumerate(shadow.nodes)}

    def ranked(self, one: Diagnostic, most: int) -> list[Ranked]:
        """Return the changes that cure a finding on the shadow: those that leave least first.

        `most` bounds how many layers of the shadow are asked.
        """
        targets = [self.index[path] for path in one.paths if path in self.index]
        if not targets:
            return []
        limit = self.shadow.asked + most
        found: dict[tuple[Edit, ...], Ranked] = {}
        partly: dict[frozenset[int], list[Proposal]] = {}
        for proposal in self._candidates(targets[0], limit):
            if proposal.edits in found:
                continue
            left = self._left(proposal, targets)
            if left is not None:
                found[proposal.edits] = left, _priced(proposal, len(targets))
            elif not proposal.changes[0].is_drop:
                axes = self._still(proposal, targets[0])
                if axes is not None:
                    partly.setdefault(axes, []).append(proposal)
        if not found:
            for pair in _pairs(partly):
                left = self._left(pair, targets)
                if left is not None and self.shadow.asked <= limit + most:
                    found[pair.edits] = left, _priced(pair, len(targets))
        return sorted(found.values(), key=lambda pair: (len(pair[0]) + pair[1].cost, len(pair[0])))

    def _left(self, proposal: Proposal, targets: Sequence[int]) -> dict[int, str] | None:
        """Return the refusals that a proposal leaves; None where one of the targets is among them."""
        left = self.shadow.refusals(proposal.changes, target=targets[0])
        return None if left is None or any(target in left for target in targets) else left

    def _still(self, proposal: Proposal, target: int) -> frozenset[int] | None:
        """Return the axes on which the inputs of a merge still differ; None where that is no progress."""
        failing = self.shadow.nodes[target]
        if not isinstance(failing.layer, Merge):
            return None
        before = _differing(failing.layer, self.proposer.inputs(failing))
        if len(before) < 2:
            return None
        shapes = self.shadow.arriving(proposal.changes, target)
        if shapes is None:
            return None
        known = tuple(shape for shape in shapes if shape is not None)
        after = _differing(failing.layer, known) if len(known) == len(shapes) else before
        return after if after < before else None

    def _candidates(self, target: int, limit: int) -> Iterator[Proposal]:
        """Yield changes to the failing layer and to those above it, the nearest first."""
        failing = self.shadow.nodes[target]
        inputs = self.proposer.inputs(failing)
        pairs = [*disagreements(refusal(failing.layer, inputs), inputs)]
        near = self._near(target)
        for node in near:
            for proposal in self._fields(node, pairs, is_target=node is failing):
                if self.shadow.asked > limit:
                    return
                yield proposal
        for node in (*near[1:], failing):
            if isinstance(node.layer, Layer):
                omitted = self.proposer.spots.omitted_step(node)
                if omitted is not None and self.shadow.asked <= limit:
                    yield omitted

    def _near(self, target: int) -> list[GraphNode]:
        """Return a layer and those that it depends on, from the nearest on."""
        nodes = self.shadow.nodes
        pending, found = [nodes[target]], [nodes[target]]
        while pending and len(found) < _FARTHEST:
            for slot in pending.pop(0).sources:
                maker = self.proposer.producer(slot)
                if maker is not None and maker not in found:
                    found.append(maker)
                    pending.append(maker)
        return found

    def _fields(
        self, node: GraphNode, pairs: Sequence[tuple[int, int]], *, is_target: bool
    ) -> Iterator[Proposal]:
        inputs = self.proposer.inputs(node)
        before = self._result(node, (), inputs)
        number = self.index[node.path]
        declares = fields_with(type(node.layer), Declares)  # changing these cannot help a layer below
        seen: set[tuple[str, str]] = set()
        for name, value in every_alternative(node.layer, pairs):
            if (name, str(value)) in seen or (not is_target and name in declares):
                continue
            seen.add((name, str(value)))
            change = Change((number,), name, value)
            after = self._result(node, (change,), inputs)
            if after is not None and (is_target or after != before):
                yield from self.proposer.spots.field(node, name, value, by_force=True)

    def _result(self, node: GraphNode, changes: Sequence[Change], inputs: Shapes) -> Shapes | None:
        """Return what a layer by itself makes of its input, or None where it refuses it."""
        return self.shadow.result(self.index[node.path], changes, inputs)


def _priced(proposal: Proposal, failing: int) -> Proposal:
    """Return a proposal that costs more where it changes more layers than fail."""
    reached = max(len(change.nodes) for change in proposal.changes)
    return replace(proposal, price=proposal.cost + 1) if reached > failing else proposal


def _differing(merge: Merge, inputs: Shapes) -> frozenset[int]:
    """Return the axes on which the inputs of a merge differ and may not."""
    if not inputs or len({len(x) for x in inputs}) != 1:
        return frozenset()
    free = merge.dim % len(inputs[0]) if isinstance(merge, Concat) else None
    ones = not isinstance(merge, Concat)
    return frozenset(
        axis
        for axis in range(1, len(inputs[0]))
        if axis != free and len({x[axis] for x in inputs if x[axis] != 1 or not ones}) > 1
    )


def _pairs(partly: Mapping[frozenset[int], Sequence[Proposal]]) -> Iterator[Proposal]:
    """Yield two proposals as one where what the first leaves is what the second cures."""
    for (axes, some), (others, more) in combinations(partly.items(), 2):
        if not axes & others:
            for one, other in product(some[:_PAIRED], more[:_PAIRED]):
                yield one.and_also(other)


def disagreements(needed: Requirement | None, inputs: Shapes) -> Iterator[tuple[int, int]]:
    """Yield the sizes that disagree: what arrives, and what was wanted."""
    if needed is not None and needed.code in ("channels", "elements", "normalized-shape", "axes"):
        if isinstance(needed.left, int) and isinstance(needed.right, int):
            yield needed.right, needed.left
    for one, other in permutations(dict.fromkeys(inputs), 2):
        for a, b in zip(one, other, strict=False):
            if isinstance(a, int) and isinstance(b, int) and a != b:
                yield a, b
