"""`shapecalc kinds`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import FRAMEWORK, Word, examples
from shapecalc.console import say, terminal_width


@click.command(
    short_help="List the layer kinds, or describe one.",
    epilog=examples("shapecalc kinds", "shapecalc kinds conv2d", "shapecalc kinds conv2d --framework keras"),
)
@click.argument("kind", required=False, type=Word("kind", "layers.registry:kinds"))
@FRAMEWORK
def kinds(kind: str | None, framework: str) -> None:
    """List the layer kinds, or describe one KIND: its fields, its formula, an example."""
    from shapecalc.views.catalogue import catalogue, description

    say(description(kind, framework) if kind else catalogue(terminal_width(), framework))
