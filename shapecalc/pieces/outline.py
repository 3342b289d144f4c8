"""Lines that are indented, as pieces: what stands under a line of its own is listed there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import TypeAlias

from shapecalc.pieces.piece import Block, Bullets, Code, Facts, Line, Page, Paragraph, formula, plain

Told: TypeAlias = tuple[int, Line]
"""A line, and how deep it is indented; one that is empty parts what is above from what is below."""


def outlined(lines: Iterable[Told]) -> Page:
    """Return lines as pieces: paragraphs, and below each what is indented.

    >>> outlined([(0, ("Accepted",)), (1, ("n = 3",))])
    (Paragraph(line=('Accepted',)), Bullets(lines=(('n = 3',),)))
    """
    blocks: list[Block] = []
    for depth, group in groupby(lines, lambda told: min(told[0], 1)):
        found = [*group]
        if depth == 0:
            blocks += [Paragraph(line) for _, line in found if line]
        else:
            blocks += _listed(found)
    return tuple(blocks)


def _listed(lines: list[Told]) -> Iterator[Block]:
    """Yield lists of the lines that stand alone, and facts of those with others under them."""
    starts = [number for number, (depth, _) in enumerate(lines) if depth == 1 or number == 0]
    items = [lines[start:end] for start, end in pairwise([*starts, len(lines)])]
    for is_fact, found in groupby(items, lambda item: len(item) > 1):
        if is_fact:
            yield Facts(tuple(row for item in found for row in _under(item)))
        else:
            yield Bullets(tuple(line for item in found for _, line in item))


def _under(item: list[Told]) -> Iterator[tuple[str, Line]]:
    """Yield each line that stands deeper, the first of them labelled with what it stands under."""
    (_, label), *others = item
    for number, (_, line) in enumerate(others):
        yield ("" if number else plain(label)), line


_SPEC = re.compile(r"((?:\w+: )?\{[^{}]*\})")
"""A layer as a spec has it, `conv2d: {kernel_size: 2}`."""
_RELATION = re.compile(r"\w+(?:, \w+)* [=≡≥≤](?:(?!(?<!\w)(?!mod\b)[^\W\d_]{2,}|%).)*")
"""A relation that takes up the rest of a line: no words stand in it, but names of what is on its left."""


def outline(text: str) -> Page:
    r"""Return a text whose lines are indented by twos as pieces, its formulas and layers as such.

    >>> outline("No n gives 4.\n  {stride: 2}: n ≥ 4")[1].lines[0][:2]
    (Code(text='{stride: 2}'), ': ')
    """
    return outlined((_depth(line), _parted(line.strip())) for line in text.split("\n"))


def _depth(line: str) -> int:
    return (len(line) - len(line.lstrip(" "))) // 2


def _parted(text: str) -> Line:
    label, colon, rest = text.rpartition(": ")
    if _RELATION.fullmatch(rest):
        return (*_coded(label + colon), formula(rest))
    return _coded(text)


def _coded(text: str) -> Line:
    return tuple(Code(part) if _SPEC.fullmatch(part) else part for part in _SPEC.split(text) if part)
