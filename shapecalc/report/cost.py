"""The cost of a network under one convention: of each layer, of each part of the count, and in total."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, cast

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.conventions.convention import Convention
from shapecalc.record import record
from shapecalc.report.node import D_co, Node, number
from shapecalc.report.paths import unknown_path


@record
class Cost(Generic[D_co]):
    """What all layers cost together, under a convention that is named.

    `by_node` has the cost of each layer by its path, None where the convention has no rule for it; then
    `complete` is false, the total is a lower bound, and `not_counted` names those layers. `parts` are the
    numbers that the convention counts side by side, as `exact` does its multiplications and additions.
    """

    convention: str
    unit: str
    total: D_co
    parts: dict[str, D_co]
    by_node: dict[str, D_co | None]
    not_counted: list[str]

    @property
    def complete(self) -> bool:
        """Whether the convention has a rule for every layer."""
        return not self.not_counted

    def __getitem__(self, path: str) -> D_co | None:
        if path not in self.by_node:
            raise unknown_path("the cost", self.by_node, path)
        return self.by_node[path]

    def to_dict(self) -> dict[str, Any]:
        """Return convention, unit and total as plain data; parts where there are several."""
        data: dict[str, Any] = {
            "convention": self.convention,
            "unit": self.unit,
            "total": number(self.total),
            "complete": self.complete,
            "not_counted": self.not_counted,
        }
        if len(self.parts) > 1:
            data["parts"] = {part: number(value) for part, value in self.parts.items()}
        return data

    def __str__(self) -> str:
        at_least = "" if self.complete else "at least "
        return f"{at_least}{grouped(self.total)} {self.unit} ({self.convention})"


def cost(nodes: Iterable[Node[D_co]], convention: Convention) -> Cost[D_co]:
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
    total = convention.total(parts)
    return cast("Cost[D_co]", Cost(convention.name, convention.unit, total, parts, by_node, unknown))
