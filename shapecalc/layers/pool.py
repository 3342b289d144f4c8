"""Pooling over 1, 2 and 3 axes with a sliding window: maximum, average and power average.

Per axis, with k the kernel, s the stride (the kernel, if left out), d the dilation, p the padding:

    out = ⌊(n + 2p - (d(k - 1) + 1))/s⌋ + 1
    out = ⌊(n + min(2p - (d(k - 1) + 1) + s - 1, p - 1))/s⌋ + 1       with ceil_mode

No pooling has weights or counts as multiply-accumulates: torch counts none, and an average is
additions and one division per output.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Any, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import window, window_ceil
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import NoMacs, NoWeights, Shapes, Window
from shapecalc.layers.counts import Operations, greatest, mean, norm
from shapecalc.layers.extended_number import INFINITIES, Power
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, ExtentPerAxis, Flag, Integer, Nullable, PerAxis, complaint
from shapecalc.layers.requirement import HalfKernel, Requirement, Shape
from shapecalc.layers.roles import Dilation, KernelSize, WindowField
from shapecalc.layers.spatial import Spatial


class _SameAsKernel(Each):
    """A count per axis that is the kernel's when left out."""

    def check(self, value: Any) -> Any:
        return None if value is None else super().check(value)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [*super().json_schema()["anyOf"], {"type": "null"}]}


class _Divisor(Integer):
    """Any integer but zero."""

    def check(self, value: Any) -> Any:
        found = super().check(value)
        if found == 0:
            raise complaint("a divisor cannot be 0")
        return found

    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema(), "not": {"const": 0}}


StridePerAxis = Annotated[PerAxis | None, _SameAsKernel(Integer(1)), WindowField("s", same_as="kernel_size")]
PoolPadding = Annotated[ExtentPerAxis, WindowField("p", 0)]
Divisor = Annotated[Dim | None, Nullable(_Divisor())]


class Pool(NoWeights, NoMacs, Spatial):
    """A window that slides over every channel by itself: what all pooling shares."""

    kernel_size: KernelSize
    stride: StridePerAxis = None
    ceil_mode: Flag = False

    def window(self, x: Shape) -> Window:
        _, k, s, d, p0, p1 = self._letters(x).values()
        return Window(k, s, p0, p1, d)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        letters = self._letters(x)
        for axis, k, p in zip(AXES[self.rank], letters["k"], letters["p0"], strict=True):
            yield HalfKernel(self.kind, axis, k, p)
        yield from self.large_enough(self._rule(), 1, **letters)

    def output(self, x: Shape) -> Shape:
        rule = self._rule()
        columns = zip(*self._letters(x).values(), strict=True)
        return self.resized(x, tuple(rule(*column) for column in columns))

    def _rule(self) -> Callable[..., Dim]:
        return window_ceil if self.ceil_mode else window

    def _letters(self, x: Shape) -> dict[str, tuple[Dim, ...]]:
        kernel, padding = self.spread(self.kernel_size), self.spread(self._padding())
        stride = kernel if self.stride is None else self.spread(self.stride)
        dilation = self.spread(self._dilation())
        return {"n": self.sizes(x), "k": kernel, "s": stride, "d": dilation, "p0": padding, "p1": padding}

    def _padding(self) -> PerAxis:
        return 0

    def _dilation(self) -> PerAxis:
        return 1

    def _covered(self, x: Shape) -> Iterator[Requirement]:
        """Require an input at least as large as the kernel, its padding not counted."""
        for axis, n, k in zip(AXES[self.rank], self.sizes(x), self.spread(self.kernel_size), strict=True):
            yield Requirement("too-small", n, ">=", k, _smaller_than_kernel(self.kind, axis, n, k))

    def seen(self, x: Shape) -> Dim:
        """Return how many numbers all windows hold, padding included."""
        return product(self.spread(self.kernel_size)) * product(self.output(x))


def _smaller_than_kernel(kind: str, axis: str, n: Dim, k: Dim) -> Callable[[], str]:
    return lambda: f"{kind} needs an input {axis} of at least the kernel, {k}, before padding, not {n}"


class MaxPool(
    Pool, kind="max_pool{rank}d", torch="torch.nn.MaxPool{rank}d", keras="keras.layers.MaxPooling{rank}D"
):
    """The rules of max pooling, for any number of axes; where the maxima were may be a second result.

    Input `[N, C, {sizes}]`; the stride is the kernel's size if left out. return_indices adds the places of
    the maxima as a second result. No weights, no MACs. Refuses a padding of more than half the kernel and
    an input smaller than the window. Source: torch.nn.MaxPool{rank}d.
    """

    order = "kernel_size stride padding dilation return_indices ceil_mode"
    family: ClassVar[Family] = Family.MAX_POOL

    padding: PoolPadding = 0
    dilation: Dilation = 1
    return_indices: Flag = False

    def outputs(self, x: Shape) -> Shapes:
        return (self.output(x),) * (1 + self.return_indices)

    def _padding(self) -> PerAxis:
        return self.padding

    def _dilation(self) -> PerAxis:
        return self.dilation

    def operations(self, x: Shape) -> Operations:
        return greatest(self.seen(x), product(self.output(x)))


