"""Repairs by brute force: other numbers in the layers that a failing one depends on, tried on a shadow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from shapecalc.checks.changes import every_alternative
from shapecalc.checks.diagnostic import Diagnostic, Edit
from shapecalc.checks.proposal import Proposal
from shapecalc.checks.propose import Proposer, refusal
from shapecalc.checks.shadow import Change, Shadow
from shapecalc.engine.graph import GraphNode
from shapecalc.layers.base import Layer, Shapes
from shapecalc.layers.requirement import Requirement

_FARTHEST = 40
"""How many layers above the failing one are looked at."""
_DECLARED = frozenset({"in_channels", "in_features", "num_features", "num_parameters"})
"""Fields that only say what arrives: changing them above a failing layer cannot help it."""

Ranked = tuple[dict[int, str], Proposal]
"""The refusals that are left in the shadow, and the proposal."""


class Upstream:
    """Looks above a failing layer for single changes with which it accepts what arrives."""

    def __init__(self, proposer: Proposer, shadow: Shadow) -> None:
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
        found: dict[tuple[Edit, ...], Ranked] = {}
        for proposal in self._candidates(targets[0], self.shadow.asked + most):
            if proposal.edits not in found:
                left = self.shadow.refusals(proposal.changes, target=targets[0])
                if left is not None and not any(target in left for target in targets):
                    found[proposal.edits] = left, _priced(proposal, len(targets))
        return sorted(found.values(), key=lambda pair: (len(pair[0]) + pair[1].cost, len(pair[0])))

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
        for node in near:
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
                maker = self.proposer.makers.get(slot)
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
        seen: set[tuple[str, str]] = set()
        for name, value in every_alternative(node.layer, pairs):
            if (name, str(value)) in seen or (not is_target and name in _DECLARED):
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


def disagreements(needed: Requirement | None, inputs: Shapes) -> Iterator[tuple[int, int]]:
    """Yield the sizes that disagree: what arrives, and what was wanted."""
    if needed is not None and needed.code in ("channels", "elements", "normalized-shape", "axes"):
        if isinstance(needed.left, int) and isinstance(needed.right, int):
            yield needed.right, needed.left
    for one, other in permutations(dict.fromkeys(inputs), 2):
        for a, b in zip(one, other, strict=False):
            if isinstance(a, int) and isinstance(b, int) and a != b:
                yield a, b
