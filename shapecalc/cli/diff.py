"""`shapecalc diff`."""

from __future__ import annotations

import click

from shapecalc.arguments import assignments, opened, shapes
from shapecalc.console import say


@click.command()
@click.argument("left")
@click.argument("right")
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="As for show, of both.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of both specs.")
@click.option("--set-left", "on_left", multiple=True, metavar="KEY=VALUE", help="Set one of LEFT only.")
@click.option("--set-right", "on_right", multiple=True, metavar="KEY=VALUE", help="Set one of RIGHT only.")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
@click.pass_context
def diff(
    ctx: click.Context,
    left: str,
    right: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    on_left: tuple[str, ...],
    on_right: tuple[str, ...],
    form: str,
) -> None:
    """Compare the models LEFT and RIGHT, layer aligned to layer; exit 1 when they differ."""
    from shapecalc.report.diff import compare
    from shapecalc.report.diff_text import markdown, text

    shape = shapes(inputs)
    mine, theirs = assignments((*settings, *on_left)), assignments((*settings, *on_right))
    found = compare(opened(left).analyze(input=shape, **mine), opened(right).analyze(input=shape, **theirs))
    if form == "json":
        import json

        say(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(markdown(found) if form == "markdown" else text(found))
    ctx.exit(0 if found.is_equal else 1)
