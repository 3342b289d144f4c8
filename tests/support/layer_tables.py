"""The layer table as tests compare it: as text in a form, and as the texts of its cells."""

from __future__ import annotations

from typing import Any

from shapecalc.render import written
from shapecalc.render.piece import plain
from shapecalc.report.report import Report
from shapecalc.views.layer_table import layer_table


def table(
    report: Report, depth: int | None = None, *, form: str = "text", width: int | None = None, **options: Any
) -> str:
    """Return the table of a report in a form, by default as a terminal shows it."""
    return written((layer_table(report, depth, **options),), form, width)


def cells(report: Report, depth: int | None = None, **options: Any) -> list[list[str]]:
    """Return the texts of all rows, headers left out."""
    return [[*map(plain, row.cells)] for row in layer_table(report, depth, **options).rows]
