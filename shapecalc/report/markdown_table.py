"""The layer table as Markdown."""

from __future__ import annotations

from shapecalc.render.markdown_writer import escaped
from shapecalc.report.report import Report
from shapecalc.report.table_cells import COLUMNS, Row, headers, heading, rows, summary


def markdown(report: Report, depth: int | None = None, *, batch: bool = False, fields: bool = False) -> str:
    """Return a GitHub-flavoured table, its heading over it and its summary under it."""
    from tabulate import tabulate

    found = rows(report, depth, batch=batch, fields=fields)
    columns = [column for column in COLUMNS if any(row.cells[column] for row in found)]
    cells = [[_cell(row, column) for column in columns] for row in found]
    align = ["left" if column in COLUMNS[:5] else "right" for column in columns]
    text = tabulate(
        cells,
        headers=[headers(report).get(column, column) for column in columns],
        tablefmt="pipe",
        colalign=align,
        disable_numparse=True,
    )
    notes = "\n".join(f"- {sentence}" for sentence in summary(report, batch=batch, fields=fields))
    return f"**{escaped(heading(report, batch=batch))}**\n\n{text}\n\n{notes}"


def _cell(row: Row, column: str) -> str:
    text = row.cells[column]
    if column != "Layer":
        return text
    return "&ensp;" * row.depth + (f"**{text}**" if row.is_part else text)
