"""What sizes and quotients of sizes have in common: comparisons are guards, other uses pin the number.

A forward that computes with sizes runs on real numbers, so every decision in it has an answer. Beside its
value such a number knows the spec arithmetic that it comes from. What Python decides by it is recorded as a
guard; where it becomes an ordinary number, a text or a key, the guard is that it is equal to this value.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

from torch import Tensor

Guard: TypeAlias = "tuple[str, str, str]"
"""The left side, the relation and the right side of a comparison that was true in the trace."""

RELATIONS: dict[str, tuple[Callable[[Any, Any], Any], str, str]] = {
    "__eq__": (operator.eq, "equal", "unequal"),
    "__ne__": (operator.ne, "unequal", "equal"),
    "__lt__": (operator.lt, "less", "at_least"),
    "__le__": (operator.le, "at_most", "more"),
    "__gt__": (operator.gt, "more", "at_most"),
    "__ge__": (operator.ge, "at_least", "less"),
}
"""By method: the comparison, and the relation of the guard where it is true and where it is false."""


_Method: TypeAlias = "Callable[[TracedNumber, Any], Any]"


def _comparison(method: str) -> _Method:
    return lambda self, other: self.compare(other, method)


def _operators(name: str) -> tuple[_Method, _Method]:
    """Return the method of an operator and its reflected one."""
    return (
        lambda self, other: self.by(other, name),
        lambda self, other: self.by(other, name, swapped=True),
    )


class TracedNumber:
    """The base of `Size` and `Ratio`."""

    __slots__ = ()

    def concrete(self) -> Any:
        """Return the value."""
        raise NotImplementedError

    def pin(self) -> Any:
        """Return the value, with a guard that the sizes it comes from are those of the trace."""
        raise NotImplementedError

    def compare(self, other: Any, method: str) -> Any:
        """Answer a comparison and record it as a guard."""
        raise NotImplementedError

    def by(self, other: Any, name: str, *, swapped: bool = False) -> Any:
        """Return the result of an operator of Python; `swapped` is for the reflected methods."""
        raise NotImplementedError

    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = map(_comparison, RELATIONS)
    __add__, __radd__ = _operators("add")
    __sub__, __rsub__ = _operators("sub")
    __mul__, __rmul__ = _operators("mul")
    __truediv__, __rtruediv__ = _operators("truediv")
    __floordiv__, __rfloordiv__ = _operators("floordiv")
    __mod__, __rmod__ = _operators("mod")

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, other: Any) -> Any:
        return self.pin() ** concrete(other)

    def __rpow__(self, other: Any) -> Any:
        return other ** self.pin()

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __neg__(self) -> Any:
        raise NotImplementedError

    def __hash__(self) -> int:
        return hash(self.pin())

    def __float__(self) -> float:
        return float(self.pin())

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        """Apply a function of numpy: to objects, by Python's operators, or else to pinned numbers."""
        call = getattr(ufunc, method)
        with suppress(TypeError):
            return call(*map(_boxed, args), **kwargs)
        return call(*map(pinned, args), **kwargs)

    def __repr__(self) -> str:
        return repr(self.concrete())

    def __str__(self) -> str:
        return str(self.pin())

    def __format__(self, form: str) -> str:
        return format(self.pin(), form)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols that Python and its libraries look for on any object
            raise AttributeError(name)
        return getattr(self.pin(), name)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer, traced or not."""
    return isinstance(value, int)


def _boxed(value: Any) -> Any:
    """Return an array of numpy that holds a traced number as an object; other values as they are."""
    if not isinstance(value, TracedNumber):
        return value
    box = sys.modules["numpy"].empty((), object)
    box[()] = value
    return box


def pinned(value: Any) -> Any:
    """Return a value as an ordinary number, pinned where it is traced."""
    return value.pin() if isinstance(value, TracedNumber) else value


def concrete(value: Any) -> Any:
    """Return nested arguments with ordinary numbers for traced ones, as torch takes them."""
    return mapped(lambda leaf: leaf.concrete() if issubclass(type(leaf), TracedNumber) else leaf, value)


def mapped(change: Callable[[Any], Any], value: Any) -> Any:
    """Return nested arguments with what a function makes of each leaf; the sizes of a tensor are a tuple."""
    kind = type(value)
    if kind in (tuple, list):
        return kind([mapped(change, item) for item in value])
    if issubclass(kind, tuple) and kind.__name__ in ("Size", "Sizes"):
        return tuple([mapped(change, item) for item in value])
    if issubclass(kind, dict):
        return {key: mapped(change, item) for key, item in value.items()}
    if kind is slice:
        return slice(*(mapped(change, item) for item in (value.start, value.stop, value.step)))
    return change(value)


_NESTED = (tuple, list, dict, slice)


def leaves(value: Any) -> Iterator[Any]:
    """Yield what nested arguments or results consist of."""
    kind = type(value)
    if kind is slice:
        yield from (value.start, value.stop, value.step)
    elif issubclass(kind, _NESTED):
        for item in value.values() if issubclass(kind, dict) else value:
            if issubclass(type(item), _NESTED):
                yield from leaves(item)
            else:
                yield item
    else:
        yield value


def traced_in(value: Any) -> list[TracedNumber]:
    """Return the traced numbers in nested arguments."""
    return [leaf for leaf in leaves(value) if issubclass(type(leaf), TracedNumber)]


def tensors_in(value: Any) -> list[Tensor]:
    """Return the tensors in nested arguments or results."""
    return [leaf for leaf in leaves(value) if isinstance(leaf, Tensor)]


def compare_pinned(number: TracedNumber, other: Any, method: str) -> Any:
    """Compare ordinary numbers, where no guard but equality says it; a tensor answers by itself."""
    if isinstance(other, Tensor):
        with passing(number):
            return RELATIONS[method][0](number.concrete(), other)
    if not isinstance(other, (int, float)):
        return NotImplemented
    return RELATIONS[method][0](number.pin(), pinned(other))


def with_tensor(number: TracedNumber, other: Any, name: str, *, swapped: bool) -> Any:
    """Return arithmetic with a tensor, whose shape does not depend on the number."""
    if not isinstance(other, Tensor):
        return NotImplemented
    pair = (other, number.concrete()) if swapped else (number.concrete(), other)
    with passing(number):
        return getattr(operator, name)(*pair)


_passed: list[TracedNumber] = []


@contextmanager
def passing(*numbers: TracedNumber) -> Iterator[None]:
    """Note the traced numbers that a call of torch takes as ordinary ones."""
    _passed.extend(numbers)
    try:
        yield
    finally:
        del _passed[len(_passed) - len(numbers) :]


def passed() -> list[TracedNumber]:
    """Return the traced numbers that the call of torch in progress takes as ordinary ones."""
    return [*_passed]
