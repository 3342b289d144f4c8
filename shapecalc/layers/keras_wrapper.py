"""Keras' layers around a layer: at every position of a sequence, and over a sequence from both ends."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Self

from pydantic import Field, model_validator

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Component, Effect, Kind, Named, Shapes
from shapecalc.layers.counts import Operations
from shapecalc.layers.dependence import Along, AxisDependence, Before, Dependence, Scattered, unknown
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count, Nullable, OneOf, complaint
from shapecalc.layers.keras_recurrent import OverSteps
from shapecalc.layers.requirement import Requirement, Shape, arity, checked, rank_between, shown
from shapecalc.layers.roles import Holds
from shapecalc.layers.wrapper import Held, apply_inside


class KerasAround(Kind):
    """What layers around a layer share: the layer, its family, and which of its weights are not trained."""

    family = Family.WRAPPER
    framework = "keras"

    layer: Annotated[Kind, Held("keras"), Holds()] = Field(description="The layer, as a step would write it.")

    @property
    def acts_as(self) -> Family:
        return self.layer.acts_as

    @property
    def gathered(self) -> frozenset[str]:
        return self.layer.gathered

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - 1


class KerasAroundOne(KerasAround):
    """A layer around one of one tensor, behind which there may be the function that Keras' layer holds."""

    unknown_dependence = ("channels", "it sees what the layer inside sees, and says what that says")

    activation: Annotated[Kind | None, Nullable(Held("keras")), Holds()] = Field(
        None, description="A function of each element of what the layer returns."
    )

    def step(self, x: Shape) -> Shape:
        """Return what the layer takes."""
        return x

    def times(self, x: Shape) -> Dim:
        """Return how many times the layer is used."""
        return 1

    @abstractmethod
    def requirements(self, x: Shape) -> Iterator[Requirement]:
        """Yield what the input must satisfy."""

    def inside(self, inputs: Shapes) -> Effect:
        """Return the effect of the layer, with the conditions of this one."""
        own = checked([arity(self.kind, len(inputs), 1)]) + checked(self.requirements(inputs[0]))
        effect = apply_inside(self.kind, self.layer, (self.step(inputs[0]),))
        return replace(effect, conditions=(*own, *effect.conditions))

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        taken, times = (self.step(inputs[0]),), self.times(inputs[0])
        one = Component(self.layer, taken, times)
        if self.activation is None:
            return (one,)
        return (one, Component(self.activation, self.layer.apply(taken).outputs, times))

    def operations_on(self, inputs: Shapes) -> Operations | None:
        total = Operations()
        for layer, taken, times in self.components(inputs):
            inside = layer.operations_on(taken)
            if inside is None:
                return None
            total = total + inside * times
        return total


class KerasTimeDistributed(KerasAroundOne, kind="time_distributed", keras="keras.layers.TimeDistributed"):
    """A layer of one tensor at every position: `[N, T, ...]`, where the layer takes and returns `[N, ...]`.

    Weights are the layer's, which all positions share; it costs T times what the layer costs. Refuses fewer
    than three dimensions, and what the layer refuses.

    >>> KerasTimeDistributed(layer={"linear": {"out_features": 4}}).apply(((2, 10, 16),)).outputs
    ((2, 10, 4),)
    """

    def step(self, x: Shape) -> Shape:
        return replaced(x, 1)

    def times(self, x: Shape) -> Dim:
        return x[1]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 3, None)

    def apply(self, inputs: Shapes) -> Effect:
        effect = self.inside(inputs)
        outputs = tuple((x[0], inputs[0][1], *x[1:]) for x in effect.outputs)
        macs = None if effect.macs is None else effect.macs * inputs[0][1]
        return Effect(outputs, effect.weights, effect.buffers, macs, None, effect.conditions)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        (inside,) = self.layer.depends_on((self.step(inputs[0]),), result)
        batch, *others = map(_moved_on, inside)
        return ((batch, Along(1), *others),)


def _moved_on(view: AxisDependence) -> AxisDependence:
    """Return a view of a result that has one axis more, behind its batch."""
    if isinstance(view, (Along, Before)):
        return replace(view, axis=view.axis + (view.axis > 0))
    if isinstance(view, Scattered):
        return Scattered(frozenset(axis + (axis > 0) for axis in view.axes))
    return view


class KerasSpectralNorm(
    KerasAroundOne, kind="spectral_norm", framework="keras", keras="keras.layers.SpectralNormalization"
):
    """A layer whose kernel is divided by its largest singular value in training, step by step.

    Weights are the layer's, and behind its kernel (or its table) `vector_u: [1, n]`, which is not trained,
    with n the kernel's last axis. Shapes and MACs are those of the layer. Refuses a layer without a kernel.
    Source: Miyato et al., 2018.

    >>> KerasSpectralNorm(layer={"linear": {"out_features": 4}}).apply(((2, 16),)).weights
    {'kernel': (16, 4), 'vector_u': (1, 4), 'bias': (4,)}
    """

    power_iterations: Count = 1

    @property
    def gathered(self) -> frozenset[str]:
        return super().gathered | {"vector_u"}

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return iter(())

    def apply(self, inputs: Shapes) -> Effect:
        effect = self.inside(inputs)
        is_one = not isinstance(self.layer, (OverSteps, KerasAround))  # these hold what has the kernel
        first = next((name for name in ("kernel", "embeddings") if is_one and name in effect.weights), "")
        says = f"{self.kind}: {self.layer.kind} has no kernel"
        checked([Requirement("weight", int(first != ""), "==", 1, says)])
        kernel = effect.weights[first]
        own: Named = {first: kernel, "vector_u": (1, kernel[-1])}
        return replace(effect, weights=own | {name: w for name, w in effect.weights.items() if name != first})

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return self.layer.depends_on(inputs, result)


