"""Making one node of the tree from data, so that whatever is wrong with it is told at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shapecalc.errors import Fact, Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers.base import Kind
from shapecalc.spec.located_text import FLOW_HINT, place_of

_M = TypeVar("_M", bound=BaseModel)


def mapping(holder: Any, key: str, path: str = "") -> Mapping[str, Any]:
    """Return a value that must be a mapping; one that is left out is empty."""
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise SpecError(
            f"{key} must be a mapping, not {quote(value)}", place=place_of(holder, key), path=path
        )
    return value


def refuse_unknown(
    data: Mapping[str, Any], cls: type[BaseModel], path: str, hidden: Iterable[str] = ()
) -> None:
    """Refuse keys that a class does not have, with the nearest one that it has."""
    known = [name for name in cls.model_fields if name not in set(hidden)]
    for key in data:
        if key not in known:
            kind = cls.kind if issubclass(cls, Kind) else ""
            what = f"{kind} has no field" if kind else "unknown key"
            raise SpecError(
                f"{what} {quote(key)}{nearest(key, known)}",
                place=place_of(data, key),
                path=path,
                hint=known_hint(key, f"fields of {kind}" if kind else "known", known),
                fact=WrongWord(key, known),
            )


def build(
    cls: Callable[..., _M], values: dict[str, Any], data: Any, path: str, place: Place | None = None
) -> _M:
    """Make one node of the tree; the first thing wrong with it becomes a `SpecError`."""
    try:
        return cls(**values)
    except ValidationError as error:
        keys, message, fact = complaint_of(error)
        located = place_of(data).of(*keys) if keys else place or place_of(data)
        raise SpecError(message, place=located or place, path=path, fact=fact) from None


def known_hint(key: str, what: str, known: Sequence[str]) -> str:
    """Return the hint for a key that is not known, which may be half of an expression."""
    return f"{what}: {', '.join(known[:30]) or 'none'}" if key.isidentifier() else FLOW_HINT


_PLAINLY = {
    "bool_type": "is not true or false",
    "dict_type": "is not a mapping",
    "int_type": "is not a whole number",
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
    message = first["msg"]
    if first["type"] in _PLAINLY:
        message = f"{quote(first['input'])} {_PLAINLY[first['type']]}"
    elif first["type"] == "missing":
        return keys, f"{dotted} is missing", None
    return keys, f"{dotted}: {message}" if dotted else message, context.get("fact")
