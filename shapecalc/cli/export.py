"""`shapecalc export`."""

from __future__ import annotations

from pathlib import Path

import click

from shapecalc.arguments import assignments, opened, shapes
from shapecalc.cli.cli_options import MODEL, SETTINGS, examples
from shapecalc.console import say
from shapecalc.errors import SpecError, quote


@click.command(
    short_help="Write a model as PyTorch source.",
    epilog=examples("shapecalc export lenet5", "shapecalc export resnet50 -o resnet50.py"),
)
@click.argument("model", type=MODEL)
@click.option(
    "--to", "target", type=click.Choice(["torch"]), default="torch", show_default=True, help="What to write."
)
@click.option("-o", "--output", metavar="FILE", help="Write into a file; one that is there is replaced.")
@click.option("--input", "inputs", multiple=True, metavar="SHAPE", help="The input it is built for.")
@SETTINGS
def export(
    model: str, target: str, output: str | None, inputs: tuple[str, ...], settings: tuple[str, ...]
) -> None:
    """Write MODEL as PyTorch source: blocks as classes, names as in the spec. Needs torch.

    The source needs torch alone. Run, it has the parameters, shapes and MACs that `show` tells.
    """
    from shapecalc.bridges import need

    found = opened(model)
    need(target)
    from shapecalc.bridges.torch.export.export_model import export as exported

    text = exported(found, input=shapes(inputs), **assignments(settings))
    if output is None:
        say(text.rstrip("\n"))
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise SpecError(f"{quote(output)} cannot be written: {error.strerror}") from None
