"""Walking a graph that has been expanded before, with other input sizes."""

from __future__ import annotations

from shapecalc.engine.evaluate import Evaluator
from shapecalc.engine.graph import Graph, Inference
from shapecalc.errors import Undecided
from shapecalc.layers.base import Effect
from shapecalc.layers.requirement import Refused, Shape


def reinfer(graph: Graph, inputs: list[Shape]) -> Inference | None:
    """Return the inference over a graph, or None if only a new expansion can tell what comes out.

    That is so where a size that the expansion read has changed, where a layer refuses or cannot decide
    (an expansion tells every failure, and goes on behind it), and where shared weights now differ. Loops
    are true of the sizes that they were proved for, and are always expanded anew.
    """
    if graph.loops:
        return None
    evaluator = Evaluator()
    shapes = list(inputs)
    effects: list[Effect | None] = []
    for node in graph.nodes:
        try:
            answer = evaluator.apply(node.layer, tuple([shapes[slot] for slot in node.sources]))
        except Undecided:
            return None
        if isinstance(answer, Refused) or len(answer.outputs) != node.results:
            return None
        if node.owner is not None:
            owner = effects[node.owner]
            if owner is not None and owner.weights != answer.weights:
                return None
        shapes.extend(answer.outputs)
        effects.append(answer)
    for (slot, axis), value in graph.sizes_read.items():
        shape = shapes[slot]
        if not -len(shape) <= axis < len(shape) or shape[axis] != value:
            return None
    return Inference(graph, [*shapes], effects, [])
