"""A report, and one layer of it, as pieces: a table, what stands under it, the facts of a node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapecalc.algebra import Dim
from shapecalc.errors import SpecError, nearest, quote
from shapecalc.layers.requirement import Shape
from shapecalc.render.piece import (
    Bullets,
    Code,
    Column,
    Facts,
    Fold,
    Inline,
    Line,
    Math,
    Page,
    Row,
    Table,
    amount,
    factor_latex,
    plain,
    sizes,
)
from shapecalc.report.node import Node
from shapecalc.report.outline import Item, lines, outline, window_text
from shapecalc.report.receptive_field import field_text
from shapecalc.report.report import Report
from shapecalc.report.table_cells import (
    COLUMNS,
    LONGEST_FORMULA,
    SEE_BELOW,
    headers,
    heading,
    memory,
    share,
    summary,
    visible,
)

LONG = 24
"""A table of more lines than this is folded where a reader can open it."""
LEFT = COLUMNS[:5]
AT_LEAST: Line = (Math(r"\geq", "≥"), " ")
"""What stands before a total that leaves something out."""


def report_page(report: Report, *, batch: bool = False) -> Page:
    """Return the table of a report with its summary; of a long one the parts, and all layers to open."""
    every = [*lines(outline(report))]
    parts = [*lines(outline(report, 1))]
    notes = Bullets(tuple((sentence,) for sentence in summary(report, batch=batch)))
    if len(every) <= LONG or len(parts) == len(every):
        return layers_table(report, batch=batch), notes
    whole = layers_table(report, batch=batch, caption=())
    return (
        layers_table(report, 1, batch=batch),
        Fold((f"All {len(every)} lines, {len(report.nodes):,} layers",), (whole,)),
        notes,
    )


def layers_table(
    report: Report,
    depth: int | None = None,
    *,
    batch: bool = False,
    columns: Sequence[str] | None = None,
    caption: Line | None = None,
    has_notes: bool = True,
    fields: bool = False,
) -> Table:
    """Return a row per line of the outline and one with the totals; columns that would be empty are left out.

    A total that is a long formula stands in the notes, if there are any.

    >>> from shapecalc.model import load
    >>> table = layers_table(load("lenet5").analyze(), columns=("Layer", "Params"))
    >>> [column.header for column in table.columns], table.rows[0].cells, table.rows[-1].is_total
    (['Layer', 'Params'], (('c1',), ('156',)), True)
    """
    whole, over = (report.params, report.cost().total), headers(report)
    found = [
        (item, _cells(item, report, whole, batch, fields))
        for item in lines(outline(report, depth, fields=fields))
    ]
    total = _total(report, batch)
    if has_notes:
        total |= {name: _short(total[name]) for name in ("Params", "MACs")}
    names = [
        name
        for name in columns or COLUMNS
        if columns is not None or total[name] or any(cells[name] for _, cells in found)
    ]
    rows = [Row(tuple(cells[name] for name in names), item.depth) for item, cells in found]
    return Table(
        tuple(Column(over.get(name, name), name not in LEFT) for name in names),
        (*rows, Row(tuple(total[name] for name in names), is_total=True)),
        (heading(report, batch=batch),) if caption is None else caption,
    )


def _cells(item: Item, report: Report, whole: tuple[Dim, Dim], batch: bool, fields: bool) -> dict[str, Line]:
    cost, is_all = item.cost(report.convention)
    told = ("?",) if cost is None else (amount(cost),) if is_all else (*AT_LEAST, amount(cost))
    return {
        "Layer": (item.label, *_times(item.count)),
        "Kind": _words(item.kind),
        "Kernel": _words(window_text(item.window)),
        "Output": () if item.output is None else (_shape(item.output, report, batch=batch),),
        "Field": _words(field_text(item.field)) if fields and item.nodes else (),
        "Params": ("shared",) if item.is_shared else (amount(item.params),),
        "Params %": _words(share(item.params, whole[0])),
        "MACs": told,
        "MACs %": () if cost is None else _words(share(cost, whole[1])),
    }


def _total(report: Report, batch: bool) -> dict[str, Line]:
    empty: dict[str, Line] = dict.fromkeys(COLUMNS, ())
    cost = report.cost()
    return empty | {
        "Layer": ("Total",),
        "Output": (_shape(report.output, report, batch=batch),),
        "Params": (amount(report.params),),
        "MACs": (*(() if cost.complete else AT_LEAST), amount(cost.total)),
    }


def _short(line: Line) -> Line:
    is_long = any(isinstance(part, Math) and len(part.text) > LONGEST_FORMULA for part in line)
    return (SEE_BELOW,) if is_long else line


def _words(text: str) -> Line:
    return (text,) if text else ()


def _times(count: Dim) -> Line:
    if isinstance(count, int):
        return () if count == 1 else (f" ×{count}",)
    return (" ", Math(rf"\times {factor_latex(count)}", f"×{plain((amount(count),))}"))


def _shape(shape: Shape, report: Report, *, batch: bool) -> Inline:
    return sizes(visible(shape, report, batch=batch))


def node_page(node: Node) -> Page:
    """Return what is known of one layer as facts; shapes have the batch in front."""
    return (Facts(tuple(_facts(node))),)


def _facts(node: Node) -> Iterator[tuple[str, Line]]:
    yield "Layer", (Code(node.path), f", {node.kind}")
    for number, shape in enumerate(node.inputs):
        yield "" if number else "Input", (sizes(shape),)
    for number, shape in enumerate(node.outputs):
        yield "" if number else "Output", (sizes(shape),)
    if node.window:
        yield "Kernel", (window_text(node.window),)
    for label, tensors in (("Weights", node.weights), ("Buffers", node.buffers)):
        for number, (name, shape) in enumerate(tensors.items()):
            yield "" if number else label, (Code(name), " ", sizes(shape))
    if node.shares is not None:
        yield "Parameters", ("those of ", Code(node.shares), ", counted there")
    else:
        yield "Parameters", (amount(node.params),)
    yield "MACs", ("not counted: this kind cannot tell",) if node.macs is None else (amount(node.macs),)
    yield "Memory", (memory(node.bytes),)
    if node.place:
        yield "Written in", (str(node.place),)


COLUMN_NAMES = {
    "layer": "Layer",
    "kind": "Kind",
    "kernel": "Kernel",
    "output": "Output",
    "field": "Field",
    "params": "Params",
    "params%": "Params %",
    "macs": "MACs",
    "macs%": "MACs %",
}
"""The columns as they are asked for."""


def chosen_columns(names: Sequence[str]) -> list[str]:
    """Return the columns that are asked for by their short names.

    >>> chosen_columns(["layer", "macs%"])
    ['Layer', 'MACs %']
    """
    for name in names:
        if name.lower() not in COLUMN_NAMES:
            raise SpecError(
                f"there is no column {quote(name)}{nearest(name, [*COLUMN_NAMES])}",
                hint=f"columns: {', '.join(COLUMN_NAMES)}",
            )
    return [COLUMN_NAMES[name.lower()] for name in names]


def summary_page(report: Report, *, batch: bool = False, fields: bool = False) -> Page:
    """Return what stands under the table of a report, without the table."""
    return (Bullets(tuple((sentence,) for sentence in summary(report, batch=batch, fields=fields))),)
