"""`shapecalc list`."""

from __future__ import annotations

import click

from shapecalc.cli.cli_options import examples, form_option
from shapecalc.console import say_json, say_page


@click.command(
    "list",
    short_help="List the bundled models.",
    epilog=examples("shapecalc list", "shapecalc list --format json"),
)
@form_option("table", "markdown", "html", "rst", "latex", "json")
def list_(form: str) -> None:
    """List the bundled models with their year, parameters and MACs."""
    from shapecalc.report.listing import listing_rows

    if form == "json":
        say_json([row._asdict() for row in listing_rows()])
    else:
        from shapecalc.views.listing_page import listing_page

        say_page(listing_page(), form)
