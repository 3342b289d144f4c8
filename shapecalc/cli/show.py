"""`shapecalc show`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from shapecalc.arguments import Loaded, listed
from shapecalc.cli.cli_options import (
    CONVENTION,
    examples,
    form_option,
    free_options,
    loads_model,
    number_option,
)
from shapecalc.console import echo, painted, say, say_json, say_page
from shapecalc.report.expected import differences

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.report.report import Report


@click.command(
    short_help="Print a model layer by layer: shapes, parameters, MACs.",
    epilog=examples(
        "shapecalc show resnet50",
        "shapecalc show resnet50 --input 3x320x256 --depth 1",
        "shapecalc show vgg16 --symbolic --format markdown",
        "shapecalc show my_net.yaml --set width=32 --batch 8",
        "shapecalc show torchvision.models:resnet18",
        "shapecalc show models/nets.py:Net --input 3x64x64",
    ),
)
@loads_model
@free_options
@number_option("--depth", 1, "Fold blocks nested deeper.")
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
@click.option(
    "--source", is_flag=True, help="Show the file and line of each layer: of a module, of its call."
)
@CONVENTION
@form_option("table", "markdown", "html", "rst", "json", "csv", "latex")
def show(
    loaded: Loaded, free: str, depth: int | None, form: str, *, fields: bool, source: bool, **options: Any
) -> None:
    """Print MODEL (a bundled name, a file, - for stdin, or nets.py:Net) layer by layer.

    nets.py:Net, or pkg.mod:Net, is a torch module, or a callable that builds one from the --set values.
    """
    report, shows_batch = loaded.analyze(free=listed(free), **options)
    if form == "json":
        say_json(report.to_dict(receptive_fields=fields, source=source))
    elif form == "csv":
        from shapecalc.views.csv_table import csv

        say(csv(report, fields=fields, source=source))
    else:
        from shapecalc.views.layer_table import layer_table

        say_page((layer_table(report, depth, batch=shows_batch, fields=fields, source=source),), form)
    if not complain_of_expectations(loaded.model, report):
        click.get_current_context().exit(1)


def complain_of_expectations(model: Model, report: Report) -> bool:
    """Print to stderr where a report differs from what its spec expects; say whether there is no error."""
    if not differences(model, report):
        return True
    from shapecalc.diagnostics.diagnostic import text
    from shapecalc.diagnostics.expectation import unmet

    findings = [violation.diagnostic() for violation in unmet(model, report)]
    echo(painted("\n\n".join(map(text, findings))), sys.stderr)
    return all(finding.severity != "error" for finding in findings)
