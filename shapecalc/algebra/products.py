"""Products of sizes, and quotients of which it is known that nothing is left over."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from shapecalc.algebra.expr import Dim, Recording, floordiv


def product(dims: Iterable[Dim]) -> Dim:
    """Return the product of sizes: the number of elements of a shape.

    >>> product((3, 224, 224)), product(())
    (150528, 1)
    """
    return prod(dims)


def quotient(numerator: Dim, denominator: Dim) -> Dim:
    """Return numerator/denominator where it is known that nothing is left over.

    >>> from shapecalc.algebra import symbol
    >>> quotient(64, 32), quotient(6 * symbol("w"), 3)
    (2, 2·w)
    """
    for size in (numerator, denominator):
        if isinstance(size, Recording):
            return size.record("/", floordiv, numerator, denominator)
    return numerator // denominator
