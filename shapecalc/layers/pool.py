"""Pooling over 1, 2 and 3 axes with a sliding window: maximum, average and power average.

Per axis, with k the kernel, s the stride (the kernel, if left out), d the dilation, p the padding:

    out = ⌊(n + 2p - (d(k - 1) + 1))/s⌋ + 1
    out = ⌊(n + min(2p - (d(k - 1) + 1) + s - 1, p - 1))/s⌋ + 1       with ceil_mode

No pooling counts as multiply-accumulates: torch counts none, and an average is additions and one division per
output.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import window, window_ceil
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import NoMacs, NoWeights, Shapes, Window
from shapecalc.layers.counts import Operations, greatest, mean, norm
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.extended_number import INFINITIES, Power
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, ExtentPerAxis, Flag, Integer, Nullable, PerAxis, complaint
from shapecalc.layers.requirement import HalfKernel, Requirement, Shape
from shapecalc.layers.roles import Dilation, WindowField
from shapecalc.layers.sliding import Sliding
from shapecalc.layers.spatial import Spatial


class _Divisor(Integer):
    """Any integer but zero."""

    def check(self, value: Any) -> Any:
        number = super().check(value)
        if number == 0:
            raise complaint("a divisor cannot be 0")
        return number

    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema(), "not": {"const": 0}}


StridePerAxis = Annotated[PerAxis | None, Nullable(Each(Integer(1))), WindowField("s", same_as="kernel_size")]
PoolPadding = Annotated[ExtentPerAxis, WindowField("p", 0)]
Divisor = Annotated[Dim | None, Nullable(_Divisor())]


class Pooling(NoWeights, NoMacs, Spatial):
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

    return_indices: Flag = False

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


class AvgPool(Pool, torch="torch.nn.AvgPool{rank}d", keras="keras.layers.AveragePooling{rank}D"):
    """The mean of every window: `[N, C, {sizes}]` to `[N, C, {sizes:'}]`, n' = ⌊(n + 2p - k)/s⌋ + 1.

    The stride is the kernel's size if left out; count_include_pad and divisor_override change values, not
    shapes. Refuses a padding of more than half the kernel and an input smaller than the window. Source: LeCun
    et al., Gradient-based learning applied to document recognition, 1998.

    >>> AvgPool{rank}d(kernel_size=2, ceil_mode=True).output((1, 6, {each:7}))
    (1, 6, {each:4})
    """

    order = "kernel_size stride padding ceil_mode ..."
    family = Family.AVERAGE_POOL
    reduced_by = mean

    padding: PoolPadding = 0
    count_include_pad: Flag = True


class LPPool(Pool, torch="torch.nn.LPPool{rank}d"):
    """(Σ xᵖ)^(1/p) over every window: `[N, C, {sizes}]` to `[N, C, {sizes:'}]`, n' = ⌊(n - k)/s⌋ + 1.

    `norm_type` is the power p, not zero; `inf` takes the largest magnitude. The stride is the kernel's size
    if left out. Refuses an input smaller than the window.

    >>> LPPool{rank}d(norm_type=2, kernel_size=3, stride=2).output((1, 8, {each:9}))
    (1, 8, {each:4})
    """

    order = "norm_type ..."
    family = Family.POWER_POOL

    norm_type: Power

    def operations(self, x: Shape) -> Operations:
        seen, results = self.seen(x), product(self.output(x))
        if isinstance(self.norm_type, str):
            return greatest(seen, results)  # of no finite power torch takes the greatest number
        return norm(self.norm_type, seen, results)


class AvgPool2d(AvgPool, rank=2):
    divisor_override: Divisor = None


class AvgPool3d(AvgPool, rank=3):
    """As torch does here alone, an input smaller than the kernel is refused even where padding would do."""

    divisor_override: Divisor = None

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        yield from self._covered(x)
        yield from super().fitting(x)


class LPPool3d(LPPool, rank=3):
    """For a finite power an input smaller than the kernel is refused, as by `avg_pool3d`."""

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        if self.norm_type not in INFINITIES:
            yield from self._covered(x)
        yield from super().fitting(x)


__getattr__ = of_rank(__name__)
