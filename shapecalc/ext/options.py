"""The options of a view in a document, in a Sphinx directive or a fenced block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shapecalc.errors import Place, SpecError, nearest, quote
from shapecalc.spec.located_text import Map, place_of
from shapecalc.spec.yaml_text import parse

View: TypeAlias = Literal["layers", "summary", "derivation", "layer", "sizes", "diff", "check"]
_SETTING = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*((?:\[[^\]]*\]|[^\[\],\s])+)\s*(?:,|\s|$)")
_TRUTHS = {"": True, "yes": True, "true": True, "no": False, "false": False}


def _listed(value: Any) -> Any:
    is_text = isinstance(value, str) and value.strip()
    return tuple(re.split(r"[,\s]+", value.strip())) if is_text else value or ()


def _settings(value: Any) -> Any:
    """Return settings as text, each as `--set` takes it, from `width=32, depths=[2, 2]` or a mapping."""
    if isinstance(value, Mapping):
        return tuple(f"{key}={_flow(item)}" for key, item in value.items())
    if not isinstance(value, str):
        return value or ()
    settings: list[str] = []
    at = 0
    while at < len(value.rstrip()):
        setting = _SETTING.match(value, at)
        if setting is None:
            raise ValueError(f"write KEY=VALUE with commas between, not {quote(value[at:])}")
        settings.append(f"{setting[1]}={setting[2]}")
        at = setting.end()
    return tuple(settings)


def _flow(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return f"[{', '.join(map(_flow, value))}]" if isinstance(value, list) else str(value)


def _number(value: Any) -> Any:
    is_number = isinstance(value, str) and re.fullmatch(r"\s*\d{1,18}\s*", value, re.ASCII)
    return int(value) if is_number else value


def _truth(value: Any) -> Any:
    return _TRUTHS.get(value.strip().lower(), value) if isinstance(value, str) else value


Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Count: TypeAlias = Annotated[int, Field(ge=1, strict=True)]
OptionalCount: TypeAlias = Annotated[Count | None, BeforeValidator(_number)]


class Options(BaseModel):
    """The view of a network, and its settings.

    >>> Options(model="resnet50", parameters="num_classes=10", columns="layer, output").columns
    ('layer', 'output')
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    """A bundled name or a spec file."""
    view: View = "layers"
    input: Names = ()
    """3x256x256, or x=3x224x224 of several inputs, with commas between."""
    parameters: Annotated[tuple[str, ...], BeforeValidator(_settings)] = ()
    free: Names = ()
    """The free names: sizes, batch, a depth."""
    batch: OptionalCount = None
    depth: OptionalCount = None
    """Blocks nested deeper are folded."""
    columns: Names = ()
    layers: Names = ()
    """The layers or parts of a derivation."""
    against: str | None = None
    """The network that a diff compares with."""
    count: Literal["torch", "keras"] | None = None
    dtype: str = "float32"
    convention: str | None = None
    """The counting rule of costs."""
    caption: str | None = None
    notes: Annotated[bool, BeforeValidator(_truth)] = True
    """Whether the totals and the convention are under the table."""


NAMES = tuple(Options.model_fields)


def options(written: Mapping[str, Any], place: Place | None = None) -> Options:
    """Return validated options; raise `SpecError` for invalid ones, at their place if it is known."""
    for key in written:
        if key not in NAMES:
            raise SpecError(
                f"there is no option {quote(key)}{nearest(key, NAMES)}",
                place=_at(written, key, place),
                hint=f"options: {', '.join(NAMES[1:])}",
            )
    try:
        return Options(**written)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise SpecError(f"{key}: {message}", place=_at(written, key, place)) from None


def _at(written: Mapping[str, Any], key: str, place: Place | None) -> Place:
    return place or (place_of(written, key) if key in written else Place())


def of_block(source: str) -> Options:
    r"""Return the options of a fenced block: the name of a network, and `key: value` lines below it.

    >>> of_block("lenet5").model, of_block("lenet5\ndepth: 1\nnotes: no").depth
    ('lenet5', 1)
    """
    first, _, others = source.strip().partition("\n")
    if not first.strip():
        raise SpecError("the block is empty", hint="write the name of a network in its first line")
    if ": " in first or first.rstrip().endswith(":"):
        return options(_mapping(source))
    if not others.strip():
        return options({"model": first.strip()})
    written = _mapping(f"\n{others}")  # with the lines of the block, of which the first is above
    if "model" in written:
        raise SpecError("the network is named twice", place=place_of(written, "model"))
    written["model"] = first.strip()
    return options(written)


def _mapping(text: str) -> Map:
    parsed = parse(text, None)
    if not isinstance(parsed, Map):
        raise SpecError("below the name of a network are lines of `key: value`", place=Place(None, 2))
    return parsed
