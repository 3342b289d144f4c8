"""Parsing of command-line arguments: models, shapes, parameter settings, amounts."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from shapecalc.errors import SpecError, quote

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.render.piece import Line
    from shapecalc.report.report import Report

Shapes: TypeAlias = "dict[str, tuple[int, ...]] | tuple[int, ...] | None"
"""Shapes of named inputs, the shape of the only one, or None for those of the spec."""


class Loaded(NamedTuple):
    """A model, with the input shapes and parameter values to analyze it with."""

    model: Model
    input: Shapes
    parameters: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """The input shapes and parameter values as keywords of the methods of a model."""
        return {"input": self.input, **self.parameters}

    def analyze(
        self, batch: int | None = None, free: Iterable[str] = (), *, symbolic: bool = False, **options: Any
    ) -> tuple[Report, bool]:
        """Return the report, and whether its shapes show the batch: where it is set or left free."""
        free = [*free]
        shows_batch = batch is not None or "batch" in free
        if batch is not None and "batch" in free:
            raise SpecError("the batch is both set and left free: choose one")
        if symbolic:
            free += [name for name in self.model.free_names() if name not in self.parameters]
        report = self.model.analyze(
            batch=1 if batch is None else batch, symbolic=free, **options, **self.arguments
        )
        return report, shows_batch


def load_model(source: str, inputs: tuple[str, ...], settings: tuple[str, ...]) -> Loaded:
    """Load the model that an argument names, with its --input and --set options; `-` reads standard input.

    A torch module, `pkg.mod:attribute` or `file.py:attribute`, is built from the settings and traced on the
    input, so both are then empty.
    """
    given, values = shapes(inputs), assignments(settings)
    if not is_torch(source):
        return Loaded(_read(source), given, values)
    from shapecalc.bridges import need

    need("torch")
    from shapecalc.bridges.torch.tracer.module_locator import model_at

    return Loaded(model_at(source, given, values), None, {})


def _read(source: str) -> Model:
    from shapecalc.spec.find import is_model_file

    if not is_model_file(source):
        return read_model(*source_of(source))
    from shapecalc.model import load

    return load(source)


def is_torch(source: str) -> bool:
    """Whether an argument names an object of Python: `pkg.mod:attribute`, or `folder/file.py:attribute`.

    A file of Python alone is one too, since it can be nothing else, and so is a configuration file of
    transformers, whose network that library builds.

    >>> [is_torch(text) for text in ("nets:Net", "models/nets.py:Net", "nets.py", "nets.yaml:small")]
    [True, True, True, False]
    """
    from pathlib import Path

    if source.endswith(".json"):
        from shapecalc.spec.find import is_configuration

        return is_configuration(source)
    file, _, attribute = source.rpartition(":") if ":" in source else (source, "", "")
    if file.endswith(".py"):
        return not attribute or all(map(str.isidentifier, attribute.split(".")))
    if not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*(\.\w+)*", source, re.ASCII):
        return False
    return not file.endswith((".yaml", ".yml", ".json")) and not Path(file).is_file()


def source_of(source: str) -> tuple[str, str, str | None]:
    """Return the spec text that an argument names, the file name for messages, and the variant in it."""
    from shapecalc.spec.find import decoded, is_model_file, locate, read_file, short

    if is_torch(source):
        raise SpecError(
            f"{source} names an object in a Python module, and this command needs a spec",
            hint="save the text of shapecalc.from_torch(...).to_yaml() to a file, and name that file",
        )
    if is_model_file(source):
        raise SpecError(
            f"{source} is a file of another framework, and this command needs a spec",
            hint=f"shapecalc export {source} --to yaml writes one",
        )
    if source == "-":
        return decoded(sys.stdin.buffer.read(2**20 + 1), "<stdin>"), "<stdin>", None
    path, variant = locate(source)
    return read_file(path), short(path), variant


def read_model(text: str, file: str, variant: str | None) -> Model:
    """Load a model from spec text."""
    from shapecalc.model import loads

    model = loads(text, file=file)
    return model.variant(variant) if variant else model


def shapes(texts: tuple[str, ...]) -> Shapes:
    """Parse the --input options."""
    if not texts:
        return None
    named: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, equals, sizes = text.rpartition("=")
        if not equals and len(texts) == 1:
            return shape(sizes)
        if not name:
            raise SpecError(f"--input {quote(text)}: several inputs need names, as in x=3x224x224")
        if name in named:
            raise SpecError(f"--input {quote(text)}: the input {name} is given twice")
        named[name] = shape(sizes)
    return named


def shape(text: str) -> tuple[int, ...]:
    """Parse a shape such as 3x256x256."""
    parts = text.lower().split("x")
    if not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in parts):
        raise SpecError(f"{quote(text)} is not a shape: write 3x256x256, without the batch")
    return tuple(map(int, parts))


def assignments(
    texts: Iterable[str],
    option: str = "--set ",
    form: str = "KEY=VALUE, with a parameter of the spec as KEY",
) -> dict[str, Any]:
    """Parse the --set options, or others of this form; values have the syntax of a spec."""
    from shapecalc.engine.parameters import RESERVED
    from shapecalc.spec.yaml_text import parse

    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier() or name in RESERVED:
            raise SpecError(f"{option}{quote(text)}: write {form}")
        if name in values:
            raise SpecError(f"{option}{quote(text)}: {name} is set twice")
        try:
            values[name] = parse(value)
        except SpecError as error:
            raise SpecError(f"{option}{quote(text)}: {error.message}", hint=error.hint) from None
    return values


def amount(text: str | None) -> int | None:
    """Parse a number with a unit: 5M is 5,000,000."""
    from shapecalc.spec.spec_values import amount as parsed

    return None if text is None else parsed(text)


def tokens(text: str) -> int:
    """Parse a length of a text: 32K is 32,768, as such lengths are named."""
    match = re.fullmatch(r"(\d{1,12})([KM]?)", text.strip().upper(), re.ASCII)
    if match is None or not int(match[1]):
        raise SpecError(f"{quote(text)} is not a number of tokens: write 32768 or 32K")
    return int(match[1]) << {"": 0, "K": 10, "M": 20}[match[2]]


def size_in_bytes(text: str) -> int:
    """Parse a number of bytes with a unit: 24GiB."""
    from shapecalc.spec.spec_values import size_in_bytes as parsed

    return parsed(text)


VALUE_OPTIONS = ("input", "free", "batch", "unit", "digits")
"""Options of a single value that are written as KEY=VALUE, beside the parameters of the spec."""


def valued(source: str, name: str, more: tuple[str, ...]) -> Line:
    """Return a single value of a model; `more` is a layer path and KEY=VALUE options, in any order."""
    from shapecalc.views.single_value import value

    layer, options, settings = _split(more)
    batch, digits = (_integer(key, options[key]) if key in options else None for key in ("batch", "digits"))
    if batch == 0:
        raise SpecError("batch=0: a batch has at least one item")
    loaded = load_model(source, tuple(listed(options.get("input", ""))), settings)
    report, shows_batch = loaded.analyze(batch, listed(options.get("free", "")))
    return value(report, name, layer, unit=options.get("unit"), digits=digits, batch=shows_batch)


def listed(text: str) -> list[str]:
    """Split a comma-separated list of names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _split(more: tuple[str, ...]) -> tuple[str | None, dict[str, str], tuple[str, ...]]:
    """Split into the layer path, the options and the settings of the spec."""
    layers: list[str] = []
    options: dict[str, str] = {}
    settings: list[str] = []
    for word in more:
        key, equals, value = word.partition("=")
        if key in options:
            raise SpecError(f"{key} is set twice")
        if equals and key in VALUE_OPTIONS:
            options[key] = value
        else:
            (settings if equals else layers).append(word)
    if len(layers) > 1:
        raise SpecError(f"one layer at a time, not {' and '.join(map(quote, layers))}")
    return (layers[0] if layers else None), options, tuple(settings)


def _integer(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SpecError(f"{key}={quote(text)}: not an integer")
    return int(text)
