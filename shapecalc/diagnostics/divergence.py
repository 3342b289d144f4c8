"""Where branches that disagree begin to: the layer in each that gave an axis the size it has at the merge."""

from __future__ import annotations

from shapecalc.engine.graph import Inference
from shapecalc.errors import Failure
from shapecalc.layers.requirement import EqualBranches


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
