"""The graph in the making: nodes are appended and asked at once, and what was read is remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.rational import Value
from shapecalc.engine.error_recovery import NO_DOUBT, Guesses, carried_on, is_whole, resting, whole
from shapecalc.engine.evaluate import Evaluator, failure
from shapecalc.engine.graph import Graph, GraphNode, Group, Inference, Loop
from shapecalc.engine.limits import TooLarge
from shapecalc.engine.scope import Binding, UnknownSize
from shapecalc.errors import Failure, FormulaError, OtherWeights, Place, SpecError, Undecided, quote
from shapecalc.layers.base import Effect, Kind, Shapes
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.spec.tree import MOST_LAYERS, Spec, Step


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a recorder had come, to go back to."""

    nodes: int
    groups: int
    slots: int
    failures: int
    loops: int
    conditions: int


class Recorder:
    """Holds the graph, the shapes and the failures of one expansion; frames ask it for values."""

    def __init__(
        self,
        spec: Spec,
        parameter: Callable[[str], Value],
        inputs: Mapping[str, Shape],
        *,
        batched: bool,
        guesses: Guesses,
    ) -> None:
        self.spec = spec
        self.guesses = guesses
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
        self.doubtful: dict[int, frozenset[int]] = {}
        """The tensors whose sizes are a guess, and on which guesses each rests: where they were made."""
        self.loops: tuple[Loop, ...] = ()
        """The loops that the next node is in."""

    @property
    def inference(self) -> Inference:
        """Everything that was found."""
        lost = {slot for slot, doubt in self.doubtful.items() if whole(slot) <= doubt}
        return Inference(self.graph, self.shapes, self.effects, self.failures, {*self.doubtful}, lost)

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
        if shape is None or self.is_guessed(slot):
            raise UnknownSize
        if not -len(shape) <= axis < len(shape):
            raise FormulaError(f"the tensor has {len(shape)} axes, so there is no axis {axis}")
        self.graph.sizes_read[slot, axis] = shape[axis]
        return shape[axis]

    def is_guessed(self, slot: int) -> bool:
        """Say whether nothing is known of a tensor, so that what is said of it may not be told."""
        return self.shapes[slot] is None or is_whole(self.doubtful.get(slot, NO_DOUBT))

    def add(self, layer: Kind, sources: list[int], path: str, place: Place, *, trainable: bool) -> Binding:
        """Append a layer that reads these tensors; after a refusal the most plausible results stand in."""
        inputs = tuple(shape for slot in sources if (shape := self.shapes[slot]) is not None)
        answer = self.evaluator.apply(layer, inputs)
        node = GraphNode(path, layer, tuple(sources), self.graph.slots, 1, place, trainable)
        node.loops = self.loops
        self.graph.nodes.append(node)
        doubts = [self.doubtful.get(slot, NO_DOUBT) for slot in sources]
        results: Shapes | None
        if isinstance(answer, Refused):
            results, doubt, is_told = carried_on(layer, inputs, answer, doubts, node.first_slot, self.guesses)
            if is_told:
                self.failures.append(failure(answer, layer, path, place))
            self.effects.append(None)
        else:
            results, doubt = answer.outputs, resting(layer, doubts)
            self.effects.append(None if any(map(is_whole, doubts)) else answer)
        self.shapes.extend(results or (None,))
        node.results = len(results or (None,))
        if doubt:
            self.doubtful |= dict.fromkeys(node.slots, doubt)
        self.graph.slots += node.results
        return Binding(tuple(node.slots))

    def one(self, layer: Kind) -> Kind:
        """Return the first of all equal layers, so that equal questions are asked once."""
        return self.interned.setdefault(layer, layer)

    def share(self, target: Binding, step: Step, mark: Binding) -> tuple[int, SpecError] | None:
        """Let the nodes of a step use the weights of another, one by one; a repeat does so every pass.

        Return the first node that cannot, with what is to be told of it.
        """
        owners, users = range(target.start, target.end), range(mark.start, mark.end)
        again = step.repeat is not None and len(owners) > 0 and len(users) % len(owners) == 0
        if len(owners) != len(users) and not again:
            if any(self.graph.nodes[index].loops != self.loops for index in (*owners, *users)):
                raise Undecided(f"{quote(step.share)} and this step go through their passes differently")
            told = f"has {_layers(len(owners))}, but this step has {_layers(len(users))}"
            last = max(mark.start, mark.end - 1)
            at = next((user for _, user in self._differing(owners, users)), last if owners else mark.start)
            return at, SpecError(f"{quote(step.share)} {told}")
        for owner, user in self._differing(owners, users):
            there, here = self.graph.nodes[owner].path, self.graph.nodes[user].path
            theirs, mine = self.effects[owner], self.effects[user]
            assert theirs is not None
            assert mine is not None
            message = f"{there} has {_weights(theirs)}, but {here} needs {_weights(mine)}"
            return user, SpecError(message, fact=OtherWeights(there, here))
        for owner, user in zip(cycle(owners), users, strict=False):
            mine, theirs = self.effects[user], self.effects[owner]
            if mine is None or theirs is None:
                continue
            if not _pass_by_pass(self.graph.nodes[owner].loops, self.graph.nodes[user].loops):
                raise Undecided(
                    f"which pass of {quote(step.share)} shares its weights depends on how many there are"
                )
            first = self.graph.nodes[owner].owner
            self.graph.nodes[user].owner = owner if first is None else first
        return None

    def _differing(self, owners: range, users: range) -> Iterator[tuple[int, int]]:
        """Yield the pairs of nodes, of those that are known, whose weights differ."""
        for owner, user in zip(cycle(owners), users, strict=False):
            mine, theirs = self.effects[user], self.effects[owner]
            if mine is not None and theirs is not None and mine.weights != theirs.weights:
                yield owner, user

    def unknown(self) -> int:
        """Return a tensor that stands in for a result that could not be found."""
        self.shapes.append(None)
        self.graph.slots += 1
        return self.graph.slots - 1

    def lost(self, like: int) -> int:
        """Return a tensor in the place of one that is not there, with the shape of another as a guess."""
        slot = self.unknown()
        self.shapes[slot] = self.shapes[like]
        if self.shapes[slot] is not None:
            self.doubtful[slot] = whole(slot)
        return slot

    def stand_in(self, shape: Shape, slot: int) -> int:
        """Return a tensor of this shape that is, in one pass of a loop, the tensor in a slot."""
        self.shapes.append(shape)
        self.graph.slots += 1
        self.graph.standing_for[self.graph.slots - 1] = slot
        if slot in self.doubtful:
            self.doubtful[self.graph.slots - 1] = self.doubtful[slot]
        return self.graph.slots - 1

    def checkpoint(self) -> Checkpoint:
        """Return how far the graph has come."""
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
        """Take back everything since a checkpoint; only what has been read stays remembered."""
        graph = self.graph
        del graph.nodes[to.nodes :], self.effects[to.nodes :]
        del graph.groups[to.groups :], graph.loops[to.loops :], graph.conditions[to.conditions :]
        del self.shapes[to.slots :], self.failures[to.failures :]
        graph.slots = to.slots
        graph.sizes_read = {key: size for key, size in graph.sizes_read.items() if key[0] < to.slots}
        graph.standing_for = {slot: of for slot, of in graph.standing_for.items() if slot < to.slots}
        self.doubtful = {slot: doubt for slot, doubt in self.doubtful.items() if slot < to.slots}

    def spend(self) -> None:
        """Count one piece of work; raise `TooLarge` when there have been too many."""
        self.work += 1
        if self.work > MOST_LAYERS:
            place = self.spec.place.of("layers")
            raise TooLarge(f"the model has more than {MOST_LAYERS:,} layers", place=place)

    def fail(self, error: SpecError, path: str, place: Place, before: int | None = None) -> None:
        """Keep an error of the spec as a failure: as the last one, or before another."""
        number = len(self.failures) if before is None else before
        place, fact = error.place or place, error.fact
        failed = Failure("spec", error.message, path, place, error.hint, is_spec_error=True, fact=fact)
        self.failures.insert(number, failed)

    def failed_before(self, node: int, start: int, failures: int) -> int:
        """Return how many failures there are before that of a node, in a step that begins at `start`.

        `failures` says how many there were before the step.
        """
        earlier = {one.path for one in self.graph.nodes[start : node + 1]}
        found = [number for number, one in enumerate(self.failures) if one.path in earlier]
        return max((number + 1 for number in found), default=failures)

    def open(self, path: str, label: str, passes: int = 1) -> Group:
        """Begin a part of the outline at the next node."""
        start = len(self.graph.nodes)
        group = Group(path, label, start, start, path.count("."), passes)
        self.graph.groups.append(group)
        return group

    def close(self, group: Group) -> None:
        """End a part of the outline after the last node."""
        group.end = len(self.graph.nodes)


def _pass_by_pass(owner: tuple[Loop, ...], user: tuple[Loop, ...]) -> bool:
    """Say whether every pass of a user finds its owner: in the same pass of loops that go alike."""
    together = 0
    while together < min(len(owner), len(user)) and owner[together] == user[together]:
        together += 1
    alone = owner[together:]
    return [_passes(one) for one in alone] == [_passes(one) for one in user[len(user) - len(alone) :]]


def _passes(loop: Loop) -> tuple[str, int, Dim]:
    return loop.index, loop.first, loop.count


def _layers(count: int) -> str:
    return "1 layer" if count == 1 else f"{count} layers"


def _weights(effect: Effect) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in effect.weights.items()) or "none"
