"""`shapecalc export`."""

from __future__ import annotations

from pathlib import Path

import click

from shapecalc.arguments import Loaded
from shapecalc.atomic_write import write_file
from shapecalc.cli.cli_options import examples, loads_model
from shapecalc.console import say


@click.command(
    short_help="Write a model as PyTorch or Keras source.",
    epilog=examples("shapecalc export lenet5", "shapecalc export resnet50 -o resnet50.py"),
)
@loads_model
@click.option(
    "--to",
    "target",
    type=click.Choice(["torch", "keras", "yaml"]),
    default="torch",
    show_default=True,
    help="What to write.",
)
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, replacing it if it exists.")
def export(loaded: Loaded, target: str, output: str | None) -> None:
    """Write MODEL as PyTorch source: blocks as classes, names as in the spec. Needs torch.

    MODEL is a spec, an ONNX or `.keras` file, or a torch module or Keras model as for show. With --to yaml it
    is written as a spec, with --to keras one in the rules of Keras as a functional model. Needs Keras then.

    The source imports only torch, or Keras; the network has the parameters and shapes that `show` prints.
    """
    import shapecalc
    from shapecalc.bridges.keras.keras_api import export_keras

    net = loaded.model
    write = shapecalc.export if target == "torch" else export_keras
    text = net.to_yaml() if target == "yaml" else write(net, **loaded.arguments)
    if output is None:
        say(text.rstrip("\n"))
        return
    write_file(Path(output), text.encode())
