"""Sizes that record how they were computed: a rule that is run on them leaves its formula behind.

A traced size *is* the size, an `int` or an `Expr`, and decides and compares as it does; every operation
also records itself as a `Term`. So the formula of a derivation is the very code that computes the answer,
and there is no second one that could differ.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from shapecalc.algebra.expr import Dim, Expr, Recording
from shapecalc.algebra.term import ZERO, Letter, Number, Term, operation, taken


class Traced(Recording):
    """A value with the formula it came from."""

    __slots__ = ()

    term: Term

    def record(self, sign: str, compute: Callable[..., Dim], *arguments: Any) -> Dim:
        return traced(compute(*map(untraced, arguments)), operation(sign, *map(term_of, arguments)))


def _recorded(
    compute: Callable[[Any, Any], Any], sign: str, *, swapped: bool = False
) -> Callable[[Any, Any], Any]:
    """Return the method of an operation: it computes on the untraced sizes, and records the operation."""

    def method(self: Traced, other: Any) -> Any:
        if not isinstance(other, (int, Expr)):
            return NotImplemented
        left, right = (other, self) if swapped else (self, other)
        return self.record(sign, compute, left, right)

    return method


class TracedSize(Traced):
    """What traced numbers and traced expressions share: arithmetic that is recorded."""

    __slots__ = ()

    __add__ = _recorded(operator.add, "+")
    __radd__ = _recorded(operator.add, "+", swapped=True)
    __sub__ = _recorded(operator.sub, "-")
    __rsub__ = _recorded(operator.sub, "-", swapped=True)
    __mul__ = _recorded(operator.mul, "*")
    __rmul__ = _recorded(operator.mul, "*", swapped=True)
    __floordiv__ = _recorded(operator.floordiv, "//")
    __rfloordiv__ = _recorded(operator.floordiv, "//", swapped=True)
    __mod__ = _recorded(operator.mod, "%")
    __rmod__ = _recorded(operator.mod, "%", swapped=True)

    def __neg__(self) -> Any:
        return traced(-untraced(self), taken(ZERO, self.term))


_POWER: Any = _recorded(operator.pow, "^")


class TracedInt(TracedSize, int):
    """An integer with its formula."""

    __pow__ = _POWER

    def __new__(cls, value: int, term: Term) -> TracedInt:
        number = super().__new__(cls, value)
        number.term = term
        return number


class TracedExpr(TracedSize, Expr):
    """An expression with its formula, which its normal form does not keep."""

    __slots__ = ("term",)

    __pow__ = _POWER

    def __init__(self, value: Expr, term: Term) -> None:
        super().__init__(value.terms)
        self.term = term

    __hash__ = Expr.__hash__


class TracedFraction(Traced, Fraction):
    """A scale with a name; arithmetic with it is done by `scaled_by_doubles` alone."""


def traced(value: Dim, term: Term) -> Dim:
    """Return a size with its formula; a formula that is only a number is not recorded."""
    if isinstance(term, Number):
        return value
    return TracedInt(value, term) if isinstance(value, int) else TracedExpr(value, term)


def lettered(name: str, value: Dim) -> Dim:
    """Return a size whose formula is a letter.

    >>> from shapecalc.algebra.term import text
    >>> n, k = lettered("n", 32), lettered("k", 5)
    >>> out = n - k + 1
    >>> out, text(term_of(out))
    (28, 'n - k + 1')
    """
    return traced(value, Letter(name, value))


def term_of(value: Any) -> Term:
    """Return the formula of a size; of one without, the number that it is."""
    term: Term | None = getattr(value, "term", None)
    return Number(value) if term is None else term


def untraced(value: Any) -> Any:
    """Return a size without its formula."""
    if isinstance(value, TracedInt):
        return int(value)
    if isinstance(value, TracedFraction):
        return Fraction(value)
    return Expr(value.terms) if isinstance(value, TracedExpr) else value
