"""Floors and maxima in canonical form: the identities that `expr` promises, each with its condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import gcd

from shapecalc.algebra.decide import bounded
from shapecalc.algebra.expr import (
    Atom,
    Dim,
    Expr,
    Floor,
    Maximum,
    Monomial,
    Remembering,
    as_expr,
    key_of,
    normal,
    terms_of,
)
from shapecalc.errors import FormulaError


def floordiv(numerator: Dim, denominator: Dim) -> Dim:
    """Return ⌊numerator/denominator⌋ in canonical form; the denominator must be positive.

    >>> from shapecalc.algebra.expr import symbol
    >>> floordiv(-7, 2)
    -4
    >>> floordiv(floordiv(symbol("n") + 1, 2) + 2, 2)
    ⌊(n + 1)/4⌋ + 1
    """
    if denominator == 0:
        raise FormulaError(f"division of {numerator} by zero")
    if isinstance(numerator, Remembering) or isinstance(denominator, Remembering):
        return numerator // denominator
    if isinstance(denominator, Expr):
        return _floordiv_by_expr(numerator, denominator)
    if denominator < 0:
        return floordiv(-numerator, -denominator)
    if isinstance(numerator, int):
        return numerator // denominator
    whole: dict[Monomial, int] = {}
    rest: dict[Monomial, int] = {}
    for monomial, coefficient in numerator.terms:
        whole[monomial], rest[monomial] = divmod(coefficient, denominator)
    remainder = normal(rest)
    quotient = normal(whole)
    if isinstance(remainder, int):
        return quotient
    return quotient + _reduced_floor(remainder, denominator)


def ceildiv(numerator: Dim, denominator: Dim) -> Dim:
    """Return ⌈numerator/denominator⌉, written ⌊(numerator + denominator - 1)/denominator⌋.

    >>> from shapecalc.algebra.expr import symbol
    >>> ceildiv(7, 2), ceildiv(symbol("H"), 32)
    (4, ⌈H/32⌉)
    """
    return floordiv(numerator + denominator - 1, denominator)


def maximum(*arguments: Dim) -> Dim:
    """Return the largest argument; arguments that another one dominates for every size go.

    >>> from shapecalc.algebra.expr import symbol
    >>> maximum(3, 5), maximum(symbol("H"), 0), maximum(symbol("H"), 7)
    (5, H, max(H, 7))
    """
    if any(isinstance(argument, Remembering) for argument in arguments):
        return _noted("max", maximum, arguments)
    if all(isinstance(argument, int) for argument in arguments):
        return max(arguments)
    flat: list[Dim] = []
    for argument in arguments:
        atom = _single_atom(argument)
        flat.extend(atom.arguments if isinstance(atom, Maximum) else [argument])
    kept: list[Dim] = []
    for argument in flat:
        if any(_surely(other, ">=", argument) for other in kept):
            continue
        kept = [other for other in kept if not _surely(argument, ">=", other)]
        kept.append(argument)
    if len(kept) == 1:
        return kept[0]
    return as_expr(Maximum(tuple(sorted(kept, key=key_of))))


def minimum(*arguments: Dim) -> Dim:
    """Return the smallest argument.

    >>> from shapecalc.algebra.expr import symbol
    >>> minimum(3, 5), minimum(symbol("H"), 7)
    (3, min(H, 7))
    """
    if any(isinstance(argument, Remembering) for argument in arguments):
        return _noted("min", minimum, arguments)
    return -maximum(*(-argument for argument in arguments))


def quotient(numerator: Dim, denominator: Dim) -> Dim:
    """Return numerator/denominator where it is known that nothing is left over.

    >>> from shapecalc.algebra.expr import symbol
    >>> quotient(64, 32), quotient(6 * symbol("w"), 3)
    (2, 2·w)
    """
    if isinstance(numerator, Remembering) or isinstance(denominator, Remembering):
        from shapecalc.algebra.provenance import noted_quotient

        return noted_quotient(numerator, denominator)
    return numerator // denominator


def _noted(sign: str, compute: Callable[..., Dim], arguments: tuple[Dim, ...]) -> Dim:
    """Return what comes of the bare sizes, with the operation as its formula."""
    from shapecalc.algebra.provenance import bare, noted

    return noted(sign, compute(*map(bare, arguments)), *arguments)


def product(dims: Iterable[Dim]) -> Dim:
    """Return the product of sizes: the number of elements of a shape.

    >>> product((3, 224, 224)), product(())
    (150528, 1)
    """
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return result


def _single_atom(value: Dim) -> Atom | None:
    if isinstance(value, Expr) and len(value.terms) == 1:
        monomial, coefficient = value.terms[0]
        if coefficient == 1 and len(monomial) == 1:
            return monomial[0]
    return None


def _reduced_floor(remainder: Expr, denominator: int) -> Dim:
    """⌊remainder/denominator⌋ where every coefficient already lies in [0, denominator)."""
    common = denominator
    for monomial, coefficient in remainder.terms:
        if monomial:
            common = gcd(common, coefficient)
    if common > 1:
        reduced = {monomial: coefficient // common for monomial, coefficient in remainder.terms}
        return floordiv(normal(reduced), denominator // common)
    inner = [(m[0], c) for m, c in remainder.terms if len(m) == 1 and isinstance(m[0], Floor)]
    if len(inner) == 1 and inner[0][1] == 1:
        atom = inner[0][0]
        assert isinstance(atom, Floor)
        if isinstance(atom.denominator, int):
            others = remainder - as_expr(atom)
            merged = atom.numerator + atom.denominator * others
            return floordiv(merged, atom.denominator * denominator)
    return as_expr(Floor(remainder, denominator))


def _floordiv_by_expr(numerator: Dim, denominator: Expr) -> Dim:
    if _surely(denominator, "<=", 0):
        raise FormulaError(f"division by {denominator}, which is never positive")
    if len(denominator.terms) == 1:
        (divisor, scale) = denominator.terms[0]
        exact: dict[Monomial, int] = {}
        for monomial, coefficient in terms_of(numerator):
            left = _without(monomial, divisor)
            if left is None or coefficient % scale:
                break
            exact[left] = coefficient // scale
        else:
            return normal(exact)
    most = _times(numerator, denominator)
    for times in (most, most - 1):
        rest = numerator - times * denominator
        if rest == 0 or (_surely(rest, ">=", 0) and _surely(denominator - rest, ">", 0)):
            return times  # ⌊(c·d + r)/d⌋ = c for 0 ≤ r < d
    if isinstance(numerator, int):
        return as_expr(Floor(Expr((((), numerator),)), denominator))
    return as_expr(Floor(numerator, denominator))


def _times(numerator: Dim, denominator: Expr) -> int:
    """Return how many times a denominator goes into a numerator by their last terms."""
    if isinstance(numerator, int):
        return 0
    (monomial, top), (divisor, bottom) = numerator.terms[-1], denominator.terms[-1]
    return top // bottom if monomial == divisor else 0


def _without(monomial: Monomial, divisor: Monomial) -> Monomial | None:
    left = list(monomial)
    for atom in divisor:
        if atom not in left:
            return None
        left.remove(atom)
    return tuple(left)


def _surely(left: Dim, relation: str, right: Dim) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        return left >= right if relation == ">=" else left <= right if relation == "<=" else left > right

    return bounded(left, relation, right) is True
