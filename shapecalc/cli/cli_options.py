"""What a command line is made of: words that the shell completes, and examples that help teaches with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from shapecalc.conventions.by_tool import CONVENTIONS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Word(click.ParamType[str]):
    """A word of a known kind: the shell completes it, and what it means is for the command to say."""

    def __init__(self, name: str, known: Callable[[], Iterable[str]], *, or_file: bool = False) -> None:
        self.name = name
        self.known = known
        self.or_file = or_file

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [CompletionItem(word) for word in self.known() if word.startswith(incomplete)]
        return [*found, CompletionItem(incomplete, type="file")] if self.or_file else found


def _models() -> Iterable[str]:
    from shapecalc.spec.find import bundled

    return bundled()


def _kinds() -> Iterable[str]:
    from shapecalc.layers.registry import kinds

    return kinds()


def _codes() -> Iterable[str]:
    from shapecalc.diagnostics.explanation import explanations

    return explanations()


def _values() -> Iterable[str]:
    from shapecalc.report.single_value import NAMES

    return NAMES


MODEL = Word("model", _models, or_file=True)
KIND = Word("kind", _kinds)
CODE = Word("code", _codes)
VALUE = Word("value", _values)


SETTINGS = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Set a parameter of the spec."
)
CONVENTION = click.option(
    "--convention",
    type=click.Choice([*CONVENTIONS]),
    help="By whose rule costs are counted; default: multiply-accumulates (mac).",
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex", "html", "rst", "json"]),
    default="text",
    show_default=True,
)
SCALE = click.option(
    "--scale",
    type=click.FloatRange(0, 20, min_open=True),
    default=2,
    show_default=True,
    help="Pixels of a PNG for each unit.",
)


def examples(*lines: str) -> str:
    r"""Return the end of a command's help: what one may type, as it stands.

    >>> print(examples("shapecalc list").replace("\b", "<as it stands>"))
    <as it stands>
    Examples:
      shapecalc list
    """
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
