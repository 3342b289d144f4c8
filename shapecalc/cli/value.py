"""`shapecalc value`."""

from __future__ import annotations

import click

from shapecalc.arguments import valued
from shapecalc.cli.cli_options import MODEL, Word, examples, form_option
from shapecalc.console import say


@click.command(
    short_help="Print one value of a model, for a sentence.",
    epilog=examples(
        "shapecalc value resnet50 params",
        "shapecalc value resnet50 params stage4 unit=M digits=2",
        "shapecalc value resnet50 output stage4 input=3x320x256",
        "shapecalc value resnet50 macs free=H,W --format latex",
    ),
)
@click.argument("model", type=MODEL)
@click.argument("name", metavar="VALUE", type=Word("value", "views.single_value:NAMES"))
@click.argument("more", nargs=-1, metavar="[LAYER] [KEY=VALUE]...")
@form_option("text", "latex")
def value(model: str, name: str, more: tuple[str, ...], form: str) -> None:
    """Print one VALUE of MODEL, or of one LAYER or part of it, for a sentence.

    VALUE is params, trainable_params, buffers, macs, flops, bytes, layers, input, output, kind, kernel,
    name or title. KEY is a parameter of the spec, or input (3x256x256), free (H,W), batch, unit (M, MiB)
    or digits.
    """
    line = valued(model, name, more)
    if form == "latex":
        from shapecalc.render.latex_writer import inline

        say(inline(line))
    else:
        from shapecalc.render.piece import plain

        say(plain(line))
