"""Where branches that disagree begin to: the layer in each that gave an axis the size it has at the merge."""

from __future__ import annotations

from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Failure
from shapecalc.layers.merge import Concat

CODES = frozenset({"broadcast", "concat"})


def parting(inference: Inference, failure: Failure) -> str:
    """Return from which layer on each of two branches has the size that the merge refuses, or nothing."""
    node = next((node for node in inference.graph.nodes if node.path == failure.path), None)
    if node is None or failure.code not in CODES:
        return ""
    shapes = [shape for slot in node.sources if (shape := inference.shapes[slot]) is not None]
    if len(shapes) != len(node.sources) or len({len(shape) for shape in shapes}) != 1:
        return ""
    rank = len(shapes[0])
    free = node.layer.dim % rank if isinstance(node.layer, Concat) else None
    for axis in range(rank):
        sizes = [shape[axis] for shape in shapes]
        first = next((number for number, size in enumerate(sizes) if free is not None or size != 1), 0)
        for number, size in enumerate(sizes):
            if axis != free and size != sizes[first] and (free is not None or size != 1):
                return "; ".join(_told(inference, node, branch, axis) for branch in (number, first))
    return ""


def _told(inference: Inference, merge: GraphNode, branch: int, axis: int) -> str:
    slot = merge.sources[branch]
    shape = inference.shapes[slot]
    assert shape is not None
    head = f"branch {branch + 1} has {shape[axis]}"
    while (maker := inference.graph.producer(slot)) is not None and maker.sources:
        before = inference.shapes[maker.sources[0]]
        if before is None or len(before) != len(shape) or before[axis] != shape[axis]:
            place = maker.place.of(maker.layer.kind)
            line = f", line {place.line}" if place.line else ""
            return f"{head} from {maker.path} on ({maker.layer.kind}{line})"
        slot = maker.sources[0]
    return f"{head} as it comes in"
