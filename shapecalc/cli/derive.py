"""`shapecalc derive`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from shapecalc.arguments import asked, assignments, listed, shapes
from shapecalc.cli.cli_options import MODEL, SETTINGS, examples
from shapecalc.console import say
from shapecalc.errors import SpecError, quote

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.report.derivation import Derivation

FORMATS = ("text", "markdown", "html", "rst", "latex", "json")


@click.command(
    short_help="Show how each number comes about, line by line.",
    epilog=examples(
        "shapecalc derive lenet5 c1",
        "shapecalc derive resnet50 stage1.0 --format latex",
        "shapecalc derive 'conv2d: {out_channels: 8, kernel_size: 5}' --input 3x32x32",
    ),
)
@click.argument("model", type=MODEL)
@click.argument("layers", nargs=-1, metavar="[LAYER]...")
@click.option(
    "--input", "inputs", multiple=True, metavar="SHAPE", help="3x256x256, or x=3x224x224 for a named input."
)
@SETTINGS
@click.option(
    "--batch",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="Batch size; it then has a letter, N.",
)
@click.option("--symbolic", is_flag=True, help="Leave free every size that the input names.")
@click.option("--free", default="", metavar="NAMES", help="Leave these parameters free: H,W or batch.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How to print it.",
)
def derive(
    model: str,
    layers: tuple[str, ...],
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    batch: int | None,
    symbolic: bool,
    free: str,
    form: str,
) -> None:
    """Show how each number of MODEL comes about: the formula, the numbers put in, the result.

    MODEL is a bundled name, a file, - for stdin, or layers written out, as in
    'conv2d: {out_channels: 8, kernel_size: 5}' with --input 3x32x32. LAYER is the path of a layer, or
    of a block that holds some; without one, every layer is derived.
    """
    from shapecalc.report.table_cells import shape_text

    names = listed(free)
    if batch is not None and "batch" in names:
        raise click.UsageError("--batch gives the batch that --free leaves free: choose one")
    written = ": " in model or model.lstrip().startswith(("[", "{"))
    if written:
        given, settled = shapes(inputs), assignments(settings)
        found = _of_layers(model, given, settled)
    else:
        found, given, settled = asked(model, inputs, settings)
    left_free = [name for name in found.free_names() if symbolic and name not in settled]
    report = found.analyze(
        input=None if written else given,
        batch=1 if batch is None else batch,
        symbolic=[*left_free, *names],
        **({} if written else settled),
    )
    shows_batch = batch is not None or "batch" in names
    derivation = report.derive(*layers, batch=shows_batch)
    if written:
        shape = shape_text(report.input, report, batch=shows_batch)
        derivation = replace(derivation, heading=f"{model.strip()} on {shape}")
    say(rendered(derivation, form))


_SIDES = {2: "L", 3: "HW", 4: "DHW"}


def _of_layers(text: str, given: Any, settled: dict[str, Any]) -> Model:
    """Return the network of the layers that an argument writes out, read as a spec is."""
    from shapecalc.model import load
    from shapecalc.spec.located_text import parse

    if not isinstance(given, tuple):
        raise SpecError(
            f"{quote(text)} stands without a network, so its input must be given",
            hint="add --input, as in --input 3x32x32",
        )
    layers = parse(text, "<layers>")
    names = _SIDES.get(len(given), "")
    sides = dict(zip(names, given[1:], strict=True)) if names else {}
    return load(
        {
            "name": "layers",
            "parameters": sides | settled,
            "input": [*given[: len(given) - len(sides)], *sides],
            "layers": layers if isinstance(layers, list) else [layers],
        }
    )


def rendered(derivation: Derivation, form: str) -> str:
    """Return a derivation in one of the output forms; only that form's renderer is imported."""
    if form == "json":
        import json

        return json.dumps(derivation.to_dict(), indent=2, ensure_ascii=False)
    if form == "markdown":
        return derivation.to_markdown()
    if form in ("html", "rst"):
        from shapecalc.render import written
        from shapecalc.report.derivation_markup import derivation_page

        return written(derivation_page(derivation), form)
    if form == "latex":
        return derivation.to_latex()
    return derivation.to_text()
