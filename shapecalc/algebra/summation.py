"""Sums of a closed form over an index: the cost of all passes of a repeat, exactly.

    Σ_{j<n} j^k = (n^{k+1} - Σ_{m<k} C(k+1, m)·Σ_{j<n} j^m) / (k + 1)        Faulhaber's sums

Their coefficients are rational and their values integers, so a sum is a polynomial over an integer, which
the floor divides without a remainder.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb, lcm

from shapecalc.algebra.expr import Dim, Symbol, as_expr, floordiv, symbol, terms_of
from shapecalc.errors import Undecided


def summed(value: Dim, index: str, first: int, count: Dim) -> Dim:
    """Return the sum of a value over `count` values of an index, from `first` on.

    Raises `Undecided` where the index is inside a floor or a maximum.

    >>> n = symbol("n")
    >>> summed(5, "i", 0, n), summed(12 * symbol("i") + 16, "i", 0, n)
    (5·n, 6·n^2 + 10·n)
    >>> summed(symbol("i"), "i", 0, n).subs("n", 101), sum(range(101))
    (5050, 5050)
    """
    if isinstance(value, int):
        return count * value
    powers = _in_powers(value.subs(index, symbol(index) + first), index)
    sums = [_faulhaber(power) for power in range(len(powers))]
    common = lcm(*(coefficient.denominator for sum_ in sums for coefficient in sum_))
    total: Dim = 0
    raised: Dim = 1
    for exponent in range(len(powers) + 1):
        scaled: Dim = 0
        for coefficient, sum_ in zip(powers, sums, strict=True):
            if exponent < len(sum_):
                scaled = scaled + coefficient * int(common * sum_[exponent])
        total = total + scaled * raised
        raised = raised * count
    return floordiv(total, common)


def _in_powers(value: Dim, index: str) -> list[Dim]:
    """Return the coefficients of a polynomial in one unknown, from the constant up."""
    powers: list[Dim] = []
    for monomial, coefficient in terms_of(value):
        term: Dim = coefficient
        power = 0
        for atom in monomial:
            if isinstance(atom, Symbol) and atom.name == index:
                power += 1
                continue
            if index in atom.names():
                raise Undecided(f"{as_expr(atom)} has no sum over {index} in closed form")
            term = term * as_expr(atom)
        powers += [0] * (power + 1 - len(powers))
        powers[power] = powers[power] + term
    return powers


@cache
def _faulhaber(power: int) -> tuple[Fraction, ...]:
    """Return the coefficients of Σ_{j<n} j^power as a polynomial in n, from the constant up.

    >>> _faulhaber(1)
    (Fraction(0, 1), Fraction(-1, 2), Fraction(1, 2))
    """
    coefficients = [Fraction(0)] * (power + 1) + [Fraction(1)]
    for lower in range(power):
        for exponent, coefficient in enumerate(_faulhaber(lower)):
            coefficients[exponent] -= comb(power + 1, lower) * coefficient
    return tuple(coefficient / (power + 1) for coefficient in coefficients)
