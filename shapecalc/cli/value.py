"""`shapecalc value`."""

from __future__ import annotations

import click

from shapecalc.console import say

FORMATS = ("text", "latex")


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
    from shapecalc.arguments import valued

    line = valued(model, name, more)
    if form == "latex":
        from shapecalc.pieces.latex import inline

        say(inline(line))
    else:
        from shapecalc.pieces.piece import plain

        say(plain(line))
