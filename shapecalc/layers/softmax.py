"""Functions over an axis: softmax and its relatives, and the gate that halves an axis."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, product, quotient
from shapecalc.layers.base import Layer, NoMacs, NoWeights, NoWindow, Pointwise
from shapecalc.layers.counts import SIGMOID, Operations, log_softmax, softmax
from shapecalc.layers.dependence import Along, Dependence, over, placed
from shapecalc.layers.effect import Shapes, replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Index, Integer, Nullable
from shapecalc.layers.memory_traits import Mode, Own
from shapecalc.layers.requirement import Requirement, Shape, axis_exists, rank_between, shown
from shapecalc.layers.strides import ordered


class OverAxis(Pointwise):
    """A function over one axis that keeps the shape; without `dim` torch picks the axis itself."""

    saves = "result"
    family = Family.SOFTMAX

    dim: Annotated[int | None, Nullable(Integer(may_be_free=False))] = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        if self.dim is not None:
            yield from axis_exists(self.kind, "dim", self.dim, max(len(x), 1), x)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), [self.axis(x)] if x else [])

    def axis(self, x: Shape) -> int:
        """Return the number of the axis, counted from the first."""
        axis = (0 if len(x) in {0, 1, 3} else 1) if self.dim is None else self.dim
        return axis % max(len(x), 1)

    def operations(self, x: Shape) -> Operations:
        return softmax(product(x), rows(x, self.axis(x)))

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """Contiguous, however the input lies."""
        return (None,)


def rows(x: Shape, axis: int) -> Dim:
    """Return how many rows run along an axis.

    >>> rows((2, 3, 4), 1)
    8
    """
    return product(replaced(x, axis))


class Softmax(OverAxis, torch="torch.nn.Softmax", keras="keras.layers.Softmax"):
    """eˣ/∑eˣ along `dim`.

    `dim` counts the batch axis; left out it is axis 0 for 1 or 3 dimensions and axis 1 otherwise (torch warns
    of it). Refuses an axis that does not exist.
    """


class Softmin(OverAxis, torch="torch.nn.Softmin"):
    """e⁻ˣ/∑e⁻ˣ along `dim`."""

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """-x."""
        return ((Own(inputs[0]),),)


class LogSoftmax(OverAxis, torch="torch.nn.LogSoftmax", keras="keras.activations.log_softmax"):
    """x - log ∑eˣ along `dim`."""

    def operations(self, x: Shape) -> Operations:
        return log_softmax(product(x), rows(x, self.axis(x)))


class Softmax2d(Pointwise, framework="torch", torch="torch.nn.Softmax2d"):
    """Softmax over the channels at every pixel of `[N, C, H, W]` or `[C, H, W]`.

    Refuses other ranks.
    """

    saves = "result"
    family = Family.SOFTMAX

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 3, 4)

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """Contiguous, however the input lies."""
        return (None,)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return over(len(x), [len(x) - 3])

    def operations(self, x: Shape) -> Operations:
        return softmax(product(x), rows(x, len(x) - 3))


class GLU(NoWeights, NoMacs, NoWindow, Layer, torch="torch.nn.GLU", keras="keras.activations.glu"):
    """The first half of axis `dim` times the sigmoid of the second: that axis becomes n/2.

    Refuses an axis that does not exist and an odd size. Source: Dauphin et al., Language modeling with gated
    convolutional networks, 2017.

    >>> GLU(dim=1).output((1, 64, 100))
    (1, 32, 100)
    """

    saves = "input"
    family = Family.ACTIVATION

    dim: Index = -1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield from axis_exists(self.kind, "dim", self.dim, len(x), x)
        n = x[self.dim]
        says = f"{self.kind} halves axis {self.dim}, but {shown(x)} has {n} there, an odd number"
        yield Requirement("divisibility", n % 2, "==", 0, says)

    def output(self, x: Shape) -> Shape:
        return replaced(x, self.dim, quotient(x[self.dim], 2))

    def result_strides(self, inputs: Shapes, mode: Mode, results: int) -> tuple[Shape | None, ...]:
        """Those of a new tensor in the order of both halves."""
        half = self.output(inputs[0])
        return (ordered(half, (half, mode.strides_of(0))),)

    def dependence(self, x: Shape, result: int) -> Dependence:
        axis = self.dim % len(x)
        return placed(len(x), {axis: Along(axis, ((0, quotient(x[axis], 2)),))})

    def operations(self, x: Shape) -> Operations:
        return (SIGMOID + Operations(multiplications=1)) * product(self.output(x))
