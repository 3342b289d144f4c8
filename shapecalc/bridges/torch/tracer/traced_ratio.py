"""Quotients of sizes: rounding them gives a size again, exactly where doubles are exact."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from shapecalc.bridges.torch.tracer.traced_number import (
    TracedNumber,
    compare_pinned,
    concrete,
    is_integer,
    pinned,
    with_tensor,
)

_FINEST = 2**20
"""Floats with a larger denominator are not taken for exact: products in doubles may round them."""


class Ratio(TracedNumber):
    """A quotient of sizes; what is neither arithmetic nor rounding pins it."""

    __slots__ = ("above", "below")

    def __init__(self, above: Any, below: Any) -> None:
        self.above, self.below = above, below

    if not TYPE_CHECKING:
        __class__ = float

    def concrete(self) -> float:
        quotient: float = concrete(self.above) / concrete(self.below)
        return quotient

    def pin(self) -> float:
        quotient: float = pinned(self.above) / pinned(self.below)
        return quotient

    def compare(self, other: Any, method: str) -> Any:
        exact = fraction(other)
        if exact is None:
            return compare_pinned(self, other, method)
        above, below = exact
        if self.below <= 0 or below <= 0:  # a guard of its own
            return compare_pinned(self, other, method)
        return getattr(self.above * below, method)(above * self.below)

    def by(self, other: Any, name: str, *, swapped: bool = False) -> Any:
        return by_fraction(self, other, name, swapped=swapped)

    def __int__(self) -> int:
        return int(self.__trunc__())

    def __bool__(self) -> bool:
        return bool(self.above != 0)

    def __neg__(self) -> Any:
        return Ratio(-self.above, self.below)

    def __floor__(self) -> Any:
        return self.above // self.below

    def __ceil__(self) -> Any:
        return -(-self.above // self.below)

    def __trunc__(self) -> Any:
        return self.__floor__() if self >= 0 else self.__ceil__()

    def __round__(self, digits: int | None = None) -> Any:
        """Round to the nearest integer, halves to even: ⌊x + 1/2⌋, less 1 at halves above an even number."""
        if digits is not None or self.below <= 0:  # a guard of its own
            return round(self.pin(), digits)
        twice, below = 2 * self.above, self.below
        if type(below) is int and below % 2:  # there are no halves
            return (twice + below) // (2 * below)
        return (twice + 3 * below - 1) // (4 * below) + (twice + below) // (4 * below)


def fraction(value: Any) -> tuple[Any, Any] | None:
    """Return numerator and denominator of a number that doubles hold exactly; None for others."""
    if is_integer(value):
        return value, 1
    if type(value) is Ratio:
        return value.above, value.below
    if type(value) is float and abs(value) < _FINEST:
        above, below = value.as_integer_ratio()
        return (above, below) if below <= _FINEST else None
    return None


def by_fraction(number: TracedNumber, other: Any, name: str, *, swapped: bool) -> Any:
    """Return arithmetic with a fraction: exact for a quotient of sizes and for powers of two, else pinned."""
    if not isinstance(other, (int, float)):
        return with_tensor(number, other, name, swapped=swapped)
    left, right = (other, number) if swapped else (number, other)
    exact = [fraction(left), fraction(right)]
    if exact[0] is None or exact[1] is None:
        return getattr(operator, name)(pinned(left), pinned(right))
    (a, b), (c, d) = exact[0], exact[1]
    if name == "truediv":
        if (is_integer(left) and is_integer(right)) or (_is_power_of_two(b) and _is_power_of_two(c)):
            if c == 0:
                raise ZeroDivisionError("division by zero")
            return Ratio(a * d, b * c)
    elif _is_power_of_two(b) and _is_power_of_two(d):
        if name == "mul":
            return Ratio(a * c, b * d)
        if name == "floordiv":
            return Ratio(a * d // (b * c), 1)
        return Ratio(getattr(operator, name)(a * d, c * b), b * d)
    return getattr(operator, name)(pinned(left), pinned(right))


def _is_power_of_two(value: Any) -> bool:
    return type(value) is int and value > 0 and value & (value - 1) == 0
