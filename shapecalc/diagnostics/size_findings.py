"""What the set of legal input sizes shows of a network that holds: it fits one size only, or sets its own."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra.integer_set import EVERY_SIZE
from shapecalc.algebra.region import everything
from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Undecided
from shapecalc.layers.requirement import shown
from shapecalc.sizes.answer import deciding
from shapecalc.sizes.question import Question, names_in
from shapecalc.sizes.region_text import written
from shapecalc.sizes.solver import Imposed, Solution
from shapecalc.sizes.stretching import solved


def by_size(question: Question) -> Iterator[Diagnostic]:
    """Yield what is worth saying; nothing where the sizes are not decided or there is none to choose."""
    if not question.names:
        return
    try:
        found = solved(question)
    except Undecided:
        return
    yield from one_size(question, found)
    yield from fixed_output(question, found)


def one_size(question: Question, found: Solution) -> Iterator[Diagnostic]:
    """The size that a network is built for is its only one nearby, and what comes before would take more.

    Only behind windows: for a network of linear layers alone its input size is no accident.
    """
    point = tuple(question.built.get(name, 0) for name in question.names)
    box = next(
        (box for box in found.region.boxes if all(n in one for n, one in zip(point, box.sets, strict=True))),
        None,
    )
    if box is None or any(one - type(one).of([n]) for n, one in zip(point, box.sets, strict=True)):
        return
    for culprit in deciding(found.imposed, question.names):
        trunk = everything(question.names)
        for other in _before(found, culprit):
            trunk &= other.region
        if trunk.is_finite or not culprit.region.is_finite or not _sees_windows(found, culprit.node):
            continue
        allowed = ", ".join(written(trunk))
        yield Diagnostic(
            "one-size",
            "note",
            f"{culprit.node.layer.kind} fits an input of {shown(point)} and none near it, though the layers "
            f"before it accept {allowed}: {culprit.requirement}",
            culprit.node.place.of(culprit.node.layer.kind),
            (culprit.path,),
        )
        return


def _before(found: Solution, culprit: Imposed) -> list[Imposed]:
    positions = {node.path: number for number, node in enumerate(found.inference.graph.nodes)}
    return [one for one in found.imposed if positions[one.path] < positions[culprit.path]]


def _sees_windows(found: Solution, last: GraphNode) -> bool:
    """Say whether a window of more than one position comes before a layer."""
    for node, effect in zip(found.inference.graph.nodes, found.inference.effects, strict=True):
        if node is last:
            return False
        if effect is not None and effect.window is not None and any(k != 1 for k in effect.window.kernel):
            return True
    return False


def fixed_output(question: Question, found: Solution) -> Iterator[Diagnostic]:
    """The output is a map of one size, whatever the size of the input."""
    graph, shapes = found.inference.graph, found.inference.shapes
    slot = next(iter(graph.outputs.values()))
    output = shapes[slot]
    varies = any(one != EVERY_SIZE and one.is_finite for box in found.region.boxes for one in box.sets)
    if not found.region or varies or output is None or len(output) < 4 or names_in(output):
        return
    sizes = output[2:] if question.spec.framework == "torch" else output[1:-1]
    if all(size == 1 for size in sizes):
        return
    while (node := graph.producer(slot)) is not None and not names_in(
        size for source in node.sources for size in shapes[source] or ()
    ):
        slot = node.sources[0]
    if node is None:
        return
    yield Diagnostic(
        "fixed-output",
        "warning",
        f"the output is {shown(output)} whatever the size of the input: {node.layer.kind} makes it so",
        node.place.of(node.layer.kind),
        (node.path,),
    )
