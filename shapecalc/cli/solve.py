"""`shapecalc solve`: one command for each question backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from shapecalc.arguments import amount, asked, opened, shape
from shapecalc.cli.cli_options import FORMAT, MODEL, SETTINGS, examples
from shapecalc.console import say
from shapecalc.errors import SpecError, quote
from shapecalc.render import written
from shapecalc.render.lines import Told, as_page, as_text

if TYPE_CHECKING:
    from shapecalc.layers.spatial import Spatial

_F = TypeVar("_F", bound=Callable[..., Any])


class Answer(Protocol):
    """What every answer offers."""

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""

    def lines(self) -> Iterator[Told]:
        """Yield the lines of the answer."""


def _built_for(function: _F) -> _F:
    function = SETTINGS(function)
    return click.option(
        "--input", "inputs", multiple=True, metavar="SHAPE", help="The input it is built for."
    )(function)


def _number(name: str, least: int, told: str) -> Callable[[_F], _F]:
    return click.option(name, type=click.IntRange(least), metavar="N", help=told)


def _framework(function: _F) -> _F:
    choice = click.Choice(["torch", "keras"])
    told = "Whose rules the layer follows."
    return click.option("--framework", type=choice, default="torch", show_default=True, help=told)(function)


_limit = click.option(
    "--limit", type=click.IntRange(1), default=10, show_default=True, metavar="N", help="How many to print."
)


@click.group(short_help="Answer questions backwards: which setting gives this?")
def solve() -> None:
    """Answer questions backwards: which setting, which input, which width gives what is wanted.

    Exit status 1 where there is no answer.
    """


@solve.command(
    short_help="Which kernel, stride, padding turn one size into another.",
    epilog=examples("shapecalc solve window 224 112", "shapecalc solve window 28 28 --limit 5"),
)
@click.argument("size")
@click.argument("wanted")
@click.option("--kind", help="The kind of layer; default: conv2d, or conv_transpose2d where the size grows.")
@_framework
@_number("--kernel", 1, "Only this kernel.")
@_number("--stride", 1, "Only this stride.")
@_number("--padding", 0, "Only this padding.")
@_number("--dilation", 1, "Only this dilation.")
@_number("--output-padding", 0, "Only this output padding.")
@_number("--max-kernel", 1, "Kernels up to this one; default: 7, or the step between the sizes.")
@_number("--max-stride", 1, "Strides up to this one; default: 7, or the step between the sizes.")
@_number("--max-padding", 0, "Paddings up to this one; default: half of the window.")
@_number("--max-dilation", 1, "Dilations up to this one; default: 2.")
@click.option("--uneven", is_flag=True, help="Also padding with one more after than before.")
@_limit
@FORMAT
def window(size: str, wanted: str, limit: int, form: str, **options: Any) -> None:
    """List the kernels, strides and paddings that turn SIZE into WANTED, simplest first.

    A size is one number for every axis, as 56, or one per axis, as 224x320.
    """
    from shapecalc.solving.window import solve_window

    found = solve_window(shape(size), shape(wanted), **options)
    _tell(found, found.lines(limit), form, any_found=bool(found.found))


@solve.command(
    short_help="Which transposed layer gives a size back.",
    epilog=examples("shapecalc solve mirror conv2d kernel_size=3 stride=2 padding=1 --size 224"),
)
@click.argument("encoder")
@click.argument("fields", nargs=-1, metavar="FIELD=VALUE...")
@_number("--size", 1, "Only what gives back this size.")
@click.option("--with", "kind", metavar="KIND", help="The decoder's kind; default: conv_transpose...")
@_framework
@_number("--max-kernel", 1, "Kernels up to this one; default: 7, or the encoder's.")
@_number("--max-padding", 0, "Paddings up to this one; default: half of the window.")
@_number("--max-dilation", 1, "Dilations up to this one; default: only the encoder's.")
@_limit
@FORMAT
def mirror(
    encoder: str, fields: tuple[str, ...], framework: str, limit: int, form: str, **options: Any
) -> None:
    """List the transposed layers that give back what ENCODER takes, for every size at once.

    ENCODER is a kind with its fields (max_pool2d kernel_size=2), or a model with one of its layers
    (resnet50 stem.conv2d).
    """
    from shapecalc.layers.registry import kinds
    from shapecalc.solving.mirror import solve_mirror

    if encoder in kinds(framework) or len(fields) != 1 or "=" in fields[0]:
        found = solve_mirror(encoder, _fields(fields), framework=framework, **options)
    else:
        found = solve_mirror(_layer(encoder, fields[0]), **options)
    _tell(found, found.lines(limit), form, any_found=bool(found.found))


@solve.command(
    "input",
    short_help="Which inputs give a result of a size.",
    epilog=examples("shapecalc solve input resnet50 7x7 --at stage4"),
)
@click.argument("model", type=MODEL)
@click.argument("wanted")
@click.option("--at", metavar="LAYER", help="The layer or part whose result is meant; default: the output.")
@click.option("--rebuild", is_flag=True, help="Build the network anew for each size.")
@_built_for
@FORMAT
def input_(
    model: str,
    wanted: str,
    at: str | None,
    rebuild: bool,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    form: str,
) -> None:
    """Tell exactly which inputs of MODEL give a result of the size WANTED, as 7x7 or 512x7x7."""
    asked_of, given, settled = asked(model, inputs, settings)
    found = asked_of.solve(output=shape(wanted), at=at, rebuild=rebuild, input=given, **settled)
    _tell(found, found.lines(), form, any_found=bool(found))


@solve.command(
    short_help="What a parameter must be for so many parameters or MACs.",
    epilog=examples("shapecalc solve budget mobilenet_v2 --macs 300M --free H=W"),
)
@click.argument("model", type=MODEL)
@click.option("--params", metavar="N", help="How many parameters it is to have, as 5M.")
@click.option("--macs", metavar="N", help="How many multiply-accumulates, as 300M.")
@click.option("--free", required=True, metavar="NAME", help="width, depths[2], or H=W for one number.")
@click.option(
    "--multiple-of", default="1", show_default=True, metavar="STEP", help="Only multiples, as 8 or 0.25."
)
@click.option("--between", metavar="FIRST:LAST", help="Only values from one number to another, as 16:512.")
@click.option("--at-most", "aim", flag_value="at_most", help="Not more than the target.")
@click.option("--at-least", "aim", flag_value="at_least", help="Not less than the target.")
@click.option("--nearest", "aim", flag_value="nearest", default=True, help="On either side (the default).")
@_built_for
@FORMAT
def budget(  # noqa: PLR0913, PLR0917  (one argument per option)
    model: str,
    params: str | None,
    macs: str | None,
    free: str,
    multiple_of: str,
    between: str | None,
    aim: str,
    inputs: tuple[str, ...],
    settings: tuple[str, ...],
    form: str,
) -> None:
    """Tell what a free parameter of MODEL must be for a number of parameters or MACs."""
    if (params is None) == (macs is None):
        raise click.UsageError("give --params or --macs, and one of them only")
    question: dict[str, Any] = {
        "params" if macs is None else "macs": amount(params if macs is None else macs),
        "free": [part.strip() for part in free.split("=")],
        "multiple_of": _decimal("--multiple-of", multiple_of),
        "between": None if between is None else _range(between),
        "aim": aim,
    }
    asked_of, given, settled = asked(model, inputs, settings)
    found = asked_of.solve(**question, input=given, **settled)
    _tell(found, found.lines(), form, any_found=bool(found))


@solve.command(
    short_help="The in_features of linear layers, and how they come about.",
    epilog=examples("shapecalc solve features alexnet"),
)
@click.argument("model", type=MODEL)
@click.argument("layer", required=False)
@_built_for
@FORMAT
def features(
    model: str, layer: str | None, inputs: tuple[str, ...], settings: tuple[str, ...], form: str
) -> None:
    """Tell the in_features of the linear layers of MODEL, or of LAYER, and how they come about."""
    asked_of, given, settled = asked(model, inputs, settings)
    found = asked_of.solve(in_features=True if layer is None else layer, input=given, **settled)
    _tell(found, found.lines(), form, any_found=True)


def _tell(found: Answer, lines: Iterable[Told], form: str, *, any_found: bool) -> None:
    if form == "json":
        import json

        say(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(as_text(lines) if form == "text" else written(as_page(lines), form))
    if not any_found:
        click.get_current_context().exit(1)


def _fields(given: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a layer; values are read as in a spec."""
    from shapecalc.spec.located_text import parse

    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name in found:
            raise SpecError(f"{quote(text)}: write FIELD=VALUE, each field once, as kernel_size=3")
        found[name] = parse(value)
    return found


def _layer(model: str, path: str) -> Spatial:
    """Return a layer of a model, its numbers in place."""
    from shapecalc.errors import nearest
    from shapecalc.layers.spatial import Spatial

    report = opened(model).analyze()
    found = {node.path: node.layer for node in report if isinstance(node.layer, Spatial)}
    layer = found.get(path)
    if not isinstance(layer, Spatial):
        raise SpecError(f"{report.name} has no layer {quote(path)} with a window{nearest(path, [*found])}")
    return layer


def _decimal(option: str, text: str) -> Any:
    from fractions import Fraction

    try:
        found = Fraction(text) if len(text) <= 40 else None
    except (ValueError, ZeroDivisionError):
        found = None
    if found is None:
        raise SpecError(f"{option} {quote(text)} is not a number: write 8, 0.25 or 1/3")
    return found.numerator if found.denominator == 1 else found


def _range(text: str) -> tuple[Any, Any]:
    first, colon, last = text.partition(":")
    if not colon:
        raise SpecError(f"--between {quote(text)}: write FIRST:LAST, as 16:512")
    return _decimal("--between", first), _decimal("--between", last)
