"""A part of the data of a spec while it is read: with its place and path, which every error of it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shapecalc.errors import Fact, Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers.base import Kind
from shapecalc.spec.located_text import FLOW_HINT, place_of

_M = TypeVar("_M", bound=BaseModel)


class Part:
    """A value, where it is written, and the path that it has in messages."""

    __slots__ = ("data", "path", "place")

    def __init__(self, data: Any, path: str = "", place: Place | None = None) -> None:
        self.data = data
        self.path = path
        self.place = place_of(data) if place is None else place

    def part(self, key: str | int, path: str | None = None) -> Part:
        """Return the value under a key; by default its path is longer by the key."""
        if path is None:
            path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}".removeprefix(".")
        return Part(self.data[key], path, place_of(self.data, key) or self.place)

    def error(
        self, message: str, hint: str = "", fact: Fact | None = None, *, at: str | None = None
    ) -> SpecError:
        """Return an error about this part, or at one of its keys."""
        place = self.place if at is None else place_of(self.data, at)
        return SpecError(message, place=place, path=self.path, hint=hint, fact=fact)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return what is under a key, which must be a mapping; one that is left out is empty."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.error(f"{key} must be a mapping, not {quote(value)}", at=key)
        return value or {}

    def refuse_unknown(self, cls: type[BaseModel], hidden: Iterable[str] = ()) -> None:
        """Refuse keys that a class does not have, with the nearest one that it has."""
        kind = cls.kind if issubclass(cls, Kind) else ""
        known = [name for name in cls.model_fields if name not in set(hidden)]
        what = (f"{kind} has no field", f"fields of {kind}") if kind else ("unknown key", "known")
        self.refuse_others(known, *what)

    def refuse_others(self, known: Sequence[str], what: str, known_as: str) -> None:
        """Refuse keys that are not among the known ones."""
        for key in self.data:
            if key not in known:
                hint, fact = known_hint(key, known_as, known), WrongWord(key, known)
                raise self.error(f"{what} {quote(key)}{nearest(key, known)}", hint, fact, at=key)

    def build(self, cls: Callable[..., _M], values: dict[str, Any]) -> _M:
        """Make a node of the tree from values; the first thing wrong with them becomes an error."""
        try:
            return cls(**values)
        except ValidationError as error:
            keys, message, fact = complaint_of(error)
            place = place_of(self.data).of(*keys) if keys else None
            raise SpecError(message, place=place or self.place, path=self.path, fact=fact) from None


def known_hint(key: str, what: str, known: Sequence[str]) -> str:
    """Return the hint for a key that is not known, which may be half of an expression."""
    return f"{what}: {', '.join(known[:30]) or 'none'}" if key.isidentifier() else FLOW_HINT


_PLAINLY = {
    "bool_type": "is not true or false",
    "dict_type": "is not a mapping",
    "int_type": "is not an integer",
    "string_type": "is not text",
    "tuple_type": "is not a list",
}


def complaint_of(error: ValidationError) -> tuple[tuple[str | int, ...], str, Fact | None]:
    """Return where and what the first complaint of a validation error is, and its fact."""
    first = error.errors(include_url=False)[0]
    context = first.get("ctx", {})
    loc = takewhile(lambda key: isinstance(key, int) or key.isidentifier(), first["loc"])
    keys = (*loc, *context.get("at", ()))
    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)[1:]
    if first["type"] == "missing":
        return keys, f"{dotted} is missing", None
    message = first["msg"]
    if first["type"] in _PLAINLY:
        message = f"{quote(first['input'])} {_PLAINLY[first['type']]}"
    return keys, f"{dotted}: {message}" if dotted else message, context.get("fact")
