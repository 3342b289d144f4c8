"""Two reports side by side: layer aligned to layer, and each difference once for all layers that have it.

Layers are aligned so that the sum of dissimilarities is least, as sequences or, where that leaves fewer
differences, with the branches of each merge in any order. A difference of settings is a cause and is listed;
shapes and costs that differ because of it are counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from shapecalc.conventions.by_tool import convention
from shapecalc.layers.family import Group
from shapecalc.layers.requirement import Shape
from shapecalc.render.display import Shown
from shapecalc.report.align import Pair, aligned, settings_of
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.spec.write import plain


@dataclass(slots=True)
class Difference:
    """One difference and every pair of layers that has it."""

    what: str
    pairs: list[Pair] = field(default_factory=list)


@dataclass(slots=True)
class Comparison(Shown):
    """The result of comparing two reports."""

    _view: ClassVar[str] = "shapecalc.views.comparison_page:comparison_page"

    left: Report
    right: Report
    pairs: list[Pair]
    by: str | None = None
    """The convention whose totals are compared; MACs by the definition where none was requested."""

    @property
    def differences(self) -> list[Difference]:
        """The causes, in the order in which they are met, equal ones together."""
        differences: dict[str, Difference] = {}
        for pair in self.pairs:
            if pair.is_cause:
                what = self.what(pair)
                differences.setdefault(what, Difference(what)).pairs.append(pair)
        return list(differences.values())

    def what(self, pair: Pair) -> str:
        """Return what differs between two layers, or which one the other network lacks."""
        if pair.left is None:
            assert pair.right is not None
            return f"only right: {_named(pair.right)}{_moving(pair.right, self.right)}"
        if pair.right is None:
            return f"only left: {_named(pair.left)}{_moving(pair.left, self.left)}"
        changes = ", ".join(f"{name} {left} | {right}" for name, left, right in pair.changes)
        return changes if pair.changes[0][0] == "kind" else f"{pair.left.kind}: {changes}"

    @property
    def totals(self) -> list[tuple[str, Any, Any]]:
        """The totals that differ: a name, the left value and the right value."""
        names = ("output", "params", "trainable_params", "buffer_count", "macs")
        values = [(name, getattr(self.left, name), getattr(self.right, name)) for name in names]
        if self.by is not None:
            values = [value for value in values if value[0] != "macs"]
            mine, theirs = (report.cost(self.by) for report in (self.left, self.right))
            values.append((convention(self.by).title, mine.total, theirs.total))
            left_out, out_there = (", ".join(cost.not_counted) or "nothing" for cost in (mine, theirs))
            values.append((f"not counted ({self.by})", left_out, out_there))
        differing = [(name, left, right) for name, left, right in values if left != right]
        only = len(self.left.inputs) == len(self.right.inputs) == 1
        if only and not _same_sizes(self.left.input, self.right.input):
            differing.insert(0, ("input", self.left.input, self.right.input))
        return differing

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs, neither a layer nor a shape nor a total."""
        return not self.totals and not any(pair.is_cause or touched(pair) for pair in self.pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data for JSON."""
        return {
            "left": self.left.name,
            "right": self.right.name,
            "equal": self.is_equal,
            "totals": {name: [plain(left), plain(right)] for name, left, right in self.totals},
            "differences": [
                {
                    "what": difference.what,
                    "count": len(difference.pairs),
                    "layers": [
                        {
                            "left": pair.left.path if pair.left else None,
                            "right": pair.right.path if pair.right else None,
                            "line": pair.left.place.line if pair.left else None,
                            "lines": list(pair.left.lines) if pair.left else [],
                        }
                        for pair in difference.pairs
                    ],
                }
                for difference in self.differences
            ],
            "touched": sum(touched(pair) for pair in self.pairs),
        }

    def __str__(self) -> str:
        return self._plain()


class Analyzable(Protocol):
    """A model, which is in a room above this one."""

    def analyze(self, **parameters: Any) -> Report:
        """Return the report at these parameters."""


def compare(
    left: Report | Analyzable,
    right: Report | Analyzable,
    convention: str | None = None,
    **parameters: Any,
) -> Comparison:
    """Compare two models (or their reports) layer by layer: fields, shapes, parameters and cost.

    Models are analyzed at their defaults with `parameters`. The result has `is_equal`, the aligned pairs,
    and prints as `shapecalc diff` does. `convention` is the counting rule of costs.

    >>> from shapecalc import compare, load
    >>> compare(load("lenet5"), load("lenet5")).is_equal
    True
    """
    first, second = (
        model if isinstance(model, Report) else model.analyze(**parameters) for model in (left, right)
    )
    return Comparison(first, second, [*aligned(first.nodes, second.nodes)], convention)


def _moving(node: Node, report: Report) -> str:
    """Return, for a layer of padding or cropping, the layer behind it, whose window it moves."""
    if node.layer.family.group is not Group.PADDING:
        return ""
    slots = next(other.slots for other in report.graph.nodes if other.path == node.path)
    reader = next((other.layer.kind for other in report.graph.nodes if slots[0] in other.sources), None)
    return f" before {reader}" if reader else ""


def _named(node: Node) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in settings_of(node).items() if name != "bias")
    return f"{node.kind} ({settings})" if settings else node.kind


def touched(pair: Pair) -> bool:
    """Return whether the results of two layers differ."""
    if pair.left is None or pair.right is None:
        return False
    return not _same_sizes(pair.left.output, pair.right.output) or pair.left.params != pair.right.params


def _same_sizes(left: Shape, right: Shape) -> bool:
    """Return whether two shapes have the same sizes, wherever a framework keeps its channels."""
    return sorted(map(str, left)) == sorted(map(str, right))
