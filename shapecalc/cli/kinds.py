"""`shapecalc kinds`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import Word, examples
from shapecalc.console import say, terminal_width


@click.command(
    short_help="List the layer kinds, or describe one.",
    epilog=examples(
        "shapecalc kinds",
        "shapecalc kinds conv2d",
        "shapecalc kinds carry",
        "shapecalc kinds conv2d --framework keras",
    ),
)
@click.argument("kind", required=False, type=Word("kind", "layers.registry:kinds"))
@click.option(
    "--framework",
    type=click.Choice(["torch", "keras", "onnx"]),
    default="torch",
    show_default=True,
    help="The framework whose layers are meant.",
)
def kinds(kind: str | None, framework: str) -> None:
    """List the layer kinds, or describe one KIND, or a key of a step: fields, formula, an example."""
    from shapecalc.views.catalogue import catalogue, description
    from shapecalc.views.language_page import about, words

    if kind in words():
        say(about(kind or ""))
        return
    say(description(kind, framework, terminal_width()) if kind else catalogue(terminal_width(), framework))
