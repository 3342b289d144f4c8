"""The table of `shapecalc reconcile`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.render.piece import Page, Paragraph
from shapecalc.report.columns import Columns
from shapecalc.report.reconciliation import BIAS, Account, Change
from shapecalc.report.report import Report
from shapecalc.report.table_cells import heading

_COLUMNS = Columns(
    names=("Convention", "Unit", "Amount"),
    right=frozenset({"Amount"}),
    headers={},
    last_to_go=("Amount",),
)


def text(
    report: Report,
    accounts: Sequence[Account],
    other: Report | None = None,
    changes: Sequence[Change] = (),
    width: int | None = None,
) -> str:
    """Return every convention with its total and, indented under it, what it counts beyond the MACs."""
    rows = _every_row(accounts, other, changes)
    return "\n".join([heading(report), "", _COLUMNS.text(rows, width), "", _NOTE])


def reconciled_page(
    report: Report, accounts: Sequence[Account], other: Report | None = None, changes: Sequence[Change] = ()
) -> Page:
    """Return the same as pieces."""
    table = _COLUMNS.table(_every_row(accounts, other, changes))
    return (replace(table, caption=(heading(report),)), Paragraph((_NOTE,)))


_NOTE = "An indented line is what is counted beyond the MACs, or not counted of them."


def _every_row(
    accounts: Sequence[Account], other: Report | None, changes: Sequence[Change]
) -> list[dict[str, str]]:
    rows = [row for account in accounts for row in _rows(account)]
    return rows if other is None else [*rows, *_beside(other, changes)]


def _rows(account: Account) -> Iterator[dict[str, str]]:
    at_least = "≥ " if account.not_counted else ""
    yield _row(account.convention, account.unit, f"{at_least}{grouped(account.total)}")
    if account.per_mac > 1:
        yield _row(f"  {account.per_mac} for each MAC", "", _signed((account.per_mac - 1) * account.macs))
    for label, amount in account.amounts.items():
        unknown = ", not counted" if label in account.not_counted else ""
        yield _row(f"  {'biases' if label == BIAS else label}{unknown}", "", _signed(amount))


def _beside(other: Report, changes: Sequence[Change]) -> Iterator[dict[str, str]]:
    yield _row(f"mac, of {other.name}", "MACs", grouped(other.macs))
    for change in changes:
        times = "" if change.count == 1 else f" ×{change.count}"
        yield _row(f"  {change.layers}{times}: {change.difference}", "", _signed(change.amount))


def _row(name: str, unit: str, amount: str) -> dict[str, str]:
    return {"Convention": name, "Unit": unit, "Amount": amount}


def _signed(value: Dim) -> str:
    """Return an amount with its sign, as it is added."""
    if isinstance(value, int):
        return f"{value:+,}".replace("-", "−")
    return f"+ {grouped(value)}"
