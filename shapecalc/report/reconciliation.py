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
    """The kinds for which there is no rule; their multiply-accumulates are among the amounts, taken away."""

    def add(self, label: str, amount: Dim) -> None:
        """Book an amount; nothing is no amount."""
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
    """Return the account of every convention; one that counts two things side by side has two."""
    return [account for name in CONVENTIONS for account in _of(report, convention(name))]


def _of(report: Report, rule: Convention) -> Iterator[Account]:
    if rule.unit not in rule.per_mac:  # the unit is all parts together
        yield _account(report, rule, None)
        return
    for part in rule.per_mac:
        yield _account(report, rule, part)


def _account(report: Report, rule: Convention, part: str | None) -> Account:
    """Return the account of one part of a convention, or of its total."""
    cost = report.cost(rule.name)
    per_mac = sum(rule.per_mac.values()) if part is None else rule.per_mac[part]
    total = cost.total if part is None else cost.parts[part]
    found = Account(rule.name, part or rule.unit, total, per_mac, report.macs)
    for node in report.nodes:
        counts = node.counts(rule)
        known = 0 if node.macs is None else per_mac * node.macs
        if counts is None:
            if node.kind not in found.not_counted:
                found.not_counted.append(node.kind)
            found.add(node.kind, -known)
            continue
        amount = (rule.total(counts) if part is None else counts[part]) - known
        found.add(_label(node, amount), amount)
    return found


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
        return {
            "layers": self.layers,
            "difference": self.difference,
            "count": self.count,
            "amount": number(self.amount),
        }


def changes(report: Report, other: Report) -> list[Change]:
    """Return why two networks with the same layers in order do not multiply as much.

    Raises `SpecError` where the layers that multiply are not the same ones in the same order.
    """
    mine, theirs = _multiplying(report), _multiplying(other)
    if [node.kind for node, _ in mine] != [node.kind for node, _ in theirs]:
        raise SpecError(
            f"{report.name} and {other.name} do not have the same layers that multiply, in the same order",
            hint=f"`shapecalc diff {report.name} {other.name}` aligns them",
        )
    found: dict[tuple[str, str], tuple[int, Dim]] = {}
    for (left, before_macs), (right, after_macs) in zip(mine, theirs, strict=True):
        amount = after_macs - before_macs
        if amount != 0:
            key = (_described(left), _difference(left, right))
            count, before = found.get(key, (0, 0))
            found[key] = (count + 1, before + amount)
    return [Change(*key, *value) for key, value in found.items()]


def _multiplying(report: Report) -> list[tuple[Node, Dim]]:
    return [(node, node.macs) for node in report.nodes if node.macs is not None and node.macs != 0]


def _described(node: Node) -> str:
    kernel = "" if node.window is None else f" {window_text(node.window).split()[0]}"
    return f"{node.kind}{kernel}"


def _difference(left: Node, right: Node) -> str:
    """Return what is not the same about two layers: fields of the window first, else what arrives."""
    if left.window is not None and right.window is not None:
        for name in ("kernel", "stride", "dilation"):
            before, after = getattr(left.window, name), getattr(right.window, name)
            if before != after:
                return f"{name} {_compact(after)} in place of {_compact(before)}"
    return "as many more or fewer numbers arrive or leave"


def _compact(sizes: tuple[Dim, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))
