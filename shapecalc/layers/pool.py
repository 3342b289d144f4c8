"""Pooling over 1, 2 and 3 axes with a sliding window: the maximum; averages are in `average_pool`.

Per axis, with k the kernel, s the stride (the kernel, if left out), d the dilation, p the padding:

    out = ⌊(n + 2p - (d(k - 1) + 1))/s⌋ + 1
    out = ⌊(n + min(2p - (d(k - 1) + 1) + s - 1, p - 1))/s⌋ + 1       with ceil_mode

No pooling counts as multiply-accumulates: torch counts none, and an average is additions and one division per
output.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Annotated, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import window, window_ceil
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import NoMacs, NoWeights, Shapes, Window
from shapecalc.layers.counts import Operations, greatest
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, ExtentPerAxis, Flag, Integer, Nullable, PerAxis
from shapecalc.layers.memory_traits import DType, Input, Mode, Own, Result, Storage
from shapecalc.layers.mixins import KeepsChannelsLast
from shapecalc.layers.requirement import HalfKernel, Requirement, Shape
from shapecalc.layers.roles import Dilation, WindowField
from shapecalc.layers.sliding import Sliding
from shapecalc.layers.spatial import Spatial

StridePerAxis = Annotated[PerAxis | None, Nullable(Each(Integer(1))), WindowField("s", same_as="kernel_size")]
PoolPadding = Annotated[ExtentPerAxis, WindowField("p", 0)]


class Pooling(KeepsChannelsLast, NoWeights, NoMacs, Spatial):
    """A layer each of whose results is one number made of those that it sees, in every channel apart."""

    reduced_by: ClassVar[Callable[[Dim, Dim], Operations]]
    """The operations that make a number of results out of all the numbers seen."""

    @abstractmethod
    def seen(self, x: Shape) -> Dim | None:
        """Return how many numbers all windows hold, padding included; None where that is not known."""

    def operations(self, x: Shape) -> Operations | None:
        seen = self.seen(x)
        return None if seen is None else type(self).reduced_by(seen, product(self.output(x)))


class WindowPooling(Pooling, Sliding):
    """Pooling by a window that slides; not every one has padding or dilation."""

    stride: StridePerAxis = None

    def window(self, x: Shape) -> Window:
        kernel, padding = self.spread(self.kernel_size), self.spread(getattr(self, "padding", 0))
        stride = kernel if self.stride is None else self.spread(self.stride)
        return Window(kernel, stride, padding, padding, self.spread(getattr(self, "dilation", 1)))

    def seen(self, x: Shape) -> Dim:
        return product(self.spread(self.kernel_size)) * product(self.output(x))


class WithIndices(Pooling):
    """Max pooling, a second result of which may be where the maxima were."""

    reduced_by = greatest
    saves = "input"

    return_indices: Flag = False

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        return (Input(), Result(1)) if self.return_indices else (Input(), *self.makes(inputs, mode))

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The places of the maxima."""
        return () if self.return_indices else (Own(self.output(inputs[0]), "int64"),)

    def dtypes(self, inputs: Shapes, results: int) -> tuple[DType, ...]:
        both: tuple[DType, ...] = ("value", "int64")
        return both[:results]

    def outputs(self, x: Shape) -> Shapes:
        return (self.output(x),) * (1 + self.return_indices)


class Pool(WindowPooling):
    """Pooling by a window that slides, as torch does it."""

    ceil_mode: Flag = False

    def rule(self) -> Callable[..., Dim]:
        return window_ceil if self.ceil_mode else window

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        seen = self.window(x)
        for axis, k, p in zip(AXES[self.rank], seen.kernel, seen.before, strict=True):
            yield HalfKernel(self.kind, axis, k, p)
        yield from super().fitting(x)

    def _covered(self, x: Shape) -> Iterator[Requirement]:
        """Require an input at least as large as the kernel, its padding not counted."""
        for axis, n, k in zip(AXES[self.rank], self.sizes(x), self.spread(self.kernel_size), strict=True):
            says = f"{self.kind} needs an input {axis} of at least the kernel, {k}, before padding, not {n}"
            yield Requirement("too-small", n, ">=", k, says)


class MaxPool(WithIndices, Pool, torch="torch.nn.MaxPool{rank}d", keras="keras.layers.MaxPooling{rank}D"):
    """The largest value of every window: `[N, C, {sizes}]`, where n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1.

    The stride is the kernel's size if left out. Refuses a padding of more than half the kernel and an input
    smaller than the window.

    >>> MaxPool{rank}d(kernel_size=3, stride=2, padding=1).output((1, 64, {each:112}))
    (1, 64, {each:56})
    """

    order = "kernel_size stride padding dilation return_indices ceil_mode"
    family = Family.MAX_POOL

    padding: PoolPadding = 0
    dilation: Dilation = 1


__getattr__ = of_rank(__name__)
