"""`shapecalc diff`."""

from __future__ import annotations

import click

from shapecalc.arguments import assignments, opened
from shapecalc.console import say


@click.command()
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
