"""`shapecalc derive`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from shapecalc.arguments import assignments, listed, load_model, shapes
from shapecalc.cli.cli_options import BATCH, FREE, INPUT, MODEL, SETTINGS, SYMBOLIC, examples
from shapecalc.console import say
from shapecalc.errors import SpecError, quote

if TYPE_CHECKING:
    from shapecalc.model import Model
    from shapecalc.report.derivation import Derivation

FORMATS = ("text", "markdown", "html", "rst", "latex", "json")


@click.command(
    short_help="Derive each number step by step.",
    epilog=examples(
        "shapecalc derive lenet5 c1",
        "shapecalc derive resnet50 stage1.0 --format latex",
        "shapecalc derive 'conv2d: {out_channels: 8, kernel_size: 5}' --input 3x32x32",
    ),
)
@click.argument("model", type=MODEL)
@click.argument("layers", nargs=-1, metavar="[LAYER]...")
@INPUT
@SETTINGS
@BATCH
@SYMBOLIC
@FREE
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
    """Derive each number of MODEL: the formula, the numbers inserted, the result.

    MODEL is a bundled name, a file, - for stdin, or layers as YAML, as in
    'conv2d: {out_channels: 8, kernel_size: 5}' with --input 3x32x32. LAYER is the path of a layer or
    a block; without it, every layer is derived.
    """
    names = listed(free)
    if batch is not None and "batch" in names:
        raise click.UsageError("--batch sets the batch that --free leaves free: choose one")
    inline = ": " in model or model.lstrip().startswith(("[", "{"))
    if inline:
        values: dict[str, Any] = {}
        net, given = _from_layers(model, shapes(inputs), assignments(settings)), None
    else:
        net, given, values = load_model(model, inputs, settings)
    left_free = [name for name in net.free_names() if symbolic and name not in values]
    report = net.analyze(
        input=given, batch=1 if batch is None else batch, symbolic=[*left_free, *names], **values
    )
    shows_batch = batch is not None or "batch" in names
    derivation = report.derive(*layers, batch=shows_batch)
    if inline:
        shape = report.shape_text(report.input, batch=shows_batch)
        derivation = replace(derivation, heading=f"{model.strip()} on {shape}")
    say(rendered(derivation, form))


_SIDES = {2: "L", 3: "HW", 4: "DHW"}


def _from_layers(text: str, given: Any, values: dict[str, Any]) -> Model:
    """Return a network from layers written as YAML in the argument."""
    from shapecalc.model import load
    from shapecalc.spec.located_text import parse

    if not isinstance(given, tuple):
        raise SpecError(
            f"{quote(text)} has no network around it, so its input shape is needed",
            hint="add --input, as in --input 3x32x32",
        )
    layers = parse(text, "<layers>")
    names = _SIDES.get(len(given), "")
    sides = dict(zip(names, given[1:], strict=True)) if names else {}
    return load(
        {
            "name": "layers",
            "parameters": sides | values,
            "input": [*given[: len(given) - len(sides)], *sides],
            "layers": layers if isinstance(layers, list) else [layers],
        }
    )


def rendered(derivation: Derivation, form: str) -> str:
    """Return a derivation in one of the output forms; only that form's writer is imported."""
    if form == "json":
        import json

        return json.dumps(derivation.to_dict(), indent=2, ensure_ascii=False)
    from shapecalc.render import written
    from shapecalc.views.derivation_page import derivation_page

    return written(derivation_page(derivation), form)
