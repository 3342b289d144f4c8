"""What a convention is told of a layer: data only."""

from __future__ import annotations

from dataclasses import dataclass

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Effect, Kind, Named, Shapes, count
from shapecalc.layers.requirement import Shape

_SCALES = frozenset({"weight", "gamma"})
_SHIFTS = frozenset({"bias", "beta"})


@dataclass(frozen=True, slots=True)
class LayerCall:
    """One layer with the shapes that arrive and everything that it does to them."""

    layer: Kind
    inputs: Shapes
    effect: Effect

    @property
    def kind(self) -> str:
        """The kind's name."""
        return self.layer.kind

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
        """How many numbers arrive in the first input."""
        return product(self.x)

    @property
    def n_out(self) -> Dim:
        """How many numbers leave in the first result."""
        return product(self.output)

    @property
    def batch(self) -> Dim:
        """The first axis of the result, which tools take for the batch."""
        return self.output[0] if self.output else 1

    @property
    def has_bias(self) -> bool:
        """Whether something is added to every result of a sum of products."""
        return any(name.rpartition(".")[2] == "bias" for name in self.weights)

    @property
    def is_scaled(self) -> bool:
        """Whether a normalization is followed by a learned scale."""
        return not _SCALES.isdisjoint(self.weights)

    @property
    def is_shifted(self) -> bool:
        """Whether a normalization is followed by a learned shift."""
        return not _SHIFTS.isdisjoint(self.weights)

    @property
    def learned(self) -> Dim:
        """How many numbers the weights hold, what training only gathers left out."""
        gathered = self.layer.statistics
        return count({name: shape for name, shape in self.weights.items() if name not in gathered})

    @property
    def bias(self) -> Dim:
        """How many additions the bias takes: one for every result."""
        return self.n_out if self.has_bias else 0

    def flag(self, name: str) -> bool:
        """Return a field that is true or false; false where the kind has no such field."""
        return getattr(self.layer, name, False) is True

    def word(self, name: str) -> str:
        """Return a field that is a word; empty where the kind has no such field."""
        value = getattr(self.layer, name, "")
        return value if isinstance(value, str) else ""

    def axis(self, name: str) -> int:
        """Return a field that names an axis of the input, counted from the first."""
        value = getattr(self.layer, name)
        if value is None:  # torch picks the axis itself
            value = 0 if len(self.x) in {1, 3} else 1
        return int(value) % len(self.x)

    def whole(self, name: str) -> Dim:
        """Return a field that is a size."""
        value: Dim = getattr(self.layer, name)
        return value
