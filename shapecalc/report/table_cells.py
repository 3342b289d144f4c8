"""The cells of the layer table, the same for every output form."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped, is_sum
from shapecalc.conventions.by_tool import DEFAULT
from shapecalc.errors import Undecided
from shapecalc.layers.requirement import Shape, shown
from shapecalc.report.outline import Item, lines, outline, window_text
from shapecalc.report.receptive_field import field_text
from shapecalc.report.report import Report

if TYPE_CHECKING:
    from shapecalc.algebra.leading import Leading
    from shapecalc.report.cost import Cost

COLUMNS = ("Layer", "Kind", "Kernel", "Output", "Field", "Params", "Params %", "MACs", "MACs %")
KERAS_COUNTING = (
    "Parameters as Keras counts them: the statistics of batch normalization are among them, untrained."
)
FIELDS = (
    "Field: the receptive field of a position in the input, as size, s stride, @ left edge of the first; "
    "its largest size after ≤, where it differs from position to position."
)


def headers(report: Report) -> dict[str, str]:
    """Return what stands over the columns, where that is not their name: costs go by their convention."""
    return {"Params %": "%", "MACs %": "%", "MACs": report.convention.title}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: the depth of its item, whether it is a part, and one text per column."""

    depth: int
    is_part: bool
    cells: dict[str, str]


def rows(report: Report, depth: int | None = None, *, batch: bool = False, fields: bool = False) -> list[Row]:
    """Return a row per line of the outline, and a last one with the totals."""
    params, cost = report.params, report.cost()
    found = [
        _row(item, report, params, cost.total, batch, fields)
        for item in lines(outline(report, depth, fields=fields))
    ]
    at_least = "" if cost.complete else "≥ "
    last = {
        "Layer": "Total",
        "Kind": "",
        "Kernel": "",
        "Output": shape_text(report.output, report, batch=batch),
        "Field": "",
        "Params": _short(params),
        "Params %": "",
        "MACs": f"{at_least}{_short(cost.total)}",
        "MACs %": "",
    }
    return [*found, Row(0, True, last)]  # noqa: FBT003


LONGEST_FORMULA = 48
SEE_BELOW = "(see below)"


def _short(value: Dim) -> str:
    """A long formula stands under the table, where it is not cut."""
    text = grouped(value)
    return text if isinstance(value, int) or len(text) <= LONGEST_FORMULA else SEE_BELOW


def _row(item: Item, report: Report, params: Dim, total: Dim, batch: bool, fields: bool) -> Row:
    times = "" if item.count == 1 else f" ×{_factor(item.count)}"
    is_part = item.node is None or bool(item.children)
    cost, is_all = item.cost(report.convention)
    at_least = "" if is_all or cost is None else "≥ "
    cells = {
        "Layer": f"{item.label}{times}",
        "Kind": item.kind,
        "Kernel": window_text(item.window),
        "Output": "" if item.output is None else shape_text(item.output, report, batch=batch),
        "Field": field_text(item.field) if fields and item.nodes else "",
        "Params": "shared" if item.is_shared else grouped(item.params),
        "Params %": share(item.params, params),
        "MACs": "?" if cost is None else f"{at_least}{grouped(cost)}",
        "MACs %": "" if cost is None else share(cost, total),
    }
    return Row(item.depth, is_part, cells)


def _factor(value: Dim) -> str:
    return f"({grouped(value)})" if is_sum(value) else grouped(value)


def share(part: Dim, whole: Dim) -> str:
    """Return how many percent a part is, or nothing where that is no number.

    >>> share(1, 3), share(0, 3)
    ('33.3', '')
    """
    if not isinstance(part, int) or not isinstance(whole, int) or not part or not whole:
        return ""
    return f"{100 * part / whole:.1f}"


def shape_text(shape: Shape, report: Report, *, batch: bool) -> str:
    """Return a shape for a reader: without the batch axis, unless it was asked for."""
    return shown(visible(shape, report, batch=batch))


def visible(shape: Shape, report: Report, *, batch: bool) -> Shape:
    """Return what of a shape a reader sees: all but the batch axis, unless it was asked for."""
    first = report.input[:1]
    if batch or not first or len(shape) < 2 or shape[:1] != first or report.unbatched:
        return shape
    return shape[1:]


