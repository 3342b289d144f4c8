"""Branches that meet with their windows centred on different pixels of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Self

from shapecalc.diagnostics.violation import LayerViolation
from shapecalc.engine.alignment import misaligned, tracks
from shapecalc.engine.graph import GraphNode
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Merge
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec


class MisalignedBranches(LayerViolation):
    """A merge of branches that look at different places: one pads on one side what the other does not.

    Branches that move at different paces are not compared, nor is what sees everything.
    """

    code = "drifting-centres"

    def __init__(
        self, node: GraphNode, pair: tuple[int, int], by: Fraction, stride: Fraction, axes: Sequence[str]
    ) -> None:
        super().__init__(node)
        self.pair, self.by, self.stride, self.axes = pair, by, stride, axes
        if 2 * abs(by) < stride:
            self.severity = "note"

    @classmethod
    def find(cls, spec: Spec, report: Report) -> Iterator[Self]:
        inference, inputs = report.inference, [*report.inputs.values()]
        graph = inference.graph
        known = tracks(inference, inputs, graph.channel_axis)
        for node, effect in zip(graph.nodes, inference.effects, strict=True):
            if effect is None or not isinstance(node.layer, Merge) or not node.layer.keeps_places:
                continue
            sources = [(known[slot], inference.shapes[slot] or ()) for slot in node.sources]
            apart: dict[tuple[tuple[int, int], Fraction, Fraction], list[str]] = {}
            for axis in range(len(effect.outputs[0])):
                for first, leader, number, track in misaligned(sources, effect.outputs[0], axis):
                    source, its_axis = track.source
                    name = _axis(len(inputs[source]), its_axis, graph.batched, spec.framework == "keras")
                    key = (first, number), track.first - leader.first, track.stride
                    apart.setdefault(key, []).append(name)
            yield from (cls(node, pair, by, stride, axes) for (pair, by, stride), axes in apart.items())

    @property
    def message(self) -> str:
        (first, second), by, stride = self.pair, abs(self.by), self.stride
        part = "all" if by == stride else by / stride
        return (
            f"{self.layer.kind}: along its {' and '.join(self.axes)}, branch {second + 1} is centred "
            f"{by} pixel{'' if by <= 1 else 's'} of the input {'after' if self.by > 0 else 'before'} "
            f"branch {first + 1}, {part} of their step of {stride}"
        )


def _axis(rank: int, axis: int, batched: bool, keras: bool) -> str:
    """Return what an axis of an input is called."""
    spatial = axis - (1 if batched else 0) - (0 if keras else 1)
    names = AXES.get(rank - (1 if batched else 0) - 1, ())
    return names[spatial] if 0 <= spatial < len(names) else f"axis {axis}"
