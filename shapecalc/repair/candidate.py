"""A candidate fix: edits of a text, what each of them does, and the same as changes to the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from shapecalc.diagnostics.diagnostic import Edit

_PRICE_OF_A_DROP = 2
"""What leaving a layer out costs beyond an edit: it makes nearly anything fit, and is seldom meant."""


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for a field of some layers, a layer put before them, or none in their place."""

    nodes: tuple[int, ...]
    field: str = ""
    value: Any = None  # never a list: changes are hashed
    before: str = ""
    """The kind that is put before them."""

    @property
    def is_drop(self) -> bool:
        """Whether the layers are taken out."""
        return not self.field and not self.before


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edits that belong together, with the words that describe each."""

    edits: tuple[Edit, ...]
    texts: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    """The same as changes to the graph; nothing where hypothetical inference cannot rank them."""
    summary: str = ""
    """What the edits come to together, where that says more than each of them."""
    price: int | None = None
    """What it counts as, where that is not its number of edits: a size written twice is one thing."""
    left: int = 0
    """How many mistakes it is expected to leave."""

    @property
    def cost(self) -> int:
        """How much is changed: the edits, with those that are seldom meant counted more than once."""
        if self.price is not None:
            return self.price
        return len(self.edits) + _PRICE_OF_A_DROP * sum(change.is_drop for change in self.changes)

    def together(self, other: Candidate) -> Candidate:
        """Return both as one, with what they share once."""
        pairs = dict(zip(self.edits, self.texts, strict=True))
        more = {edit: text for edit, text in zip(other.edits, other.texts, strict=True) if edit not in pairs}
        changes = tuple(dict.fromkeys((*self.changes, *other.changes)))
        if not more:
            return replace(self, changes=changes)
        return Candidate(
            (*pairs, *more),
            (*pairs.values(), *more.values()),
            changes if self.changes and other.changes else (),
            self.summary or other.summary,
            None if self.price is None and other.price is None else self.cost + other.cost,
        )

    def description(
        self,
        line: int | None,
        original: Callable[[int], int] = int,
        named: Callable[[int], str] = "line {}".format,
    ) -> str:
        """Return what is changed, with the names of the lines other than that of the finding."""
        words = " and ".join(
            dict.fromkeys(
                text if original(edit.line) == line else f"{text} ({named(original(edit.line))})"
                for edit, text in zip(self.edits, self.texts, strict=True)
            )
        )
        return f"{self.summary}: {words}" if self.summary else words


def single(
    edit: Edit | None, text: str, change: Change | None = None, *, price: int | None = None
) -> Iterator[Candidate]:
    """Yield the candidate of one edit, where that can be made."""
    if edit is not None:
        yield Candidate((edit,), (text,), () if change is None else (change,), price=price)
