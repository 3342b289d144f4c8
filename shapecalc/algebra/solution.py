"""For which integers a relation in one unknown holds: an eventually periodic set, exactly.

On every residue class n = L·q + r, with L the least common multiple of the products of nested divisors, a
polynomial over floors is a plain polynomial in q (maxima are too, once the largest argument stays the
largest), and where such a polynomial changes its sign is found in integers. How an atom becomes a
polynomial is said by its class, in `expr`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING

from shapecalc.algebra.integer_set import LONGEST_PERIOD, IntegerSet, Stretch
from shapecalc.algebra.roots import COMPARE, holds, plus, shifted, times

if TYPE_CHECKING:
    from shapecalc.algebra.expr import Dim, Expr

MOST_SEPARATE = 20_000
"""A relation with more separate solutions below its period is left as it is."""


class NotSolved(Exception):
    """The relation is of a form that is not solved here."""


def solve(left: Dim, op: str, right: Dim) -> tuple[str, IntegerSet] | None:
    """Return the unknown of a relation and the values for which it holds, or None when not decided here.

    >>> from shapecalc.algebra import symbol
    >>> n = symbol("n")
    >>> solve(2*(n//2), "==", n)[1].text("n"), solve((n//4 - 3)*(n//4 - 3), "==", 25)[1].text("n")
    ('n ≡ 0 (mod 2)', 'n = 32, 33, 34, 35')
    """
    difference = left - right
    if isinstance(difference, int):
        return None
    free = difference.symbols()
    if len(free) != 1:
        return None
    try:
        return free[0].name, _solutions(difference, op, free[0].minimum)
    except NotSolved:
        return None


@lru_cache(maxsize=1024)
def _solutions(difference: Expr, op: str, least: int) -> IntegerSet:
    classes = ResidueClasses(period_of(difference))
    length = classes.length
    polynomials = [classes.polynomial(difference, r) for r in range(length)]
    first = max(classes.first, least // length)
    value, compare = function_of(difference), COMPARE[op]
    early: list[Stretch] = [(n, n) for n in range(least, length * first) if compare(value(n), 0)]
    endless: dict[int, int] = {}
    for r, polynomial in enumerate(polynomials):
        for begin, end in holds(shifted(polynomial, first), op):
            n = length * (begin + first) + r
            if end is None:
                endless[r] = n
            elif length == 1:
                early.append((n, end + first))
            elif end - begin > MOST_SEPARATE:
                raise NotSolved
            else:
                early += [(n + length * step, n + length * step) for step in range(end - begin + 1)]
    start = max([0, least, *endless.values(), *(last + 1 for _, last in early)])
    for n in endless.values():
        if (start - n) // length > MOST_SEPARATE:
            raise NotSolved
        early += [(m, m) for m in range(n, start, length)]
    early = [(max(begin, least), end) for begin, end in early if end >= max(begin, least)]
    return IntegerSet(tuple(early), start, length, frozenset(endless)).reduced()


class ResidueClasses:
    """The classes n = L·q + r: expressions become polynomials in q, exact from q = `first` on."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.first = 0
        self._known: dict[tuple[Expr, int], list[int]] = {}

    def polynomial(self, value: Dim, r: int) -> list[int]:
        """Return the coefficients of an expression on a class; raise `NotSolved` where it is none."""
        if isinstance(value, int):
            return [value]
        if (known := self._known.get((value, r))) is not None:
            return known
        total: list[int] = []
        for monomial, coefficient in value.terms:
            term = [coefficient]
            for atom in monomial:
                term = times(term, atom.on_class(self, r))
            total = plus(total, term)
        self._known[value, r] = total
        return total


def period_of(value: Dim) -> int:
    """Return L such that the value is a polynomial on every class n ≡ r (mod L) from some n on.

    Raises `NotSolved` where there is no such L, or none that is short enough.

    >>> from shapecalc.algebra import symbol
    >>> period_of(3 * (symbol("n")//2) // 4)
    8
    """
    if isinstance(value, int):
        return 1
    period = lcm(*(atom.period() for monomial, _ in value.terms for atom in monomial))
    if period > LONGEST_PERIOD:
        raise NotSolved
    return period


def function_of(value: Dim) -> Callable[[int], int]:
    """Return the function of the one unknown that an expression is, quick to call.

    >>> from shapecalc.algebra import symbol
    >>> function_of(symbol("n")//2 * 3 + 1)(7)
    10
    """
    if isinstance(value, int):
        constant = value
        return lambda n: constant
    terms = [(coefficient, [atom.function() for atom in monomial]) for monomial, coefficient in value.terms]

    def evaluate(n: int) -> int:
        total = 0
        for coefficient, factors in terms:
            product = coefficient
            for factor in factors:
                product *= factor(n)
            total += product
        return total

    return evaluate
