"""`shapecalc draw`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from shapecalc.arguments import Loaded, listed
from shapecalc.cli.cli_options import FREE, SCALE, examples, loads_model, number_option
from shapecalc.console import say
from shapecalc.errors import SpecError

if TYPE_CHECKING:
    from shapecalc.pictures.picture import Picture


@click.command(
    short_help="Draw a model: its graph, or its feature maps to scale.",
    epilog=examples(
        "shapecalc draw lenet5",
        "shapecalc draw resnet50 --depth 2 -o resnet50.svg",
        "shapecalc draw unet --direction right --max-height 500 -o unet.svg",
        "shapecalc draw vgg16 --style volumes -o vgg16.png",
        "shapecalc draw googlenet --depth 2 -o googlenet.dot",
    ),
)
@loads_model
@click.option(
    "-o", "--output", metavar="FILE", help="Write into FILE.svg, .png, .mmd (Mermaid) or .dot (Graphviz)."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["svg", "png", "mmd", "dot"]),
    help="Output form; default: the suffix of FILE, or mmd without a file (svg for volumes).",
)
@click.option(
    "--style",
    type=click.Choice(["graph", "volumes"]),
    default="graph",
    show_default=True,
    help="Layers and blocks with arrows, or feature maps to scale.",
)
@number_option(
    "--depth", 0, "Fold blocks nested deeper, 0: parts of one size too; default: as deep as stays readable."
)
@number_option("--max-height", 1, "As deep as the picture is no taller than this, in units of the SVG.")
@click.option(
    "--direction",
    type=click.Choice(["down", "right"]),
    help="Where the arrows of a graph lead; default: down.",
)
@SCALE
@FREE
def draw(
    loaded: Loaded,
    output: str | None,
    form: str | None,
    style: str,
    depth: int | None,
    max_height: int | None,
    direction: str | None,
    scale: float,
    free: str,
) -> None:
    """Draw MODEL as a graph of layers and blocks, or as the volumes of its feature maps.

    SVG of volumes, Mermaid and dot need nothing more; SVG of a graph needs
    pip install pygraphviz, and a PNG resvg-py too.
    """
    drawing = loaded.model.draw(
        style=style,
        depth=depth,
        direction=direction,
        max_height=max_height,
        symbolic=listed(free),
        **loaded.arguments,
    )
    write(drawing, output, form or ("mmd" if style == "graph" else "svg"), scale, chosen=form is not None)


def write(picture: Picture, output: str | None, form: str, scale: float, *, chosen: bool) -> None:
    """Write a picture to a file, or print it; the suffix decides the form unless one was chosen."""
    if output is None:
        if form == "png":
            raise SpecError("a PNG is not printed: give it a file with -o FILE.png")
        text = picture.made(form)
        assert isinstance(text, str)
        say(text.rstrip("\n"))
        return
    form = form if chosen else Path(output).suffix.removeprefix(".").lower()
    picture.save(output, form, scale)
