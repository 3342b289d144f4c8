"""What the command line's arguments mean: models, shapes, settings, amounts."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from shapecalc.errors import SpecError, quote

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.render.piece import Line


def opened(source: str) -> Model:
    """Return the model that an argument names; `-` reads standard input."""
    return read_model(*source_of(source))


def asked(
    source: str, inputs: tuple[str, ...], settings: tuple[str, ...]
) -> tuple[Model, dict[str, tuple[int, ...]] | tuple[int, ...] | None, dict[str, Any]]:
    """Return the model that an argument names, with the input and the parameters to ask it for.

    A torch module, `pkg.mod:attribute`, is built with the settings and traced on the input, so that
    nothing is left to ask it for.
    """
    given, settled = shapes(inputs), assignments(settings)
    if not is_torch(source):
        return opened(source), given, settled
    from shapecalc.bridges import need

    need("torch")
    from shapecalc.bridges.torch.tracer.module_locator import model_at

    return model_at(source, given, settled), None, {}


def is_torch(source: str) -> bool:
    """Say whether an argument names an object in a Python module, `pkg.mod:attribute`, and no file."""
    from pathlib import Path

    if not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*", source, re.ASCII):
        return False
    file = source.partition(":")[0]
    return not file.endswith((".yaml", ".yml", ".json")) and not Path(file).is_file()


def source_of(source: str) -> tuple[str, str, str | None]:
    """Return the text that an argument names, the file that messages show, and the variant in it."""
    from shapecalc.spec.find import decoded, locate, read_file, short

    if is_torch(source):
        raise SpecError(
            f"{source} names an object in a Python module, and this asks for a spec",
            hint="save what shapecalc.from_torch(...).to_yaml() returns, and ask of that file",
        )
    if source == "-":
        return decoded(sys.stdin.buffer.read(2**20 + 1), "<stdin>"), "<stdin>", None
    path, variant = locate(source)
    return read_file(path), short(path), variant


def read_model(text: str, file: str, variant: str | None) -> Model:
    """Return the model that a text says."""
    from shapecalc.model import loads

    model = loads(text, file=file)
    return model.variant(variant) if variant else model


def shapes(given: tuple[str, ...]) -> dict[str, tuple[int, ...]] | tuple[int, ...] | None:
    """Return the shapes that --input gives."""
    if not given:
        return None
    named: dict[str, tuple[int, ...]] = {}
    for text in given:
        name, equals, sizes = text.rpartition("=")
        if not equals and len(given) == 1:
            return shape(sizes)
        if not name:
            raise SpecError(f"--input {quote(text)}: several inputs need names, as in x=3x224x224")
        if name in named:
            raise SpecError(f"--input {quote(text)}: the input {name} is given twice")
        named[name] = shape(sizes)
    return named


def shape(text: str) -> tuple[int, ...]:
    """Return a shape written as 3x256x256."""
    parts = text.lower().split("x")
    if not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in parts):
        raise SpecError(f"{quote(text)} is not a shape: write 3x256x256, without the batch")
    return tuple(map(int, parts))


def assignments(given: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters that --set gives; values are read as in a spec."""
    from shapecalc.engine.parameters import RESERVED
    from shapecalc.spec.located_text import parse

    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier() or name in RESERVED:
            raise SpecError(f"--set {quote(text)}: write KEY=VALUE, with a parameter of the spec as KEY")
        if name in found:
            raise SpecError(f"--set {quote(text)}: {name} is set twice")
        try:
            found[name] = parse(value)
        except SpecError as error:
            raise SpecError(f"--set {quote(text)}: {error.message}", hint=error.hint) from None
    return found


def amount(text: str | None) -> int | None:
    """Return a number written with a unit: 5M is 5,000,000."""
    from shapecalc.spec.spec_values import amount as written

    if text is None:
        return None
    return written(text)


VALUE_OPTIONS = ("input", "free", "batch", "unit", "digits")
"""What may be written as KEY=VALUE beside the parameters of a spec, where a single value is asked for."""


def valued(source: str, name: str, more: tuple[str, ...]) -> Line:
    """Return one value of a model: its name, then a layer and what KEY=VALUE settles, in any order."""
    from shapecalc.report.single_value import value

    layer, options, settings = _parted(more)
    free = listed(options.get("free", ""))
    batch = _whole("batch", options["batch"]) if "batch" in options else None
    digits = _whole("digits", options["digits"]) if "digits" in options else None
    if batch is not None and "batch" in free:
        raise SpecError("batch gives the batch that free leaves free: choose one")
    if batch == 0:
        raise SpecError("batch=0: a batch has at least one item")
    found, given, settled = asked(source, tuple(listed(options.get("input", ""))), settings)
    report = found.analyze(input=given, batch=1 if batch is None else batch, symbolic=free, **settled)
    shows_batch = batch is not None or "batch" in free
    return value(report, name, layer, unit=options.get("unit"), digits=digits, batch=shows_batch)


def listed(text: str) -> list[str]:
    """Return names that stand between commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


def _parted(more: tuple[str, ...]) -> tuple[str | None, dict[str, str], tuple[str, ...]]:
    """Return the layer, the options and the settings of the spec."""
    layers = [one for one in more if "=" not in one]
    if len(layers) > 1:
        raise SpecError(f"one layer at a time, not {' and '.join(map(quote, layers))}")
    options: dict[str, str] = {}
    settings: list[str] = []
    for one in more:
        key, equals, given = one.partition("=")
        if key in options:
            raise SpecError(f"{key} is said twice")
        if equals and key in VALUE_OPTIONS:
            options[key] = given
        elif equals:
            settings.append(one)
    return (layers[0] if layers else None), options, tuple(settings)


def _whole(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SpecError(f"{key}={quote(text)}: this is a whole number")
    return int(text)
