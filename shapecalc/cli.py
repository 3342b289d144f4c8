"""The command line: `shapecalc list`, `show`, `check`, `diff`, `kinds` and `schema`.

Exit status 0: good; 1: the model does not hold; 2: a usage or spec error. Errors go to stderr.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from shapecalc import __version__
from shapecalc.arguments import amount, assignments, opened, read_model, shapes, source_of
from shapecalc.console import complain, echo, say, terminal_width
from shapecalc.errors import ShapecalcError, ShapeError, SpecError, quote

if TYPE_CHECKING:
    from shapecalc.checks.diagnostic import Diagnostic
    from shapecalc.report.data import Report

# Looking for pydantic plugins costs as much as a small report and none belongs to this command.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

FORMATS = ("table", "markdown", "json", "csv", "latex")


class Commands(click.Group):
    """A group whose commands turn the errors of shapecalc into a message and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ShapecalcError as error:
            complain(error)
            ctx.exit(1 if isinstance(error, ShapeError) else 2)


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
@click.argument("models", nargs=-1, required=True)
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for show.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of every spec.")
@click.option("--max-params", metavar="N", help="The most parameters allowed: 5000000, 5M or 2.5G.")
@click.option("--max-macs", metavar="N", help="The most MACs allowed.")
@click.option("--strict", is_flag=True, help="Exit 1 on warnings too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option("--diff", "show_diff", is_flag=True, help="Print the repairs of the errors as a diff.")
@click.option("--fix", is_flag=True, help="Write the repairs of the errors into the files.")
@click.pass_context
def check(  # noqa: PLR0913, PLR0917  (one argument per option)
    ctx: click.Context,
    models: tuple[str, ...],
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    max_params: str | None,
    max_macs: str | None,
    strict: bool,
    form: str,
    show_diff: bool,
    fix: bool,
) -> None:
    """List every mistake in MODELS (names, files, or -); exit 1 when there is an error."""
    if show_diff or fix:
        left = [mend(model, inputs, settings, write=fix, show=show_diff) for model in models]
        ctx.exit(1 if any(left) else 0)
    budgets = {"max_params": amount(max_params), "max_macs": amount(max_macs)}
    found: list[Diagnostic] = []
    for model in models:
        text, file, variant = source_of(model)
        try:
            found += read_model(text, file, variant).check(
                input=shapes(inputs), **budgets, **assignments(settings)
            )
        except SpecError as error:
            if not error.place:
                raise
            from shapecalc.checks.repair import of_unreadable
            from shapecalc.model import loads

            found.append(of_unreadable(text, error, loads))
    say(listed(found, form))
    levels = {one.severity for one in found}
    ctx.exit(1 if "error" in levels or (strict and "warning" in levels) else 0)


def mend(model: str, inputs: tuple[str, ...], settings: tuple[str, ...], *, write: bool, show: bool) -> bool:
    """Repair the errors of a model as far as it goes; say whether there are errors left."""
    from pathlib import Path

    from shapecalc.checks.mend import diff, mended
    from shapecalc.checks.repair import Source
    from shapecalc.model import loads
    from shapecalc.spec.find import bundled, locate

    text, file, variant = source_of(model)
    if write and (model == "-" or locate(model)[0] in bundled().values()):
        raise SpecError(f"{quote(model)} is no file of yours: copy it to one, or use --diff")
    source = Source(text, loads, file, variant, shapes(inputs), assignments(settings))
    after, done = mended(source)
    if show and after != text:
        say(diff(file, text, after).removesuffix("\n"))
    if write and after != text:
        path = Path(locate(model)[0])
        mark = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
        path.write_bytes(mark + after.encode())
    for one, fix in done if write or not show else ():
        where = f"{one.place.file}:{one.place.line}"
        say(f"fixed {where}: {one.code} in {one.path or 'the spec'}: {fix.description}")
    try:
        left = [
            one
            for one in read_model(after, file, variant).check_only(source.given, **source.parameters)
            if one.severity == "error"
        ]
    except SpecError as error:
        complain(error)
        return True
    if write or not done:
        say(f"{len(done)} repaired, {len(left)} error{'' if len(left) == 1 else 's'} left")
    elif left:
        echo(f"{len(left)} error{'' if len(left) == 1 else 's'} left", sys.stderr)
    return bool(left)


def listed(found: list[Diagnostic], form: str) -> str:
    """Return findings in one of the output forms."""
    from shapecalc.checks.diagnostic import github, sarif, text

    if form == "github":
        return "\n".join(map(github, found))
    if form in ("json", "sarif"):
        import json

        data = (
            sarif(found, __version__)
            if form == "sarif"
            else {"diagnostics": [one.to_dict() for one in found]}
        )
        return json.dumps(data, indent=2, ensure_ascii=False)
    counts = Counter(one.severity for one in found)
    told = ", ".join(f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items())
    return "\n\n".join([*map(text, found), told or "nothing to complain about"])


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
    from shapecalc.report.diff import compare
    from shapecalc.report.diff_text import markdown, text

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


def run() -> None:
    """The console script: a process that ends before there is garbage worth looking for."""
    gc.disable()
    main(prog_name="shapecalc")
