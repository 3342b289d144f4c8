"""`shapecalc sizes`."""

from __future__ import annotations

import click

from shapecalc.arguments import listed, load_model, shape
from shapecalc.cli.cli_options import FORMAT, INPUT, MODEL, SETTINGS, examples
from shapecalc.console import say
from shapecalc.render import written
from shapecalc.render.lines import as_page


@click.command(
    short_help="Print exactly which input sizes a model accepts, and why.",
    epilog=examples(
        "shapecalc sizes unet_padded",
        "shapecalc sizes unet_padded --near 225x300",
        "shapecalc sizes alexnet --rebuild",
    ),
)
@click.argument("model", type=MODEL)
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
@INPUT
@SETTINGS
@FORMAT
def sizes(
    model: str,
    near: str | None,
    rebuild: bool,
    outputs: str,
    free: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    form: str,
) -> None:
    """Print exactly which input sizes MODEL accepts, and which layer imposes each condition.

    The network is built for its default sizes, its weights fixed, in evaluation mode.
    """
    names = listed(free)
    net, shapes, values = load_model(model, inputs, settings)
    legal = net.sizes(input=shapes, rebuild=rebuild, outputs=outputs, free=names or None, **values)
    nearest = None if near is None else legal.nearest(shape(near))
    if form == "json":
        import json

        data = legal.to_dict() | ({"near": nearest.to_dict()} if nearest else {})
        say(json.dumps(data, indent=2, ensure_ascii=False))
        return
    beside = [(0, ()), *nearest.lines()] if nearest else []
    say(written(as_page([*legal.lines(), *beside]), form))
