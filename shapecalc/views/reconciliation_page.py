"""The same network under every convention as a table, with what accounts for each difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shapecalc.algebra import Dim
from shapecalc.render.piece import Column, Line, Math, Page, Paragraph, Row, Table, amount
from shapecalc.report.reconciliation import BIAS, Account, Change
from shapecalc.report.report import Report

_COLUMNS = (Column("Convention"), Column("Unit"), Column("Amount", is_right=True, late=1))
_NOTE = "An indented line is what is counted beyond the MACs, or not counted of them."


def reconciliation_page(
    report: Report, accounts: Sequence[Account], other: Report | None = None, changes: Sequence[Change] = ()
) -> Page:
    """Return every convention with its total and, indented under it, what it counts beyond the MACs."""
    rows = [row for account in accounts for row in _rows(account)]
    rows += [] if other is None else _beside(other, changes)
    return Table(_COLUMNS, tuple(rows), (report.heading(),)), Paragraph((_NOTE,))


def _rows(account: Account) -> Iterator[Row]:
    at_least = ("≥ ",) if account.not_counted else ()
    yield Row(((account.convention,), (account.unit,), (*at_least, amount(account.total))))
    if account.per_mac > 1:
        yield _inner(f"{account.per_mac} for each MAC", (account.per_mac - 1) * account.macs)
    for label, value in account.amounts.items():
        unknown = ", not counted" if label in account.not_counted else ""
        yield _inner(f"{'biases' if label == BIAS else label}{unknown}", value)


def _beside(other: Report, changes: Sequence[Change]) -> Iterator[Row]:
    yield Row(((f"mac, of {other.name}",), ("MACs",), (amount(other.macs),)))
    for change in changes:
        times = "" if change.count == 1 else f" ×{change.count}"
        yield _inner(f"{change.layers}{times}: {change.difference}", change.amount)


def _inner(label: str, value: Dim) -> Row:
    return Row(((label,), (), _signed(value)), depth=1)


def _signed(value: Dim) -> Line:
    """Return an amount with its sign, as it is added."""
    if isinstance(value, int):
        return (f"{value:+,}".replace("-", "−"),)
    return Math("+", "+"), " ", amount(value)
