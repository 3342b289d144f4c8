"""The command line: `shapecalc list`, `show`, `kinds` and `schema`.

Exit status 0: good; 1: the model does not hold; 2: a usage or spec error. Errors go to stderr.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from shapecalc import __version__
from shapecalc.errors import Failure, Located, ShapecalcError, ShapeError, SpecError, quote

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.report.data import Report

# Looking for pydantic plugins costs as much as a small report and none belongs to this command.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

MOST_ERRORS = 10
FORMATS = ("table", "markdown", "json", "csv", "latex")


class Commands(click.Group):
    """A group whose commands turn the errors of shapecalc into a message and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ShapecalcError as error:
            complain(error)
            ctx.exit(1 if isinstance(error, ShapeError) else 2)


def complain(error: ShapecalcError) -> None:
    """Print an error, or every failure that led to it, to stderr; one that recurs is told once."""
    same: dict[tuple[str, str], list[Failure]] = {}
    for failure in error.failures if isinstance(error, Located) else ():
        same.setdefault((str(failure.place), failure.message), []).append(failure)
    told = [str(found[0].error(others=len(found) - 1)) for found in same.values()] or [str(error)]
    for text in told[:MOST_ERRORS]:
        echo(f"{click.style('error', fg='red', bold=True)}: {text}", sys.stderr)
    if len(told) > MOST_ERRORS:
        echo(f"and {len(told) - MOST_ERRORS:,} more errors", sys.stderr)


def colour(stream: Any) -> bool:
    """Say whether a stream wants colour: a terminal, and NO_COLOR is not set."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def say(text: str) -> None:
    """Print to stdout."""
    echo(text, sys.stdout)


def echo(text: str, stream: Any) -> None:
    """Print, plain when piped; symbols that the stream cannot write become ASCII."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for symbol, plain in (
            ("⌈", "ceil("),
            ("⌉", ")"),
            ("⌊", "floor("),
            ("⌋", ")"),
            ("·", "*"),
            ("×", "x"),
            ("≥", ">="),
            ("…", "..."),
        ):
            text = text.replace(symbol, plain)
        text = text.encode(encoding, "replace").decode(encoding)
    click.echo(text, file=stream, color=colour(stream))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="shapecalc %(version)s")
def main() -> None:
    """Tell what comes out of a neural network, what it costs, and why it does not fit."""


@main.command("list")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", help="How to print it."
)
def list_models(form: str) -> None:
    """List the bundled models with their year, parameters and MACs."""
    from shapecalc.report.listing import listing, listing_rows

    if form == "json":
        import json

        say(json.dumps([row._asdict() for row in listing_rows()], indent=2, ensure_ascii=False))
    else:
        say(listing(terminal_width()))


@main.command()
@click.argument("model")
@click.option(
    "--input", "inputs", multiple=True, metavar="SHAPE", help="3x256x256, or x=3x224x224 for a named input."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of the spec.")
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="Batch size; shapes then show it.",
)
@click.option("--symbolic", is_flag=True, help="Leave free every size that the input names.")
@click.option("--free", default="", metavar="NAMES", help="Leave these parameters free: H,W or batch.")
@click.option(
    "--depth", type=click.IntRange(1), default=None, metavar="N", help="Fold what is nested deeper."
)
@click.option("--dtype", default="float32", show_default=True, help="Number format, for memory.")
@click.option(
    "--count",
    type=click.Choice(["torch", "keras"]),
    help="Count batch-norm statistics as buffers (torch) or as parameters (keras); default: as the spec.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to print it.",
)
def show(  # noqa: PLR0913, PLR0917  (one argument per option)
    model: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    batch: int | None,
    symbolic: bool,
    free: str,
    depth: int | None,
    dtype: str,
    count: str | None,
    form: str,
) -> None:
    """Lay out MODEL (a bundled name, a file, or - for stdin) layer by layer."""
    names = [name.strip() for name in free.split(",") if name.strip()]
    if batch is not None and "batch" in names:
        raise click.UsageError("--batch gives the batch that --free leaves free: choose one")
    found = opened(model)
    settled = assignments(settings)
    report = found.analyze(
        input=shapes(inputs),
        batch=1 if batch is None else batch,
        symbolic=[*(name for name in found.free_names() if symbolic and name not in settled), *names],
        dtype=dtype,
        count=count,
        **settled,
    )
    say(rendered(report, form, depth, batch=batch is not None or "batch" in names))


def rendered(report: Report, form: str, depth: int | None, *, batch: bool) -> str:
    """Return a report in one of the output forms; only that form's renderer is imported."""
    if form == "json":
        import json

        return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    if form == "csv":
        from shapecalc.report.csv import csv

        return csv(report)
    if form == "latex":
        from shapecalc.report.latex import latex

        return latex(report, depth, batch=batch)
    if form == "markdown":
        from shapecalc.report.markdown import markdown

        return markdown(report, depth, batch=batch)
    from shapecalc.report.table import table

    return table(report, depth, batch=batch, width=terminal_width())


@main.command()
@click.argument("left")
@click.argument("right")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of both specs.")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@click.pass_context
def diff(ctx: click.Context, left: str, right: str, settings: tuple[str, ...], form: str) -> None:
    """Compare the models LEFT and RIGHT, layer aligned to layer; exit 1 when they differ."""
    from shapecalc.report.diff import compare, markdown, text

    given = assignments(settings)
    found = compare(opened(left).analyze(**given), opened(right).analyze(**given))
    if form == "json":
        import json

        say(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(markdown(found) if form == "markdown" else text(found))
    ctx.exit(0 if found.is_equal else 1)


@main.command()
@click.argument("kind", required=False)
@click.option(
    "--framework",
    type=click.Choice(["torch", "keras"]),
    default="torch",
    show_default=True,
    help="Whose rules a spec follows.",
)
def kinds(kind: str | None, framework: str) -> None:
    """List the layer kinds, or describe one KIND: its fields, its formula, an example."""
    from shapecalc.report.catalogue import catalogue, description

    say(description(kind, framework) if kind else catalogue(terminal_width(), framework))


@main.command()
def schema() -> None:
    """Print the JSON Schema of the spec language, for completion in editors."""
    import json

    from shapecalc.spec.schema import schema as build

    say(json.dumps(build(), indent=2))


def opened(source: str) -> Model:
    """Return the model that an argument names; `-` reads standard input."""
    from shapecalc.model import load, loads
    from shapecalc.spec.find import decoded

    if source != "-":
        return load(source)
    return loads(decoded(sys.stdin.buffer.read(2**20 + 1), "<stdin>"), file="<stdin>")


def terminal_width() -> int | None:
    """Return the width of the terminal, or None when the output is piped."""
    if not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


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
    from shapecalc.spec.text import parse

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