MERGING = {
    "concat": Operations(),
    "sum": Operations(additions=1),
    "ave": Operations(additions=1, divisions=1),
    "mul": Operations(multiplications=1),
}
"""What it costs to join a number of both directions."""
MergeMode = Annotated[str | None, Nullable(OneOf(tuple(MERGING)))]


class KerasBidirectional(KerasAround, kind="bidirectional", keras="keras.layers.Bidirectional"):
    """A recurrent layer over a sequence from both ends: `[N, L, F]`, the results joined by merge_mode.

    The results lie side by side (`concat`: the last axis is that of both), or are added (`sum`), averaged
    (`ave`) or multiplied (`mul`); without merge_mode they are two results. States follow, those of the
    forward layer first, and so do initial states behind the sequence. The backward layer is the same layer
    with weights of its own, unless backward_layer is another. Weights are named `forward.kernel`,
    `backward.kernel` and so on. Refuses layers that are not recurrent, that go the same way, or whose
    results are of different shapes where they are not put side by side.

    >>> layer = KerasBidirectional(layer={"lstm": {"hidden_size": 64}})
    >>> layer.apply(((1, 200, 16),)).outputs
    ((1, 128),)
    """

    unknown_dependence = ("positions", "where the two directions are joined, it sees what both see")

    merge_mode: MergeMode = "concat"
    backward_layer: Annotated[Kind | None, Nullable(Held("keras")), Holds()] = Field(
        None, description="The layer that reads from the end; by default the same with weights of its own."
    )

    @model_validator(mode="after")
    def _opposite_ways(self) -> Self:
        forward, backward = self.layer, self.backward_layer
        for layer in (forward, backward or forward):
            if not isinstance(layer, OverSteps) or layer.directions == 2:
                raise complaint(f"{layer.kind} is not a recurrent layer in one direction", "layer")
        if isinstance(forward, OverSteps):
            ways = forward.go_backwards, backward.go_backwards if isinstance(backward, OverSteps) else True
            if ways in ((True, True), (False, False)):
                raise complaint("both layers go the same way: go_backwards must differ", "layer")
        if isinstance(forward, OverSteps) and isinstance(backward, OverSteps):
            returned = (forward.return_sequences, forward.return_state)
            if returned != (backward.return_sequences, backward.return_state):
                raise complaint("both layers must return the same: sequences, states", "backward_layer")
        return self

    @property
    def layers(self) -> tuple[Kind, Kind]:
        """The forward and the backward layer."""
        return self.layer, self.backward_layer or self.layer

    def apply(self, inputs: Shapes) -> Effect:
        says = f"{self.kind} takes a sequence and states for both directions, not {len(inputs)} tensors"
        conditions = checked([Requirement("arity", len(inputs) % 2, "==", 1, says)])
        pairs = zip(self.layers, self._taken(inputs), strict=True)
        effects = [apply_inside(self.kind, layer, taken) for layer, taken in pairs]
        (forward, *states), (backward, *others) = (effect.outputs for effect in effects)
        conditions += checked(self._joinable(forward, backward))
        weights: Named = {}
        for way, effect in zip(("forward", "backward"), effects, strict=True):
            weights |= {f"{way}.{name}": shape for name, shape in effect.weights.items()}
        return Effect(
            outputs=(*self._joined(forward, backward), *states, *others),
            weights=weights,
            buffers={},
            macs=sum(effect.macs or 0 for effect in effects),
            window=None,
            conditions=(*conditions, *(each for effect in effects for each in effect.conditions)),
        )

    def _taken(self, inputs: Shapes) -> tuple[Shapes, Shapes]:
        """Return what each direction takes: the sequence, and its half of the initial states."""
        x, *states = inputs
        half = len(states) // 2
        return (x, *states[:half]), (x, *states[half:])

    def _joinable(self, forward: Shape, backward: Shape) -> Iterator[Requirement]:
        kept = len(forward) - (1 if self.merge_mode == "concat" else 0)
        if self.merge_mode is not None:
            says = f"{self.kind}: {shown(forward)} and {shown(backward)} are not of one shape"
            for left, right in zip(forward[:kept], backward[:kept], strict=True):
                yield Requirement("shape", left, "==", right, says)

    def _joined(self, forward: Shape, backward: Shape) -> Shapes:
        if self.merge_mode is None:
            return (forward, backward)
        return ((*forward[:-1], forward[-1] + backward[-1]) if self.merge_mode == "concat" else forward,)

    def components(self, inputs: Shapes) -> tuple[Component, ...]:
        return tuple(map(Component, self.layers, self._taken(inputs)))

    def operations_on(self, inputs: Shapes) -> Operations | None:
        total = Operations()
        for layer, taken in zip(self.layers, self._taken(inputs), strict=True):
            inside = layer.operations_on(taken)
            if inside is None:
                return None
            total = total + inside
        forward = self.layer.apply(self._taken(inputs)[0]).outputs[0]
        return total if self.merge_mode is None else total + MERGING[self.merge_mode] * product(forward)

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        return tuple((Along(0), *unknown(len(x) - 1)) for x in inputs)
