"""Branches that meet: which layer made their sizes differ, and whether their windows look at one place."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from shapecalc.diagnostics.diagnostic import Severity
from shapecalc.diagnostics.violation import Violation, of_layer
from shapecalc.engine.alignment import misaligned, tracks
from shapecalc.engine.graph import Graph, Inference
from shapecalc.errors import Failure
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Merge
from shapecalc.layers.requirement import EqualBranches
from shapecalc.layers.select import Slice
from shapecalc.report.report import Report
from shapecalc.spec.tree import Spec


def divergence(inference: Inference, failure: Failure) -> str:
    """Return from which layer on each of two branches has the size that the merge refuses, or nothing."""
    fact = failure.fact
    node = next((node for node in inference.graph.nodes if node.path == failure.path), None)
    if node is None or not isinstance(fact, EqualBranches):
        return ""
    shapes = [inference.shapes[slot] for slot in node.sources]
    if tuple(shapes) != tuple(fact.shapes) or len({*map(len, fact.shapes)}) != 1:
        return ""  # shapes that the layer has aligned itself
    pair = (fact.branch, fact.first)
    return "; ".join(_begin(inference, branch, node.sources[branch], fact.from_end) for branch in pair)


def _begin(inference: Inference, branch: int, slot: int, axis: int) -> str:
    shape = inference.shapes[slot]
    assert shape is not None
    head = f"branch {branch + 1} has {shape[axis]}"
    while (node := inference.graph.producer(slot)) is not None and node.sources:
        before = inference.shapes[node.sources[0]]
        if before is None or len(before) != len(shape) or before[axis] != shape[axis]:
            place = node.place.of(node.layer.kind)
            line = f", line {place.line}" if place.line else ""
            return f"{head} from {node.path} on ({node.layer.kind}{line})"
        slot = node.sources[0]
    return f"{head} as it comes in"


def drifting_centres(spec: Spec, report: Report) -> Iterator[Violation]:
    """Find merges of branches that look at different places: one pads on one side what the other does not.

    Branches that move at different paces are not compared, nor is what sees everything, nor are slices of one
    tensor, as in a space-to-depth.
    """
    inference, inputs = report.inference, [*report.inputs.values()]
    graph = inference.graph
    known = tracks(inference, inputs, graph.channel_axis)
    for node, effect in zip(graph.nodes, inference.effects, strict=True):
        if effect is None or not isinstance(node.layer, Merge) or not node.layer.keeps_places:
            continue
        if len({_before_slices(graph, slot) for slot in node.sources}) == 1:
            continue
        sources = [(known[slot], inference.shapes[slot] or ()) for slot in node.sources]
        apart: dict[tuple[int, int, Fraction, Fraction], list[str]] = {}
        for axis in range(len(effect.outputs[0])):
            for first, leader, number, track in misaligned(sources, effect.outputs[0], axis):
                source, its_axis = track.source
                name = _axis(len(inputs[source]), its_axis, graph.batched, spec.framework == "keras")
                apart.setdefault((first, number, track.first - leader.first, track.stride), []).append(name)
        for (first, second, by, stride), axes in apart.items():
            shift = abs(by)
            facts: dict[str, Any] = {"first": first + 1, "second": second + 1, "axes": " and ".join(axes)}
            facts |= {"shift": shift, "stride": stride, "part": "all" if shift == stride else shift / stride}
            pixels, side = "pixel" if shift <= 1 else "pixels", "after" if by > 0 else "before"
            template = (
                f"{{kind}}: along its {{axes}}, branch {{second}} is centred {{shift}} {pixels} of the input "
                f"{side} branch {{first}}, {{part}} of their step of {{stride}}"
            )
            severity: Severity = "note" if 2 * shift < stride else "warning"
            yield of_layer("drifting-centres", node, template, severity=severity, **facts)


def _before_slices(graph: Graph, slot: int) -> int:
    """Return the tensor of which a slice, or a slice of slices, was taken."""
    while (node := graph.producer(slot)) is not None and isinstance(node.layer, Slice):
        slot = node.sources[0]
    return slot


def _axis(rank: int, axis: int, batched: bool, keras: bool) -> str:
    """Return what an axis of an input is called."""
    spatial = axis - (1 if batched else 0) - (0 if keras else 1)
    names = AXES.get(rank - (1 if batched else 0) - 1, ())
    return names[spatial] if 0 <= spatial < len(names) else f"axis {axis}"
