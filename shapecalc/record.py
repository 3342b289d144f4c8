"""Frozen classes of data that are quick to define. Internal.

`@record` is `@dataclass(frozen=True, slots=True)` without generated source: `dataclass` compiles six
functions for every class, which was an eighth of the time of `shapecalc show`; here all classes share theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, field, make_dataclass
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def record(cls: type[_T]) -> type[_T]:
    """Make a class of data out of annotations: frozen, slotted, compared and hashed by its values.

    What the class defines itself stays. Instances share the defaults, so a list is refused as one.

    >>> @record
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(y=0, x=1)
    (Point(x=1, y=0), True)
    """
    body = dict(cls.__dict__)
    base: _Layout | None = getattr(cls, "__record__", None)
    defaults = dict(base.defaults) if base else {}
    slots = []
    for name, annotation in body.get("__annotations__", {}).items():
        if "ClassVar" in str(annotation):
            continue
        if name not in defaults:
            slots.append(name)
        default = defaults[name] = body.pop(name, MISSING)
        if isinstance(default, Field) or type(default).__hash__ is None:
            raise TypeError(f"{cls.__name__}.{name}: a record has no `field`, only an immutable default")
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    layout = _Layout(defaults)
    if any(default is MISSING for default in [*defaults.values()][layout.required :]):
        raise TypeError(f"{cls.__name__}: a field without a default follows one with a default")
    own = {"__slots__": tuple(slots), "__match_args__": tuple(defaults), "__record__": layout}
    metaclass: Any = type(cls)
    made = metaclass(cls.__name__, cls.__bases__, {**_SHARED, **body, **own})
    made.__qualname__ = cls.__qualname__
    layout.setters = [getattr(made, name).__set__ for name in defaults]
    slotted: type[_T] = made
    return slotted


class _Layout:
    """The fields of a record with their defaults, and how all are read and written at once."""

    __slots__ = ("defaults", "optional", "required", "setters", "values")

    def __init__(self, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.optional = tuple(default for default in defaults.values() if default is not MISSING)
        self.required = len(defaults) - len(self.optional)
        self.setters: list[Callable[[Any, Any], None]] = []
        self.values: Callable[[Any], tuple[Any, ...]] = (
            attrgetter(*defaults)
            if len(defaults) > 1
            else lambda self: tuple([getattr(self, name) for name in defaults])
        )

    def in_order(self, name: str, values: tuple[Any, ...], named: dict[str, Any]) -> Iterator[Any]:
        """Yield all values of a record: those by position, then those by name or the defaults."""
        yield from values
        for key, default in [*self.defaults.items()][len(values) :]:
            value = named.pop(key, default)
            if value is MISSING:
                raise TypeError(f"{name} needs {key}")
            yield value
        if named or len(values) > len(self.defaults):
            raise TypeError(f"{name} takes each of {', '.join(self.defaults)} once, and nothing else")


def _init(self: Any, *values: Any, **named: Any) -> None:
    layout: _Layout = self.__record__
    if named or not layout.required <= len(values) <= len(layout.setters):
        values = tuple(layout.in_order(type(self).__name__, values, named))
    elif len(values) < len(layout.setters):
        values += layout.optional[len(values) - layout.required :]
    for put, value in zip(layout.setters, values, strict=True):
        put(self, value)


def _eq(self: Any, other: Any) -> Any:
    layout: _Layout = self.__record__
    return layout.values(self) == layout.values(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(self.__record__.values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record__.defaults)
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> Any:
    return type(self), self.__record__.values(self)


def _frozen(self: Any, name: str, *_value: Any) -> NoReturn:
    raise FrozenInstanceError(f"cannot change {name!r} of a {type(self).__name__}")


class _DataclassFields:
    """What `dataclasses.fields`, `replace` and `asdict` read, made when they do."""

    def __get__(self, instance: object, owner: Any) -> Mapping[str, Field[Any]]:
        defaults = owner.__record__.defaults.items()
        described = [(name, Any, field(default=default)) for name, default in defaults]
        made: Any = make_dataclass(
            owner.__name__, described, namespace={"__doc__": "Fields."}, init=False, repr=False, eq=False
        )
        owner.__dataclass_fields__ = made.__dataclass_fields__
        fields: Mapping[str, Field[Any]] = made.__dataclass_fields__
        return fields


_SHARED: dict[str, Any] = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__reduce__": _reduce,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
    "__dataclass_fields__": _DataclassFields(),
}
