"""A proposal: changes to a text that may repair something, what they say, and what they do to the graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.repair.hypothetical import Change

_PRICE_OF_A_DROP = 2
"""What leaving a layer out costs beyond an edit: it makes nearly anything fit, and is seldom meant."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Changes that belong together, and the words that describe each."""

    edits: tuple[Edit, ...]
    told: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    """The same, as changes to the layers of the graph; nothing where a shadow cannot tell."""

    summary: str = ""
    """What the changes come to together, where that says more than each of them."""

    price: int | None = None
    """What it counts as, where that is not its number of edits: a size written twice is one thing."""

    @property
    def cost(self) -> int:
        """How much is changed: the edits, with those that are seldom meant counted more than once."""
        if self.price is not None:
            return self.price
        return len(self.edits) + _PRICE_OF_A_DROP * sum(change.is_drop for change in self.changes)

    def and_also(self, other: Proposal) -> Proposal:
        """Return both as one, with what they share once."""
        pairs = dict(zip(self.edits, self.told, strict=True))
        more = {edit: told for edit, told in zip(other.edits, other.told, strict=True) if edit not in pairs}
        if not more:
            return replace(self, changes=tuple(dict.fromkeys((*self.changes, *other.changes))))
        known = bool(self.changes and other.changes)
        return Proposal(
            (*pairs, *more),
            (*pairs.values(), *more.values()),
            tuple(dict.fromkeys((*self.changes, *other.changes))) if known else (),
            self.summary or other.summary,
            None if self.price is None and other.price is None else self.cost + other.cost,
        )

    def description(self, line: int | None, original: Callable[[int], int] = int) -> str:
        """Return what is changed, with the lines other than the one that the finding is about."""
        words = " and ".join(
            dict.fromkeys(
                told if original(edit.line) == line else f"{told} (line {original(edit.line)})"
                for edit, told in zip(self.edits, self.told, strict=True)
            )
        )
        return f"{self.summary}: {words}" if self.summary else words
