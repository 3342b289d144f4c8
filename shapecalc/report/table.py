"""The layer table for a terminal: plain text that fits the width, or none of that when piped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from shapecalc.report.columns import Columns
from shapecalc.report.report import Report
from shapecalc.report.table_cells import COLUMNS, Row, headers, heading, rows, summary

_COLUMNS = Columns(
    names=COLUMNS,
    right=frozenset({"Params", "Params %", "MACs", "MACs %"}),
    headers={},
    first_to_go=("Params %", "MACs %", "Kind", "Kernel"),
    last_to_go=("MACs", "Params"),
    whole=frozenset({"Field"}),
    has_total=True,
)


def table(
    report: Report,
    depth: int | None = None,
    *,
    batch: bool = False,
    width: int | None = None,
    fields: bool = False,
) -> str:
    """Return the table of a report; with a width, columns give way until it fits."""
    columns = replace(_COLUMNS, headers=headers(report))
    body = columns.text([_indented(row) for row in rows(report, depth, batch=batch, fields=fields)], width)
    above = _wrapped([heading(report, batch=batch)], width)
    return "\n".join([*above, "", body, "", *_wrapped(summary(report, batch=batch, fields=fields), width)])


def _indented(row: Row) -> dict[str, str]:
    return row.cells | {"Layer": "  " * row.depth + row.cells["Layer"]}


def _wrapped(sentences: Sequence[str], width: int | None) -> list[str]:
    if width is None:
        return list(sentences)
    from textwrap import wrap

    lines = (
        line
        for sentence in sentences
        for line in wrap(_FLOOR.sub(_unbroken, sentence), max(width, 20), subsequent_indent="  ")
    )
    return [line.replace(_NO_BREAK, " ") for line in lines]


_FLOOR = re.compile(r"[⌊⌈][^⌊⌋⌈⌉]*[⌋⌉]")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def _unbroken(floor: re.Match[str]) -> str:
    """Return a floor that no line ends in."""
    return floor[0].replace(" ", _NO_BREAK)
