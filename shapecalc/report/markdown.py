"""The layer table as Markdown."""

from __future__ import annotations

from shapecalc.report.cells import COLUMNS, heading, rows, summary
from shapecalc.report.data import Report


def markdown(report: Report, depth: int | None = None, *, batch: bool = False) -> str:
    """Return a GitHub-flavoured table, its heading over it and its summary under it."""
    from tabulate import tabulate

    found = rows(report, depth, batch=batch)
    columns = [column for column in COLUMNS if any(row.cells[column] for row in found)]
    cells = [
        ["&ensp;" * row.depth + _bold(row.cells[column], row.is_part) if column == "Layer" else row.cells[column]
         for column in columns]
        for row in found
    ]  # fmt: skip
    align = ["left" if column in COLUMNS[:4] else "right" for column in columns]
    text = tabulate(cells, headers=columns, tablefmt="pipe", colalign=align, disable_numparse=True)
    notes = "\n".join(f"- {sentence}" for sentence in summary(report, batch=batch))
    return f"**{heading(report, batch=batch)}**\n\n{text}\n\n{notes}"


def _bold(label: str, is_part: bool) -> str:  # noqa: FBT001
    return f"**{label}**" if is_part else label
