"""Arguments and options shared by commands, with shell completion, and the examples of a help text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from shapecalc.conventions.by_tool import CONVENTIONS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Word(click.ParamType[str]):
    """A word with shell completion from known values; the command validates it."""

    def __init__(self, name: str, known: Callable[[], Iterable[str]], *, or_file: bool = False) -> None:
        self.name = name
        self.known = known
        self.or_file = or_file

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        items = [CompletionItem(word) for word in self.known() if word.startswith(incomplete)]
        return [*items, CompletionItem(incomplete, type="file")] if self.or_file else items


def _models() -> Iterable[str]:
    from shapecalc.spec.find import bundled

    return bundled()


def _kinds() -> Iterable[str]:
    from shapecalc.layers.registry import kinds

    return kinds()


def _codes() -> Iterable[str]:
    from shapecalc.diagnostics.rule import rules

    return rules()


def _values() -> Iterable[str]:
    from shapecalc.views.single_value import NAMES

    return NAMES


MODEL = Word("model", _models, or_file=True)
KIND = Word("kind", _kinds)
CODE = Word("code", _codes)
VALUE = Word("value", _values)


INPUT = click.option(
    "--input", "inputs", multiple=True, metavar="SHAPE", help="3x256x256, or x=3x224x224 for a named input."
)
SETTINGS = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of the spec."
)
CONVENTION = click.option(
    "--convention",
    type=click.Choice([*CONVENTIONS]),
    help="Counting rule of costs; default: multiply-accumulates (mac).",
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex", "html", "rst", "json"]),
    default="text",
    show_default=True,
)
BATCH = click.option(
    "--batch", type=click.IntRange(1), default=None, metavar="N", help="Batch size; shapes then include it."
)
SYMBOLIC = click.option("--symbolic", is_flag=True, help="Leave every named size of the input free.")
FREE = click.option(
    "--free", default="", metavar="NAMES", help="Leave these free: sizes, batch, a depth; as H,W,n."
)
FRAMEWORK = click.option(
    "--framework",
    type=click.Choice(["torch", "keras"]),
    default="torch",
    show_default=True,
    help="The framework whose layers are meant.",
)
SCALE = click.option(
    "--scale",
    type=click.FloatRange(0, 20, min_open=True),
    default=2,
    show_default=True,
    help="Pixels per unit of a PNG.",
)


def examples(*lines: str) -> str:
    r"""Return the examples section of a command's help; `\b` keeps click from rewrapping it.

    >>> print(examples("shapecalc list").replace("\b", "(not rewrapped)"))
    (not rewrapped)
    Examples:
      shapecalc list
    """
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
