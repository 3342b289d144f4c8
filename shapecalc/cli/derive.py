"""`shapecalc derive`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from shapecalc.arguments import Loaded, assignments, listed, load_model, shapes
from shapecalc.cli.cli_options import INPUT, MODEL, SETTINGS, examples, form_option, free_options
from shapecalc.console import say_json, say_page
from shapecalc.errors import SpecError, quote


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
@free_options
@form_option("text", "markdown", "html", "rst", "latex", "json")
def derive(
    model: str,
    layers: tuple[str, ...],
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    free: str,
    form: str,
    **options: Any,
) -> None:
    """Derive each number of MODEL: the formula, the numbers inserted, the result.

    MODEL is a bundled name, a file, - for stdin, or layers as YAML, as in
    'conv2d: {out_channels: 8, kernel_size: 5}' with --input 3x32x32. LAYER is the path of a layer or
    a block; without it, every layer is derived.
    """
    inline = ": " in model or model.lstrip().startswith(("[", "{"))
    loaded = _from_layers(model, inputs, settings) if inline else load_model(model, inputs, settings)
    report, shows_batch = loaded.analyze(free=listed(free), **options)
    derivation = report.derive(*layers, batch=shows_batch)
    if inline:
        shape = report.shape_text(report.input, batch=shows_batch)
        derivation = replace(derivation, heading=f"{model.strip()} on {shape}")
    if form == "json":
        say_json(derivation.to_dict())
    else:
        from shapecalc.views.derivation_page import derivation_page

        say_page(derivation_page(derivation), form)


_SIDES = {2: "L", 3: "HW", 4: "DHW"}


def _from_layers(text: str, inputs: tuple[str, ...], settings: tuple[str, ...]) -> Loaded:
    """Return a network from layers written as YAML in the argument; its sides are its parameters."""
    from shapecalc.model import load
    from shapecalc.spec.yaml_text import parse

    given, values = shapes(inputs), assignments(settings)
    if not isinstance(given, tuple):
        raise SpecError(
            f"{quote(text)} has no network around it, so its input shape is needed",
            hint="add --input, as in --input 3x32x32",
        )
    layers = parse(text, "<layers>")
    names = _SIDES.get(len(given), "")
    sides = dict(zip(names, given[1:], strict=True)) if names else {}
    net = load(
        {
            "name": "layers",
            "parameters": sides | values,
            "input": [*given[: len(given) - len(sides)], *sides],
            "layers": layers if isinstance(layers, list) else [layers],
        }
    )
    return Loaded(net, None, {})
