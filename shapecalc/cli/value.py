"""`shapecalc value`."""

from __future__ import annotations

import click

from shapecalc.arguments import asked
from shapecalc.console import say
from shapecalc.errors import SpecError, quote

FORMATS = ("text", "latex")
OPTIONS = ("input", "free", "batch", "unit", "digits")
"""What may be written as KEY=VALUE beside the parameters of a spec."""


@click.command()
@click.argument("model")
@click.argument("name", metavar="VALUE")
@click.argument("more", nargs=-1, metavar="[LAYER] [KEY=VALUE]...")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print it."
)
def value(model: str, name: str, more: tuple[str, ...], form: str) -> None:
    r"""Print one VALUE of MODEL, or of one LAYER or part of it, for a sentence.

    VALUE is params, trainable_params, buffers, macs, flops, bytes, layers, input, output, kind, kernel,
    name or title. KEY is a parameter of the spec, or input (3x256x256), free (H,W), batch, unit (M, MiB)
    or digits.

    \b
      shapecalc value resnet50 params unit=M
      shapecalc value resnet50 output stage4 input=3x320x256
    """
    from shapecalc.pieces.piece import plain
    from shapecalc.report.value import value as valued

    layer, options, settings = _parted(more)
    names = [one.strip() for one in options.get("free", "").split(",") if one.strip()]
    batch = None if "batch" not in options else _whole("batch", options["batch"])
    if batch is not None and "batch" in names:
        raise click.UsageError("batch gives the batch that free leaves free: choose one")
    inputs = tuple(options["input"].split(",")) if "input" in options else ()
    found, given, settled = asked(model, inputs, settings)
    report = found.analyze(input=given, batch=1 if batch is None else batch, symbolic=names, **settled)
    digits = _whole("digits", options["digits"]) if "digits" in options else None
    shows_batch = batch is not None or "batch" in names
    line = valued(report, name, layer, unit=options.get("unit"), digits=digits, batch=shows_batch)
    if form == "latex":
        from shapecalc.pieces.latex import inline

        say(inline(line))
    else:
        say(plain(line))


def _parted(more: tuple[str, ...]) -> tuple[str | None, dict[str, str], tuple[str, ...]]:
    """Return the layer, the options of this command and the settings of the spec."""
    layers = [one for one in more if "=" not in one]
    if len(layers) > 1:
        raise SpecError(f"one layer at a time, not {' and '.join(map(quote, layers))}")
    options: dict[str, str] = {}
    settings: list[str] = []
    for one in more:
        key, equals, given = one.partition("=")
        if not equals:
            continue
        if key in options:
            raise SpecError(f"{key} is said twice")
        if key in OPTIONS:
            options[key] = given
        else:
            settings.append(one)
    return (layers[0] if layers else None), options, tuple(settings)


def _whole(key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise SpecError(f"{key}={quote(text)}: this is a whole number")
    return int(text)
