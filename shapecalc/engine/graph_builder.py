"""The graph under construction: each node is evaluated as it is appended, and what was read is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.rational import Value
from shapecalc.engine.error_recovery import (
    UNTAINTED,
    Taint,
    TieBreaks,
    is_missing,
    missing_tensor,
    propagate_taint,
    recover,
)
from shapecalc.engine.evaluate import Evaluator, failure
from shapecalc.engine.graph import Graph, GraphNode, Group, Inference, Loop
from shapecalc.engine.limits import TooLarge
from shapecalc.engine.scope import Binding, UnknownSize
from shapecalc.errors import Failure, FormulaError, Place, SpecError, Undecided
from shapecalc.layers.base import Effect, Kind, Shapes
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.spec.tree import MOST_LAYERS, Spec


class Checkpoint(NamedTuple):
    """How much of the graph there was, to roll back to."""

    nodes: int
    groups: int
    slots: int
    failures: int
    loops: int
    conditions: int


class GraphBuilder:
    """Holds the graph, the shapes and the failures of one expansion; scopes read sizes from it."""

    def __init__(
        self,
        spec: Spec,
        parameter: Callable[[str], Value],
        inputs: Mapping[str, Shape],
        *,
        batched: bool,
        ties: TieBreaks,
    ) -> None:
        self.spec = spec
        self.ties = ties
        # Keras keeps the channels on the last axis, torch behind the batch.
        self.channel_axis = -1 if spec.framework == "keras" else 1 if batched else 0
        self.parameter_names = tuple(spec.parameters)
        self.value_of = parameter
        self.graph = Graph(slots=len(inputs), batched=batched, channel_axis=self.channel_axis)
        self.inputs = tuple(inputs.values())
        self.shapes: list[Shape | None] = [*self.inputs]
        self.effects: list[Effect | None] = []
        self.failures: list[Failure] = []
        self.evaluator = Evaluator()
        self.interned: dict[Kind, Kind] = {}
        self.work = 0
        self.taints: dict[int, Taint] = {}
        """The tensors whose sizes are a guess."""
        self.loops: tuple[Loop, ...] = ()
        """The loops that the next node is in."""

    @property
    def inference(self) -> Inference:
        """The graph with its shapes, effects and failures."""
        missing = {slot for slot, taint in self.taints.items() if missing_tensor(slot) <= taint}
        return Inference(self.graph, self.shapes, self.effects, self.failures, {*self.taints}, missing)

    # ---- what scopes read

    def parameter(self, name: str) -> Value:
        """Return the value of a parameter and remember that the graph depends on it."""
        value = self.value_of(name)
        self.graph.parameters_read[name] = value
        if self.loops and isinstance(value, Expr):
            for loop in self.loops:
                if loop.index in value.free_symbols:
                    raise Undecided(
                        f"{name} is {value}, and {loop.index} counts the passes here: call it otherwise"
                    )
        return value

    def size(self, slot: int, axis: int) -> Dim:
        """Return a size of a tensor and remember that the graph depends on it."""
        shape = self.shapes[slot]
        if shape is None or self.is_unknown(slot):
            raise UnknownSize
        if not -len(shape) <= axis < len(shape):
            raise FormulaError(f"the tensor has {len(shape)} axes, so there is no axis {axis}")
        self.graph.sizes_read[slot, axis] = shape[axis]
        return shape[axis]

    def is_unknown(self, slot: int) -> bool:
        """Say whether nothing is known of a tensor, so that no complaint about it is reported."""
        return self.shapes[slot] is None or is_missing(self.taints.get(slot, UNTAINTED))

    # ---- nodes and tensors

    def add(self, layer: Kind, sources: list[int], path: str, place: Place, *, trainable: bool) -> Binding:
        """Append a layer that reads these tensors; after a refusal the most plausible results are assumed."""
        inputs = tuple(shape for slot in sources if (shape := self.shapes[slot]) is not None)
        answer = self.evaluator.apply(layer, inputs)
        node = GraphNode(path, layer, tuple(sources), self.graph.slots, 1, place, trainable)
        node.loops = self.loops
        self.graph.nodes.append(node)
        taints = [self.taints.get(slot, UNTAINTED) for slot in sources]
        results: Shapes | None
        if isinstance(answer, Refused):
            results, taint, is_reported = recover(layer, inputs, answer, taints, node.first_slot, self.ties)
            if is_reported:
                self.failures.append(failure(answer, layer, path, place))
            self.effects.append(None)
        else:
            results, taint = answer.outputs, propagate_taint(layer, taints)
            self.effects.append(None if any(map(is_missing, taints)) else answer)
        self.shapes.extend(results or (None,))
        node.results = len(results or (None,))
        if taint:
            self.taints |= dict.fromkeys(node.slots, taint)
        self.graph.slots += node.results
        return Binding(tuple(node.slots))

    def intern(self, layer: Kind) -> Kind:
        """Return the first of all equal layers, so that equal calls are evaluated once."""
        return self.interned.setdefault(layer, layer)

    def share_answers(self, other: GraphBuilder) -> None:
        """Evaluate no layer again that another run of the same spec evaluated on the same shapes."""
        self.evaluator, self.interned = other.evaluator, other.interned

    def new_tensor(self, shape: Shape | None = None) -> int:
        """Return the slot of a tensor that no node makes: of unknown shape, after a failure."""
        self.shapes.append(shape)
        self.graph.slots += 1
        return self.graph.slots - 1

    def placeholder(self, like: int) -> int:
        """Return a tensor in the place of a missing one, with the shape of another as a guess."""
        slot = self.new_tensor(self.shapes[like])
        if self.shapes[slot] is not None:
            self.taints[slot] = missing_tensor(slot)
        return slot

    def alias(self, shape: Shape, slot: int) -> int:
        """Return a tensor of this shape that is, in one pass of a loop, the tensor in a slot."""
        own = self.new_tensor(shape)
        self.graph.aliases[own] = slot
        if slot in self.taints:
            self.taints[own] = self.taints[slot]
        return own

    def checkpoint(self) -> Checkpoint:
        """Return how much of the graph there is."""
        graph = self.graph
        return Checkpoint(
            len(graph.nodes),
            len(graph.groups),
            graph.slots,
            len(self.failures),
            len(graph.loops),
            len(graph.conditions),
        )

    def roll_back(self, to: Checkpoint) -> None:
        """Remove everything added since a checkpoint; only what has been read stays remembered."""
        graph = self.graph
        del graph.nodes[to.nodes :], self.effects[to.nodes :]
        del graph.groups[to.groups :], graph.loops[to.loops :], graph.conditions[to.conditions :]
        del self.shapes[to.slots :], self.failures[to.failures :]
        graph.slots = to.slots
        graph.sizes_read = {key: size for key, size in graph.sizes_read.items() if key[0] < to.slots}
        graph.aliases = {slot: of for slot, of in graph.aliases.items() if slot < to.slots}
        self.taints = {slot: taint for slot, taint in self.taints.items() if slot < to.slots}

    def count_work(self, amount: int = 1) -> None:
        """Count pieces of work; raise `TooLarge` when there have been too many."""
        self.work += amount
        if self.work > MOST_LAYERS:
            place = self.spec.place.of("layers")
            raise TooLarge(f"the model has more than {MOST_LAYERS:,} layers", place=place)

    # ---- failures and groups

    def add_failure(self, error: SpecError, path: str, place: Place, before: int | None = None) -> None:
        """Keep an error of the spec as a failure: as the last one, or before another."""
        number = len(self.failures) if before is None else before
        place, fact = error.place or place, error.fact
        failed = Failure("spec", error.message, path, place, error.hint, is_spec_error=True, fact=fact)
        self.failures.insert(number, failed)

    def open(self, path: str, label: str, passes: int = 1) -> Group:
        """Begin a group at the next node."""
        start = len(self.graph.nodes)
        group = Group(path, label, start, start, path.count("."), passes)
        self.graph.groups.append(group)
        return group

    def close(self, group: Group) -> None:
        """End a group after the last node."""
        group.end = len(self.graph.nodes)
