"""Layers that keep every element: what they share, and the one nearly every classifier has."""

from collections.abc import Iterator

from shapecalc.algebra import product
from shapecalc.layers.base import Layer, NoOperations, NoWeights, NoWindow
from shapecalc.layers.dependence import Dependence, rearranged
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Index
from shapecalc.layers.memory_rule import RETURNED
from shapecalc.layers.memory_traits import Input, Mode, Place
from shapecalc.layers.mixins import GradientOfResult
from shapecalc.layers.requirement import Requirement, Shape, axis_exists, shown
from shapecalc.layers.strides import contiguous, simplest, viewed


class Rearranging(GradientOfResult, NoWeights, NoOperations, NoWindow, Layer):
    """A layer that moves elements and computes nothing."""

    family = Family.RESHAPE
    saves = "nothing"
    takes_empty = True

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape | None:
        """Return the strides of the result as a view of the input; None where torch has to copy."""
        return viewed(x, strides, self.output(x))

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return (Place(Input()) if self._as_view(inputs[0], mode) is not None else None,)

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        strides = self._as_view(inputs[0], mode)
        return (None if strides is None else simplest(self.output(inputs[0]), strides),)

    def _as_view(self, x: Shape, mode: Mode) -> Shape | None:
        strides = mode.strides_of(0)
        return self.rearranged_strides(x, contiguous(x) if strides is None else strides)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return rearranged(x, self.output(x))


class Flatten(Rearranging, torch="torch.nn.Flatten", keras="keras.layers.Flatten"):
    """Joins the axes start_dim to end_dim into one, as long as their product.

    A single number becomes one axis of 1. Refuses axes that do not exist and a start after the end.

    >>> Flatten().output((1, 512, 7, 7))
    (1, 25088)
    """

    start_dim: Index = 1
    end_dim: Index = -1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        rank = max(len(x), 1)
        yield from axis_exists(self.kind, "start_dim", self.start_dim, rank, x)
        yield from axis_exists(self.kind, "end_dim", self.end_dim, rank, x)
        says = f"{self.kind}: start_dim = {self.start_dim} comes after end_dim = {self.end_dim} in {shown(x)}"
        yield Requirement("axis", self.end_dim % rank, ">=", self.start_dim % rank, says)

    def output(self, x: Shape) -> Shape:
        rank = max(len(x), 1)
        start, end = self.start_dim % rank, self.end_dim % rank
        return (*x[:start], product(x[start : end + 1]), *x[end + 1 :])

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """Where nothing is to be joined, the input itself."""
        x = inputs[0]
        return (RETURNED,) if self.output(x) == x and len(x) > 0 else super().places(inputs, mode)
