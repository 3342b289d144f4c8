"""`shapecalc list`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import examples
from shapecalc.console import say, terminal_width


@click.command(
    "list",
    short_help="List the bundled models.",
    epilog=examples("shapecalc list", "shapecalc list --format json"),
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "html", "rst", "latex", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
def list_models(form: str) -> None:
    """List the bundled models with their year, parameters and MACs."""
    from shapecalc.report.listing import listing_rows

    if form == "json":
        import json

        say(json.dumps([row._asdict() for row in listing_rows()], indent=2, ensure_ascii=False))
        return
    from shapecalc.render import written
    from shapecalc.views.listing_page import listing_page

    page = listing_page()
    say(written(page, "text", terminal_width()) if form == "table" else written(page, form))
