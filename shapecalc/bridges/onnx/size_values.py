"""Integers that were computed from sizes: a value, and spec arithmetic for it.

Small tensors of integers are arrays of such numbers, so that numpy does what ONNX does to them. What is
decided by a number is a condition on sizes; so is its value where it has to be an ordinary number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any, TypeAlias

Condition: TypeAlias = "Callable[[str, str, str], None]"
"""Records a left side, a relation and a right side that hold at the sizes of the import."""


def _quotient(above: Any, below: Any) -> Any:
    return Fraction(above) / below if isinstance(above, (int, Fraction)) else above / below


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "/": _quotient,
}
_NEUTRAL = {"+": 0, "-": 0, "*": 1, "/": 1, "//": 1}
_FINEST = 2**20
"""Floats with a larger denominator are not taken for exact: products of floats may round them."""
_RELATIONS: dict[str, tuple[str, str]] = {
    "eq": ("equal", "unequal"),
    "ne": ("unequal", "equal"),
    "lt": ("less", "at_least"),
    "le": ("at_most", "more"),
    "gt": ("more", "at_most"),
    "ge": ("at_least", "less"),
}


class Size:
    """A number made of sizes: its value at the sizes of the import, and the text of a formula.

    `least` is a bound: no sizes make it less. Without one nothing is known.
    """

    __slots__ = ("condition", "least", "text", "value")

    def __init__(
        self, value: int | Fraction, text: str, condition: Condition, least: int | Fraction | None
    ) -> None:
        self.value = value
        self.text = text
        self.condition = condition
        self.least = least

    def pin(self) -> Any:
        """Return the value, with the condition that it is this one."""
        self.condition(self.text, "equal", spec_text(self.value))
        return self.value

    def by(self, other: Any, sign: str, *, swapped: bool = False) -> Any:
        """Return the result of an operator of Python."""
        left, right = (other, self) if swapped else (self, other)
        exact = [_exact(side) for side in (left, right)]
        if None in exact:
            return _OPERATORS[sign](plain(left), plain(right))
        if not isinstance(right, Size) and exact[1] == _NEUTRAL.get(sign):
            return self
        value = _OPERATORS[sign](*exact)
        text = f"({spec_text(left)} {sign} {spec_text(right)})"
        return Size(value, text, self.condition, _bound(left, sign, right))

    def compare(self, other: Any, name: str) -> bool:
        """Answer a comparison, which is recorded unless it holds for all sizes."""
        value = _exact(other)
        if value is None:
            return bool(getattr(operator, name)(self.pin(), other))
        result = bool(getattr(operator, name)(self.value, value))
        if self.least is not None and not isinstance(other, Size) and value < self.least:
            return result  # as for all sizes
        if not (isinstance(other, Size) and other.text == self.text):
            self.condition(self.text, _RELATIONS[name][not result], spec_text(other))
        return result

    def __hash__(self) -> int:
        return hash(self.pin())

    def __bool__(self) -> bool:
        return self.compare(0, "ne")

    def __int__(self) -> int:
        return int(self.pin())

    __index__ = __int__

    def __neg__(self) -> Any:
        return 0 - self

    def __floordiv__(self, other: Any) -> Any:
        return self.by(other, "//")

    def __rfloordiv__(self, other: Any) -> Any:
        return self.by(other, "//", swapped=True)

    def __truediv__(self, other: Any) -> Any:
        return self.by(other, "/")

    def __rtruediv__(self, other: Any) -> Any:
        return self.by(other, "/", swapped=True)

    def __mod__(self, other: Any) -> Any:
        return self.by(other, "%")

    def __rmod__(self, other: Any) -> Any:
        return self.by(other, "%", swapped=True)

    def __add__(self, other: Any) -> Any:
        return self.by(other, "+")

    def __radd__(self, other: Any) -> Any:
        return self.by(other, "+", swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self.by(other, "-")

    def __rsub__(self, other: Any) -> Any:
        return self.by(other, "-", swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self.by(other, "*")

    def __rmul__(self, other: Any) -> Any:
        return self.by(other, "*", swapped=True)

    def __eq__(self, other: object) -> bool:
        return self.compare(other, "eq")

    def __ne__(self, other: object) -> bool:
        return self.compare(other, "ne")

    def __lt__(self, other: Any) -> bool:
        return self.compare(other, "lt")

    def __le__(self, other: Any) -> bool:
        return self.compare(other, "le")

    def __gt__(self, other: Any) -> bool:
        return self.compare(other, "gt")

    def __ge__(self, other: Any) -> bool:
        return self.compare(other, "ge")

    def __repr__(self) -> str:
        return f"Size({self.value}, {self.text!r})"


def _exact(value: Any) -> int | Fraction | None:
    """Return a number as an exact one; None where it is none."""
    if isinstance(value, Size):
        return value.value
    if isinstance(value, float) and value.is_integer() | (abs(value) < _FINEST):
        exact = Fraction(value)
        return exact if exact.denominator <= _FINEST else None
    if isinstance(value, (int, Fraction)):
        return int(value) if isinstance(value, bool) else value
    return None


def least_of(value: Any) -> Any:
    """Return what a number is at least, for all sizes; None where that is not known."""
    return value.least if isinstance(value, Size) else _exact(value)


def _bound(left: Any, sign: str, right: Any) -> Any:
    """Return the least that an operator makes of two numbers; None where that is not known."""
    low, other = least_of(left), least_of(right)
    if low is None or other is None:
        return None
    if sign == "-":
        return None if isinstance(right, Size) else low - other
    if sign == "+":
        return low + other
    if low < 0 or other < 0:
        return None
    if sign == "*":
        return low * other
    return 0 if sign == "%" or isinstance(right, Size) else _OPERATORS[sign](low, other)


def plain(value: Any) -> Any:
    """Return an ordinary number, with a condition where it was computed from sizes."""
    return value.pin() if isinstance(value, Size) else value


def concrete(value: Any) -> Any:
    """Return the value at the sizes of the import."""
    return value.value if isinstance(value, Size) else value


def spec_text(value: Any) -> str:
    """Return spec arithmetic for a number."""
    if isinstance(value, Size):
        return value.text
    value = Fraction(value)
    if value.denominator > 1:
        return f"({value.numerator} / {value.denominator})"
    return str(int(value)) if value >= 0 else f"({int(value)})"


def field_value(value: Any) -> Any:
    """Return a number, or a list of them, as the value of a layer's field."""
    if isinstance(value, (tuple, list)):
        return [field_value(item) for item in value]
    return value.text if isinstance(value, Size) else value


