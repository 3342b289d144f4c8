"""Expressions as text (`⌈H/32⌉`) and as LaTeX."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby
from math import gcd
from typing import TYPE_CHECKING, Any

from shapecalc.algebra.expr import WRITERS, Atom, Dim, Expr, Floor, Maximum, Monomial, Symbol, terms_of
from shapecalc.algebra.factor import separated

if TYPE_CHECKING:
    from shapecalc.algebra.leading import Leading


def text(value: Dim) -> str:
    """Return an expression as one line of text.

    >>> from shapecalc.algebra import ceildiv, symbol
    >>> text(64 * ceildiv(symbol("H"), 32) - 3)
    '64·⌈H/32⌉ - 3'
    """
    return TEXT.sum(value)


def latex(value: Dim) -> str:
    r"""Return an expression as LaTeX, without the dollar signs.

    >>> from shapecalc.algebra import ceildiv, symbol
    >>> print(latex(64 * ceildiv(symbol("H"), 32)))
    64 \, \left\lceil \frac{H}{32} \right\rceil
    """
    return LATEX.sum(value)


def grouped(value: Dim) -> str:
    """Return a number with its thousands separated, or an expression as text."""
    return f"{value:,}" if isinstance(value, int) else text(value)


def leading_text(value: Leading) -> str:
    """Return a leading polynomial as one line of text.

    >>> from shapecalc.algebra import symbol
    >>> from shapecalc.algebra.leading import leading
    >>> leading_text(leading(3 * (symbol("H")//4)**2 + 7, ["H"]))
    '3/16·H^2'
    """
    return _leading(value, TEXT)


def leading_latex(value: Leading) -> str:
    r"""Return a leading polynomial as LaTeX, without the dollar signs.

    >>> from shapecalc.algebra import symbol
    >>> from shapecalc.algebra.leading import leading
    >>> print(leading_latex(leading(3 * (symbol("H")//4)**2 + 7, ["H"])))
    \frac{3}{16} \, H^{2}
    """
    return _leading(value, LATEX)


def _leading(value: Leading, writer: Text) -> str:
    parts: list[str] = []
    for powers, coefficient in value.parts().items():
        scale = gcd(*(number for _, number in terms_of(coefficient)))
        sign = -1 if isinstance(coefficient, int) and coefficient < 0 else 1
        others = coefficient // (sign * scale)
        factors = [writer.rational(Fraction(sign * scale, value.denominator))]
        if isinstance(others, Expr):
            factors.append(f"({writer.sum(others)})" if is_sum(others) else writer.sum(others))
        factors += [writer.power(Symbol(name, 1), exponent) for name, exponent in powers]
        parts.append(writer.times.join(factors[factors[0] == "1" and len(factors) > 1 :]))
    return " + ".join(parts).replace("+ -", "- ")


class Text:
    """How each part of an expression is written; a subclass writes another language."""

    times = "·"

    def sum(self, value: Dim) -> str:
        if isinstance(value, int):
            return self.number(value)
        if len(value.terms) > 2:
            factors = separated(value)
            if len(factors) > 1:
                sign = "-" if factors[0] == -1 else ""
                return sign + self.times.join(map(self.factor, factors[len(sign) :]))
        return self.expanded(value)

    def factor(self, value: Dim) -> str:
        return f"({self.expanded(value)})" if is_sum(value) else self.expanded(value)

    def expanded(self, value: Dim) -> str:
        """Write a sum term by term."""
        if isinstance(value, int):
            return self.number(value)
        parts: list[str] = []
        for monomial, coefficient in sorted(value.terms, key=_reading_order):
            size = abs(coefficient)
            factors = [] if size == 1 and monomial else [self.number(size)]
            factors += [self.power(atom, len(list(run))) for atom, run in groupby(monomial)]
            minima = sum(_is_minimum(atom) for atom in monomial)
            sign = "-" if (coefficient < 0) != (minima % 2 == 1) else "+"
            term = self.times.join(factors)
            parts.append(f"{sign} {term}" if parts else term if sign == "+" else f"-{term}")
        return " ".join(parts)

    def power(self, atom: Atom, exponent: int) -> str:
        base = self.atom(atom)
        return base if exponent == 1 else self.raised(base, exponent)

    def atom(self, atom: Atom) -> str:
        if isinstance(atom, Symbol):
            return self.symbol(atom.name)
        if isinstance(atom, Floor):
            divisor = atom.denominator
            if atom.numerator.constant and atom.numerator.constant + 1 == divisor:
                return self.ceiled(self.quotient(atom.numerator - atom.numerator.constant, divisor))
            return self.floored(self.quotient(atom.numerator, divisor))
        assert isinstance(atom, Maximum)
        if _is_minimum(atom):  # its sign has been taken into the sum
            return self.call("min", [self.sum(-argument) for argument in atom.arguments])
        return self.call("max", map(self.sum, atom.arguments))

    def number(self, value: int) -> str:
        return f"{value:,}"

    def rational(self, value: Fraction) -> str:
        over = self.number(value.numerator)
        return over if value.denominator == 1 else self.fraction(over, self.number(value.denominator))

    def fraction(self, over: str, under: str) -> str:
        return f"{over}/{under}"

    def symbol(self, name: str) -> str:
        return name

    def raised(self, base: str, exponent: int) -> str:
        return f"{base}^{exponent}"

    def call(self, name: str, arguments: Iterable[str]) -> str:
        return f"{name}({', '.join(arguments)})"

    def quotient(self, numerator: Dim, divisor: Dim) -> str:
        over, under = self.sum(numerator), self.sum(divisor)
        over = f"({over})" if is_sum(numerator) else over
        under = f"({under})" if isinstance(divisor, Expr) and not _is_atom(divisor) else under
        return f"{over}/{under}"

    def floored(self, quotient: str) -> str:
        return f"⌊{quotient}⌋"

    def ceiled(self, quotient: str) -> str:
        return f"⌈{quotient}⌉"


class _Latex(Text):
    times = r" \, "

    def number(self, value: int) -> str:
        return f"{value:,}".replace(",", "{,}")

    def fraction(self, over: str, under: str) -> str:
        return rf"\frac{{{over}}}{{{under}}}"

    def symbol(self, name: str) -> str:
        return name if len(name) == 1 else r"\mathit{" + name.replace("_", r"\_") + "}"

    def raised(self, base: str, exponent: int) -> str:
        return f"{base}^{{{exponent}}}"

    def call(self, name: str, arguments: Iterable[str]) -> str:
        return rf"\{super().call(name, arguments)}"

    def quotient(self, numerator: Dim, divisor: Dim) -> str:
        return self.fraction(self.sum(numerator), self.sum(divisor))

    def floored(self, quotient: str) -> str:
        return rf"\left\lfloor {quotient} \right\rfloor"

    def ceiled(self, quotient: str) -> str:
        return rf"\left\lceil {quotient} \right\rceil"


TEXT, LATEX = Text(), _Latex()


def _reading_order(item: tuple[Monomial, int]) -> tuple[Any, ...]:
    """High degrees first, then what is added before what is taken away, then finer floors first."""
    monomial, coefficient = item
    fineness = [atom.denominator if isinstance(atom, Floor) else 0 for atom in monomial]
    coarsest = [size if isinstance(size, int) else 0 for size in fineness]
    return -len(monomial), coefficient < 0, coarsest, [atom.key for atom in monomial]


def _is_minimum(atom: Atom) -> bool:
    """Say whether a maximum of negated terms reads better as -min(...)."""
    return isinstance(atom, Maximum) and all(
        argument.terms[-1][1] < 0 for argument in atom.arguments if isinstance(argument, Expr)
    )


def is_sum(value: Dim) -> bool:
    """Say whether an expression is a sum, which needs brackets beside a product sign."""
    return isinstance(value, Expr) and len(value.terms) > 1


def _is_atom(value: Dim) -> bool:
    return isinstance(value, Expr) and len(value.terms) == 1 and value.terms[0][1] == 1


WRITERS.update(text=text, latex=latex)
