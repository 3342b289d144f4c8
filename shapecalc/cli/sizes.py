"""`shapecalc sizes`."""

from __future__ import annotations

import click

from shapecalc.arguments import asked, listed, shape
from shapecalc.cli.cli_options import FORMAT, MODEL, SETTINGS, examples
from shapecalc.console import say
from shapecalc.render import written


@click.command(
    short_help="Tell exactly which input sizes a model accepts, and why.",
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
    help="Tell the nearest sizes to this one, as 225x300, and the padding or crop that reaches them.",
)
@click.option(
    "--rebuild", is_flag=True, help="Build the network anew for each size: what was inferred may change."
)
@click.option(
    "--outputs",
    type=click.Choice(["main", "all"]),
    default="main",
    show_default=True,
    help="Which outputs are asked for; a side output that is not imposes nothing.",
)
@click.option(
    "--free", default="", metavar="NAMES", help="The unknowns, as H,W; default: all but the channels."
)
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="The input it is built for.")
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
    """Tell exactly which input sizes MODEL accepts, and which layer imposes each condition.

    The network is taken as built for its default sizes, its weights fixed, in evaluation mode.
    """
    names = listed(free)
    asked_of, given, settled = asked(model, inputs, settings)
    found = asked_of.sizes(input=given, rebuild=rebuild, outputs=outputs, free=names or None, **settled)
    beside = None if near is None else found.nearest(shape(near))
    if form == "json":
        import json

        from shapecalc.sizes.sizes_text import nearest_to_dict

        data = found.to_dict() | ({"near": nearest_to_dict(beside)} if beside else {})
        say(json.dumps(data, indent=2, ensure_ascii=False))
        return
    from shapecalc.sizes.sizes_text import sizes_page, text

    say(text(found, beside) if form == "text" else written(sizes_page(found, beside), form))
