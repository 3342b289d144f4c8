"""`shapecalc plot`."""

from __future__ import annotations

import click

from shapecalc.arguments import load_model
from shapecalc.cli.cli_options import MODEL, SCALE, examples
from shapecalc.cli.draw import write


@click.command(
    short_help="Plot what models cost, by layer or by input size.",
    epilog=examples(
        "shapecalc plot resnet50 -o resnet50.svg",
        "shapecalc plot resnet50 mobilenet_v2 -o compared.png",
        "shapecalc plot unet unet_padded --against size --from 180 --to 300 -o sizes.svg",
    ),
)
@click.argument("models", nargs=-1, required=True, type=MODEL)
@click.option(
    "-o", "--output", metavar="FILE", help="Write into FILE.svg or FILE.png; default: print the SVG."
)
@click.option(
    "--against",
    type=click.Choice(["depth", "size"]),
    default="depth",
    show_default=True,
    help="Layer by layer, or against the size of each free side of the input.",
)
@click.option("--from", "first", type=click.IntRange(1), metavar="N", help="The smallest size.")
@click.option("--to", "last", type=click.IntRange(1), metavar="N", help="The largest size.")
@click.option("--rebuild", is_flag=True, help="Rebuild the networks for each size, as in `sizes`.")
@SCALE
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="The input of torch modules.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of every spec.")
def plot(
    models: tuple[str, ...],
    output: str | None,
    against: str,
    first: int | None,
    last: int | None,
    rebuild: bool,
    scale: float,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
) -> None:
    """Plot parameters, MACs and outputs of MODELS along the depth, or costs against the input size.

    Illegal sizes are marked and have no cost. A PNG needs
    pip install resvg-py.
    """
    if against == "depth" and (first, last, rebuild) != (None, None, False):
        raise click.UsageError("--from, --to and --rebuild go with --against size")
    if (first is None) != (last is None):
        raise click.UsageError("--from and --to go together")
    loaded = [load_model(model, inputs, settings) for model in models]
    if any(each.input is not None for each in loaded):
        raise click.UsageError("--input is for torch modules: a spec has its sizes as parameters for --set")
    picture = loaded[0].model.plot(
        *(other.model for other in loaded[1:]),
        against=against,
        between=None if first is None or last is None else (first, last),
        rebuild=rebuild,
        **loaded[0].parameters,
    )
    write(picture, output, "svg", scale, chosen=False)
