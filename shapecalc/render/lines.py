"""Answers of a few lines, some indented under others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Generic, TypeAlias, TypeVar
from warnings import warn

from shapecalc.render import written
from shapecalc.render.display import Shown
from shapecalc.render.piece import Indented, Line, Page

IndentedLine: TypeAlias = tuple[int, Line]
"""A line and its depth; an empty line separates what is above it from what is below it."""


def as_text(lines: Iterable[IndentedLine]) -> str:
    """Return lines as text, two blanks for each step of depth.

    >>> print(as_text([(0, ("Accepted",)), (1, ("H ≥ 3",))]))
    Accepted
      H ≥ 3
    """
    return written(as_page(lines), "text")


def as_page(lines: Iterable[IndentedLine]) -> Page:
    """Return lines as a page."""
    return (Indented(tuple(lines)),)


LONGEST_LIST = 10


class Answer(Shown, ABC):
    """A base of every answer of a few lines: as text, as a page and as plain data."""

    __slots__ = ()

    @abstractmethod
    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        """Yield the lines of the answer; of a list at most `limit` entries."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data for JSON."""

    def text(self, limit: int | None = LONGEST_LIST) -> str:
        """Return the answer as text; of a list at most `limit` entries."""
        return as_text(self.lines(limit))

    def __str__(self) -> str:
        return self.text()

    def _page(self) -> Page:
        return as_page(self.lines())


T = TypeVar("T")


class Listing(Answer, Generic[T]):
    """An answer that is a list of entries."""

    __slots__ = ()

    entries: tuple[T, ...]

    @property
    def found(self) -> tuple[T, ...]:
        """The former name of `entries`."""
        warn("`found` is called `entries` now", DeprecationWarning, stacklevel=2)
        return self.entries

    def __iter__(self) -> Iterator[T]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, position: int) -> T:
        return self.entries[position]


def cut(entries: Sequence[Iterable[IndentedLine]], limit: int | None) -> Iterator[IndentedLine]:
    """Yield the lines of the first entries of a list, and how many more there are."""
    shown = entries if limit is None else entries[:limit]
    yield from chain.from_iterable(shown)
    if len(shown) < len(entries):
        yield 1, (f"and {len(entries) - len(shown)} more",)
