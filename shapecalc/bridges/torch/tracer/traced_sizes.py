"""Whole numbers that remember how they came from the sizes of traced tensors.

A forward that computes with sizes runs on real numbers, so that every decision in it has an answer; beside
its value such a number holds the spec arithmetic that says where it comes from. What Python decides by it is
noted as a guard, and so is every way out of it: what becomes an ordinary number, a text, an index or a key
holds for this size only. `Size` says that it is an `int` but does not inherit from it, because what does is
read by the interpreter without asking, in `range(size)`, `items[size]` or `math.sqrt(size)`.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from torch import Tensor

Guard: TypeAlias = "tuple[str, str, str]"
"""The left side, the relation and the right side of something that held when it was asked."""

_RELATIONS: dict[str, tuple[Callable[[Any, Any], Any], str, str]] = {
    "__eq__": (operator.eq, "equal", "unequal"),
    "__ne__": (operator.ne, "unequal", "equal"),
    "__lt__": (operator.lt, "less", "at_least"),
    "__le__": (operator.le, "at_most", "more"),
    "__gt__": (operator.gt, "more", "at_most"),
    "__ge__": (operator.ge, "at_least", "less"),
}
"""By the method that asks: the question, and what is noted where the answer is yes, and where it is no."""

_FINEST = 2**20
"""Fractions with a larger power of two below are not taken for exact: products in doubles may round them."""


def called_from() -> tuple[CodeType, int]:
    """Return the place in the code of a forward that called the method that asks this."""
    frame = sys._getframe(2)  # noqa: SLF001  (inspect.stack reads source files, a thousand times slower)
    return frame.f_code, frame.f_lasti


class Origin:
    """What sizes and their quotients share: every question about them is noted."""

    def hold(self) -> Any:
        """Return the ordinary number, noting that what is made of it holds for this number only."""
        raise NotImplementedError

    def asked(self, other: Any, method: str) -> Any:
        """Answer a comparison with a number, and note the answer."""
        raise NotImplementedError

    def __eq__(self, other: object) -> Any:
        return self.asked(other, "__eq__")

    def __ne__(self, other: object) -> Any:
        return self.asked(other, "__ne__")

    def __lt__(self, other: Any) -> Any:
        return self.asked(other, "__lt__")

    def __le__(self, other: Any) -> Any:
        return self.asked(other, "__le__")

    def __gt__(self, other: Any) -> Any:
        return self.asked(other, "__gt__")

    def __ge__(self, other: Any) -> Any:
        return self.asked(other, "__ge__")

    def __hash__(self) -> int:
        return hash(self.hold())

    def __float__(self) -> float:
        return float(self.hold())

    def __str__(self) -> str:
        return str(self.hold())

    def __format__(self, form: str) -> str:
        return format(self.hold(), form)

    def __pow__(self, other: Any) -> Any:
        return self.hold() ** plain(other)

    def __rpow__(self, other: Any) -> Any:
        return other ** self.hold()

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.hold(), digits)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and its libraries ask of any object
            raise AttributeError(name)
        return getattr(self.hold(), name)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


class Size(Origin):
    """A size with its origin: `text` is spec arithmetic, such as `size('conv1', 2) // 2`."""

    __slots__ = ("note", "text", "value")

    def __init__(self, value: int, text: str, note: Callable[..., None]) -> None:
        self.value = value
        self.text = text
        self.note = note

    if not TYPE_CHECKING:
        __class__ = int

    def __repr__(self) -> str:
        return repr(self.value)

    def hold(self) -> int:
        self.note((self.text, "equal", str(self.value)))
        return self.value

    __int__ = hold

    def __index__(self) -> int:
        """Note the number as taken where it was taken: torch reads its arguments before they are recorded."""
        self.note((self.text, "equal", str(self.value)), called_from())
        return self.value

    def __bool__(self) -> bool:
        return bool(self != 0)

    def asked(self, other: Any, method: str) -> Any:
        if not is_whole(other):
            exact = _fraction(other)
            return getattr(Ratio(self, 1), method)(other) if exact else _rough(self, other, method)
        ask, yes, no = _RELATIONS[method]
        found = ask(self.value, plain(other))
        self.note((self.text, yes if found else no, written(other)))
        return found

    def _by(self, other: Any, name: str, sign: str, *, swapped: bool = False) -> Any:
        if not is_whole(other):
            if isinstance(other, (float, Ratio)):
                return _by_fraction(self, other, name, swapped=swapped)
            return _by_tensor(self, other, name, swapped=swapped)
        pair = (other, self) if swapped else (self, other)
        value = getattr(operator, name)(*map(plain, pair))
        return Size(value, f"({written(pair[0])} {sign} {written(pair[1])})", self.note)

    def __add__(self, other: Any) -> Any:
        return self._by(other, "add", "+")

    def __radd__(self, other: Any) -> Any:
        return self._by(other, "add", "+", swapped=True)

    def __sub__(self, other: Any) -> Any:
        return self._by(other, "sub", "-")

    def __rsub__(self, other: Any) -> Any:
        return self._by(other, "sub", "-", swapped=True)

    def __mul__(self, other: Any) -> Any:
        return self._by(other, "mul", "*")

    def __rmul__(self, other: Any) -> Any:
        return self._by(other, "mul", "*", swapped=True)

    def __floordiv__(self, other: Any) -> Any:
        return self._by(other, "floordiv", "//")

    def __rfloordiv__(self, other: Any) -> Any:
        return self._by(other, "floordiv", "//", swapped=True)

    def __mod__(self, other: Any) -> Any:
        return self._by(other, "mod", "%")

    def __rmod__(self, other: Any) -> Any:
        return self._by(other, "mod", "%", swapped=True)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __truediv__(self, other: Any) -> Any:
        return _by_fraction(self, other, "truediv", swapped=False)

    def __rtruediv__(self, other: Any) -> Any:
        return _by_fraction(self, other, "truediv", swapped=True)

    def __pow__(self, other: Any) -> Any:
        if type(other) is int and 1 <= other <= 4:
            return self if other == 1 else self * self ** (other - 1)
        return super().__pow__(other)

    def __lshift__(self, other: Any) -> Any:
        return self * 2 ** other.__index__()

    def __rshift__(self, other: Any) -> Any:
        return self // 2 ** other.__index__()

    def __and__(self, other: Any) -> Any:
        return self.hold() & other.__index__()

    def __or__(self, other: Any) -> Any:
        return self.hold() | other.__index__()

    def __xor__(self, other: Any) -> Any:
        return self.hold() ^ other.__index__()

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __neg__(self) -> Any:
        return Size(-self.value, f"(-{self.text})", self.note)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __round__(self, digits: int | None = None) -> Any:
        return self

    def __floor__(self) -> Any:
        return self

    __ceil__ = __trunc__ = conjugate = __floor__


class Ratio(Origin):
    """A quotient of sizes: rounding it gives a size again, all else an ordinary number that is noted."""

    __slots__ = ("above", "below")

    def __init__(self, above: Any, below: Any) -> None:
        self.above, self.below = above, below

    if not TYPE_CHECKING:
        __class__ = float

    def __repr__(self) -> str:
        return repr(plain(self))

    def hold(self) -> float:
        for one in (self.above, self.below):
            if isinstance(one, Size):
                one.hold()
        return float(plain(self))

    def asked(self, other: Any, method: str) -> Any:
        exact = _fraction(other)
        if exact is None:
            return _rough(self, other, method)
        above, below = exact
        if self.below <= 0 or below <= 0:  # noted too
            return _rough(self, other, method)
        return getattr(self.above * below, method)(above * self.below)

    def __int__(self) -> int:
        return int(self.__trunc__())

    def __bool__(self) -> bool:
        return bool(self.above != 0)

    def __floor__(self) -> Any:
        return self.above // self.below

    def __ceil__(self) -> Any:
        return -(-self.above // self.below)

    def __trunc__(self) -> Any:
        return self.__floor__() if self >= 0 else self.__ceil__()

    def __round__(self, digits: int | None = None) -> Any:
        """Round to the nearest, halves to the even: up at odd halves from below, at even ones from above."""
        if digits is not None or self.below <= 0:  # noted too
            return round(self.hold(), digits)
        twice, below = 2 * self.above, self.below
        if type(below) is int and below % 2:  # there are no halves
            return (twice + below) // (2 * below)
        return (twice + 3 * below - 1) // (4 * below) + (twice + below) // (4 * below)

    def __add__(self, other: Any) -> Any:
        return _by_fraction(self, other, "add", swapped=False)

    def __radd__(self, other: Any) -> Any:
        return _by_fraction(self, other, "add", swapped=True)

    def __sub__(self, other: Any) -> Any:
        return _by_fraction(self, other, "sub", swapped=False)

    def __rsub__(self, other: Any) -> Any:
        return _by_fraction(self, other, "sub", swapped=True)

    def __mul__(self, other: Any) -> Any:
        return _by_fraction(self, other, "mul", swapped=False)

    def __rmul__(self, other: Any) -> Any:
        return _by_fraction(self, other, "mul", swapped=True)

    def __truediv__(self, other: Any) -> Any:
        return _by_fraction(self, other, "truediv", swapped=False)

    def __rtruediv__(self, other: Any) -> Any:
        return _by_fraction(self, other, "truediv", swapped=True)

    def __floordiv__(self, other: Any) -> Any:
        return self.hold() // plain(other)

    def __rfloordiv__(self, other: Any) -> Any:
        return other // self.hold()

    def __mod__(self, other: Any) -> Any:
        return self.hold() % plain(other)

    def __rmod__(self, other: Any) -> Any:
        return other % self.hold()

    def __neg__(self) -> Any:
        return Ratio(-self.above, self.below)

    def __abs__(self) -> Any:
        return self if self >= 0 else -self


def is_whole(value: Any) -> TypeGuard[int | Size]:
    """Whether a value is a whole number, with its origin or without."""
    return isinstance(value, int)


def _fraction(value: Any) -> tuple[Any, Any] | None:
    """Return what stands above and below in a number that doubles hold exactly; None for others."""
    if is_whole(value):
        return value, 1
    if type(value) is Ratio:
        return value.above, value.below
    if type(value) is float and abs(value) < _FINEST:
        above, below = value.as_integer_ratio()
        return (above, below) if below <= _FINEST else None
    return None


def _by_fraction(one: Any, other: Any, name: str, *, swapped: bool) -> Any:
    """Return arithmetic with a fraction, exact where doubles are: a quotient of sizes, then powers of two."""
    if not isinstance(other, (int, float)):
        return _by_tensor(one, other, name, swapped=swapped)
    left, right = (other, one) if swapped else (one, other)
    exact = [_fraction(left), _fraction(right)]
    if exact[0] is None or exact[1] is None:
        return getattr(operator, name)(*map(held, (left, right)))
    (a, b), (c, d) = exact[0], exact[1]
    if name == "truediv":
        if (is_whole(left) and is_whole(right)) or (_is_power_of_two(b) and _is_power_of_two(c)):
            if c == 0:
                raise ZeroDivisionError("division by zero")
            return Ratio(a * d, b * c)
    elif _is_power_of_two(b) and _is_power_of_two(d):
        if name == "mul":
            return Ratio(a * c, b * d)
        return Ratio(getattr(operator, name)(a * d, c * b), b * d)
    return getattr(operator, name)(*map(held, (left, right)))


def _by_tensor(one: Any, other: Any, name: str, *, swapped: bool) -> Any:
    """Return arithmetic with a tensor, whose shape does not depend on the number."""
    if not isinstance(other, Tensor):
        return NotImplemented
    pair = (other, plain(one)) if swapped else (plain(one), other)
    return getattr(operator, name)(*pair)


def _is_power_of_two(value: Any) -> bool:
    return type(value) is int and value > 0 and value & (value - 1) == 0


def _rough(one: Any, other: Any, method: str) -> Any:
    """Answer a comparison of ordinary numbers, noting that it holds for this size; a tensor answers it."""
    if isinstance(other, Tensor):
        return _RELATIONS[method][0](plain(one), other)
    if not isinstance(other, (int, float)):
        return NotImplemented
    return _RELATIONS[method][0](held(one), held(other))


def held(value: Any) -> Any:
    """Return an ordinary number, noting what of it holds for this number only."""
    return value.hold() if isinstance(value, Origin) else value


class Sizes(tuple[Any, ...]):
    """The sizes of a tensor, as `torch.Size` is to them."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return Sizes(found) if isinstance(index, slice) else found

    def numel(self) -> Any:
        """Return the product."""
        total: Any = 1
        for size in self:
            total = size * total
        return total


def written(value: Any) -> str:
    """Return spec arithmetic for a number, with its origin where it has one."""
    return value.text if isinstance(value, Size) else str(int(value))


def plain(value: Any) -> Any:
    """Return a value without origins, as torch takes it."""
    kind = type(value)
    if kind is Size:
        return value.value
    if kind is Ratio:
        return plain(value.above) / plain(value.below)
    if kind in (tuple, list):
        return kind(map(plain, value))
    if isinstance(value, tuple) and kind.__name__ in ("Size", "Sizes"):
        return tuple(map(plain, value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, slice):
        return slice(plain(value.start), plain(value.stop), plain(value.step))
    return value


def sizes_in(value: Any) -> list[Any]:
    """Return the numbers with an origin that nested arguments hold."""
    if isinstance(value, Origin):
        return [value]
    if isinstance(value, dict):
        return [one for item in value.values() for one in sizes_in(item)]
    if isinstance(value, (tuple, list)):
        return [one for item in value for one in sizes_in(item)]
    if isinstance(value, slice):
        return sizes_in((value.start, value.stop, value.step))
    return []
