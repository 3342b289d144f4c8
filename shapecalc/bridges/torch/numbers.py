"""Whole numbers that remember how they came from the sizes of traced tensors.

A forward that computes with sizes runs on real integers, so that every decision in it has an
answer; beside its value such an integer holds the spec arithmetic that says where it comes from.
What Python decides by it is noted as a guard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Guard: TypeAlias = "tuple[str, str, str]"
"""The left side, the relation and the right side of something that held when it was asked."""

_NEGATED = {
    "equal": "unequal",
    "unequal": "equal",
    "less": "at_least",
    "at_least": "less",
    "more": "at_most",
    "at_most": "more",
}


class Size(int):
    """A size with its origin: `text` is spec arithmetic, such as `size('conv1', 2) // 2`."""

    text: str
    note: Callable[[Guard], None]

    def __new__(cls, value: int, text: str, note: Callable[[Guard], None]) -> Size:
        found = super().__new__(cls, value)
        found.text = text
        found.note = note
        return found

    def _made(self, value: Any, text: str) -> Any:
        return Size(value, text, self.note) if value is not NotImplemented else value

    def _by(self, other: Any, name: str, sign: str, *, swapped: bool = False) -> Any:
        value = getattr(int, name)(self, other)
        if value is NotImplemented or isinstance(value, float) or not isinstance(other, int):
            return value
        left, right = (written(other), self.text) if swapped else (self.text, written(other))
        return self._made(value, f"({left} {sign} {right})")

    def __add__(self, other: Any) -> Any:
        return self._by(other, "__add__", "+")

    def __radd__(self, other: Any) -> Any:
        return self._by(other, "__radd__", "+", swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._by(other, "__sub__", "-")

    def __rsub__(self, other: Any) -> Any:
        return self._by(other, "__rsub__", "-", swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self._by(other, "__mul__", "*")

    def __rmul__(self, other: Any) -> Any:
        return self._by(other, "__rmul__", "*", swapped=True)

    def __floordiv__(self, other: Any) -> Any:
        return self._by(other, "__floordiv__", "//")

    def __rfloordiv__(self, other: Any) -> Any:
        return self._by(other, "__rfloordiv__", "//", swapped=True)

    def __mod__(self, other: Any) -> Any:
        return self._by(other, "__mod__", "%")

    def __rmod__(self, other: Any) -> Any:
        return self._by(other, "__rmod__", "%", swapped=True)

    def __neg__(self) -> Any:
        return self._made(int.__neg__(self), f"(-{self.text})")

    def __truediv__(self, other: Any) -> Any:
        value = int.__truediv__(self, other)
        return Ratio(value, self, other) if isinstance(other, int) else value

    def _asked(self, other: Any, name: str, relation: str) -> Any:
        found = getattr(int, name)(self, other)
        if found is not NotImplemented and isinstance(other, int):
            told = relation if found else _NEGATED[relation]
            self.note((self.text, told, written(other)))
        return found

    def __eq__(self, other: object) -> Any:
        return self._asked(other, "__eq__", "equal")

    def __ne__(self, other: object) -> Any:
        return self._asked(other, "__ne__", "unequal")

    def __lt__(self, other: Any) -> Any:
        return self._asked(other, "__lt__", "less")

    def __le__(self, other: Any) -> Any:
        return self._asked(other, "__le__", "at_most")

    def __gt__(self, other: Any) -> Any:
        return self._asked(other, "__gt__", "more")

    def __ge__(self, other: Any) -> Any:
        return self._asked(other, "__ge__", "at_least")

    def __bool__(self) -> bool:
        found = int.__bool__(self)
        self.note((self.text, "unequal" if found else "equal", "0"))
        return found

    def __hash__(self) -> int:
        return int.__hash__(self)

    def __int__(self) -> int:
        """Say that the number is taken as it is: what is made of it holds for this size only."""
        self.note((self.text, "equal", str(int.__index__(self))))
        return int.__index__(self)


class Ratio(float):
    """A true quotient of sizes, which becomes a whole number by rounding."""

    above: Any
    below: Any

    def __new__(cls, value: float, above: Size, below: int) -> Ratio:
        found = super().__new__(cls, value)
        found.above, found.below = above, below
        return found

    def __floor__(self) -> Any:
        return self.above // self.below

    def __trunc__(self) -> Any:
        return self.above // self.below

    def __ceil__(self) -> Any:
        return -(-self.above // self.below)

    def __int__(self) -> int:
        self.above.note((self.above.text, "equal", str(int.__index__(self.above))))
        return int(float(self))


def written(value: int) -> str:
    """Return spec arithmetic for a number, with its origin where it has one."""
    return value.text if isinstance(value, Size) else str(int.__index__(value))


def plain(value: Any) -> Any:
    """Return a value without origins, as torch takes it."""
    if isinstance(value, Size):
        return int.__index__(value)
    if isinstance(value, Ratio):
        return float(value)
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    if isinstance(value, tuple) and type(value).__name__ == "Size":
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, slice):
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    return value
