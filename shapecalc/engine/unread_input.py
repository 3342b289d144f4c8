"""What windows leave of their inputs: rows at the end that none of them reads."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra import maximum
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.requirement import Shape
from shapecalc.layers.spatial import Spatial


def unread(inference: Inference) -> Iterator[tuple[GraphNode, Shape]]:
    """Yield each layer with windows, and how many positions of the network's own stay unread on each axis.

    What a layer of padding has put there is nobody's loss: a window with padding of its own leaves as much
    of that unread.
    """
    for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
        if effect is None or not isinstance(node.layer, Spatial):
            continue
        x = inference.shapes[node.sources[0]]
        assert x is not None  # or the layer had no effect
        left = node.layer.unread(effect.window, x, effect.outputs[0])
        before = inference.graph.producer(node.sources[0])
        if before is not None and isinstance(before.layer, SpatialPad) and left:
            left = tuple(n - maximum(p1, 0) for n, p1 in zip(left, before.layer.sides()["p1"], strict=True))
        yield node, left
