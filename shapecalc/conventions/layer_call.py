"""One call of a layer, as a counting convention sees it: data only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Caller, Effect, Kind, Named, Shapes, count
from shapecalc.layers.requirement import Shape

_SCALES = frozenset({"weight", "gamma"})


@dataclass(slots=True, eq=False, repr=False)  # not a record: many are made
class LayerCall:
    """A layer with the shapes of its inputs, everything that it does to them, and how it is called."""

    layer: Kind
    inputs: Shapes
    effect: Effect
    called: Caller = "module"

    @property
    def x(self) -> Shape:
        """The shape of the first input."""
        return self.inputs[0]

    @property
    def output(self) -> Shape:
        """The shape of the first result."""
        return self.effect.outputs[0]

    @property
    def weights(self) -> Named:
        """The learned tensors by name."""
        return self.effect.weights

    @property
    def macs(self) -> Dim | None:
        """The multiply-accumulates by the definition, None where they are not known."""
        return self.effect.macs

    @property
    def n_in(self) -> Dim:
        """How many numbers the first input holds."""
        return product(self.x)

    @property
    def n_out(self) -> Dim:
        """How many numbers the first result holds."""
        return product(self.output)

    @property
    def batch(self) -> Dim:
        """The first axis of the result, which tools take for the batch."""
        return self.output[0] if self.output else 1

    @property
    def is_scaled(self) -> bool:
        """Whether a normalization is followed by a learned scale."""
        return not _SCALES.isdisjoint(self.weights)

    @property
    def learned(self) -> Dim:
        """How many numbers the weights hold, without statistics that training only gathers."""
        gathered = self.layer.gathered
        return count({name: shape for name, shape in self.weights.items() if name not in gathered})

    @property
    def bias(self) -> Dim:
        """How many additions a bias takes: one for every result of a sum of products that has one."""
        return self.n_out if any(name.rpartition(".")[2] == "bias" for name in self.weights) else 0

    def components(self) -> Iterator[tuple[LayerCall, Dim]]:
        """Yield the layers that this one is made of, each as a call of its own, and how often it is there."""
        for layer, inputs, times in self.layer.components(self.inputs):
            yield LayerCall(layer, inputs, layer.apply(inputs), self.called), times
