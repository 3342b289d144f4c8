"""Sizes of traced tensors: integers that know how they were computed from the sizes of others.

`Size` says that it is an `int` but does not inherit from it: the interpreter reads an `int` without asking,
in `range(size)`, `items[size]` or `math.sqrt(size)`, and then no guard would be recorded.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeAlias

from shapecalc.bridges.torch.tracer.traced_number import (
    RELATIONS,
    TracedNumber,
    compare_pinned,
    concrete,
    is_integer,
    with_tensor,
)
from shapecalc.bridges.torch.tracer.traced_ratio import Ratio, by_fraction, fraction

Location: TypeAlias = "tuple[CodeType, int]"
"""An instruction of the interpreter: the code, and the offset in it."""

_SIGNS = {"add": "+", "sub": "-", "mul": "*", "floordiv": "//", "mod": "%"}


def caller_location() -> Location:
    """Return the location in a forward that called the method that calls this."""
    frame = sys._getframe(2)  # noqa: SLF001  (inspect.stack reads source files, a thousand times slower)
    return frame.f_code, frame.f_lasti


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

    def __and__(self, other: Any) -> Any:
        return self.pin() & other.__index__()

    def __or__(self, other: Any) -> Any:
        return self.pin() | other.__index__()

    def __xor__(self, other: Any) -> Any:
        return self.pin() ^ other.__index__()

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __neg__(self) -> Any:
        return Size(-self.value, f"(-{self.text})", self.record)

    def __pos__(self) -> Any:
        return self

    def __round__(self, digits: int | None = None) -> Any:
        return self

    def __floor__(self) -> Any:
        return self

    __ceil__ = __trunc__ = conjugate = __floor__


class Sizes(tuple[Any, ...]):
    """The sizes of a tensor, in place of its `torch.Size`."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return Sizes(item) if isinstance(index, slice) else item

    def numel(self) -> Any:
        """Return the product."""
        total: Any = 1
        for size in self:
            total = size * total
        return total


def spec_text(value: Any) -> str:
    """Return spec arithmetic for an integer, traced or not."""
    return value.text if isinstance(value, Size) else str(int(value))


def field_value(value: Any) -> Any:
    """Return an argument as the value of a field: spec arithmetic for a size, the rest as it is."""
    if isinstance(value, Size):
        return value.text
    if isinstance(value, (tuple, list)):
        return tuple(map(field_value, value))
    return concrete(value)
