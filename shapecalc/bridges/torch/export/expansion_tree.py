"""The tree of a network as it was expanded: what stands in what, what it reads, and how it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
        own: Counter[int] = Counter()
        if self.what == "absent":
            own.update(self.sources)
        elif self.node is not None:
            own.update(self.node.sources)
        for child in self.children:
            own.update(child.reads())
        return own

    def produces(self) -> Iterator[int]:
        """Yield the tensors that come about in this part."""
        for child in self.children:
            yield from child.produces()
        if self.what == "absent" or self.node is not None:
            yield from self.results


@dataclass(frozen=True)
class Network:
    """A model expanded: its tree, its graph, and the shape of every tensor."""

    root: Part
    graph: Graph
    shapes: Sequence[Shape | None]
    inputs: Mapping[str, Shape]


class _Told(Expansion):
    """An expansion that keeps the tree; a step left out hands its tensor on under a slot of its own."""

    stack: list[Part]

    def step(self, scope: Scope, step: Step, current: int, key: str, path: str) -> int:
        part = Part(key, path, step=step)
        self.stack[-1].children.append(part)
        if not self.is_enabled(scope, step):
            scope.skipped.add(key)
            shape = self.builder.shapes[current]
            assert shape is not None
            part.what, part.sources = "absent", (current,)
            part.results = (self.builder.alias(shape, current),)
            return part.results[0]
        self.stack.append(part)
        part.what, part.sources, part.results = "repeat", (current,), (current,)
        try:
            return super().step(scope, step, current, key, path)
        finally:
            self.stack.pop()

    def run_once(self, scope: Scope, step: Step, sources: list[int], path: str) -> Binding:
        part, is_new = self._at(path)
        part.step = part.step or step
        try:
            binding = super().run_once(scope, step, sources, path)
            self.stack[-2 if is_new else -1].results = binding.slots
            return binding
        finally:
            if is_new:
                self.stack.pop()

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
        part, is_new = self._at(path)
        part.what, part.label, part.sources = "block" if variables is not None else "list", label, (current,)
        part.variables = variables or {}
        try:
            binding = super().sequence(outer, steps, current, path, label, variables, bindings)
            part.results = binding.slots
            return binding
        finally:
            if is_new:
                self.stack.pop()

    def call(self, scope: Scope, call: Call, current: int, path: str, place: Place) -> Binding:
        self.stack[-1].written = call.arguments
        self.stack[-1].label = call.callee
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

    def _at(self, path: str) -> tuple[Part, bool]:
        """Return the part at a path, and whether it is new and on the stack from now on."""
        if self.stack[-1].path == path:
            return self.stack[-1], False
        part = Part(path.rpartition(".")[2], path)
        self.stack[-1].children.append(part)
        self.stack.append(part)
        return part, True


def expanded(model: Model, given: Any, values: Mapping[str, Any]) -> Network:
    """Return the tree of a model that holds."""
    parameters = Parameters(model, values)
    inputs = input_shapes(model, parameters, given, 1)
    told = _Told(model, parameters.__getitem__, inputs, batched=model.batched, ties=TieBreaks())
    root = Part("", "", "block", label=model.name, sources=(0,))
    told.stack = [root]
    inference = told.run()
    assert not inference.failures
    return Network(root, inference.graph, inference.shapes, inputs)
