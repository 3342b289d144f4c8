"""GraphCache that have been expanded before, kept with their spec: most questions need no new expansion."""

from __future__ import annotations

from collections.abc import Mapping

from shapecalc.algebra.rational import Value
from shapecalc.engine.expand import expand
from shapecalc.engine.graph import Graph, Inference
from shapecalc.engine.parameters import Parameters
from shapecalc.engine.reinfer import reinfer
from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.requirement import Shape
from shapecalc.spec.tree import Spec

_KEPT = 4


class GraphCache:
    """The last expansions of one spec."""

    def __init__(self) -> None:
        self.kept: list[Graph] = []

    def infer(
        self, spec: Spec, parameters: Parameters, inputs: Mapping[str, Shape], *, batched: bool = True
    ) -> Inference:
        """Return the inference over a spec, along a graph that is known where one still serves."""
        shapes = [*inputs.values()]
        for graph in self.kept:
            if graph.batched is batched and serves(graph, parameters):
                inference = reinfer(graph, shapes)
                if inference is not None:
                    return inference
        inference = expand(spec, parameters.__getitem__, inputs, batched=batched)
        if not inference.failures and not inference.graph.loops:
            self.kept.insert(0, inference.graph)
            del self.kept[_KEPT:]
        return inference


def serves(graph: Graph, parameters: Parameters) -> bool:
    """Say whether every parameter that an expansion read still has its value."""
    try:
        return all(_same(parameters[name], value) for name, value in graph.parameters_read.items())
    except (SpecError, Undecided):
        return False  # a new expansion may not ask for the parameter that has no value now


def _same(value: Value, known: Value) -> bool:
    if isinstance(value, list) and isinstance(known, list):
        return len(value) == len(known) and all(map(_same, value, known))
    return type(value) is type(known) and value == known  # True is not 1 in a spec
