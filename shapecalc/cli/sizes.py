"""`shapecalc sizes`."""

from __future__ import annotations

import click

from shapecalc.arguments import Loaded, listed, shape
from shapecalc.cli.cli_options import FORMAT, examples, loads_model
from shapecalc.console import say_json, say_page
from shapecalc.render.lines import as_page


@click.command(
    short_help="Print exactly which input sizes a model accepts, and why.",
    epilog=examples(
        "shapecalc sizes unet_padded",
        "shapecalc sizes unet_padded --near 225x300",
        "shapecalc sizes alexnet --rebuild",
    ),
)
@loads_model
@click.option(
    "--near",
    metavar="SIZE",
    help="Also print the legal sizes nearest to SIZE, as 225x300, with the padding or crop to reach them.",
)
@click.option(
    "--rebuild", is_flag=True, help="Rebuild the network for each size: inferred fields may change."
)
@click.option(
    "--outputs",
    type=click.Choice(["main", "all"]),
    default="main",
    show_default=True,
    help="Which outputs are requested; a side output imposes conditions only with `all`.",
)
@click.option(
    "--free", default="", metavar="NAMES", help="The unknowns, as H,W; default: all but the channels."
)
@FORMAT
def sizes(loaded: Loaded, near: str | None, outputs: str, free: str, form: str, *, rebuild: bool) -> None:
    """Print exactly which input sizes MODEL accepts, and which layer imposes each condition.

    The network is built for its default sizes, its weights fixed, in evaluation mode.
    """
    legal = loaded.model.sizes(
        rebuild=rebuild, outputs=outputs, free=listed(free) or None, **loaded.arguments
    )
    nearest = None if near is None else legal.nearest(shape(near))
    if form == "json":
        say_json(legal.to_dict() | ({"near": nearest.to_dict()} if nearest else {}))
    else:
        say_page(as_page([*legal.lines(), *([(0, ()), *nearest.lines()] if nearest else [])]), form)
