"""The layer table for a terminal: plain text that fits the width, or none of that when piped."""

from __future__ import annotations

from collections.abc import Sequence

from shapecalc.report.cells import COLUMNS, HEADERS, Row, heading, rows, summary
from shapecalc.report.data import Report

_RIGHT = {"Params", "Params %", "MACs", "MACs %"}
_FIRST_TO_GO = ("Params %", "MACs %", "Kind", "Kernel")
_SHORTEST_LABEL = 12


def table(report: Report, depth: int | None = None, *, batch: bool = False, width: int | None = None) -> str:
    """Return the table of a report; with a width, columns give way until it fits."""
    found = rows(report, depth, batch=batch)
    body = _fitted(found, width)
    return "\n".join(
        [heading(report, batch=batch), "", body, "", *_wrapped(summary(report, batch=batch), width)]
    )


def _fitted(found: Sequence[Row], width: int | None) -> str:
    columns = [column for column in COLUMNS if any(row.cells[column] for row in found)]
    text = drawn(found, columns)
    for column in _FIRST_TO_GO:
        if width is None or _broadest(text) <= width:
            return text
        if column in columns:
            columns.remove(column)
            text = drawn(found, columns)
    if width is not None and _broadest(text) > width:
        labels = [len(_indented(row)) for row in found]
        text = drawn(found, columns, max(_SHORTEST_LABEL, max(labels) - (_broadest(text) - width)))
    return text


def drawn(found: Sequence[Row], columns: Sequence[str], longest_label: int | None = None) -> str:
    """Return the rows as aligned columns under a ruled header, the totals under a rule of their own."""
    from tabulate import tabulate

    cells = [
        [
            _shortened(_indented(row), longest_label) if column == "Layer" else row.cells[column]
            for column in columns
        ]
        for row in found
    ]
    align = ["right" if column in _RIGHT else "left" for column in columns]
    text = tabulate(
        cells,
        headers=[HEADERS.get(column, column) for column in columns],
        tablefmt="simple",
        colalign=align,
        disable_numparse=True,
        preserve_whitespace=True,
    )
    body = text.splitlines()
    return "\n".join(line.rstrip() for line in (*body[:-1], body[1], body[-1]))


def _indented(row: Row) -> str:
    return "  " * row.depth + row.cells["Layer"]


def _shortened(label: str, longest: int | None) -> str:
    return label if longest is None or len(label) <= longest else f"{label[: longest - 1]}…"


def _broadest(text: str) -> int:
    return max(map(len, text.splitlines()))


def _wrapped(sentences: Sequence[str], width: int | None) -> list[str]:
    if width is None:
        return list(sentences)
    from textwrap import wrap

    return [line for sentence in sentences for line in wrap(sentence, max(width, 20), subsequent_indent="  ")]
