"""The bundled models, with what their specs say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from shapecalc.spec.find import bundled, read_file
from shapecalc.spec.yaml_text import parse


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
    entries: list[Entry] = []
    for name, path in bundled().items():
        if path not in parsed:
            parsed[path] = parse(read_file(path), str(path))
        data = parsed[path]
        member = data.get("variants", {}).get(name, data)
        paper = member.get("paper") or data.get("paper") or {}
        expect = member.get("expect") or {}
        title = member.get("title") or data.get("title") or name
        entries.append(Entry(name, title, paper.get("year"), expect.get("params"), expect.get("macs")))
    return entries
