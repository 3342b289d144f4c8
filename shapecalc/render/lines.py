"""Answers of a few lines, some indented under others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TypeAlias

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


class Lines(Shown, ABC):
    """A base of every answer that is a few lines; `lines` yields them."""

    __slots__ = ()

    @abstractmethod
    def lines(self) -> Iterator[IndentedLine]:
        """Yield the lines of the answer."""

    def __str__(self) -> str:
        return as_text(self.lines())

    def _page(self) -> Page:
        return as_page(self.lines())
