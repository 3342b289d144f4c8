"""`shapecalc html`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shapecalc.arguments import load_model
from shapecalc.atomic_write import make_folder, write_file
from shapecalc.cli.cli_options import INPUT, MODEL, SETTINGS, examples
from shapecalc.console import echo, say
from shapecalc.errors import Located, NotInstalled, ShapecalcError, SpecError

if TYPE_CHECKING:
    from shapecalc.model import Model


@click.command(
    short_help="Write an interactive page with controls for every size.",
    epilog=examples(
        "shapecalc html lenet5 -o lenet5.html",
        "shapecalc html resnet50 --set num_classes=10 -o resnet50.html",
    ),
)
@click.argument("model", type=MODEL, required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file to write, or the folder with --all."
)
@click.option("--all", "everything", is_flag=True, help="Write a gallery of every bundled network.")
@INPUT
@SETTINGS
@click.option(
    "--picture",
    "style",
    type=click.Choice(["graph", "volumes", "none"]),
    default="graph",
    show_default=True,
    help="The picture above the table; a graph needs pip install pygraphviz.",
)
def html(
    model: str | None,
    output: Path | None,
    everything: bool,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    style: str,
) -> None:
    """Write an interactive page of MODEL: move a size, and every number follows.

    The page is one file that loads nothing and sends nothing. It has a control for every parameter and input
    axis that can be left free and was not set, marks sizes that are not legal and offers the nearest that
    are, and derives the numbers of each layer.
    """
    if everything:
        if model is not None or inputs or settings or output is None:
            raise click.UsageError("--all takes no MODEL, --input or --set, and needs a folder: --all -o DIR")
        _gallery(output, style)
        return
    if model is None:
        raise click.UsageError("name a MODEL, or write the gallery with --all -o DIR")
    if output is None and sys.stdout.isatty():
        raise click.UsageError("a page is not for a terminal: give it a file with -o FILE.html, or pipe it")
    from shapecalc.page.free import at_input
    from shapecalc.page.page_writer import page

    loaded = load_model(model, inputs, settings)
    net, values = at_input(*loaded), loaded.parameters
    text = page(net, picture=_picture(net, style, values), **values)
    if output is None:
        say(text.rstrip("\n"))
    else:
        _write(output, text)


def _picture(model: Model, style: str, values: Mapping[str, Any]) -> str:
    """Return the picture as SVG; print the reason and return "" where it cannot be drawn."""
    if style == "none":
        return ""
    model.analyze(**values)  # an error of the network is raised, not reported as a missing picture
    try:
        return model.draw(style=style, **values).svg()
    except (NotInstalled, SpecError) as error:
        echo(f"no picture of {model.name}: {error}", sys.stderr)
        return ""


def _gallery(folder: Path, style: str) -> None:
    """Write a page for every bundled network, and an index of them."""
    from shapecalc.model import load
    from shapecalc.page.page_writer import file_name, gallery, page
    from shapecalc.report.listing import listing_rows

    entries = listing_rows()
    refused: dict[str, str] = {}
    with click.progressbar(entries, label="Pages", file=sys.stderr) as bar:
        for entry in bar:
            try:
                model = load(entry.name)
                text = page(model, picture=_picture(model, style, {}))
            except ShapecalcError as error:
                refused[entry.name] = error.message if isinstance(error, Located) else str(error)
                continue
            _write(folder / file_name(entry.name), text)
    _write(folder / "index.html", gallery(entries, refused))
    say(f"{len(entries) - len(refused)} pages and index.html in {folder}")
    for name, why in refused.items():
        say(f"no page for {name}: {why}")


def _write(path: Path, text: str) -> None:
    make_folder(path)
    write_file(path, text.encode())
