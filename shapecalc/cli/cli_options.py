"""Arguments and options shared by commands, with shell completion, and the examples of a help text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from shapecalc.arguments import load_model
from shapecalc.conventions.by_tool import CONVENTIONS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    TextType = click.ParamType[str]
else:
    TextType = click.ParamType  # generic in new versions of click only

_F = TypeVar("_F", bound=Callable[..., Any])


class Word(TextType):
    """A word that the command validates; a shell completes it from `known`, a module and a name in it."""

    def __init__(self, name: str, known: str, *, or_file: bool = False) -> None:
        self.name = name
        self.known = known
        self.or_file = or_file

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        module, name = self.known.split(":")
        known: Any = getattr(import_module(f"shapecalc.{module}"), name)
        words: Iterable[str] = known() if callable(known) else known
        items = [CompletionItem(word) for word in words if word.startswith(incomplete)]
        return [*items, CompletionItem(incomplete, type="file")] if self.or_file else items


MODEL = Word("model", "spec.find:bundled", or_file=True)


def form_option(*forms: str) -> Callable[[_F], _F]:
    """Return the option `--format`; the first form is the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default=forms[0],
        show_default=True,
        help="How to print it.",
    )


def number_option(name: str, least: int, description: str, default: int | None = None) -> Callable[[_F], _F]:
    """Return an option for an integer of at least this."""
    return click.option(
        name,
        type=click.IntRange(least),
        metavar="N",
        help=description,
        default=default,
        show_default=default is not None,
    )


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
FORMAT = form_option("text", "markdown", "latex", "html", "rst", "json")
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


def loads_model(command: Callable[..., None]) -> Callable[..., None]:
    """Add MODEL, --input and --set to a command, whose first parameter is the `Loaded` of them."""

    @click.argument("model", type=MODEL)
    @INPUT
    @SETTINGS
    @wraps(command)
    def run(model: str, inputs: tuple[str, ...], settings: tuple[str, ...], **options: Any) -> None:
        command(load_model(model, inputs, settings), **options)

    return run


def free_options(command: _F) -> _F:
    """Add --batch, --symbolic and --free, which `Loaded.analyze` takes."""
    batch = number_option("--batch", 1, "Batch size; shapes then include it.")
    symbolic = click.option("--symbolic", is_flag=True, help="Leave every named size of the input free.")
    return batch(symbolic(FREE(command)))


def examples(*lines: str) -> str:
    r"""Return the examples section of a command's help; `\b` keeps click from rewrapping it.

    >>> print(examples("shapecalc list").replace("\b", "(not rewrapped)"))
    (not rewrapped)
    Examples:
      shapecalc list
    """
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
