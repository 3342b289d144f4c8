"""The tree of a network as it was expanded: what is inside what, what it reads, how the spec writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shapecalc.algebra.rational import Value
from shapecalc.engine.error_recovery import TieBreaks
from shapecalc.engine.expand import Expansion
from shapecalc.engine.graph import Graph, GraphNode
from shapecalc.engine.parameters import Parameters, input_shapes
from shapecalc.engine.scope import Binding, Scope
from shapecalc.errors import Place
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.requirement import Shape
from shapecalc.model import Model
from shapecalc.spec.tree import Call, Step


@dataclass(eq=False)
class Part:
    """A piece of a network: a layer, a block, a list of steps, a merge, a repeat, or a step left out."""

    key: str
    path: str
    what: str = "list"
    sources: tuple[int, ...] = ()
    results: tuple[int, ...] = ()
    children: list[Part] = field(default_factory=list)
    label: str = ""
    step: Step | None = None
    node: GraphNode | None = None
    written: Mapping[str, Any] = field(default_factory=dict)
    """The fields of a layer, or the arguments of a block, as the spec has them."""
    variables: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_here(self) -> bool:
        """Whether there is a module: the step is neither left out nor a pass that others have."""
        return self.what not in ("absent", "missing")

    def parts(self) -> Iterator[Part]:
        """Yield this part and all in it, what is inside before what holds it."""
        for child in self.children:
            yield from child.parts()
        yield self

    def reads(self) -> Counter[int]:
        """Return how often each tensor is read in this part."""
        nodes = (part for part in self.parts() if part.node is not None or part.what == "absent")
        return Counter(slot for part in nodes for slot in (part.node or part).sources)

    def produces(self) -> Iterator[int]:
        """Yield the tensors that this part produces."""
        for part in self.parts():
            if part.node is not None or part.what == "absent":
                yield from part.results


@dataclass(frozen=True)
class Network:
    """A model expanded: its tree, its graph, and the shape of every tensor."""

    root: Part
    graph: Graph
    shapes: Sequence[Shape | None]
    inputs: Mapping[str, Shape]


class _Recording(Expansion):
    """An expansion that keeps the tree; a step left out hands its tensor on under a slot of its own."""

    stack: list[Part]

    @contextmanager
    def inside(self, path: str) -> Iterator[Part]:
        """Enter the part at a path, unless the expansion is in it already."""
        if self.stack[-1].path == path:
            yield self.stack[-1]
            return
        part = Part(path.rpartition(".")[2], path)
        self.stack[-1].children.append(part)
        self.stack.append(part)
        try:
            yield part
        finally:
            self.stack.pop()

    def step(self, scope: Scope, step: Step, current: int, key: str, path: str) -> int:
        with self.inside(path) as part:
            part.key, part.step, part.sources = key, step, (current,)
            if not self.is_enabled(scope, step):
                scope.skipped.add(key)
                shape = self.builder.shapes[current]
                assert shape is not None
                part.what, part.results = "absent", (self.builder.alias(shape, current),)
                return part.results[0]
            part.what, part.results = "repeat", (current,)
            return super().step(scope, step, current, key, path)

    def run_once(self, scope: Scope, step: Step, sources: list[int], path: str) -> Binding:
        holder = self.stack[-1]
        with self.inside(path) as part:
            part.step = part.step or step
            binding = super().run_once(scope, step, sources, path)
            holder.results = binding.slots
            return binding

    def sequence(
        self,
        outer: Scope | None,
        steps: Sequence[Step],
        current: int,
        path: str,
        label: str,
        variables: dict[str, Value] | None = None,
        bindings: dict[str, Binding] | None = None,
    ) -> Binding:
        with self.inside(path) as part:
            part.what = "block" if variables is not None else "list"
            part.label, part.sources, part.variables = label, (current,), variables or {}
            binding = super().sequence(outer, steps, current, path, label, variables, bindings)
            part.results = binding.slots
            return binding

    def call(self, scope: Scope, call: Call, current: int, path: str, place: Place) -> Binding:
        self.stack[-1].written, self.stack[-1].label = call.arguments, call.callee
        return super().call(scope, call, current, path, place)

    def merge(self, scope: Scope, merge: Merge, sources: list[int], path: str, place: Place) -> Binding:
        self.stack[-1].what = "merge"
        return super().merge(scope, merge, sources, path, place)

    def add_layer(self, scope: Scope, layer: Kind, sources: list[int], path: str, place: Place) -> Binding:
        part = self.stack[-1]
        if part.what != "merge":
            part.what = "leaf"
        part.written = part.written or layer.fields_set()
        binding = super().add_layer(scope, layer, sources, path, place)
        part.node, part.sources, part.results = self.builder.graph.nodes[-1], tuple(sources), binding.slots
        return binding


def expanded(model: Model, input_shape: Any, values: Mapping[str, Any]) -> Network:
    """Return the tree of a model that holds."""
    parameters = Parameters(model, values)
    inputs = input_shapes(model, parameters, input_shape, 1)
    ties = TieBreaks()
    recording = _Recording(model, parameters.__getitem__, inputs, batched=model.batched, ties=ties)
    root = Part("", "", "block", label=model.name, sources=(0,))
    recording.stack = [root]
    inference = recording.run()
    assert not inference.failures
    return Network(root, inference.graph, inference.shapes, inputs)
