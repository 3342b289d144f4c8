"""The greatest of many live bytes: the moments at which it may be reached, whatever is free.

Sums that are affine in one free size, such as the batch, are compared exactly: a line is left out where it
is nowhere above all others. Others are compared by bounds, so that more may be kept than are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from shapecalc.algebra import Dim, Expr, maximum
from shapecalc.memory.ledger import Moment


def peaks(moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """Return the first moment for each sum that is the greatest for some sizes, the largest sums first."""
    first: dict[Dim, Moment] = {}
    for moment in moments:
        first.setdefault(moment.bytes, moment)
    sums = [*first]
    if all(isinstance(size, int) for size in sums):
        return (first[max(sums)],)
    lines = [_line(size) for size in sums]
    if all(
        line is not None and line[0] in ("", name)
        for line, name in zip(lines, [_name(sums)] * len(lines), strict=True)
    ):
        sums = _envelope({line: size for line, size in zip(lines, sums, strict=True) if line is not None})
        return tuple([first[size] for size in sums])
    kept = _undominated(sums)
    return tuple([first[size] for size in kept])


def _name(sums: Sequence[Dim]) -> str:
    names = {name for size in sums if isinstance(size, Expr) for name in size.free_symbols}
    return next(iter(names)) if len(names) == 1 else ""


def _line(size: Dim) -> tuple[str, int, int] | None:
    """Return a sum as name, slope and constant, None where it is no line."""
    if isinstance(size, int):
        return "", 0, size
    name, slope, constant = "", 0, 0
    for monomial, coefficient in size.terms:
        if not monomial:
            constant = coefficient
        elif len(monomial) == 1 and not monomial[0].parts() and not name:
            (name,), slope = monomial[0].names(), coefficient
        else:
            return None
    return name, slope, constant


def _envelope(lines: dict[tuple[str, int, int], Dim]) -> list[Dim]:
    """Return the lines that are the greatest somewhere from 1 on, the steepest first."""
    kept: list[tuple[str, int, int]] = []
    for line in sorted(lines, key=lambda each: (each[1], each[2])):
        while kept and _is_above(line, kept, len(kept) - 1):
            kept.pop()
        kept.append(line)
    return [lines[line] for line in reversed(kept)]


def _is_above(line: tuple[str, int, int], kept: Sequence[tuple[str, int, int]], last: int) -> bool:
    """Whether the last line that is kept is nowhere above both the one before it and a steeper one."""
    _, slope, constant = kept[last]
    if slope == line[1]:
        return True
    end = Fraction(constant - line[2], line[1] - slope)  # from there on the steeper one is above
    start = Fraction(1)
    if last:
        _, before, before_constant = kept[last - 1]
        start = max(start, Fraction(before_constant - constant, slope - before))
    return start > end or (start == end and last > 0) or end < 1


def _undominated(sums: Sequence[Dim]) -> list[Dim]:
    """Return what is left of sums where another surely reaches them."""
    names = {name for size in sums if isinstance(size, Expr) for name in size.free_symbols}
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
