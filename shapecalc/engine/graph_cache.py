"""Graphs that have been expanded before, kept with their spec: most questions need no new expansion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shapecalc.algebra.rational import Value
from shapecalc.engine.evaluate import Evaluator
from shapecalc.engine.expand import expand
from shapecalc.engine.graph import Graph, Inference
from shapecalc.engine.lifetimes import Lifetimes
from shapecalc.engine.parameters import Parameters
from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.base import Effect
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.spec.tree import Spec

_KEPT = 4


class Witness(Protocol):
    """What confirms the inferences over an import at other sizes than the traced ones."""

    @property
    def lifetimes(self) -> Lifetimes | None:
        """When the tensors of the module's forward die, where that is known."""

    @property
    def in_training(self) -> Spec | None:
        """The import of the module in training mode; None where this is it."""

    def confirm(self, spec: Spec, inputs: Mapping[str, Shape]) -> str:
        """Return why inputs of these sizes are not confirmed, if so; raise `Undecided` where refuted."""

    def recorded_at(self, inputs: Mapping[str, Shape]) -> Inference | None:
        """Return the inference over the module as it runs at these sizes, for which the import fails."""


class GraphCache:
    """The last expansions of one spec; every inference over an import passes its witness here."""

    def __init__(self, witness: Witness | None = None) -> None:
        self.kept: list[Graph] = []
        self.witness = witness

    def infer(
        self,
        spec: Spec,
        parameters: Parameters,
        inputs: Mapping[str, Shape],
        *,
        batched: bool = True,
        confirm: bool = True,
    ) -> Inference:
        """Return the inference over a spec, along a cached graph where one is still valid."""
        unconfirmed = "" if self.witness is None else self.witness.confirm(spec, inputs)
        inference = self._inferred(spec, parameters, inputs, batched=batched, confirm=confirm)
        inference.unconfirmed = unconfirmed
        return inference

    def recorded(self, inference: Inference, inputs: Mapping[str, Shape]) -> Inference:
        """Return an inference; for one that fails, of an import, that of a new recording, if there is any."""
        if not inference.failures or self.witness is None:
            return inference
        return self.witness.recorded_at(inputs) or inference

    def _inferred(
        self, spec: Spec, parameters: Parameters, inputs: Mapping[str, Shape], *, batched: bool, confirm: bool
    ) -> Inference:
        shapes = [*inputs.values()]
        for graph in self.kept:
            if graph.batched is batched and serves(graph, parameters):
                inference = reinfer(graph, shapes)
                if inference is not None:
                    return inference
        inference = expand(spec, parameters.__getitem__, inputs, batched=batched, confirm=confirm)
        if not inference.failures and not inference.graph.loops:
            self.kept.insert(0, inference.graph)
            del self.kept[_KEPT:]
        return inference


def reinfer(graph: Graph, inputs: list[Shape]) -> Inference | None:
    """Return the inference over a graph with other input sizes, or None if it takes a new expansion.

    That is so where a size that the expansion read has changed, where a layer refuses or cannot decide (an
    expansion reports every failure, and recovers from it), and where shared weights now differ. Loops hold
    for the sizes that they were proved for, and are always expanded anew.
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


def serves(graph: Graph, parameters: Parameters) -> bool:
    """Say whether every parameter that an expansion read still has its value."""
    try:
        return all(_same(parameters[name], value) for name, value in graph.parameters_read.items())
    except (SpecError, Undecided):
        return False  # a new expansion may not read the parameter that has no value now


def _same(value: Value, known: Value) -> bool:
    if isinstance(value, list) and isinstance(known, list):
        return len(value) == len(known) and all(map(_same, value, known))
    return type(value) is type(known) and value == known  # True is not 1 in a spec
