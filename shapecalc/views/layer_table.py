"""The layer table: one page for the terminal, notebooks and documents in every form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped, is_sum
from shapecalc.errors import unknown
from shapecalc.render.piece import (
    Bullets,
    Column,
    Inline,
    Line,
    Math,
    Page,
    Row,
    Sizes,
    Strong,
    Table,
    amount,
    factor_latex,
    sizes,
)
from shapecalc.report.outline import Item, lines, outline, window_text
from shapecalc.report.receptive_field import field_text
from shapecalc.report.report import Report
from shapecalc.views.notes import notes

COLUMNS = {
    "layer": Column("Layer"),
    "kind": Column("Kind", early=3),
    "kernel": Column("Kernel", early=4),
    "output": Column("Output"),
    "field": Column("Field", is_uncut=True),
    "params": Column("Params", is_right=True, late=2),
    "params%": Column("%", is_right=True, early=1),
    "macs": Column("MACs", is_right=True, late=1),
    "macs%": Column("%", is_right=True, early=2),
    "source": Column("Source", is_uncut=True),
}
"""The columns by their names in options; the header of costs is the title of their convention."""
LONG = 24
"""A table of more rows than this is folded in a notebook."""
_AT_LEAST: Line = (Math(r"\geq", "≥"), " ")
"""What is before a total that leaves something out."""
_LONGEST_FORMULA = 48


def notebook_page(report: Report) -> Page:
    """Return the table of a report with its notes; a long one opens where a reader can open it."""
    table = layer_table(report)
    if len(table.rows) - 1 <= LONG or all(row.depth == 0 for row in table.rows):
        return (table,)
    return (replace(table, fold=(f"All {len(table.rows) - 1} lines, {len(report.nodes):,} layers",)),)


def notes_page(report: Report, *, batch: bool = False, fields: bool = False) -> Page:
    """Return what is under the table of a report, without the table."""
    return (Bullets(tuple(notes(report, batch=batch, fields=fields))),)


def layer_table(
    report: Report,
    depth: int | None = None,
    *,
    batch: bool = False,
    columns: Sequence[str] = (),
    caption: Line | None = None,
    has_notes: bool = True,
    fields: bool = False,
    source: bool = False,
) -> Table:
    """Return a row for each item of the outline and one with the totals.

    Without `columns`, those that would be empty are left out. A total that is a long formula is in the notes,
    if there are any. Raises `SpecError` for a column that does not exist.

    >>> from shapecalc.model import load
    >>> table = layer_table(load("lenet5").analyze(), columns=("layer", "params"))
    >>> [column.header for column in table.columns], table.rows[0].cells, table.rows[-1].is_total
    (['Layer', 'Params'], (('c1',), ('156',)), True)
    """
    names = [name for name in _chosen(columns) if columns or source or name != "source"]
    shown = COLUMNS | {"macs": replace(COLUMNS["macs"], header=report.convention.title)}
    cells = _Cells(report, batch, fields, "source" in names)
    rows = [(cells.of(item), item.depth, False) for item in lines(outline(report, depth, fields=fields))]
    rows.append((cells.total(is_short=has_notes), 0, True))
    table = Table(
        tuple(shown[name] for name in names),
        tuple(Row(tuple(row[name] for name in names), level, last) for row, level, last in rows),
        (report.heading(batch=batch),) if caption is None else caption,
        tuple(notes(report, batch=batch, fields=fields)) if has_notes else (),
    )
    return table if columns else table.filled


def _chosen(names: Sequence[str]) -> list[str]:
    for name in names:
        if name.lower() not in COLUMNS:
            raise unknown("there is no column", name, COLUMNS, "columns")
    return [name.lower() for name in names] or [*COLUMNS]


class _Cells:
    """Makes the cells of one table, by the names of the columns."""

    def __init__(self, report: Report, batch: bool, fields: bool, source: bool) -> None:
        self.report = report
        self.batch = batch
        self.fields = fields
        self.source = source
        self.params = report.params
        self.cost = report.cost()

    def of(self, item: Item) -> dict[str, Line]:
        """Return the cells of a row."""
        cost, is_all = item.cost(self.report.convention)
        params = item.params
        return {
            "layer": _label(item),
            "kind": _words(item.kind),
            "kernel": _words(Sizes(window_text(item.window))),
            "output": self._shape(item.output) if item.nodes else (),
            "field": _words(Sizes(field_text(item.field))) if self.fields and item.nodes else (),
            "params": ("shared",) if item.is_shared else (amount(params),),
            "params%": _words(share(params, self.params)),
            "macs": ("?",) if cost is None else (*(() if is_all else _AT_LEAST), amount(cost)),
            "macs%": () if cost is None else _words(share(cost, self.cost.total)),
            "source": _words(item.node.place.shown() if self.source and item.node else ""),
        }

    def total(self, *, is_short: bool) -> dict[str, Line]:
        """Return the cells of the last row, long formulas left out if it is to be short."""
        cells: dict[str, Line] = dict.fromkeys(COLUMNS, ())
        params, cost = amount(self.params), amount(self.cost.total)
        if is_short:
            params, cost = _short(params), _short(cost)
        return cells | {
            "layer": ("Total",),
            "output": self._shape(self.report.output),
            "params": (params,),
            "macs": (*(() if self.cost.complete else _AT_LEAST), cost),
        }

    def _shape(self, shape: tuple[Dim, ...]) -> Line:
        return (sizes(self.report.visible(shape, batch=self.batch)),)


def _short(part: Inline) -> Inline:
    return "(see below)" if isinstance(part, Math) and len(part.text) > _LONGEST_FORMULA else part


def _label(item: Item) -> Line:
    """Return the name of an item and how many passes it is, a group in bold."""
    count = item.count
    text = f"{item.label} ×{count}" if isinstance(count, int) and count != 1 else item.label
    label: Line = (Strong(text) if item.is_group else text,)
    if isinstance(count, int):
        return label
    times = f"({grouped(count)})" if is_sum(count) else grouped(count)
    return (*label, " ", Math(rf"\times {factor_latex(count)}", f"×{times}"))


def _words(text: str) -> Line:
    return (text,) if text else ()


def share(part: Dim, all_parts: Dim) -> str:
    """Return how many percent a part is, or nothing where that is no number.

    >>> share(1, 3), share(0, 3)
    ('33.3', '')
    """
    if not isinstance(part, int) or not isinstance(all_parts, int) or not part or not all_parts:
        return ""
    return f"{100 * part / all_parts:.1f}"
