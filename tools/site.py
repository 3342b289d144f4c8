"""Pages of the documentation site that are made from the code when the site is built (a hook of MkDocs).

`SHAPECALC_SITE=text`, the default of `mkdocs serve`, leaves out what takes long: the pages of the networks,
their totals in the gallery and the Python reference. `SHAPECALC_SITE=all` is the default of `mkdocs build`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import click

import shapecalc
from shapecalc.cli import COMMANDS, main
from shapecalc.layers.registry import get, kinds
from shapecalc.page.page_writer import file_name, page
from shapecalc.report.listing import Entry, listing_rows
from shapecalc.spec.json_schema import schema
from shapecalc.views.catalogue import description

_GALLERY = """# Gallery

Every network that comes with shapecalc. A name leads to its [interactive page](page.md). `shapecalc show
NAME` prints its layers, `shapecalc init mine.yaml --like NAME` copies its spec. The totals are those of its
`expect`: from outside (the paper, torchvision, a run of the real model), and tested. The networks of the
two tutorials have [a page of their own](tutorials.md).
"""
_COMMANDS = """Exit status 0: success; 1: a model with errors, or no answer; 2: arguments or a spec that
cannot be read. Errors go to the standard error stream. Colours are left out when the output is
piped or `NO_COLOR` is set."""
_KINDS = """What `shapecalc kinds KIND` says, for every kind. Names are torch's, in the spelling of a spec;
under `framework: keras` the same names follow Keras' rules (`shapecalc kinds KIND --framework keras`)."""
_SPEC = """# The spec language

A spec is YAML. It is data: nothing in it is ever executed. Wherever a number is expected an expression is
allowed, over parameters, a block's arguments, `in_channels` and `size(step, axis)`: `+ - * // / % **`,
comparisons, `and or not`, `a if c else b`, `list[i]`, `list[i:j]`, `min max floor ceil len sum
make_divisible`. Inside `{...}` an expression with commas or brackets must be quoted.

`shapecalc schema` prints the JSON Schema from which this page is made; editors complete and check by it.
`shapecalc init` writes a spec to start from, with a comment at every key.
"""
CALCULATORS = tuple(map(str, sorted((ROOT / "docs" / "calculators").glob("*.yaml"))))
"""Specs of one layer with everything about it free."""
PARTS_OF_A_SPEC = ("step", "branch", "block", "expect", "budget", "variant")


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    """Choose what is made, where nobody has."""
    os.environ.setdefault("SHAPECALC_SITE", "text" if command == "serve" else "all")


def is_complete() -> bool:
    """Return whether what takes long is made."""
    return os.environ.get("SHAPECALC_SITE", "all") != "text"


@event_priority(100)  # before the plugin reads its configuration
def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave the Python reference out of a quick build."""
    config.plugins["mkdocstrings"].config["enabled"] = is_complete()
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for path, made in PAGES.items():
        files.append(File.generated(config, path, content=made()))
    if not is_complete():
        return files
    for name in (*(entry.name for entry in published()), *CALCULATORS):
        model = shapecalc.load(name)
        answers = page(model, picture=model.draw().svg())
        files.append(File.generated(config, f"pages/{file_name(model.name)}", content=answers))
    return files


def published() -> list[Entry]:
    """Return the bundled networks, without those of the tutorials, which may not hold."""
    return [entry for entry in listing_rows() if not entry.name.startswith("tutorials/")]


def gallery() -> str:
    """Return the bundled networks as a table, each name with its interactive page."""
    if not is_complete():
        names = (f"- `{name}`" for name in shapecalc.names() if not name.startswith("tutorials/"))
        return "\n".join([_GALLERY, "Totals and pages: `SHAPECALC_SITE=all mkdocs build`.", "", *names, ""])
    rows = ["| Name | Network | Year | Parameters | MACs |", "|---|---|--:|--:|--:|"]
    for entry in published():
        paper = shapecalc.load(entry.name).paper
        title = f"[{entry.title}]({paper.url})" if paper is not None and paper.url else entry.title
        numbers = (f"{n:,}" if n is not None else "" for n in (entry.params, entry.macs))
        name = f"[`{entry.name}`](pages/{file_name(entry.name)})"
        rows.append(f"| {name} | {title} | {entry.year or ''} | {' | '.join(numbers)} |")
    models = map(shapecalc.load, CALCULATORS)
    single = [f"[{model.title}](pages/{file_name(model.name)})" for model in models]
    return "\n".join([_GALLERY, f"Calculators for a single layer: {', '.join(single)}.", "", *rows, ""])


def commands() -> str:
    """Return the help of every command."""
    context = click.Context(main, info_name="shapecalc")
    parts = ["# The command line", _COMMANDS]
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        parts += _helped(command, name, context)
    return "\n\n".join(parts) + "\n"


def _helped(command: click.Command, name: str, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    level = "##" if above.parent is None else "###"
    yield f"{level} shapecalc {context.command_path.partition(' ')[2]}"
    yield f"```text\n{command.get_help(context)}\n```"
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        yield from _helped(inner, str(inner.name), context)


def of_kinds() -> str:
    """Return what `shapecalc kinds KIND` says of every kind."""
    families: dict[str, list[str]] = {}
    for name in kinds():
        families.setdefault(get(name).__module__.rpartition(".")[2], []).append(name)
    parts = ["# Kinds of layers", _KINDS]
    for family, members in sorted(families.items()):
        parts.append(f"## {family.replace('_', ' ').capitalize()}")
        parts += [f"### {name}\n\n```text\n{description(name)}\n```" for name in members]
    return "\n\n".join(parts) + "\n"


def spec_language() -> str:
    """Return every key of a spec with what it means, from the schema that editors complete by."""
    parts = [_SPEC, *_keys("A model", _schema())]
    for name in PARTS_OF_A_SPEC:
        parts += _keys(f"A {name}", _schema()["$defs"][name])
    return "\n\n".join(parts) + "\n"


def _keys(title: str, part: dict[str, Any]) -> Iterator[str]:
    yield f"## {title}"
    if "description" in part:
        yield part["description"]
    for choice in (part, *part.get("anyOf", ()), *part.get("allOf", ())):
        rows = [
            f"| `{key}` | {value.get('description') or _description_of(value)} |"
            for key, value in choice.get("properties", {}).items()
            if not key.startswith("kind.")
        ]
        if rows:
            yield "\n".join(["| Key | Meaning |", "|---|---|", *rows])


def _description_of(value: dict[str, Any]) -> str:
    """Return the description that a reference leads to."""
    name = str(value.get("$ref", "")).rpartition("/")[2]
    return str(_schema()["$defs"].get(name, {}).get("description", ""))


@cache
def _schema() -> dict[str, Any]:
    return schema()


def contributing() -> str:
    """Return the page of the same name."""
    return (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("`docs/", "`")


PAGES: dict[str, Callable[[], str]] = {
    "gallery.md": gallery,
    "reference/cli.md": commands,
    "reference/kinds.md": of_kinds,
    "reference/spec.md": spec_language,
    "contributing.md": contributing,
}
