"""The smallest set of edits that makes a model hold, as far as a bounded search finds it.

A state of the search is a text. From each, the first error is repaired in every way that is known; the
shadow of its inference tells which ways are worth a try, and only what is tried counts. First comes what is
thought to need the fewest edits altogether, so that one change which cures several errors is found
before several which cure one each.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from shapecalc.diagnostics.diagnostic import Diagnostic, Edit
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.repair_state import Candidate, RepairState, own
from shapecalc.repair.text_edits import between

MOST_WALKS = 120
MOST_LAYERS = 9_000
"""How many layers may be walked over in one search: some thirty walks of a network of 300 layers."""
MOST_ASKED = 16_000
"""How many layers of shadows may be asked in one search."""
_ASKED_EACH = 3_000
_MOST_TURNS = 60
"""How many errors are repaired in turn; with each, the first one that is left is nearer to the end."""
_PATIENCE = 0.3
"""The share of what is left that may be spent on a smaller set after the first was found."""

Goal = Callable[[RepairState], bool]


@dataclass(order=True, slots=True)
class _Move:
    """What to do next in a state: try a proposal, or look for more of them."""

    priority: tuple[int, int, int]
    """The edits that it may come to, the mistakes that may be left, and when it was thought of."""
    state: RepairState = field(compare=False)
    one: Diagnostic = field(compare=False)
    proposal: Proposal | None = field(default=None, compare=False)


@dataclass(slots=True)
class Search:
    """Searches from one state; what it may cost is shared by all that is asked of it."""

    start: RepairState
    walks: int = MOST_WALKS
    layers: int = MOST_LAYERS
    asks: int = MOST_ASKED

    def smallest(self, *, goal: Goal | None = None, about: Diagnostic | None = None) -> RepairState | None:
        """Return the state without errors that takes the fewest edits; with a goal, the one that meets it."""
        reached = goal or _holds
        best: RepairState | None = None
        seen: set[str] = {self.start.source.text}
        pending: list[_Move] = []
        order = count()
        self._open(pending, self.start, about, order)
        while pending and self.may_walk:
            move = heapq.heappop(pending)
            if best is not None and move.state.cost + 1 >= best.cost:
                continue
            if move.proposal is None:
                self._add(pending, move, self.above(move.state, move.one), order)
                continue
            state = self._try(move, seen)
            if state is None or (best is not None and state.cost >= best.cost):
                continue
            if reached(state):
                best = state
                self.walks, self.layers = int(self.walks * _PATIENCE), int(self.layers * _PATIENCE)
            else:
                self._open(pending, state, None, order)
        return best

    def in_turn(self) -> RepairState | None:
        """Return a state without errors, reached by repairing the first error until none is left.

        What is done to a layer changes nothing before it, so the first error moves on towards the end.
        A layer can be made to accept what arrives, at worst by another in its place, so the end should be
        reached, if not by the smallest set of edits: random networks hold it to this, no proof does.
        """
        state, seen = self.start, {self.start.source.text}
        while state.found and len(seen) <= _MOST_TURNS:
            after = self._in_its_turn(state, state.found[0], seen)
            if after is None:
                return None
            state = after
            seen.add(state.source.text)
        return None if state.found else state

    def _in_its_turn(self, state: RepairState, one: Diagnostic, seen: set[str]) -> RepairState | None:
        """Return the state after the best proposal for the first error with which the end is nearer.

        Layers behind what is lost are not counted, so that to gain some may look like no step forward:
        then it is enough that another error is the first one, in a text that is new.
        """
        other: RepairState | None = None
        for candidates in (state.local(one), state.above(one, _ASKED_EACH), state.last_resorts(one)):
            for candidate in sorted(candidates, key=lambda each: (each.left, each.proposal.cost)):
                after = state.then(one, candidate.proposal)
                if after is None or after.source.text in seen:
                    continue
                if after.to_walk < state.to_walk:
                    return after
                if other is None and not own(one) & after.errors and after.found[0].message != one.message:
                    other = after
        return other

    def _open(
        self, pending: list[_Move], state: RepairState, about: Diagnostic | None, order: Iterator[int]
    ) -> None:
        """Think of what may be done in a state: at once where it fails, and later above that."""
        if about is None and not state.found:
            return
        one = about or state.found[0]
        self._add(pending, _Move((0, 0, 0), state, one), state.local(one), order)
        heapq.heappush(pending, _Move((state.cost + 1, 0, next(order)), state, one))

    @staticmethod
    def _add(
        pending: list[_Move], move: _Move, candidates: Iterable[Candidate], order: Iterator[int]
    ) -> None:
        for candidate in candidates:
            cost = move.state.cost + candidate.proposal.cost
            priority = (cost + candidate.left, candidate.left, next(order))
            heapq.heappush(pending, _Move(priority, move.state, move.one, candidate.proposal))

    def above(self, state: RepairState, one: Diagnostic) -> list[Candidate]:
        """Return what the layers above a finding may do for it, as long as shadows may be asked."""
        before = state.shadow.asked
        found = state.above(one, min(_ASKED_EACH, self.asks)) if self.asks > 0 else []
        self.asks -= state.shadow.asked - before
        return found

    @property
    def may_walk(self) -> bool:
        """Whether another text may be tried."""
        return self.walks > 0 and self.layers > 0

    def _try(self, move: _Move, seen: set[str]) -> RepairState | None:
        """Return the state after a proposal if the finding is gone and the text is a new one."""
        assert move.proposal is not None
        self.walks -= 1
        after = move.state.then(move.one, move.proposal)
        if after is None:
            return None
        self.layers -= after.size
        text = after.source.text
        if text in seen or own(move.one) & after.errors:
            return None
        seen.add(text)
        return after


def _holds(state: RepairState) -> bool:
    return not state.found


def edits_of(start: RepairState, end: RepairState) -> tuple[Edit, ...]:
    """Return the changes to the text of the first state that make it the text of the last."""
    if len(end.taken) == 1:
        return tuple(sorted(end.taken[0].proposal.edits))
    return between(start.source.text, end.source.text)
