"""A part of the data of a spec while it is read: with its place and path, which every error of it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from shapecalc.errors import Fact, Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers.base import Kind
from shapecalc.spec.located_text import FLOW_HINT, Map, place_of

_M = TypeVar("_M", bound=BaseModel)
MOST_MISTAKES = 100
"""After so many mistakes reading ends."""


class Part:
    """A value, where it is written, and the path that it has in messages."""

    __slots__ = ("data", "errors", "path", "place")

    def __init__(self, data: Any, path: str, place: Place, errors: list[SpecError]) -> None:
        self.data = data
        self.path = path
        self.place = place
        self.errors = errors
        """Every mistake so far: reading goes on after one."""

    def part(self, key: str | int, path: str | None = None) -> Part:
        """Return the value under a key; by default its path is longer by the key."""
        if path is None:
            path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}".removeprefix(".")
        return Part(self.data[key], path, place_of(self.data, key) or self.place, self.errors)

    def holding(self, data: Any, path: str | None = None) -> Part:
        """Return a part with other data, at the same place."""
        return Part(data, self.path if path is None else path, self.place, self.errors)

    def error(
        self, message: str, hint: str = "", fact: Fact | None = None, *, at: str | None = None
    ) -> SpecError:
        """Return an error about this part, or at one of its keys."""
        place = self.place if at is None else place_of(self.data, at)
        return SpecError(message, place=place, path=self.path, hint=hint, fact=fact)

    def keep(self, error: SpecError) -> None:
        """Keep an error and what comes with it, to go on; raise it where there are too many."""
        if len(self.errors) >= MOST_MISTAKES:
            raise error
        self.errors += [error, *error.others]

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return what is under a key, which must be a mapping; one that is left out is empty."""
        value = self.data.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise self.error(f"{key} must be a mapping, not {quote(value)}", at=key)
        return value or {}

    def refuse_unknown(self, cls: type[BaseModel], hidden: Iterable[str] = ()) -> bool:
        """Report keys that a class does not have, as `refuse_others` does."""
        kind = cls.kind if issubclass(cls, Kind) else ""
        known = [name for name in cls.model_fields if name not in set(hidden)]
        what = (f"{kind} has no field", f"fields of {kind}") if kind else ("unknown key", "known")
        return self.refuse_others(known, *what)

    def refuse_others(self, known: Sequence[str], what: str, known_as: str) -> bool:
        """Report keys that are not among the known ones, and go on with the nearest that is not there.

        Return whether each has such a one; the others are left out.
        """
        unknown = [key for key in self.data if key not in known]
        meant: dict[str, str | None] = {}
        for key in unknown:
            hint, fact = known_hint(key, known_as, known), WrongWord(key, known)
            self.keep(self.error(f"{what} {quote(key)}{nearest(key, known)}", hint, fact, at=key))
            free = [word for word in fact.meant if word not in self.data and word not in meant.values()]
            meant[key] = free[0] if free else None
        if unknown:
            self.data = renamed(self.data, meant)
        return None not in meant.values()

    def build(self, cls: Callable[..., _M], values: dict[str, Any]) -> _M:
        """Make a node of the tree from values; what is wrong with them becomes an error."""
        try:
            return cls(**values)
        except ValidationError as error:
            wrong: list[SpecError] = []
            for keys, message, fact in complaints_of(error):
                place = place_of(self.data).of(*keys) if keys else None
                wrong.append(SpecError(message, place=place or self.place, path=self.path, fact=fact))
            wrong[0].others = tuple(wrong[1:])
            raise wrong[0] from None


def renamed(data: Mapping[str, Any], names: Mapping[str, str | None]) -> Mapping[str, Any]:
    """Return a mapping with other keys, and without those of no name; it knows the same places."""
    changed = Map((name, value) for key, value in data.items() if (name := names.get(key, key)) is not None)
    changed.places = {names.get(key, key) or key: place_of(data, key) for key in data}
    place = place_of(data)
    changed.place = Place(place.file, place.line, place.column, changed.places)
    return changed


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


Complaint: TypeAlias = tuple[tuple[str | int, ...], str, Fact | None]
"""Where something is wrong, what, and its fact."""


def complaints_of(error: ValidationError) -> list[Complaint]:
    """Return the first complaint of a validation error about each field."""
    by_field: dict[str | int | None, Any] = {}
    for each in error.errors(include_url=False):
        by_field.setdefault(next(iter(each["loc"]), None), each)
    return [*map(_complaint, by_field.values())]


def complaint_of(error: ValidationError) -> Complaint:
    """Return the first complaint of a validation error."""
    return complaints_of(error)[0]


def _complaint(first: Mapping[str, Any]) -> Complaint:
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
