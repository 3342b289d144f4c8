"""Best-first search for the smallest set of edits with which a model holds, within bounds.

A state of the search is a text. From each, the first error is fixed by every candidate; hypothetical
inference ranks them, and only what is applied to the text and inferred again counts. What is expected to
need the fewest edits altogether comes first, so that one change which cures several errors is reached
before several which cure one each.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.repair.candidate import Candidate
from shapecalc.repair.repair_state import RepairState, own

MOST_TEXTS = 120
MOST_LAYERS = 9_000
"""How many layers may be inferred in one search: some thirty texts of a network of 300 layers."""
MOST_EVALUATED = 16_000
"""How many layers may be evaluated hypothetically in one search."""
MOST_RANKED = 40_000
"""How many layers may be evaluated in one search to rank what is near an error."""
_EVALUATED_EACH = 3_000
_MOST_TURNS = 60
"""How many errors are fixed in turn; with each, the first one that is left is nearer to the end."""
_PATIENCE = 0.3
"""The share of what is left that may be spent on a smaller set after the first was reached."""

Goal: TypeAlias = Callable[[RepairState], bool]
Move: TypeAlias = tuple[int, int, int, RepairState, Diagnostic, Candidate | None]
"""What to do next in a state: try a candidate for a finding, or look for more of them upstream.

First in order is the move that may come to the fewest edits, leaves the fewest mistakes, was queued first.
"""


@dataclass(slots=True)
class Search:
    """Searches from one state; all searches of it share its bounds."""

    start: RepairState
    texts: int = MOST_TEXTS
    layers: int = MOST_LAYERS
    evaluated: int = MOST_EVALUATED
    ranked: int = MOST_RANKED

    def smallest(
        self, *, goal: Goal | None = None, about: Diagnostic | None = None, texts: int | None = None
    ) -> RepairState | None:
        """Return the state without errors, or that meets a goal, which takes the fewest edits.

        `about` is the finding to fix first; `texts` bounds how many are tried for this search alone.
        """
        best: RepairState | None = None
        reserved = 0 if texts is None else max(self.texts - texts, 0)
        seen: set[str] = {self.start.source.text}
        pending: list[Move] = []
        order = count()

        def queue(state: RepairState, finding: Diagnostic, candidates: Iterable[Candidate]) -> None:
            for candidate in candidates:
                left, cost = candidate.left, state.cost + candidate.cost
                heapq.heappush(pending, (cost + left, left, next(order), state, finding, candidate))

        def open_(state: RepairState, finding: Diagnostic) -> None:
            queue(state, finding, self.local(state, finding))
            heapq.heappush(pending, (state.cost + 1, 0, next(order), state, finding, None))

        if about is not None or self.start.findings:
            open_(self.start, about or self.start.findings[0])
        while pending and self.has_budget and self.texts > reserved:
            *_, state, finding, candidate = heapq.heappop(pending)
            if best is not None and state.cost + 1 >= best.cost:
                continue
            if candidate is None:
                queue(state, finding, self.above(state, finding))
                continue
            after = self._try(state, finding, candidate, seen)
            if after is None or (best is not None and after.cost >= best.cost):
                continue
            if goal(after) if goal else not after.findings:
                best = after
                self.texts = reserved + int((self.texts - reserved) * _PATIENCE)
                self.layers = int(self.layers * _PATIENCE)
            elif after.findings:
                open_(after, after.findings[0])
        return best

    def in_turn(self) -> RepairState | None:
        """Return a state without errors, reached by fixing the first error until none is left.

        A change to a layer changes nothing before it, so the first error moves on towards the end. A layer
        can be made to accept its input, at worst by another in its place, so the end should be reached, if
        not by the smallest set of edits: tests hold it to this on random networks, no proof does.
        """
        state, seen = self.start, {self.start.source.text}
        if len(state.findings) > _MOST_TURNS:
            return None
        while state.findings and len(seen) <= _MOST_TURNS:
            if not self.has_budget:
                return None
            after = self._in_its_turn(state, state.findings[0], seen)
            if after is None:
                return None
            state = after
            seen.add(state.source.text)
        return None if state.findings else state

    def _in_its_turn(self, state: RepairState, finding: Diagnostic, seen: set[str]) -> RepairState | None:
        """Return the state after the best candidate for the first error with which the end is nearer.

        Layers behind a lost tensor are not counted, so that to gain some may look like no progress: then it
        is enough that another error is the first one, in a new text.
        """
        other: RepairState | None = None
        for candidates in (
            self.local(state, finding),
            self.above(state, finding),
            state.last_resorts(finding),
        ):
            for candidate in sorted(candidates, key=lambda each: (each.left, each.cost)):
                after = state.then(finding, candidate)
                self.layers -= state.size
                if after is None or after.source.text in seen:
                    continue
                if after.distance < state.distance:
                    return after
                is_other = not own(finding) & after.errors and after.findings[0].message != finding.message
                if other is None and is_other:
                    other = after
        return other

    def above(self, state: RepairState, finding: Diagnostic) -> list[Candidate]:
        """Return the candidates upstream of a finding, as long as layers may be evaluated."""
        before = state.evaluated
        candidates = state.above(finding, min(_EVALUATED_EACH, self.evaluated)) if self.evaluated > 0 else []
        self.evaluated -= state.evaluated - before
        return candidates

    def local(self, state: RepairState, finding: Diagnostic) -> list[Candidate]:
        """Return the candidates near a finding, counting the layers that rank them."""
        before = state.evaluated
        candidates = state.local(finding)
        self.ranked -= state.evaluated - before
        return candidates

    @property
    def has_budget(self) -> bool:
        return self.texts > 0 and self.layers > 0 and self.ranked > 0

    def _try(
        self, state: RepairState, finding: Diagnostic, candidate: Candidate, seen: set[str]
    ) -> RepairState | None:
        """Return the state after a candidate if the finding is gone and the text is a new one."""
        self.texts -= 1
        after = state.then(finding, candidate)
        if after is None:
            return None
        self.layers -= after.size
        if after.source.text in seen or own(finding) & after.errors:
            return None
        seen.add(after.source.text)
        return after
