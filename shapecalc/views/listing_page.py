"""The bundled models as a table."""

from __future__ import annotations

from shapecalc.algebra.expr_text import grouped
from shapecalc.render.piece import Column, Page, Row, Table
from shapecalc.report.listing import listing_rows

_COLUMNS = (
    Column("Name", is_uncut=True),
    Column("Title", late=2),
    Column("Year", is_right=True, late=1),
    Column("Params", is_right=True, late=4),
    Column("MACs", is_right=True, late=3),
)


def listing_page() -> Page:
    """Return the bundled models, each with what its paper says of it."""
    rows = []
    for entry in listing_rows():
        params, macs = ("" if count is None else grouped(count) for count in (entry.params, entry.macs))
        cells = (entry.name, entry.title, str(entry.year or ""), params, macs)
        rows.append(Row(tuple((cell,) for cell in cells)))
    return (Table(_COLUMNS, tuple(rows)).filled,)
