"""The same network under every convention, and what accounts for each difference, to the last unit.

total = k · MACs + Σ amounts        k: how many of its units the convention counts for a multiply-accumulate
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.conventions.by_tool import CONVENTIONS, convention
from shapecalc.conventions.convention import Convention
from shapecalc.errors import SpecError
from shapecalc.report.node import Node, number
from shapecalc.report.outline import window_text
from shapecalc.report.receptive_field import compact
from shapecalc.report.report import Report

BIAS = "bias"


@dataclass(slots=True)
class Account:
    """One number of a convention: its total, and what it counts beyond so many for each MAC."""

    convention: str
    unit: str
    total: Dim
    per_mac: int
    macs: Dim
    amounts: dict[str, Dim] = field(default_factory=dict)
    """By the kind of layer that is counted otherwise, or `bias`."""
    not_counted: list[str] = field(default_factory=list)
    """The kinds for which there is no rule; their multiply-accumulates are among the amounts, subtracted."""

    def add(self, label: str, amount: Dim) -> None:
        """Add an amount under a label."""
        if amount != 0:
            self.amounts[label] = self.amounts.get(label, 0) + amount

    def to_dict(self) -> dict[str, Any]:
        """Return the account as plain data."""
        return {
            "convention": self.convention,
            "unit": self.unit,
            "total": number(self.total),
            "per_mac": self.per_mac,
            "amounts": {label: number(amount) for label, amount in self.amounts.items()},
            "not_counted": self.not_counted,
        }


def accounts(report: Report) -> list[Account]:
    """Return the account of every convention, or one of each part where it counts several side by side."""
    rules = [convention(name) for name in CONVENTIONS]
    parts = ((rule, [*rule.per_mac] if rule.unit in rule.per_mac else [None]) for rule in rules)
    return [_account(report, rule, part) for rule, own in parts for part in own]


def _account(report: Report, rule: Convention, part: str | None) -> Account:
    """Return the account of one part of a convention, or of its total."""
    cost = report.cost(rule.name)
    per_mac = sum(rule.per_mac.values()) if part is None else rule.per_mac[part]
    total = cost.total if part is None else cost.parts[part]
    account = Account(rule.name, part or rule.unit, total, per_mac, report.macs)
    for node in report.nodes:
        counts = node.counts(rule)
        known = 0 if node.macs is None else per_mac * node.macs
        if counts is None:
            if node.kind not in account.not_counted:
                account.not_counted.append(node.kind)
            account.add(node.kind, -known)
            continue
        amount = (rule.total(counts) if part is None else counts[part]) - known
        account.add(_label(node, amount), amount)
    return account


def _label(node: Node, amount: Dim) -> str:
    """Return what an amount is for: the bias of a layer that multiplies, or else its kind."""
    multiplies = node.macs is not None and node.macs != 0
    return BIAS if multiplies and amount == node.bias_results else node.kind


# ---- against a sibling


@dataclass(frozen=True, slots=True)
class Change:
    """Layers that multiply in both networks but not as much: what differs about them, and by how much."""

    layers: str
    difference: str
    count: int
    amount: Dim

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain data."""
        names = ("layers", "difference", "count")
        return {name: getattr(self, name) for name in names} | {"amount": number(self.amount)}


def changes(report: Report, other: Report) -> list[Change]:
    """Return why two networks with the same layers in order do not multiply as much.

    Raises `SpecError` where the layers that multiply are not the same ones in the same order.
    """
    mine, theirs = [*_multiplying(report)], [*_multiplying(other)]
    if [node.kind for node, _ in mine] != [node.kind for node, _ in theirs]:
        raise SpecError(
            f"{report.name} and {other.name} do not have the same layers that multiply, in the same order",
            hint=f"`shapecalc diff {report.name} {other.name}` aligns them",
        )
    by_cause: dict[tuple[str, str], tuple[int, Dim]] = {}
    for (left, before), (right, after) in zip(mine, theirs, strict=True):
        if after != before:
            cause = (_described(left), _difference(left, right))
            count, amount = by_cause.get(cause, (0, 0))
            by_cause[cause] = (count + 1, amount + after - before)
    return [Change(*cause, *value) for cause, value in by_cause.items()]


def _multiplying(report: Report) -> Iterator[tuple[Node, Dim]]:
    return ((node, macs) for node in report.nodes if (macs := node.macs) is not None and macs != 0)


def _described(node: Node) -> str:
    kernel = "" if node.window is None else f" {window_text(node.window).split()[0]}"
    return f"{node.kind}{kernel}"


def _difference(left: Node, right: Node) -> str:
    """Return what differs between two layers: fields of the window first, else their inputs."""
    if left.window is not None and right.window is not None:
        for name in ("kernel", "stride", "dilation"):
            before, after = getattr(left.window, name), getattr(right.window, name)
            if before != after:
                return f"{name} {compact(after)} in place of {compact(before)}"
    return "other sizes of the input or the output"
