"""What the set of legal input sizes shows of a network that holds: it fits one size only, or sets its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from shapecalc.algebra.integer_set import EVERY_SIZE
from shapecalc.algebra.region import Region, everything
from shapecalc.diagnostics.violation import LayerViolation, Violation
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Undecided
from shapecalc.layers.requirement import Requirement, Shape, shown
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
    yield from OneSize.find(question, result)
    yield from FixedOutput.find(question, result)


class OneSize(LayerViolation):
    """The size that a network is built for is its only one nearby, and what comes before would take more.

    Only behind windows: for a network of linear layers alone its input size is no accident.
    """

    code = "one-size"
    severity = "note"

    def __init__(self, node: GraphNode, needed: Requirement, size: Shape, before: list[str]) -> None:
        super().__init__(node)
        self.needed, self.size, self.before = needed, size, before

    @classmethod
    def find(cls, question: Question, result: Solution) -> Iterator[Self]:
        size = tuple(question.built.get(name, 0) for name in question.names)
        boxes = (
            box for box in result.region.boxes if all(n in ns for n, ns in zip(size, box.sets, strict=True))
        )
        box = next(boxes, None)
        if box is None or any(ns - type(ns).of([n]) for n, ns in zip(size, box.sets, strict=True)):
            return
        for culprit in deciding(result.imposed, question.names):
            trunk = _before(question, result, culprit)
            if not trunk.is_finite and culprit.region.is_finite and _sees_windows(result, culprit.node):
                yield cls(culprit.node, culprit.requirement, size, [*written(trunk)])
                return

    @property
    def message(self) -> str:
        return (
            f"{self.layer.kind} fits an input of {shown(self.size)} and none near it, though the layers "
            f"before it accept {', '.join(self.before)}: {self.needed}"
        )


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


class FixedOutput(LayerViolation):
    """The output is a map of one size, whatever the size of the input."""

    code = "fixed-output"

    def __init__(self, node: GraphNode, output: Shape) -> None:
        super().__init__(node)
        self.output = output

    @classmethod
    def find(cls, question: Question, result: Solution) -> Iterator[Self]:
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
            yield cls(node, output)

    @property
    def message(self) -> str:
        kind = self.layer.kind
        return f"the output is {shown(self.output)} whatever the size of the input: {kind} makes it so"
