"""Integers that were computed from sizes: a value, and spec arithmetic for it.

Small tensors of integers are arrays of such numbers, so that numpy does what ONNX does to them. What is
decided by a number is a condition on sizes; so is its value where it has to be an ordinary number.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

Condition: TypeAlias = "Callable[[str, str, str], None]"
"""Records a left side, a relation and a right side that hold at the sizes of the import."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
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

    `is_positive` says that no size makes it negative.
    """

    __slots__ = ("condition", "is_positive", "text", "value")

    def __init__(
        self, value: int | Fraction, text: str, condition: Condition, *, is_positive: bool = True
    ) -> None:
        self.value = value
        self.text = text
        self.condition = condition
        self.is_positive = is_positive

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
        value = _OPERATORS[sign](*exact)
        text = f"({spec_text(left)} {sign} {spec_text(right)})"
        is_positive = sign != "-" and _is_positive(left) and _is_positive(right)
        return Size(value, text, self.condition, is_positive=is_positive)

    def compare(self, other: Any, name: str) -> bool:
        """Answer a comparison, which is recorded unless it holds for all sizes."""
        value = _exact(other)
        if value is None:
            return bool(getattr(operator, name)(self.pin(), other))
        result = bool(getattr(operator, name)(self.value, value))
        if self.is_positive and not isinstance(other, Size) and value < 0:
            return result  # no size is negative
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
    if isinstance(value, (int, Fraction)):
        return int(value) if isinstance(value, bool) else value
    return None


def _is_positive(value: Any) -> bool:
    return value.is_positive if isinstance(value, Size) else value >= 0


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
    if isinstance(value, Fraction) and value.denominator > 1:
        return f"({value.numerator} / {value.denominator})"
    return str(int(value)) if value >= 0 else f"({int(value)})"


def field_value(value: Any) -> Any:
    """Return a number, or a list of them, as the value of a layer's field."""
    if isinstance(value, (tuple, list)):
        return [field_value(item) for item in value]
    return value.text if isinstance(value, Size) else value


def divided(above: Any, below: Any) -> Any:
    """Return the quotient of integers as ONNX has it: cut towards zero."""
    if isinstance(above, Size) or isinstance(below, Size):
        for side in (above, below):
            if not _is_positive(side) and not side >= 0:  # a condition of its own
                return -(-above // below)
        return above // below
    quotient = abs(above) // abs(below)
    return quotient if (above >= 0) == (below >= 0) else -quotient
