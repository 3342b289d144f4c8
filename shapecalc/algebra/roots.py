"""Polynomials with integer coefficients: their arithmetic, and their signs on the integers, exactly.

Between two sign changes of its difference Δp(q) = p(q + 1) - p(q), which has one degree less, a polynomial
is monotone; so its own sign changes are found there by bisection, degree by degree, in integers alone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from math import comb
from operator import eq, ge, gt, le, lt, ne
from typing import TypeAlias

Polynomial: TypeAlias = Sequence[int]
"""Coefficients, the constant first."""

Interval: TypeAlias = tuple[int, int | None]
"""Integers from the first to the last; None for no end."""

COMPARE: dict[str, Callable[[int, int], bool]] = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def plus(p: Polynomial, other: Polynomial) -> list[int]:
    """Return the sum."""
    return [a + b for a, b in zip_longest(p, other, fillvalue=0)]


def minus(p: Polynomial, other: Polynomial) -> list[int]:
    """Return the difference."""
    return [a - b for a, b in zip_longest(p, other, fillvalue=0)]


def times(p: Polynomial, other: Polynomial) -> list[int]:
    """Return the product."""
    result = [0] * (len(p) + len(other) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(other):
            result[i + j] += a * b
    return result


def shifted(p: Polynomial, by: int) -> Polynomial:
    """Return p(q + by).

    >>> shifted([0, 0, 1], 3)
    [9, 6, 1]
    """
    if not by:
        return p
    result: list[int] = []
    for coefficient in reversed(p):
        result = plus(times(result, [by, 1]) if result else [], [coefficient])
    return result


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
    result = [0] * max(len(p) - 1, 1)
    for degree, coefficient in enumerate(p):
        for lower in range(degree):
            result[lower] += coefficient * comb(degree, lower)
    return result


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
        return _signs_of_line(*p)
    turns = signs(difference(p))
    changes: list[tuple[int, int]] = []
    for number, (begin, slope) in enumerate(turns):
        end = turns[number + 1][0] if number + 1 < len(turns) else None
        for q, sign in _signs_where_monotone(p, begin, end, slope):
            if not changes or changes[-1][1] != sign:
                changes.append((q, sign))
    return changes


def _signs_of_line(constant: int, slope: int) -> list[tuple[int, int]]:
    """Return where a line changes its sign: the same as by bisection, at once."""
    direction = _sign(slope)
    root, rest = divmod(-constant * direction, abs(slope))
    if root < 0:
        return [(0, direction)]
    before = [(0, -direction)] if root > 0 or rest else []
    return [*before, (root, 0), (root + 1, direction)] if rest == 0 else [*before, (root + 1, direction)]


def _signs_where_monotone(
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
    """Return 0 where p, on its way in the direction of `slope`, has come as far as `sign`, else -1."""
    return 0 if _sign(value_at(p, q)) * slope >= sign * slope else -1


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def holds(p: Polynomial, op: str) -> list[Interval]:
    """Return the stretches of q ≥ 0 on which `p(q) op 0` holds.

    >>> holds([6, -5, 1], "<="), holds([6, -5, 1], ">"), holds([-7, 2], ">=")
    ([(2, 3)], [(0, 1), (4, None)], [(4, None)])
    """
    compare = COMPARE[op]
    changes = signs(p)
    stretches: list[Interval] = []
    for number, (begin, sign) in enumerate(changes):
        if not compare(sign, 0):
            continue
        end = changes[number + 1][0] - 1 if number + 1 < len(changes) else None
        if stretches and stretches[-1][1] == begin - 1:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((begin, end))
    return stretches
