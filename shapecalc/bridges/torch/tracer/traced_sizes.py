"""Sizes of traced tensors: integers that know how they were computed from the sizes of others; quotients.

`Size` says that it is an `int` but does not inherit from it: the interpreter reads an `int` without asking,
in `range(size)`, `items[size]` or `math.sqrt(size)`, and then no guard would be recorded.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from shapecalc.bridges.torch.tracer.source_lines import frame_above
from shapecalc.bridges.torch.tracer.traced_number import (
    RELATIONS,
    TracedNumber,
    compare_pinned,
    concrete,
    is_integer,
    pinned,
    with_tensor,
)

Location: TypeAlias = "tuple[CodeType, int]"
"""An instruction of the interpreter: the code, and the offset in it."""

_SIGNS = {"add": "+", "sub": "-", "mul": "*", "floordiv": "//", "mod": "%"}


def caller_location() -> Location:
    """Return the location in a forward that called the method that calls this."""
    frame = frame_above(2)
    return frame.f_code, frame.f_lasti


def _of_bits(bitwise: Callable[[int, int], int]) -> Callable[[Size, Any], int]:
    return lambda self, other: bitwise(self.pin(), other.__index__())


class Size(TracedNumber):
    """A size: its value, and spec arithmetic for it, such as `size('conv1', 2) // 2`."""

    __slots__ = ("record", "text", "value")

    def __init__(self, value: int, text: str, record: Callable[..., None]) -> None:
        self.value = value
        self.text = text
        self.record = record

    if not TYPE_CHECKING:
        __class__ = int

    def concrete(self) -> int:
        return self.value

    def pin(self) -> int:
        self.record((self.text, "equal", str(self.value)))
        return self.value

    __int__ = pin

    def __index__(self) -> int:
        """Pin the size at its location: torch reads arguments as indices before a call is recorded."""
        self.record((self.text, "equal", str(self.value)), caller_location())
        return self.value

    def __bool__(self) -> bool:
        return bool(self != 0)

    def compare(self, other: Any, method: str) -> Any:
        if not is_integer(other):
            exact = fraction(other)
            return getattr(Ratio(self, 1), method)(other) if exact else compare_pinned(self, other, method)
        relation, if_true, if_false = RELATIONS[method]
        result = relation(self.value, concrete(other))
        self.record((self.text, if_true if result else if_false, spec_text(other)))
        return result

    def by(self, other: Any, name: str, *, swapped: bool = False) -> Any:
        if name == "truediv" or isinstance(other, float):
            return by_fraction(self, other, name, swapped=swapped)
        if not is_integer(other):
            return with_tensor(self, other, name, swapped=swapped)
        left, right = (other, self) if swapped else (self, other)
        value = getattr(operator, name)(concrete(left), concrete(right))
        return Size(value, f"({spec_text(left)} {_SIGNS[name]} {spec_text(right)})", self.record)

    def __pow__(self, other: Any) -> Any:
        if type(other) is int and 1 <= other <= 4:
            return self if other == 1 else self * self ** (other - 1)
        return super().__pow__(other)

    def __lshift__(self, other: Any) -> Any:
        return self * 2 ** other.__index__()

    def __rshift__(self, other: Any) -> Any:
        return self // 2 ** other.__index__()

    __and__, __or__, __xor__ = map(_of_bits, (operator.and_, operator.or_, operator.xor))
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __neg__(self) -> Any:
        return Size(-self.value, f"(-{self.text})", self.record)

    def __round__(self, digits: int | None = None) -> Any:
        return self

    __pos__ = __floor__ = __ceil__ = __trunc__ = conjugate = __round__


class Sizes(tuple[Any, ...]):
    """The sizes of a tensor, in place of its `torch.Size`."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __class__ = torch.Size

        def __add__(self, other: Any) -> Any:
            return Sizes((*self, *other))

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return Sizes(item) if isinstance(index, slice) else item

    def numel(self) -> Any:
        """Return the product."""
        return reduce(lambda total, size: size * total, self, 1)


def spec_text(value: Any) -> str:
    """Return spec arithmetic for an integer, traced or not."""
    return value.text if isinstance(value, Size) else str(int(value))


def _chosen(name: str, choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*values: Any) -> Any:
        if not any(isinstance(value, Size) for value in values):
            return choose(values)
        record = next(value.record for value in values if isinstance(value, Size))
        return Size(choose(concrete(values)), f"{name}({', '.join(map(spec_text, values))})", record)

    return chosen


least, greatest = _chosen("min", min), _chosen("max", max)
"""The least and the greatest of integers, traced or not: no decision, so no guard."""


def field_value(value: Any) -> Any:
    """Return an argument as the value of a field: spec arithmetic for a size or a quotient of sizes.

    A field rounds the exact quotient to the nearest double, as Python's division does.
    """
    if isinstance(value, Size):
        return value.text
    if isinstance(value, Ratio):
        return f"({spec_text(value.above)} / {spec_text(value.below)})"
    if isinstance(value, (tuple, list)):
        return tuple(map(field_value, value))
    return concrete(value)


# ---- quotients of sizes: rounding them gives a size again, exactly where doubles are exact

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