def is_positive(value: Any) -> bool:
    """Say whether a number is no less than 0, by a condition unless it is so for all sizes."""
    low = least_of(value)
    return bool((low is not None and low >= 0) or value >= 0)


def divided(above: Any, below: Any) -> Any:
    """Return the quotient of integers as ONNX has it: cut towards zero."""
    if isinstance(above, Size) or isinstance(below, Size):
        positive = [is_positive(side) for side in (above, below)]
        return above // below if positive[0] == positive[1] else -(-above // below)
    quotient = abs(above) // abs(below)
    return quotient if (above >= 0) == (below >= 0) else -quotient


def rounded(value: Any, *, up: bool = False) -> Any:
    """Return the next integer below a number, or above it."""
    if not isinstance(value, Size):
        return ceil(value) if up else floor(value)
    if isinstance(value.value, int):
        return value
    name, number = ("ceil", ceil(value.value)) if up else ("floor", floor(value.value))
    low = None if value.least is None else floor(value.least)
    return Size(number, f"{name}({value.text})", value.condition, low)


def _chosen(name: str, choose: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def chosen(left: Any, right: Any) -> Any:
        size = next((side for side in (left, right) if isinstance(side, Size)), None)
        if size is None:
            return choose(left, right)
        sides = concrete(left), concrete(right)
        text = f"{name}({spec_text(left)}, {spec_text(right)})"
        lows = [low for low in (least_of(left), least_of(right)) if low is not None]
        is_known = len(lows) == 2 or (lows and choose is max)
        return Size(choose(*sides), text, size.condition, choose(lows) if is_known else None)

    return chosen


least, greatest = _chosen("min", min), _chosen("max", max)
"""The least and the greatest of two numbers: no decision, so no condition."""
