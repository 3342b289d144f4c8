"""`shapecalc show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from shapecalc.arguments import listed, load_model
from shapecalc.cli.cli_options import BATCH, CONVENTION, FREE, INPUT, MODEL, SETTINGS, SYMBOLIC, examples
from shapecalc.console import say, terminal_width

if TYPE_CHECKING:
    from shapecalc.report.report import Report

FORMATS = ("table", "markdown", "html", "rst", "json", "csv", "latex")


@click.command(
    short_help="Print a model layer by layer: shapes, parameters, MACs.",
    epilog=examples(
        "shapecalc show resnet50",
        "shapecalc show resnet50 --input 3x320x256 --depth 1",
        "shapecalc show vgg16 --symbolic --format markdown",
        "shapecalc show my_net.yaml --set width=32 --batch 8",
        "shapecalc show torchvision.models:resnet18",
    ),
)
@click.argument("model", type=MODEL)
@INPUT
@SETTINGS
@BATCH
@SYMBOLIC
@FREE
@click.option("--depth", type=click.IntRange(1), default=None, metavar="N", help="Fold blocks nested deeper.")
@click.option("--dtype", default="float32", show_default=True, help="Number format, for memory.")
@click.option(
    "--count",
    type=click.Choice(["torch", "keras"]),
    help="Count batch-norm statistics as buffers (torch) or as parameters (keras); default: as in the spec.",
)
@click.option(
    "--receptive-fields",
    "--fields",
    "fields",
    is_flag=True,
    help="Show receptive fields: size, stride, left edge.",
)
@CONVENTION
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
    fields: bool,
    convention: str | None,
    form: str,
) -> None:
    """Print MODEL (a bundled name, a file, - for stdin, or pkg.mod:Net) layer by layer.

    pkg.mod:Net is a torch module, or a callable that builds one from the --set values.
    """
    names = listed(free)
    if batch is not None and "batch" in names:
        raise click.UsageError("--batch sets the batch that --free leaves free: choose one")
    net, shapes, values = load_model(model, inputs, settings)
    report = net.analyze(
        input=shapes,
        batch=1 if batch is None else batch,
        symbolic=[*(name for name in net.free_names() if symbolic and name not in values), *names],
        dtype=dtype,
        count=count,
        convention=convention,
        **values,
    )
    say(rendered(report, form, depth, batch=batch is not None or "batch" in names, fields=fields))


def rendered(report: Report, form: str, depth: int | None, *, batch: bool, fields: bool = False) -> str:
    """Return a report in one of the output forms; only that form's writer is imported."""
    if form == "json":
        import json

        return json.dumps(report.to_dict(receptive_fields=fields), indent=2, ensure_ascii=False)
    if form == "csv":
        from shapecalc.views.csv_table import csv

        return csv(report, fields=fields)
    from shapecalc.render import written
    from shapecalc.views.layer_table import layer_table

    page = (layer_table(report, depth, batch=batch, fields=fields),)
    return written(page, "text", terminal_width()) if form == "table" else written(page, form)
