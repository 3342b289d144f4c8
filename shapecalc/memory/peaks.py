"""The greatest of many live bytes: the moments at which it may be reached, whatever is free.

Sums that are affine in one free size, such as the batch, are compared exactly: a line is left out where no
size of at least 1 has it above all others. Other sums are compared by bounds, so that more may be kept than
are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from shapecalc.algebra import Dim, Expr, maximum
from shapecalc.memory.ledger import Moment


class Peak(NamedTuple):
    """A moment that has the most bytes alive, for some sizes at least."""

    moment: Moment
    start: tuple[str, int] | None = None
    """The free size and its value from which on that is so, until the next peak; None where not known."""


class _Line(NamedTuple):
    slope: int
    constant: int

    def meets(self, other: _Line) -> Fraction:
        """Return where a steeper line is as high."""
        return Fraction(self.constant - other.constant, other.slope - self.slope)


def peaks(moments: Sequence[Moment]) -> tuple[Peak, ...]:
    """Return the first moment for each sum that is the greatest for some sizes."""
    first: dict[Dim, Moment] = {}
    for moment in moments:
        first.setdefault(moment.bytes, moment)
    names = sorted({name for size in first if isinstance(size, Expr) for name in size.free_symbols})
    if not names:
        return (Peak(max(first.values(), key=lambda moment: moment.bytes)),)
    lines = {line: size for size in first if (line := _line(size, names)) is not None}
    if len(lines) < len(first):
        return tuple([Peak(first[size]) for size in _undominated([*first], names)])
    return tuple([Peak(first[lines[line]], (names[0], start)) for line, start in _envelope([*lines])])


def _line(size: Dim, names: Sequence[str]) -> _Line | None:
    """Return a sum as a line over the only free size, None where it is none."""
    slope, constant = 0, 0
    if isinstance(size, int):
        return _Line(slope, size)
    for monomial, coefficient in size.terms:
        if not monomial:
            constant = coefficient
        elif len(names) == 1 and len(monomial) == 1 and not monomial[0].parts():
            slope = coefficient
        else:
            return None
    return _Line(slope, constant)


def _envelope(lines: list[_Line]) -> list[tuple[_Line, int]]:
    """Return the lines that are above all others for an integer of at least 1, each with the first."""
    kept: list[tuple[_Line, int]] = []
    for line in sorted(lines):
        start = 1
        while kept:
            last, first = kept[-1]
            start = 1 if line.slope == last.slope else max(1, ceil(last.meets(line)))
            if start > first:
                break
            kept.pop()
        kept.append((line, start if kept else 1))
    return kept


def _undominated(sums: list[Dim], names: Sequence[str]) -> list[Dim]:
    """Return what is left of sums where another surely reaches them, those large for large sizes first."""
    at = dict.fromkeys(names, 997)

    def value(size: Dim) -> int:
        number = size.subs(at) if isinstance(size, Expr) else size
        assert isinstance(number, int)
        return number

    kept: list[Dim] = []
    for size in sorted(sums, key=value, reverse=True):
        if all(maximum(other, size) != other for other in kept):
            kept.append(size)
    return kept
