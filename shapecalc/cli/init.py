"""`shapecalc init`."""

from __future__ import annotations

from pathlib import Path

import click

from shapecalc.atomic_write import make_folder, write_file
from shapecalc.cli.cli_options import MODEL, examples
from shapecalc.console import say
from shapecalc.errors import SpecError, printable, quote


@click.command(
    short_help="Write a commented spec to start from.",
    epilog=examples(
        "shapecalc init", "shapecalc init nets/mine.yaml", "shapecalc init mine.yaml --like resnet18"
    ),
)
@click.argument("file", default="my_net.yaml")
@click.option("--like", type=MODEL, metavar="NAME", help="Start from a copy of this bundled model instead.")
def init(file: str, like: str | None) -> None:
    """Write a commented spec to start from to FILE (default: my_net.yaml), which must not exist yet."""
    path = Path(file)
    text = _starter(path.stem) if like is None else _copy(like)
    make_folder(path)
    write_file(path, text.encode(), is_new=True)
    say(printable(f"wrote {file}; look at it with: shapecalc show {file}"))


def _starter(name: str) -> str:
    """Return the starter spec, named after its file where that is an identifier."""
    from importlib.resources import files

    text = files("shapecalc.spec").joinpath("starter.yaml").read_text(encoding="utf-8")
    return text.replace("my_net", name) if name.isidentifier() and name.isascii() else text


def _copy(name: str) -> str:
    from shapecalc.spec.find import bundled, decoded, locate

    path, _ = locate(name)
    if path not in bundled().values():
        raise SpecError(f"{quote(name)} is not a bundled model", hint="`shapecalc list` prints their names")
    return decoded(path.read_bytes(), name)
