"""What the set of legal input sizes shows of a network that holds: it fits one size only, or sets its own."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra.integer_set import EVERY_SIZE
from shapecalc.algebra.region import Region, everything
from shapecalc.diagnostics.violation import Violation, of_layer
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Undecided
from shapecalc.sizes.answer import deciding
from shapecalc.sizes.question import Question, names_in
from shapecalc.sizes.region_text import written
from shapecalc.sizes.solver import Imposed, Solution
from shapecalc.sizes.stretching import solved


def by_size(question: Question) -> Iterator[Violation]:
    """Yield what is worth saying; nothing where the sizes are not decided or there is none to choose."""
    if not question.names:
        return
    try:
        result = solved(question)
    except Undecided:
        return
    yield from _one_size(question, result)
    yield from _fixed_output(question, result)


def _one_size(question: Question, result: Solution) -> Iterator[Violation]:
    """Find a network that accepts no size near the one it is built for, though its trunk does.

    Only behind windows: for a network of linear layers alone its input size is no accident.
    """
    size = tuple(question.built.get(name, 0) for name in question.names)
    boxes = (box for box in result.region.boxes if all(n in ns for n, ns in zip(size, box.sets, strict=True)))
    box = next(boxes, None)
    if box is None or any(ns - type(ns).of([n]) for n, ns in zip(size, box.sets, strict=True)):
        return
    template = (
        "{kind} accepts an input of {size} and none near it, though the layers before it accept {before}: "
        "{needed}"
    )
    for culprit in deciding(result.imposed, question.names):
        trunk = _before(question, result, culprit)
        if not trunk.is_finite and culprit.region.is_finite and _sees_windows(result, culprit.node):
            before, needed = ", ".join(written(trunk)), culprit.requirement
            yield of_layer(
                "one-size", culprit.node, template, severity="note", size=size, before=before, needed=needed
            )
            return


def _before(question: Question, result: Solution, culprit: Imposed) -> Region:
    """Return the sizes that the layers before one accept."""
    positions = {node.path: number for number, node in enumerate(result.inference.graph.nodes)}
    trunk = everything(question.names)
    for other in result.imposed:
        if positions[other.path] < positions[culprit.path]:
            trunk &= other.region
    return trunk


def _sees_windows(result: Solution, last: GraphNode) -> bool:
    """Say whether a window of more than one position comes before a layer."""
    for node, effect in zip(result.inference.graph.nodes, result.inference.effects, strict=True):
        if node is last:
            return False
        if effect is not None and effect.window is not None and any(k != 1 for k in effect.window.kernel):
            return True
    return False


def _fixed_output(question: Question, result: Solution) -> Iterator[Violation]:
    """Find an output that is a map of one size for every input size."""
    graph, shapes = result.inference.graph, result.inference.shapes
    slot = next(iter(graph.outputs.values()))
    output = shapes[slot]
    varies = any(ns != EVERY_SIZE and ns.is_finite for box in result.region.boxes for ns in box.sets)
    if not result.region or varies or output is None or len(output) < 4 or names_in(output):
        return
    sizes = output[2:] if question.spec.framework == "torch" else output[1:-1]
    if all(size == 1 for size in sizes):
        return
    node = graph.producer(slot)
    while node and not names_in(size for source in node.sources for size in shapes[source] or ()):
        node = graph.producer(node.sources[0])
    if node is not None:
        template = "the output is {output} for every input size, because of {kind}"
        yield of_layer("fixed-output", node, template, output=output)
