"""Where a polynomial with integer coefficients is negative, zero or positive, on whole numbers, exactly.

Between two sign changes of its difference Δp(q) = p(q + 1) - p(q), which has one degree less, a polynomial
is monotone; so its own sign changes are found there by bisection, degree by degree, in integers alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from math import comb
from operator import eq, ge, gt, le, lt, ne
from typing import TypeAlias

Polynomial: TypeAlias = Sequence[int]
"""Coefficients, the constant first."""

Interval: TypeAlias = tuple[int, int | None]
"""Whole numbers from the first to the last; None for no end."""

COMPARE: dict[str, Callable[[int, int], bool]] = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def value_at(p: Polynomial, q: int) -> int:
    """Return p(q).

    >>> value_at([1, 0, 2], 3)
    19
    """
    result = 0
    for coefficient in reversed(p):
        result = result * q + coefficient
    return result


def difference(p: Polynomial) -> list[int]:
    """Return the polynomial p(q + 1) - p(q).

    >>> difference([0, 0, 1])
    [1, 2]
    """
    found = [0] * max(len(p) - 1, 1)
    for degree, coefficient in enumerate(p):
        for lower in range(degree):
            found[lower] += coefficient * comb(degree, lower)
    return found


def signs(p: Polynomial) -> list[tuple[int, int]]:
    """Return where on q ≥ 0 the sign of p changes: the first q of each stretch with the sign it has there.

    >>> signs([6, -5, 1])
    [(0, 1), (2, 0), (4, 1)]
    >>> signs([0, 0])
    [(0, 0)]
    """
    if not any(p[1:]):
        return [(0, _sign(p[0]))]
    if len(p) == 2:
        return _of_a_line(*p)
    turns = signs(difference(p))
    found: list[tuple[int, int]] = []
    for number, (begin, slope) in enumerate(turns):
        end = turns[number + 1][0] if number + 1 < len(turns) else None
        for q, sign in _on_a_monotone_stretch(p, begin, end, slope):
            if not found or found[-1][1] != sign:
                found.append((q, sign))
    return found


def _of_a_line(constant: int, slope: int) -> list[tuple[int, int]]:
    """Return where a line changes its sign: the same as by bisection, at once."""
    direction = _sign(slope)
    root, rest = divmod(-constant * direction, abs(slope))
    if root < 0:
        return [(0, direction)]
    found = [(0, -direction)] if root > 0 or rest else []
    return [*found, (root, 0), (root + 1, direction)] if rest == 0 else [*found, (root + 1, direction)]


def _on_a_monotone_stretch(
    p: Polynomial, begin: int, end: int | None, slope: int
) -> Iterator[tuple[int, int]]:
    """Yield the sign at `begin` and wherever it changes up to `end`, where p goes only up or only down."""
    first = _sign(value_at(p, begin))
    yield begin, first
    if end is None:
        if slope in (0, first):
            return
        end = begin + 1
        while _sign(value_at(p, end)) != slope:
            end = begin + 2 * (end - begin)
    for sign in (0, slope) if first == -slope else (slope,):
        q = bisect_left(range(end + 1), 0, begin, end + 1, key=lambda q: _reached(p, q, slope, sign))
        if q <= end and _sign(value_at(p, q)) == sign:
            yield q, sign


def _reached(p: Polynomial, q: int, slope: int, sign: int) -> int:
    """Return 0 where p has come as far as `sign` on its way in the direction of `slope`, else -1."""
    return 0 if _sign(value_at(p, q)) * slope >= sign * slope else -1


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def holds(p: Polynomial, relation: str) -> list[Interval]:
    """Return the stretches of q ≥ 0 on which p(q) stands in a relation to zero.

    >>> holds([6, -5, 1], "<="), holds([6, -5, 1], ">"), holds([-7, 2], ">=")
    ([(2, 3)], [(0, 1), (4, None)], [(4, None)])
    """
    compare = COMPARE[relation]
    changes = signs(p)
    found: list[Interval] = []
    for number, (begin, sign) in enumerate(changes):
        if not compare(sign, 0):
            continue
        end = changes[number + 1][0] - 1 if number + 1 < len(changes) else None
        if found and found[-1][1] == begin - 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found
