"""The notes under a layer table: inputs and outputs, totals, memory, growth, and the convention."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped, leading_latex
from shapecalc.algebra.expr_text import latex as latex_dim
from shapecalc.conventions.by_tool import DEFAULT
from shapecalc.errors import Undecided
from shapecalc.render.piece import Inline, Line, Math, amount, sizes
from shapecalc.report.node import packed
from shapecalc.report.report import Report

if TYPE_CHECKING:
    from shapecalc.algebra.leading import Leading
    from shapecalc.layers.requirement import Shape
    from shapecalc.report.cost import Cost

KERAS_COUNTING = (
    "Parameters as Keras counts them: the statistics of batch normalization are among them, untrained."
)
FIELDS = (
    "Field: the receptive field of a position in the input, as size, s stride, @ left edge of the first; "
    "its largest size after ≤, where it differs from position to position."
)


BINARY_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def notes(report: Report, *, batch: bool = False, fields: bool = False) -> Iterator[Line]:
    """Yield a line for each thing that a reader of the table needs to know beside it."""
    for label, shapes in (("Inputs", report.inputs), ("Outputs", report.outputs)):
        if len(shapes) > 1:
            yield f"{label}: ", *_shapes(report, shapes, batch=batch)
    yield tuple(_parameters(report))
    if report.counting == "keras":
        yield (KERAS_COUNTING,)
    yield from _costs(report, report.cost())
    yield f"Memory in {report.dtype}: parameters ", *memory(packed(report.params, report.bits))
    for (index, first, last), groups in report.passes.items():
        passes = Math(rf"{index} = {first}, \dots, {latex_dim(last)}", f"{index} = {first} … {grouped(last)}")
        yield "Passes ", passes, f" of {', '.join(groups)}"
    yield from ((sentence,) for sentence in report.validity)
    if not report.is_symbolic and (conditions := _recorded_conditions(report)):  # else they are above
        yield (
            f"Traced where {'; '.join(conditions)}. What the forward does elsewhere is not in this table.",
        )
    yield (report.convention.sentence,)
    if fields:
        yield (FIELDS,)
        if unknown := report.fields_unknown:
            yield (f"Field not known: {', '.join(unknown)}",)


def _recorded_conditions(report: Report) -> list[str]:
    """Return what a forward decided by sizes when traced: the first of each line, and how many more."""
    by_origin: dict[str, list[str]] = {}
    for node in report.graph.nodes:
        if node.written is not None and (condition := node.written.condition):
            by_origin.setdefault(node.place.shown(), []).append(condition)
    texts: list[str] = []
    for origin, conditions in by_origin.items():
        first, *others = dict.fromkeys(conditions)
        more = f" and {len(others)} more" if others else ""
        texts.append(f"{first}{more} ({origin})" if origin else " and ".join((first, *others)))
    return texts


def _shapes(report: Report, shapes: dict[str, Shape], *, batch: bool) -> Iterator[Inline]:
    for number, (name, shape) in enumerate(shapes.items()):
        yield f"{', ' if number else ''}{name} "
        yield sizes(report.visible(shape, batch=batch))


def _parameters(report: Report) -> Iterator[Inline]:
    params, trainable, buffers = report.params, report.trainable_params, report.buffer_count
    yield from ("Parameters: ", amount(params))
    if trainable != params:
        yield from (" (", amount(trainable), " trainable)")
    if (active := report.active_params) is not None:
        yield from (", of which one token uses ", amount(active))
    if buffers != 0:
        are_numbers = isinstance(params, int) and isinstance(buffers, int)
        yield from (" + " if are_numbers else ", and ", amount(buffers), " in buffers")


def _costs(report: Report, cost: Cost) -> Iterator[Line]:
    """Yield the total cost, its parts, how it grows, and the layers that it leaves out."""
    title, at_least = report.convention.title, "" if cost.complete else "at least "
    flops = f"; FLOPs: {at_least}{grouped(report.flops)}"
    has_flops = report.convention.name == DEFAULT and isinstance(cost.total, int)
    yield f"{title}: {at_least}", amount(cost.total), flops if has_flops else ""
    others = [(part, value) for part, value in cost.parts.items() if part != cost.unit and value != 0]
    if others:
        line: list[Inline] = ["Among them: " if len(cost.parts) > 2 else "Beside them: "]
        for number, (part, value) in enumerate(others):
            line += [", " if number else "", amount(value), f" {part}"]
        yield tuple(line)
    try:
        growth = report.leading(cost.total)
    except Undecided as undecided:
        yield (f"{title} for large inputs: {undecided.message}",)
    else:
        if growth is not None:
            yield _growth(report, growth, at_least)
    if not cost.complete:
        more = len(cost.not_counted) - _MOST_NAMED
        names = cost.not_counted if more <= 1 else cost.not_counted[:_MOST_NAMED]
        yield (f"Not counted: {', '.join(names)}{f' and {more} more' if more > 1 else ''}",)


_MOST_NAMED = 3


def _growth(report: Report, growth: Leading, at_least: str) -> Line:
    """Return how the cost grows with large inputs, by pixel where the input is an image."""
    title = report.convention.title
    number = per_pixel(report, growth)
    if number is not None:
        return (f"{title} per input pixel, for large inputs: {at_least}{exact(number)}",)
    return f"{title} for large inputs: {at_least}about ", Math(leading_latex(growth), str(growth))


def per_pixel(report: Report, growth: Leading) -> Fraction | None:
    """Return the cost of a pixel, if the network has one image as input and costs so much for each pixel."""
    sides = report.sides(report.input)
    ((powers, number), *others) = growth.parts().items()
    is_image = len(report.inputs) == 1 and len(sides) > 1 and sorted(map(str, sides)) == [*growth.names]
    each_once = powers == tuple((name, 1) for name in growth.names)
    if others or not is_image or not each_once or not isinstance(number, int):
        return None
    return Fraction(number, growth.denominator)


def exact(value: Fraction) -> str:
    """Return a rational as it is, and about how much it is.

    >>> exact(Fraction(81456)), exact(Fraction(244839, 32))
    ('81,456', '244,839/32, about 7,651')
    """
    if value.denominator == 1:
        return grouped(value.numerator)
    digits = 0 if value >= 100 else 2
    return f"{value.numerator:,}/{value.denominator:,}, about {float(value):,.{digits}f}"


def memory(size: Dim) -> Line:
    """Return a number of bytes in KiB or MiB.

    >>> memory(2**20 * 3), memory(1536)
    (('3.0 MiB',), ('1.5 KiB',))
    """
    if not isinstance(size, int):
        return amount(size), " bytes"
    for unit, scale in reversed(BINARY_UNITS.items()):
        if size >= scale:
            return (f"{size / scale:,.1f} {unit}",)
    return (f"{size} bytes",)
