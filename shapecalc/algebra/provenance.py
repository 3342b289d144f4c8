"""Sizes that remember how they came about: a rule that is run on them leaves its formula behind.

A traced size *is* the size, an `int` or an `Expr`, and decides and compares as it does; every
operation also writes itself down as a `Term`. So the formula of a derivation is the very code that
computes the answer, and there is no second one that could differ.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from shapecalc.algebra import term as terms
from shapecalc.algebra.expr import Dim, Expr, Remembering
from shapecalc.algebra.term import Letter, Number, Operation, Term


def _noted(
    compute: Callable[[Any, Any], Any], write: Callable[[Term, Term], Term], *, swapped: bool = False
) -> Callable[[Any, Any], Any]:
    """Return the method of an operation: compute on the bare sizes, and write down what was done."""

    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        left, right = (other, self) if swapped else (self, other)
        return traced(compute(bare(left), bare(right)), write(term_of(left), term_of(right)))

    return method


def _plainly(sign: str) -> Callable[[Term, Term], Term]:
    return lambda left, right: Operation(sign, (left, right))


class Traced(Remembering):
    """What traced numbers and traced expressions share: arithmetic that is written down."""

    __slots__ = ()

    term: Term

    __add__ = _noted(operator.add, terms.added)
    __radd__ = _noted(operator.add, terms.added, swapped=True)
    __sub__ = _noted(operator.sub, terms.taken)
    __rsub__ = _noted(operator.sub, terms.taken, swapped=True)
    __mul__ = _noted(operator.mul, terms.times)
    __rmul__ = _noted(operator.mul, terms.times, swapped=True)
    __floordiv__ = _noted(operator.floordiv, terms.floored)
    __rfloordiv__ = _noted(operator.floordiv, terms.floored, swapped=True)
    __mod__ = _noted(operator.mod, _plainly("%"))
    __rmod__ = _noted(operator.mod, _plainly("%"), swapped=True)

    def __neg__(self) -> Any:
        return traced(-bare(self), terms.taken(terms.ZERO, self.term))  # type: ignore[arg-type]


_POWER: Any = _noted(operator.pow, _plainly("^"))


class TracedInt(Traced, int):
    """A whole number that remembers its formula."""

    __pow__ = _POWER

    def __new__(cls, value: int, term: Term) -> TracedInt:
        found = super().__new__(cls, value)
        found.term = term
        return found


class TracedExpr(Traced, Expr):
    """An expression that remembers its formula, which its normal form does not."""

    __slots__ = ("term",)

    __pow__ = _POWER

    def __init__(self, value: Expr, term: Term) -> None:
        super().__init__(value.terms)
        self.term = term

    __hash__ = Expr.__hash__


class TracedFraction(Remembering, Fraction):
    """A scale with a name; arithmetic with it is done by `scaled_by_doubles` alone."""

    term: Term


def traced(value: Dim, term: Term) -> Dim:
    """Return a size with its formula; a formula that is only a number is not worth remembering."""
    if isinstance(term, Number):
        return value
    return TracedInt(value, term) if isinstance(value, int) else TracedExpr(value, term)


def lettered(name: str, value: Dim) -> Dim:
    """Return a size that is called by a letter.

    >>> n, k = lettered("n", 32), lettered("k", 5)
    >>> out = n - k + 1
    >>> out, terms.text(term_of(out))
    (28, 'n - k + 1')
    """
    return traced(value, Letter(name, value))


def term_of(value: Any) -> Term:
    """Return the formula of a size; of one without, the number that it is."""
    found: Term | None = getattr(value, "term", None)
    return Number(value) if found is None else found


def bare(value: Dim) -> Dim:
    """Return a size without its formula."""
    if isinstance(value, TracedInt):
        return int(value)
    return Expr(value.terms) if isinstance(value, TracedExpr) else value


def noted(sign: str, value: Dim, *arguments: Any) -> Dim:
    """Return the value of an operation that has no operator, with the operation as its formula."""
    return traced(value, Operation(sign, tuple(map(term_of, arguments))))


def noted_quotient(numerator: Dim, denominator: Dim) -> Dim:
    """Return numerator/denominator, where nothing is left over, with its formula."""
    written = terms.divided(term_of(numerator), term_of(denominator))
    return traced(bare(numerator) // bare(denominator), written)
