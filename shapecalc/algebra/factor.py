"""Writing a polynomial as a product where each unknown has a factor of its own."""

from __future__ import annotations

from math import gcd

from shapecalc.algebra.expr import Dim, Expr, Monomial, normal


def separated(value: Expr) -> list[Dim]:
    """Return factors whose product is the expression: a number and one per unknown, or just the expression.

    A polynomial in two groups of atoms is a product exactly when the table of its coefficients, one
    group along each side, has rank one.

    >>> from shapecalc.algebra.expr import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> separated(150 * (H - 4) * (W - 4))
    [150, H - 4, W - 4]
    >>> separated(H * W + 1)
    [H·W + 1]
    """
    number, rest = 1, value
    factors: list[Dim] = []
    for name in sorted({name for atom in value.atoms() for name in atom.names()}):
        split = _split(rest, name)
        if split is None:
            continue
        own, other = split
        factors.append(own)
        if isinstance(other, int):
            number = other
            break
        rest = other
    else:
        factors.append(rest)
    if len(factors) < 2:
        return [value]
    last = factors[-1]
    if isinstance(last, Expr):
        common = gcd(*(coefficient for _, coefficient in last.terms))
        number, factors[-1] = number * common, last // common
    return [number, *factors] if number != 1 else factors


def _split(value: Expr, name: str) -> tuple[Expr, Dim] | None:
    """Return (own, other) with own in `name` alone, other without it, and own·other the value."""
    table: dict[Monomial, dict[Monomial, int]] = {}
    for monomial, coefficient in value.terms:
        own = tuple(atom for atom in monomial if atom.names() == {name})
        other = tuple(atom for atom in monomial if atom.names() != {name})
        if any(name in atom.names() for atom in other):
            return None
        table.setdefault(own, {})[other] = coefficient
    first = next(iter(table.values()))
    common = gcd(*first.values())
    pivot = next(iter(first))
    base = {monomial: coefficient // common for monomial, coefficient in first.items()}
    if base[max(base, key=len)] < 0:
        base = {monomial: -coefficient for monomial, coefficient in base.items()}
    weights: dict[Monomial, int] = {}
    for own, row in table.items():
        if row.keys() != base.keys() or row[pivot] % base[pivot]:
            return None
        weights[own] = row[pivot] // base[pivot]
        if any(row[other] != weights[own] * base[other] for other in base):
            return None
    scale = gcd(*weights.values())
    if weights[max(weights, key=len)] < 0:
        scale = -scale
    left = normal({own: weight // scale for own, weight in weights.items()})
    right = scale * normal(base)
    return (left, right) if isinstance(left, Expr) else None
