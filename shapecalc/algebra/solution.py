"""For which whole numbers a relation in one unknown holds: an eventually periodic set, exactly.

On every residue class n = L·q + r, with L the least common multiple of the products of nested divisors, a
polynomial over floors is a plain polynomial in q (maxima are too, once the largest argument stays the
largest), and where such a polynomial changes its sign is found in integers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from math import lcm
from typing import TYPE_CHECKING

from shapecalc.algebra.expr import Dim, Expr, Floor, Maximum, Symbol
from shapecalc.algebra.integer_set import LONGEST_PERIOD, IntegerSet, Stretch
from shapecalc.algebra.roots import COMPARE, Polynomial, holds, signs
from shapecalc.errors import Undecided

if TYPE_CHECKING:
    from shapecalc.algebra.relation import Relation

MOST_SEPARATE = 20_000
"""A relation with more separate solutions below its period is left as it is."""


class _NotSolved(Exception):
    """The relation is of a form that is not solved here."""


def solve(left: Dim, relation: str, right: Dim) -> tuple[str, IntegerSet] | None:
    """Return the unknown of a relation and the values for which it holds, or None when not decided here.

    >>> from shapecalc.algebra.expr import symbol
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
        return free[0].name, _solved(difference, relation, free[0].minimum)
    except _NotSolved:
        return None


@lru_cache(maxsize=1024)
def _solved(difference: Expr, relation: str, least: int) -> IntegerSet:
    length = common_period(difference)
    if length is None:
        raise _NotSolved
    settled = _Settled(length)
    each = [settled.polynomial(difference, r) for r in range(length)]
    first = max(settled.first, least // length)
    value, compare = function_of(difference), COMPARE[relation]
    early: list[Stretch] = [(n, n) for n in range(least, length * first) if compare(value(n), 0)]
    endless: dict[int, int] = {}
    for r, polynomial in enumerate(each):
        for begin, end in holds(_shifted(polynomial, first), relation):
            n = length * (begin + first) + r
            if end is None:
                endless[r] = n
            elif length == 1:
                early.append((n, end + first))
            elif end - begin > MOST_SEPARATE:
                raise _NotSolved
            else:
                early += [(n + length * step, n + length * step) for step in range(end - begin + 1)]
    latest = max(endless.values(), default=0)
    start = max(latest, least, max((last + 1 for _, last in early), default=0))
    for n in endless.values():
        if length == 1:
            early.append((n, max(n, start) - 1))
        elif (start - n) // length > MOST_SEPARATE:
            raise _NotSolved
        else:
            early += [(m, m) for m in range(n, start, length)]
    early = [(max(begin, least), end) for begin, end in early if end >= max(begin, least)]
    return IntegerSet(tuple(early), start, length, frozenset(endless)).reduced()


class _Settled:
    """Turns expressions into polynomials in q on a class n = L·q + r, true from q = `first` on."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.first = 0

    def polynomial(self, value: Dim, r: int) -> list[int]:
        if isinstance(value, int):
            return [value]
        total = [0]
        for monomial, coefficient in value.terms:
            term = [coefficient]
            for atom in monomial:
                term = _times(term, self.of_atom(atom, r))
            total = _plus(total, term)
        return total

    def of_atom(self, atom: object, r: int) -> list[int]:
        if isinstance(atom, Symbol):
            return [r, self.length]
        if isinstance(atom, Floor) and isinstance(atom.denominator, int):
            constant, *others = self.polynomial(atom.numerator, r)
            if any(other % atom.denominator for other in others):
                raise _NotSolved
            return [constant // atom.denominator, *(other // atom.denominator for other in others)]
        if isinstance(atom, Maximum):
            largest, *rest = (self.polynomial(argument, r) for argument in atom.arguments)
            for other in rest:
                changes = signs(_plus(largest, [-one for one in other]))
                self.first = max(self.first, changes[-1][0])
                largest = other if changes[-1][1] < 0 else largest
            return largest
        raise _NotSolved


def _plus(one: Polynomial, other: Polynomial) -> list[int]:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return [a + b for a, b in zip(longer, [*shorter, *[0] * (len(longer) - len(shorter))], strict=True)]


def _times(one: Polynomial, other: Polynomial) -> list[int]:
    found = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            found[i + j] += a * b
    return found


def _shifted(p: Polynomial, by: int) -> Polynomial:
    """Return p(q + by)."""
    if not by:
        return p
    found = [0]
    for coefficient in reversed(p):
        found = _plus(_times(found, [by, 1]), [coefficient])
    return found


def common_period(value: Dim) -> int | None:
    """Return L such that the value is a polynomial on every class n ≡ r (mod L) from some number on.

    None where there is no such L, or none that is short enough.

    >>> from shapecalc.algebra.expr import symbol
    >>> common_period(3 * (symbol("n")//2) // 4)
    8
    """
    result = 1
    for atom in value.atoms() if isinstance(value, Expr) else ():
        if not isinstance(atom, (Symbol, Maximum, Floor)):
            return None
        if isinstance(atom, Floor):
            inner = common_period(atom.numerator)
            if inner is None or not isinstance(atom.denominator, int):
                return None
            result = lcm(result, inner * atom.denominator)
        if result > LONGEST_PERIOD:
            return None
    return result


def function_of(value: Dim) -> Callable[[int], int]:
    """Return the function of the one unknown that an expression is, quick to call.

    >>> from shapecalc.algebra.expr import symbol
    >>> function_of(symbol("n")//2 * 3 + 1)(7)
    10
    """
    if isinstance(value, int):
        constant = value
        return lambda n: constant
    terms = [
        (coefficient, [_function_of_atom(atom) for atom in monomial]) for monomial, coefficient in value.terms
    ]

    def evaluate(n: int) -> int:
        total = 0
        for coefficient, factors in terms:
            product = coefficient
            for factor in factors:
                product *= factor(n)
            total += product
        return total

    return evaluate


def _function_of_atom(atom: object) -> Callable[[int], int]:
    if isinstance(atom, Symbol):
        return lambda n: n
    if isinstance(atom, Floor):
        over, under = function_of(atom.numerator), function_of(atom.denominator)
        return lambda n: over(n) // under(n)
    if isinstance(atom, Maximum):
        arguments = [function_of(argument) for argument in atom.arguments]
        return lambda n: max(argument(n) for argument in arguments)
    raise _NotSolved


def combined(relations: Iterable[Relation]) -> tuple[dict[str, IntegerSet], list[int]]:
    """Return the joint solutions per unknown, and the positions of the relations that stay as they are."""
    found: dict[str, IntegerSet] = {}
    left_over: list[int] = []
    for position, relation in enumerate(relations):
        solved = solve(*relation)
        if solved is None:
            left_over.append(position)
            continue
        name, solution = solved
        try:
            found[name] = found[name] & solution if name in found else solution
        except Undecided:
            left_over.append(position)
    return found, left_over
