"""Answers that are a few lines, some under others: one list of lines, shown as text or as pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeAlias

from shapecalc.errors import printable
from shapecalc.render.display import Shown
from shapecalc.render.piece import Block, Bullets, Facts, Line, Page, Paragraph, plain

Told: TypeAlias = tuple[int, Line]
"""A line, and how deep it is indented; one that is empty parts what is above from what is below."""


def as_text(lines: Iterable[Told]) -> str:
    """Return lines as text, two blanks for each step of depth.

    >>> print(as_text([(0, ("Accepted",)), (1, ("H ≥ 3",))]))
    Accepted
      H ≥ 3
    """
    return "\n".join(printable("  " * depth + plain(line)) for depth, line in lines)


def as_page(lines: Iterable[Told]) -> Page:
    """Return lines as pieces: what stands under a line of its own is listed there."""
    blocks: list[Block] = []
    for depth, group in groupby(lines, lambda told: min(told[0], 1)):
        found = [*group]
        if depth == 0:
            blocks += [Paragraph(line) for _, line in found if line]
        elif any(deep > 1 for deep, _ in found):
            blocks.append(Facts(tuple(_under(found))))
        else:
            blocks.append(Bullets(tuple(line for _, line in found)))
    return tuple(blocks)


def _under(lines: list[Told]) -> Iterator[tuple[str, Line]]:
    """Yield each line that stands deeper, the first of them labelled with what it stands under."""
    label, is_waiting = "", False
    for depth, line in lines:
        if depth == 1:
            if is_waiting:
                yield label, ()
            label, is_waiting = plain(line), True
            continue
        yield label, line
        label, is_waiting = "", False
    if is_waiting:
        yield label, ()


class Lines(Shown, ABC):
    """A base of every answer that is a few lines; `lines` says which."""

    __slots__ = ()

    @abstractmethod
    def lines(self) -> Iterator[Told]:
        """Yield the lines of the answer."""

    def __str__(self) -> str:
        return as_text(self.lines())

    def _page(self) -> Page:
        return as_page(self.lines())
