"""`shapecalc solve`: one command per inverse question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from shapecalc.arguments import Loaded, amount, assignments, load_model, shape, size_in_bytes
from shapecalc.cli.cli_options import FORMAT, FRAMEWORK, examples, loads_model, number_option
from shapecalc.console import say_json, say_page
from shapecalc.errors import SpecError, nearest, quote
from shapecalc.render.lines import LONGEST_LIST, Answer, as_page

if TYPE_CHECKING:
    from shapecalc.layers.spatial import Spatial

_LIMIT = number_option("--limit", 1, "How many to print.", LONGEST_LIST)


@click.group(short_help="Solve inverse questions: which setting gives this result?")
def solve() -> None:
    """Solve inverse questions: which setting, input, width or depth gives a wanted result.

    Exit status 1 where there is no answer.
    """


@solve.command(
    short_help="Which kernel, stride, padding turn one size into another.",
    epilog=examples("shapecalc solve window 224 112", "shapecalc solve window 28 28 --limit 5"),
)
@click.argument("size")
@click.argument("wanted")
@click.option("--kind", help="The kind of layer; default: conv2d, or conv_transpose2d where the size grows.")
@FRAMEWORK
@number_option("--kernel", 1, "Only this kernel.")
@number_option("--stride", 1, "Only this stride.")
@number_option("--padding", 0, "Only this padding.")
@number_option("--dilation", 1, "Only this dilation.")
@number_option("--output-padding", 0, "Only this output padding.")
@number_option("--max-kernel", 1, "Kernels up to this one; default: 7, or the step between the sizes.")
@number_option("--max-stride", 1, "Strides up to this one; default: 7, or the step between the sizes.")
@number_option("--max-padding", 0, "Paddings up to this one; default: half of the window.")
@number_option("--max-dilation", 1, "Dilations up to this one; default: 2.")
@click.option("--uneven", is_flag=True, help="Also padding with one more after than before.")
@_LIMIT
@FORMAT
def window(size: str, wanted: str, limit: int, form: str, **options: Any) -> None:
    """List the kernels, strides and paddings that turn SIZE into WANTED, simplest first.

    A size is one number for every axis, as 56, or one per axis, as 224x320.
    """
    from shapecalc.solving.window import solve_window

    answer = solve_window(shape(size), shape(wanted), **options)
    _print(answer, form, has_answer=bool(answer.entries), limit=limit)


@solve.command(
    short_help="Which transposed layer restores a size.",
    epilog=examples("shapecalc solve mirror conv2d kernel_size=3 stride=2 padding=1 --size 224"),
)
@click.argument("encoder")
@click.argument("fields", nargs=-1, metavar="FIELD=VALUE...")
@number_option("--size", 1, "Only what gives back this size.")
@click.option("--with", "kind", metavar="KIND", help="The decoder's kind; default: conv_transpose...")
@FRAMEWORK
@number_option("--max-kernel", 1, "Kernels up to this one; default: 7, or the encoder's.")
@number_option("--max-padding", 0, "Paddings up to this one; default: half of the window.")
@number_option("--max-dilation", 1, "Dilations up to this one; default: only the encoder's.")
@_LIMIT
@FORMAT
def mirror(
    encoder: str, fields: tuple[str, ...], framework: str, limit: int, form: str, **options: Any
) -> None:
    """List the transposed layers that restore the input size of ENCODER, for every size at once.

    ENCODER is a kind with its fields (max_pool2d kernel_size=2), or a model with one of its layers
    (resnet50 stem.conv2d).
    """
    from shapecalc.layers.registry import kinds
    from shapecalc.solving.mirror import solve_mirror

    if encoder in kinds(framework) or len(fields) != 1 or "=" in fields[0]:
        settings = assignments(fields, "", "FIELD=VALUE, as kernel_size=3")
        answer = solve_mirror(encoder, settings, framework=framework, **options)
    else:
        answer = solve_mirror(_layer(encoder, fields[0]), **options)
    _print(answer, form, has_answer=bool(answer.entries), limit=limit)


@solve.command(
    "input",
    short_help="Which inputs give an output size.",
    epilog=examples("shapecalc solve input resnet50 7x7 --at stage4"),
)
@loads_model
@click.argument("wanted")
@click.option(
    "--at", metavar="LAYER", help="The layer or block whose output is meant; default: the network's."
)
@click.option("--rebuild", is_flag=True, help="Rebuild the network for each size.")
@FORMAT
def input_(loaded: Loaded, wanted: str, at: str | None, form: str, *, rebuild: bool) -> None:
    """Print exactly which inputs of MODEL give an output of size WANTED, as 7x7 or 512x7x7."""
    answer = loaded.model.solve(output=shape(wanted), at=at, rebuild=rebuild, **loaded.arguments)
    _print(answer, form, has_answer=bool(answer))


@solve.command(
    short_help="Which value of a parameter meets a budget: parameters, MACs, bytes.",
    epilog=examples(
        "shapecalc solve budget mobilenet_v2 --macs 300M --free H=W",
        "shapecalc solve budget resnet50 --memory 8GiB --train adamw --free batch",
    ),
)
@loads_model
@click.option("--params", metavar="N", help="Wanted number of parameters, as 5M.")
@click.option("--macs", metavar="N", help="Wanted number of multiply-accumulates, as 300M.")
@click.option("--memory", metavar="BYTES", help="The most bytes alive at once, as 8GiB.")
@click.option("--train", "optimizer", metavar="OPTIMIZER", help="Bytes of a training step, as with adamw.")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Batch size, where it is not free.")
@click.option(
    "--free", required=True, metavar="NAME", help="width, depths[2], batch, or H=W for two equal sizes."
)
@click.option(
    "--multiple-of",
    default="1",
    show_default=True,
    metavar="STEP",
    help="Only multiples of STEP, as 8 or 0.25.",
)
@click.option("--between", metavar="FIRST:LAST", help="Only values in this range, as 16:512.")
@click.option("--at-most", "aim", flag_value="at_most", help="Not more than the target.")
@click.option("--at-least", "aim", flag_value="at_least", help="Not less than the target.")
@click.option("--nearest", "aim", flag_value="nearest", help="On either side; the default but for bytes.")
@FORMAT
def budget(
    loaded: Loaded,
    params: str | None,
    macs: str | None,
    memory: str | None,
    free: str,
    form: str,
    *,
    between: str | None,
    multiple_of: str,
    **options: Any,
) -> None:
    """Print the value of a free parameter of MODEL that gives a number of parameters, MACs or bytes."""
    targets = {
        "params": amount(params),
        "macs": amount(macs),
        "memory": None if memory is None else size_in_bytes(memory),
    }
    target = {quantity: most for quantity, most in targets.items() if most is not None}
    if len(target) != 1:
        raise click.UsageError("give --params, --macs or --memory, and one of them only")
    if memory is None and options["optimizer"] is not None:
        raise click.UsageError("--train goes with --memory")
    question: dict[str, Any] = {
        **target,
        **{name: value for name, value in options.items() if value is not None},
        "free": [part.strip() for part in free.split("=")],
        "multiple_of": _decimal("--multiple-of", multiple_of),
        "between": None if between is None else _range(between),
    }
    answer = loaded.model.solve(**question, **loaded.arguments)
    _print(answer, form, has_answer=bool(answer))


@solve.command(
    short_help="The in_features of linear layers, with the derivation.",
    epilog=examples("shapecalc solve features alexnet"),
)
@loads_model
@click.argument("layer", required=False)
@FORMAT
def features(loaded: Loaded, layer: str | None, form: str) -> None:
    """Print the in_features of the linear layers of MODEL, or of LAYER, with the derivation."""
    answer = loaded.model.solve(in_features=True if layer is None else layer, **loaded.arguments)
    _print(answer, form, has_answer=True)


def _print(answer: Answer, form: str, *, has_answer: bool, limit: int = LONGEST_LIST) -> None:
    if form == "json":
        say_json(answer.to_dict())
    else:
        say_page(as_page(answer.lines(limit)), form)
    if not has_answer:
        click.get_current_context().exit(1)


def _layer(model: str, path: str) -> Spatial:
    """Return a layer of a model with its numbers resolved."""
    from shapecalc.layers.spatial import Spatial

    report, _ = load_model(model, (), ()).analyze()
    layers = {node.path: node.layer for node in report if isinstance(node.layer, Spatial)}
    layer = layers.get(path)
    if not isinstance(layer, Spatial):
        raise SpecError(f"{report.name} has no layer {quote(path)} with a window{nearest(path, [*layers])}")
    return layer


def _decimal(option: str, text: str) -> Any:
    from fractions import Fraction

    try:
        number = Fraction(text) if len(text) <= 40 else None
    except (ValueError, ZeroDivisionError):
        number = None
    if number is None:
        raise SpecError(f"{option} {quote(text)} is not a number: write 8, 0.25 or 1/3")
    return number.numerator if number.denominator == 1 else number


def _range(text: str) -> tuple[Any, Any]:
    first, colon, last = text.partition(":")
    if not colon:
        raise SpecError(f"--between {quote(text)}: write FIRST:LAST, as 16:512")
    return _decimal("--between", first), _decimal("--between", last)
