"""What looks like a mistake although it runs: layers, outputs and parts of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel

from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.violation import LayerViolation, Violation
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Place
from shapecalc.layers.family import Family
from shapecalc.layers.linear import Dense
from shapecalc.layers.requirement import Shape, shown
from shapecalc.layers.reshape import Permute, Transpose
from shapecalc.layers.spatial import Spatial
from shapecalc.report.node import Node
from shapecalc.report.report import Report
from shapecalc.spec.tree import Call, Spec


class LinearOnMap(LayerViolation):
    """A linear layer that reads a map: a flatten is missing.

    In torch it mixes along the width, in Keras the channels of each position. Only where the map comes
    from a layer that keeps the channels where they are; after a permutation the last axis may well be
    the one that is meant.
    """

    code = "linear-on-map"
    hint = "put a flatten before it"

    def __init__(self, node: Node, framework: str) -> None:
        super().__init__(node)
        self.input, self.framework = node.inputs[0], framework

    @classmethod
    def find(cls, spec: Spec, report: Report) -> Iterator[Self]:
        maps: set[int] = set()
        by_path = {node.path: node for node in report.nodes}
        for graph_node in report.graph.nodes:
            node, layer = by_path.get(graph_node.path), graph_node.layer
            if node is None or len(node.output) < 4:
                continue
            from_map = not maps.isdisjoint(graph_node.sources)
            if isinstance(layer, Spatial) or (from_map and not isinstance(layer, (Permute, Transpose))):
                maps.add(graph_node.first_slot)
            if from_map and isinstance(layer, Dense):
                yield cls(node, spec.framework)

    @property
    def message(self) -> str:
        kind, x = self.layer.kind, self.input
        if self.framework == "torch":
            return (
                f"{kind} mixes the last axis of the map {shown(x)}, its width of {x[-1]}, at every "
                f"position of every channel"
            )
        return (
            f"{kind} mixes the {x[-1]} channels of the map {shown(x)} at each of its {shown(x[1:-1])} "
            f"positions, so that its result is a map too"
        )


class HeadsDisagree(Violation):
    """Outputs that disagree: a map beside vectors, or heads with different numbers of classes."""

    code = "heads-disagree"
    needs_all = True

    def __init__(self, name: str, shape: Shape, main: str, main_shape: Shape, place: Place) -> None:
        self.name, self.shape, self.main, self.main_shape = name, shape, main, main_shape
        self.place, self.paths = place, (name,)

    @classmethod
    def find(cls, spec: Spec, report: Report) -> Iterator[Self]:
        outputs = [*report.outputs.items()]
        for name, shape in outputs[1:]:
            main, main_shape = outputs[0]
            is_flat = len(shape) == len(main_shape) == 2
            if len(shape) != len(main_shape) or (is_flat and shape[-1] != main_shape[-1]):
                yield cls(name, shape, main, main_shape, _last_weights(spec, report, name))

    @property
    def message(self) -> str:
        ranks, mine, theirs = (
            (len(self.shape), len(self.main_shape)),
            shown(self.shape),
            shown(self.main_shape),
        )
        if ranks[0] != ranks[1]:
            head = f"the output {self.name} is {mine}, with {ranks[0]} axes"
            return f"{head}, but {self.main} is {theirs}, with {ranks[1]}"
        head = f"the output {self.name} has {self.shape[-1]} classes"
        return f"{head}, but {self.main} has {self.main_shape[-1]}"


def _last_weights(spec: Spec, report: Report, output: str) -> Place:
    """Return where the last layer with weights before an output is written."""
    weighty = {node.path for node in report.nodes if node.weights}
    node = report.graph.producer(report.graph.outputs[output])
    while node is not None and node.path not in weighty:
        node = report.graph.producer(node.sources[0]) if node.sources else None
    return node.place.of(node.layer.kind) if node is not None else spec.place


class UnusedResult(LayerViolation):
    """Results that nothing reads and that are no output of the model."""

    code = "unused-result"
    needs_all = True

    @classmethod
    def find(cls, _spec: Spec, report: Report) -> Iterator[Self]:
        read = {slot for node in report.graph.nodes for slot in node.sources}
        read |= set(report.graph.outputs.values())
        yield from (cls(node) for node in report.graph.nodes if not read.intersection(node.slots))

    @property
    def message(self) -> str:
        return f"{self.layer.kind} is computed, but nothing reads its result and it is no output"


class SharedWeights(LayerViolation):
    """Weights used again on an input of other sizes: sometimes meant, often a layer too few."""

    code = "shared-weights"
    severity = "note"

    def __init__(self, node: Node, owner: Node) -> None:
        super().__init__(node)
        self.owner, self.inputs = owner.path, (node.inputs[0], owner.inputs[0])

    @classmethod
    def find(cls, _spec: Spec, report: Report) -> Iterator[Self]:
        by_path = {node.path: node for node in report.nodes}
        for node in report.nodes:
            owner = by_path.get(node.shares or "")
            if owner is not None and node.weights and owner.inputs != node.inputs:
                yield cls(node, owner)

    @property
    def message(self) -> str:
        mine, theirs = map(shown, self.inputs)
        return (
            f"{self.layer.kind} uses the weights of {self.owner} on {mine}, which they first met as {theirs}"
        )


class BiasBeforeNorm(LayerViolation):
    """A bias that the batch normalization behind it takes away again."""

    code = "bias-before-norm"
    severity = "note"
    hint = "bias: false"

    def __init__(self, node: Node, norm: GraphNode) -> None:
        super().__init__(node)
        self.norm = norm.layer.kind

    @classmethod
    def find(cls, _spec: Spec, report: Report) -> Iterator[Self]:
        readers: dict[int, list[GraphNode]] = {}
        for graph_node in report.graph.nodes:
            for slot in graph_node.sources:
                readers.setdefault(slot, []).append(graph_node)
        slots = {graph_node.path: graph_node.first_slot for graph_node in report.graph.nodes}
        for node in report.nodes:
            after = readers.get(slots[node.path], [])
            is_norm = len(after) == 1 and after[0].layer.family is Family.BATCH_NORM
            has_bias = "bias" in {name.rpartition(".")[2] for name in node.weights}
            if is_norm and has_bias and node.kind != after[0].layer.kind:
                yield cls(node, after[0])

    @property
    def message(self) -> str:
        return f"{self.layer.kind} adds a bias that the {self.norm} behind it takes away again"


class UnusedPart(Violation):
    """Blocks that no step uses, and parameters that nothing reads."""

    what: ClassVar[str]

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.place = name, place

    @classmethod
    def find(cls, spec: Spec, _report: Report) -> Iterator[UnusedPart]:
        if spec.is_member:
            return  # what it leaves unused is for another member of its family
        budgets = [spec.budget, *(variant.budget for variant in spec.variants.values())]
        used = set(_words((spec.layers, spec.blocks, spec.parameters, spec.input, budgets)))
        for part, names in ((UnusedBlock, spec.blocks), (UnusedParameter, spec.parameters)):
            for name in (name for name in names if name not in used):
                yield part(name, spec.place.of(f"{part.what}s", name))

    @property
    def message(self) -> str:
        return f"nothing uses the {self.what} {self.name}"


class UnusedBlock(UnusedPart):
    """A block that no step uses."""

    code = "unused-block"
    what = "block"


class UnusedParameter(UnusedPart):
    """A parameter that nothing reads."""

    code = "unused-parameter"
    what = "parameter"


def _words(value: Any) -> Iterator[str]:
    """Yield every name that a part of the tree reads or calls."""
    if isinstance(value, Formula):
        yield from value.names
    elif isinstance(value, Call):
        yield value.callee
        yield from _words(value.arguments)
    elif isinstance(value, BaseModel):
        for _, field in value:
            yield from _words(field)
    elif isinstance(value, Mapping):
        yield from _words(tuple(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _words(item)