def summary(report: Report, *, batch: bool = False, fields: bool = False) -> list[str]:
    """Return the lines under the table: outputs, totals, memory, and the convention."""
    found: list[str] = []
    if len(report.inputs) > 1:
        shapes = (f"{name} {shape_text(shape, report, batch=batch)}" for name, shape in report.inputs.items())
        found.append(f"Inputs: {', '.join(shapes)}")
    if len(report.outputs) > 1:
        shapes = (
            f"{name} {shape_text(shape, report, batch=batch)}" for name, shape in report.outputs.items()
        )
        found.append(f"Outputs: {', '.join(shapes)}")
    frozen = (
        "" if report.trainable_params == report.params else f" ({grouped(report.trainable_params)} trainable)"
    )
    joint = " +" if isinstance(report.params, int) and isinstance(report.buffer_count, int) else ", and"
    buffers = f"{joint} {grouped(report.buffer_count)} in buffers" if report.buffer_count != 0 else ""
    found.append(f"Parameters: {grouped(report.params)}{frozen}{buffers}")
    if report.counting == "keras":
        found.append(KERAS_COUNTING)
    found += costs(report)
    found.append(
        f"Memory in {report.dtype}: parameters {memory(report.params * report.itemsize)}, "
        f"all layer outputs {memory(report.bytes)}"
    )
    told = [FIELDS, *unknown_fields(report)] if fields else []
    return [*found, *counted(report), *validity(report), report.convention.sentence, *told]


def unknown_fields(report: Report) -> list[str]:
    """Return which layers have no known receptive field, as a line, if there are any."""
    unknown = report.fields_unknown
    return [f"Field not known: {', '.join(unknown)}"] if unknown else []


def costs(report: Report) -> list[str]:
    """Return the total cost, its parts, how it grows, and the layers that it leaves out."""
    cost, title = report.cost(), report.convention.title
    at_least = "" if cost.complete else "at least "
    flops = ""
    if report.convention.name == DEFAULT and isinstance(cost.total, int):
        flops = f"; FLOPs: {at_least}{grouped(report.flops)}"
    found = [f"{title}: {at_least}{grouped(cost.total)}{flops}"]
    others = [
        f"{grouped(value)} {part}" for part, value in cost.parts.items() if part != cost.unit and value != 0
    ]
    if others:
        found.append(f"{'Among them' if len(cost.parts) > 2 else 'Beside them'}: {', '.join(others)}")
    found += growth(report, cost)
    return found if cost.complete else [*found, f"Not counted: {_listed(cost.not_counted)}"]


def _listed(names: list[str], most: int = 3) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:most])} and {more} more"


def growth(report: Report, cost: Cost) -> list[str]:
    """Return how the cost grows with large inputs, where sizes of the input are free."""
    title = report.convention.title
    try:
        found = report.leading(cost.total)
    except Undecided as undecided:
        return [f"{title} for large inputs: {undecided.message}"]
    if found is None:
        return []
    at_least = "" if cost.complete else "at least "
    number = per_pixel(report, found)
    if number is None:
        return [f"{title} for large inputs: {at_least}about {found}"]
    return [f"{title} per input pixel, for large inputs: {at_least}{exact(number)}"]


def per_pixel(report: Report, found: Leading) -> Fraction | None:
    """Return the cost of a pixel, if the network has one image as input and costs so much for each pixel."""
    sides = report.sides(report.input)
    ((powers, number), *others) = found.parts().items()
    is_image = len(report.inputs) == 1 and len(sides) > 1 and sorted(map(str, sides)) == [*found.names]
    each_once = powers == tuple((name, 1) for name in found.names)
    if others or not is_image or not each_once or not isinstance(number, int):
        return None
    return Fraction(number, found.denominator)


def exact(value: Fraction) -> str:
    """Return a rational as it is, and about how much it is.

    >>> exact(Fraction(81456)), exact(Fraction(244839, 32))
    ('81,456', '244,839/32, about 7,651')
    """
    if value.denominator == 1:
        return grouped(value.numerator)
    digits = 0 if value >= 100 else 2
    return f"{value.numerator:,}/{value.denominator:,}, about {float(value):,.{digits}f}"


def counted(report: Report) -> list[str]:
    """Return what the indices of passes that were left free stand for."""
    return [
        f"Passes {index} = {first} … {grouped(last)} of {', '.join(parts)}"
        for (index, first, last), parts in report.passes.items()
    ]


def validity(report: Report) -> list[str]:
    """Return for which sizes a symbolic report is true: solved where one unknown stands alone."""
    conditions = report.conditions
    if not conditions:
        return []
    from shapecalc.algebra.relation import combined

    needed = [condition.requirement for condition in conditions]
    solved, left_over = combined(one.relation for one in needed)
    texts = [solution.text(name) for name, solution in sorted(solved.items())]
    lines = [f"Holds where {'; '.join(texts)}"] if texts else []
    return lines + [f"Holds where {conditions[position]}" for position in left_over]


def memory(size: Dim) -> str:
    """Return a number of bytes in KiB or MiB.

    >>> memory(2**20 * 3), memory(1536)
    ('3.0 MiB', '1.5 KiB')
    """
    if not isinstance(size, int):
        return f"{grouped(size)} bytes"
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size} bytes"


def heading(report: Report, *, batch: bool = False) -> str:
    """Return the line over the table: what network on which input."""
    title = report.title or report.name
    return f"{title} ({report.name}) on {shape_text(report.input, report, batch=batch)}"
