"""The cost of a network under one convention: of each layer, of each part of the count, and in total."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.conventions.convention import Convention
from shapecalc.report.node import Node, number


@dataclass(frozen=True, slots=True)
class Cost:
    """What all layers cost together, under a convention that is named.

    `by_node` has the cost of each layer by its path, None where the convention has no rule for it; then
    `complete` is false, the total is a lower bound, and `not_counted` names those layers. `parts` are the
    numbers that the convention counts side by side, as `exact` does its multiplications and additions.
    """

    convention: str
    unit: str
    total: Dim
    parts: dict[str, Dim]
    by_node: dict[str, Dim | None]
    not_counted: list[str]

    @property
    def complete(self) -> bool:
        """Whether the convention has a rule for every layer."""
        return not self.not_counted

    def __getitem__(self, path: str) -> Dim | None:
        return self.by_node[path]

    def to_dict(self) -> dict[str, Any]:
        """Return convention, unit and total as plain data; parts where there are several."""
        found: dict[str, Any] = {
            "convention": self.convention,
            "unit": self.unit,
            "total": number(self.total),
            "complete": self.complete,
            "not_counted": self.not_counted,
        }
        if len(self.parts) > 1:
            found["parts"] = {part: number(value) for part, value in self.parts.items()}
        return found

    def __str__(self) -> str:
        at_least = "" if self.complete else "at least "
        return f"{at_least}{grouped(self.total)} {self.unit} ({self.convention})"


def cost(nodes: Iterable[Node], convention: Convention) -> Cost:
    """Return the cost of some layers."""
    parts: dict[str, Dim] = dict.fromkeys(convention.per_mac, 0)
    by_node: dict[str, Dim | None] = {}
    unknown: list[str] = []
    for node in nodes:
        counts = node.counts(convention)
        by_node[node.path] = None if counts is None else convention.total(counts)
        if counts is None:
            unknown.append(f"{node.path} ({node.kind})")
            continue
        for part, value in counts.items():
            parts[part] = parts[part] + value
    return Cost(convention.name, convention.unit, convention.total(parts), parts, by_node, unknown)