class AvgPool(
    Pool, kind="avg_pool{rank}d", torch="torch.nn.AvgPool{rank}d", keras="keras.layers.AveragePooling{rank}D"
):
    """The rules of average pooling, for any number of axes.

    Input `[N, C, {sizes}]`; the stride is the kernel's size if left out; count_include_pad and
    divisor_override change values, not shapes. No weights, no MACs. Refuses a padding of more than half the
    kernel and an input smaller than the window. Source: torch.nn.AvgPool{rank}d; LeCun et al.,
    Gradient-based learning applied to document recognition, 1998.
    """

    order = "kernel_size stride padding ceil_mode ..."
    family: ClassVar[Family] = Family.AVERAGE_POOL

    padding: PoolPadding = 0
    count_include_pad: Flag = True

    def _padding(self) -> PerAxis:
        return self.padding

    def operations(self, x: Shape) -> Operations:
        return mean(self.seen(x), product(self.output(x)))


class LPPool(Pool, kind="lp_pool{rank}d", torch="torch.nn.LPPool{rank}d"):
    """The rules of power-average pooling, for any number of axes; it has no padding.

    `norm_type` is the power p, not zero; `inf` takes the largest magnitude. The stride is the kernel's size
    if left out. No weights, and no MACs are counted. Refuses an input smaller than the window. Source:
    torch.nn.LPPool{rank}d.
    """

    order = "norm_type ..."
    family: ClassVar[Family] = Family.POWER_POOL

    norm_type: Power

    def operations(self, x: Shape) -> Operations:
        seen, results = self.seen(x), product(self.output(x))
        if isinstance(self.norm_type, str):
            return greatest(seen, results)  # of no finite power torch takes the greatest number
        return norm(self.norm_type, seen, results)


class MaxPool1d(MaxPool, rank=1):
    """The largest value of every window: `[N, C, L]` to `[N, C, ⌊(L + 2p - (d(k-1)+1))/s⌋ + 1]`.

    >>> MaxPool1d(kernel_size=3, stride=2).output((1, 64, 100))
    (1, 64, 49)
    """


class MaxPool2d(MaxPool, rank=2):
    """The largest value of every window: each of height and width becomes ⌊(n + 2p - (d(k-1)+1))/s⌋ + 1.

    >>> MaxPool2d(kernel_size=3, stride=2, padding=1).output((1, 64, 112, 112))
    (1, 64, 56, 56)
    >>> MaxPool2d(kernel_size=3, stride=2, ceil_mode=True).output((1, 64, 112, 112))
    (1, 64, 56, 56)
    """


class MaxPool3d(MaxPool, rank=3):
    """The largest value of every window: depth, height and width become ⌊(n + 2p - (d(k-1)+1))/s⌋ + 1.

    >>> MaxPool3d(kernel_size=[1, 2, 2]).output((1, 64, 16, 112, 112))
    (1, 64, 16, 56, 56)
    """


class AvgPool1d(AvgPool, rank=1):
    """The mean of every window: `[N, C, L]` to `[N, C, ⌊(L + 2p - k)/s⌋ + 1]`.

    >>> AvgPool1d(kernel_size=4).output((1, 8, 30))
    (1, 8, 7)
    """


class AvgPool2d(AvgPool, rank=2):
    """The mean of every window: each of height and width becomes ⌊(n + 2p - k)/s⌋ + 1.

    >>> AvgPool2d(kernel_size=2).output((1, 6, 28, 28))
    (1, 6, 14, 14)
    """

    divisor_override: Divisor = None


class AvgPool3d(AvgPool, rank=3):
    """The mean of every window: depth, height and width become ⌊(n + 2p - k)/s⌋ + 1.

    As torch does here alone, an input smaller than the kernel is refused even where padding would make up
    for it.

    >>> AvgPool3d(kernel_size=2, ceil_mode=True).output((1, 8, 7, 7, 7))
    (1, 8, 4, 4, 4)
    """

    divisor_override: Divisor = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        yield from self._covered(x)
        yield from super().requirements(x)


class LPPool1d(LPPool, rank=1):
    """(Σ xᵖ)^(1/p) over every window: `[N, C, L]` to `[N, C, ⌊(L - k)/s⌋ + 1]`.

    >>> LPPool1d(norm_type=2, kernel_size=3).output((1, 8, 30))
    (1, 8, 10)
    """


class LPPool2d(LPPool, rank=2):
    """(Σ xᵖ)^(1/p) over every window: each of height and width becomes ⌊(n - k)/s⌋ + 1.

    >>> LPPool2d(norm_type=2, kernel_size=3, stride=2).output((1, 8, 9, 9))
    (1, 8, 4, 4)
    """


class LPPool3d(LPPool, rank=3):
    """(Σ xᵖ)^(1/p) over every window: depth, height and width become ⌊(n - k)/s⌋ + 1.

    For a finite power an input smaller than the kernel is refused, also with `ceil_mode`, because torch
    computes it by `avg_pool3d`.

    >>> LPPool3d(norm_type=2, kernel_size=2).output((1, 8, 8, 8, 8))
    (1, 8, 4, 4, 4)
    """

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        if self.norm_type not in INFINITIES:
            yield from self._covered(x)
        yield from super().requirements(x)
