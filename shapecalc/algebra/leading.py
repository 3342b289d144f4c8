"""How a closed form grows: its leading polynomial, every floor replaced by the quotient in it.

A floor differs from its quotient by less than 1, so what is neglected is of a lower degree: the closed form
over its leading polynomial tends to 1 as the sizes grow together.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING

from shapecalc.algebra.expr import (
    Atom,
    Dim,
    Expr,
    Floor,
    Maximum,
    Monomial,
    Symbol,
    as_expr,
    normal,
    terms_of,
)
from shapecalc.algebra.expr_text import leading_text
from shapecalc.errors import Undecided
from shapecalc.record import record

if TYPE_CHECKING:
    import sympy

Rational = tuple[Dim, int]
"""A numerator and a positive integer denominator."""


@record
class Leading:
    """The terms of highest degree in some sizes: `numerator` over `denominator`, in lowest terms.

    >>> from shapecalc.algebra import ceildiv, symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> grows = leading(64 * ceildiv(H, 32) * ceildiv(W, 32) + 10 * (H//2) + 3, ["H", "W"])
    >>> print(grows, grows.degree, grows.coefficients)
    1/16·H·W 2 {(('H', 1), ('W', 1)): Fraction(1, 16)}
    """

    numerator: Dim
    denominator: int
    names: tuple[str, ...]

    @property
    def degree(self) -> int:
        """The degree in the sizes."""
        return max(_degree(monomial, self.names) for monomial, _ in terms_of(self.numerator))

    @property
    def coefficients(self) -> dict[tuple[tuple[str, int], ...], Fraction | sympy.Expr]:
        """The coefficient of each product of powers; sympy's where something else was left free too."""
        return {
            powers: Fraction(over, self.denominator)
            if isinstance(over, int)
            else over.sympy() / self.denominator
            for powers, over in self.parts().items()
        }

    def parts(self) -> dict[tuple[tuple[str, int], ...], Dim]:
        """Return what each product of powers is multiplied by in the numerator."""
        parts: dict[tuple[tuple[str, int], ...], Dim] = {}
        for monomial, coefficient in terms_of(self.numerator):
            own = [atom.name for atom in monomial if isinstance(atom, Symbol) and atom.name in self.names]
            powers = tuple((name, own.count(name)) for name in sorted(set(own)))
            rest = normal({tuple(atom for atom in monomial if not _is_size(atom, self.names)): coefficient})
            parts[powers] = parts.get(powers, 0) + rest
        return parts

    def sympy(self) -> sympy.Expr:
        """Return the polynomial as sympy's: without a floor, so that it can be differentiated."""
        import sympy

        return sympy.expand(sympy.sympify(self.numerator) / self.denominator)

    def at(self, **sizes: int) -> Fraction:
        """Return the value at some sizes.

        >>> from shapecalc.algebra import symbol
        >>> leading(symbol("H")//32, ["H"]).at(H=1)
        Fraction(1, 32)
        """
        value = self.numerator.subs(sizes) if isinstance(self.numerator, Expr) else self.numerator
        if not isinstance(value, int):
            raise Undecided(f"{self} is a number only where {', '.join(sorted(value.free_symbols))} is one")
        return Fraction(value, self.denominator)

    def __str__(self) -> str:
        return leading_text(self)


def leading(value: Dim, names: Collection[str]) -> Leading:
    """Return the terms of highest total degree in some sizes, as these grow together.

    Raises `Undecided` where there is no such polynomial: a division by one of the sizes, a maximum of
    which no argument outgrows the others, or terms that cancel but for what their floors leave.

    >>> from shapecalc.algebra import symbol
    >>> print(leading((symbol("H") * symbol("H") + 5)//3, ["H"]))
    1/3·H^2
    """
    sizes = tuple(sorted(names))
    smooth = _smooth(value, sizes)
    return Leading(*_top(smooth, sizes, _formal_degree(value, sizes)), sizes)


def _smooth(value: Dim, names: tuple[str, ...]) -> Rational:
    """Return an expression with its floors replaced: in its highest degree exact."""
    total: Rational = (0, 1)
    for monomial, coefficient in terms_of(value):
        term: Rational = (coefficient, 1)
        for atom in monomial:
            over, under = _atom(atom, names)
            term = (term[0] * over, term[1] * under)
        total = _sum(total, term)
    return total


def _atom(atom: Atom, names: tuple[str, ...]) -> Rational:
    if isinstance(atom, Symbol) or atom.names().isdisjoint(names):
        return as_expr(atom), 1
    if isinstance(atom, Floor):
        if isinstance(atom.denominator, Expr):
            raise Undecided(f"{as_expr(atom)} does not grow as a polynomial")
        over, under = _smooth(atom.numerator, names)
        return over, under * atom.denominator
    assert isinstance(atom, Maximum)
    return _smooth(_largest(atom, names), names)


def _largest(atom: Maximum, names: tuple[str, ...]) -> Dim:
    """Return the argument that is largest once all sizes are large."""
    best = atom.arguments[0]
    for other in atom.arguments[1:]:
        ahead, _ = _top(_smooth(other - best, names), names, _formal_degree(other - best, names))
        signs = {coefficient > 0 for _, coefficient in terms_of(ahead)}
        if len(signs) != 1 or _degree_of_others(ahead, names):
            raise Undecided(f"which part of {as_expr(atom)} is largest depends on how the sizes grow")
        best = other if signs == {True} else best
    return best


def _formal_degree(value: Dim, names: tuple[str, ...]) -> int:
    """Return the highest degree of the terms, be it that they cancel."""
    return max(sum(_atom_degree(atom, names) for atom in monomial) for monomial, _ in terms_of(value))


def _atom_degree(atom: Atom, names: tuple[str, ...]) -> int:
    if isinstance(atom, Symbol) or atom.names().isdisjoint(names):
        return int(_is_size(atom, names))
    if isinstance(atom, Floor):
        return _formal_degree(atom.numerator, names)
    assert isinstance(atom, Maximum)
    return _formal_degree(_largest(atom, names), names)


def _sum(x: Rational, y: Rational) -> Rational:
    return _lowest(x[0] * y[1] + y[0] * x[1], x[1] * y[1])


def _lowest(numerator: Dim, denominator: int) -> Rational:
    common = gcd(denominator, *(coefficient for _, coefficient in terms_of(numerator)))
    return normal({monomial: n // common for monomial, n in terms_of(numerator)}), denominator // common


def _top(value: Rational, names: tuple[str, ...], degree: int) -> Rational:
    """Keep the terms of this degree, which is the highest; where all cancel, what is left is not exact."""
    kept = {monomial: n for monomial, n in terms_of(value[0]) if _degree(monomial, names) == degree}
    if not kept:
        raise Undecided("it grows more slowly than its parts, which cancel each other")
    return _lowest(normal(kept), value[1])


def _degree(monomial: Monomial, names: tuple[str, ...]) -> int:
    return sum(_is_size(atom, names) for atom in monomial)


def _degree_of_others(value: Dim, names: tuple[str, ...]) -> int:
    """Say whether anything but the sizes, of which nothing is known, decides about a sign."""
    return max(len(monomial) - _degree(monomial, names) for monomial, _ in terms_of(value))


def _is_size(atom: Atom, names: tuple[str, ...]) -> bool:
    return isinstance(atom, Symbol) and atom.name in names
