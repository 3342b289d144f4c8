"""Decisions by numbers of the input, such as `if pad in ids`: taken in a trace, and then the other way."""

from __future__ import annotations

_MOST = 3
"""Decisions of a run at most: all their ways are run, and a loop may decide without end."""


class Decisions:
    """The decisions of one run: the first as `outcomes` has them, the others False; none where it is None."""

    def __init__(self, outcomes: tuple[bool, ...] | None = ()) -> None:
        self.outcomes = outcomes
        self.taken: tuple[bool, ...] = ()

    def take(self) -> bool | None:
        """Return the outcome of the next decision; None where none is to be taken."""
        if self.outcomes is None or len(self.taken) == _MOST:
            return None
        outcome = self.outcomes[len(self.taken)] if len(self.taken) < len(self.outcomes) else False
        self.taken = (*self.taken, outcome)
        return outcome

    def other_ways(self) -> list[tuple[bool, ...]]:
        """Return the outcomes for other runs, in each of which another decision is the first to differ."""
        first = len(self.outcomes or ())
        return [(*self.taken[:number], True) for number in range(first, len(self.taken))]
