"""Fully connected layers, and the layer that does nothing.

linear:     [..., in_features] to [..., out_features],  MACs = numel(output) · in_features
"""

from collections.abc import Iterator

from shapecalc.algebra import product
from shapecalc.layers.base import Layer, Named, NoBuffers, NoWindow, Pointwise
from shapecalc.layers.centre import Centres, kept
from shapecalc.layers.counts import NOTHING, Operations, products
from shapecalc.layers.dependence import Dependence, over
from shapecalc.layers.effect import Shapes, learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.mixins import ReturnsInput
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.roles import InFeatures, OutFeatures, declared
from shapecalc.layers.strides import viewed


class OverFeatures(NoWindow, Layer):
    """What makes out_features numbers of the last axis."""

    in_features: InFeatures = None
    out_features: OutFeatures

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("F",)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        for requirement in declared(self, x):
            missing = len(x) > 2 and product(x[1:]) == self.in_features
            yield requirement.saying(hint=_flatten_first(x)) if missing else requirement

    def output(self, x: Shape) -> Shape:
        return (*x[:-1], self.out_features)

    def centres(self, x: Shape) -> Centres:
        return (*kept(len(x) - 1), None)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), [len(x) - 1])


class Dense(NoBuffers, OverFeatures):
    """The rules of a matrix product on the last axis, under either framework."""

    family = Family.LINEAR
    fixes_sizes = takes_empty = True

    bias: Flag = True

    def operations(self, x: Shape) -> Operations:
        outputs = product(self.output(x))
        return products(outputs * x[-1], outputs, biased=self.bias)

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """The input, or the copy of it that torch makes where its rows are no matrix."""
        copy = self._copied(inputs[0], mode)
        return ((copy[0] if copy else Input()),) if mode.weights else ()

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        return () if mode.learns and mode.weights else (self._copied(inputs[0], mode),)

    def _copied(self, x: Shape, mode: Mode) -> tuple[Own, ...]:
        rows = (product(x[:-1]), x[-1])
        return (Own(x),) if len(x) > 2 and viewed(x, mode.strides_of(0), rows) is None else ()


class Linear(Dense, framework="torch", torch="torch.nn.Linear", keras="keras.layers.Dense"):
    """A matrix product on the last axis: `[..., in_features]` to `[..., out_features]`.

    Weights are `weight: [out_features, in_features]` and `bias: [out_features]`; every output costs
    in_features MACs. Refuses a single number and features that do not match.

    >>> Linear(out_features=1000).output((1, 2048))
    (1, 1000)
    >>> Linear(out_features=1000).weights((1, 2048))
    {'weight': (1000, 2048), 'bias': (1000,)}
    """

    def weights(self, x: Shape) -> Named:
        return learned({"weight": (self.out_features, x[-1]), "bias": (self.out_features,)}, bias=self.bias)


def _flatten_first(x: Shape) -> str:
    flat = (x[0], product(x[1:]))
    return f"a flatten is missing before it: flatten turns {shown(x)} into {shown(flat)}, which fits"


class Identity(ReturnsInput, Pointwise, torch="torch.nn.Identity", keras="keras.layers.Identity"):
    """Returns its input unchanged."""

    family = Family.IDENTITY
    per_element = NOTHING
