"""The tree of a network as it was expanded: what is inside what, what it reads, how the spec writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shapecalc.algebra.rational import Value
from shapecalc.bridges.torch.export.class_data import Part
from shapecalc.engine.error_recovery import TieBreaks
from shapecalc.engine.expand import Expansion
from shapecalc.engine.graph import Graph
from shapecalc.engine.parameters import Parameters, input_shapes
from shapecalc.engine.scope import Binding, Scope
from shapecalc.errors import Place
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.requirement import Shape
from shapecalc.model import Model
from shapecalc.spec.tree import Call, Step


@dataclass(frozen=True)
class Network:
    """A model expanded: its tree, its graph, and the shape of every tensor."""

    root: Part
    graph: Graph
    shapes: Sequence[Shape | None]
    inputs: Mapping[str, Shape]

    def channels(self, slot: int) -> int | None:
        """Return the channels of a tensor, or None where it has none."""
        shape = self.shapes[slot] or ()
        return shape[1] if len(shape) > 1 and isinstance(shape[1], int) else None


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
        caller: Scope | None = None,
    ) -> Binding:
        with self.inside(path) as part:
            part.what = "block" if variables is not None else "list"
            part.label, part.sources, part.variables = label, (current,), variables or {}
            binding = super().sequence(outer, steps, current, path, label, variables, bindings, caller)
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
