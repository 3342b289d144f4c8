"""The list of bundled models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from shapecalc.algebra.expr_text import grouped
from shapecalc.render.piece import Page
from shapecalc.report.columns import Columns
from shapecalc.spec.find import bundled, read_file
from shapecalc.spec.located_text import parse


class Entry(NamedTuple):
    """One bundled model, with the totals that its spec promises and the tests hold it to."""

    name: str
    title: str
    year: int | None
    params: int | None
    macs: int | None


def listing_rows() -> list[Entry]:
    """Return an entry per bundled name; files are only parsed, no model is built."""
    parsed: dict[Path, Any] = {}
    found: list[Entry] = []
    for name, path in bundled().items():
        if path not in parsed:
            parsed[path] = parse(read_file(path), str(path))
        data = parsed[path]
        member = data.get("variants", {}).get(name, data)
        paper = member.get("paper") or data.get("paper") or {}
        expect = member.get("expect") or {}
        title = member.get("title") or data.get("title") or name
        found.append(Entry(name, title, paper.get("year"), expect.get("params"), expect.get("macs")))
    return found


_COLUMNS = Columns(
    names=("Name", "Title", "Year", "Params", "MACs"),
    right=frozenset({"Year", "Params", "MACs"}),
    headers={},
    whole=frozenset({"Name"}),
    last_to_go=("Year", "Title", "MACs", "Params"),
)


def listing(width: int | None = None) -> str:
    """Return the list as a table; long titles give way when there is a width."""
    return _COLUMNS.text(_rows(), width)


def listing_page() -> Page:
    """Return the list as pieces."""
    return (_COLUMNS.table(_rows()),)


def _rows() -> list[dict[str, str]]:
    return [
        {
            "Name": entry.name,
            "Title": entry.title,
            "Year": "" if entry.year is None else str(entry.year),
            "Params": "" if entry.params is None else grouped(entry.params),
            "MACs": "" if entry.macs is None else grouped(entry.macs),
        }
        for entry in listing_rows()
    ]
