"""Walking a graph that has been expanded before, with other input sizes."""

from __future__ import annotations

from shapecalc.engine.evaluate import Evaluator, failure
from shapecalc.engine.graph import Graph, Walk
from shapecalc.errors import Failure, Undecided
from shapecalc.layers.base import Effect
from shapecalc.layers.requirement import Refused, Shape


def rewalk(graph: Graph, inputs: list[Shape]) -> Walk | None:
    """Return the walk over a graph, or None if its expansion would now come out differently.

    It may where a size that it read has changed, and only a new expansion can tell how: so whatever
    a changed size leads to here (a layer that cannot decide, weights that differ) is not yet an answer.
    """
    evaluator = Evaluator()
    answers = evaluator.answers
    shapes: list[Shape | None] = list(inputs)
    effects: list[Effect | None] = []
    failures: list[Failure] = []
    for node in graph.nodes:
        arriving = tuple([shapes[slot] for slot in node.sources])
        if None in arriving:
            shapes.extend([None] * node.results)
            effects.append(None)
            continue
        answer = answers.get((id(node.layer), arriving))  # type: ignore[arg-type]
        if answer is None:
            try:
                answer = evaluator.apply(node.layer, arriving)  # type: ignore[arg-type]
            except Undecided:
                return None
        if isinstance(answer, Refused):
            failures.append(failure(answer, node.layer, node.path, node.place))
            shapes.extend([None] * node.results)
            effects.append(None)
            continue
        if len(answer.outputs) != node.results:
            return None  # a split that gives another number of pieces moves every later slot
        if node.owner is not None:
            owner = effects[node.owner]
            if owner is not None and owner.weights != answer.weights:
                return None
        shapes.extend(answer.outputs)
        effects.append(answer)
    for (slot, axis), value in graph.sizes_read.items():
        shape = shapes[slot]
        if shape is None or not -len(shape) <= axis < len(shape) or shape[axis] != value:
            return None
    return Walk(graph, shapes, effects, failures)
