"""`shapecalc export`."""

from __future__ import annotations

from pathlib import Path

import click

from shapecalc.arguments import Loaded
from shapecalc.atomic_write import write_file
from shapecalc.cli.cli_options import examples, loads_model
from shapecalc.console import say


@click.command(
    short_help="Write a model as PyTorch source.",
    epilog=examples("shapecalc export lenet5", "shapecalc export resnet50 -o resnet50.py"),
)
@loads_model
@click.option(
    "--to",
    "target",
    type=click.Choice(["torch", "yaml"]),
    default="torch",
    show_default=True,
    help="What to write.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, replacing it if it exists.")
def export(loaded: Loaded, target: str, output: str | None) -> None:
    """Write MODEL as PyTorch source: blocks as classes, names as in the spec. Needs torch.

    MODEL is a spec, an ONNX file, or a torch module as for show. With --to yaml it is written as a spec.

    The source imports only torch; the module has the parameters, shapes and MACs that `show` prints.
    """
    import shapecalc

    net = loaded.model
    text = net.to_yaml() if target == "yaml" else shapecalc.export(net, **loaded.arguments)
    if output is None:
        say(text.rstrip("\n"))
        return
    write_file(Path(output), text.encode())
