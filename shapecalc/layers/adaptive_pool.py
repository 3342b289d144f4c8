"""Pooling to a size that is given, over 1, 2 and 3 axes: adaptive and global.

    out = output_size      whatever arrives; null keeps an axis as it is

No pooling has weights or counts as multiply-accumulates. Every output sees a window that depends
on the input's size, so there is no window of fixed size to speak of.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import NoMacs, NoWeights, NoWindow, Shapes
from shapecalc.layers.centre import Centre, Centres, kept, scaled_by
from shapecalc.layers.counts import Operations, greatest, mean
from shapecalc.layers.dependence import EVERYTHING, Along, AxisDependence, Dependence, placed, shared_out
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Flag, Integer, Nullable, complaint
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import Lettered, OutputSize
from shapecalc.layers.spatial import Spatial


class _OutputSize(Each):
    """A count for all axes, or a list of them in which null keeps an axis."""

    def __init__(self) -> None:
        super().__init__(Nullable(Integer(1)))

    def check(self, value: Any) -> Any:
        if value is None:
            raise complaint("null keeps an axis only inside a list, one entry per axis")
        return super().check(value)

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [kept for kept in super().json_schema()["anyOf"] if kept != {"type": "null"}]}


SizeOrKept = Annotated[Dim | tuple[Dim | None, ...], _OutputSize(), Lettered("o")]


class AdaptivePool(NoWeights, NoMacs, NoWindow, Spatial):
    """The rules of adaptive pooling, for any number of axes."""

    settles_sizes: ClassVar[bool] = True

    output_size: SizeOrKept

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return self.spatial_rank(x)

    def output(self, x: Shape) -> Shape:
        pairs = zip(self.sizes(x), self.spread(self.output_size), strict=True)
        return (*x[: -self.rank], *(n if out is None else out for n, out in pairs))

    def centres(self, x: Shape) -> Centres:
        """Windows of one length, side by side, where the size is divided; what sees all has no centre."""
        found: list[Centre | None] = [*kept(len(x))]
        for axis in self.spatial_axes(x):
            n, out = x[axis], self.output(x)[axis]
            if n == out:
                continue
            even = isinstance(n, int) and isinstance(out, int) and out > 1 and n % out == 0
            found[axis] = scaled_by(axis, Fraction(out, n)) if even else None  # type: ignore[arg-type]
        return tuple(found)

    def seen(self, x: Shape) -> Dim | None:
        """Return how many numbers all windows hold; None where the windows depend on what is free."""
        sums: list[Dim] = []
        for n, out in zip(self.sizes(x), self.sizes(self.output(x)), strict=True):
            if out in (1, n):
                sums.append(n)
            elif isinstance(n, int) and isinstance(out, int):
                sums.append(sum(-(-(i + 1) * n // out) - i * n // out for i in range(out)))
            else:
                return None
        return product((*x[: -self.rank], *sums))

    def sight(self, x: Shape, result: int) -> Dependence:
        views: list[AxisDependence] = [*placed(len(x))]
        for axis in self.spatial_axes(x):
            views[axis] = shared_out(axis, x[axis], self.output(x)[axis])
        return tuple(views)


class AdaptiveAverage(AdaptivePool):
    """Adaptive averages."""

    family: ClassVar[Family] = Family.ADAPTIVE_AVERAGE_POOL

    def operations(self, x: Shape) -> Operations | None:
        seen = self.seen(x)
        return None if seen is None else mean(seen, product(self.output(x)))


class AdaptiveMean(AdaptiveAverage):
    """Adaptive averages over 2 or 3 axes: torch takes the plain mean where every output is 1.

    A mean has no use for the number of axes in front, so any number is accepted there.
    """

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        usual = tuple(self.spatial_rank(x))
        if all(requirement.verdict() for requirement in usual):
            return
        listed = isinstance(self.output_size, tuple)
        yield from rank_between(self.kind, x, self.rank + listed, None)
        for out in self.output(x)[-self.rank :]:
            yield Requirement("rank", out, "==", 1, usual[0].says)


class AdaptiveMax(AdaptivePool):
    """Adaptive maxima; where they were may be a second result, for `max_unpool1d` and its like."""

    family: ClassVar[Family] = Family.ADAPTIVE_MAX_POOL

    return_indices: Flag = False

    def outputs(self, x: Shape) -> Shapes:
        return (self.output(x),) * (1 + self.return_indices)

    def operations(self, x: Shape) -> Operations | None:
        seen = self.seen(x)
        return None if seen is None else greatest(seen, product(self.output(x)))


class GlobalPool(NoWeights, NoMacs, NoWindow, Spatial):
    """The rules of global pooling, for any number of axes."""

    family: ClassVar[Family] = Family.GLOBAL_POOL

    settles_sizes: ClassVar[bool] = True

    keepdim: Flag = False

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return self.spatial_rank(x)

    def output(self, x: Shape) -> Shape:
        return self.resized(x, (1,) * self.rank if self.keepdim else ())

    def sight(self, x: Shape, result: int) -> Dependence:
        pooled = self.spatial_axes(x)
        kept_axes = [axis for axis in range(len(x)) if self.keepdim or axis not in pooled]
        return tuple(EVERYTHING if axis in pooled else Along(kept_axes.index(axis)) for axis in range(len(x)))


class GlobalAverage(GlobalPool):
    """The mean of a map."""

    def operations(self, x: Shape) -> Operations:
        return mean(product(x), product(self.output(x)))


class GlobalMaximum(GlobalPool):
    """The largest value of a map."""

    def operations(self, x: Shape) -> Operations:
        return greatest(product(x), product(self.output(x)))


class AdaptiveAvgPool1d(AdaptiveAverage):
    """Means over as many stretches as asked for: `[N, C, L]` to `[N, C, output_size]`.

    No weights, no MACs; accepts every length. Source: torch.nn.AdaptiveAvgPool1d.

    >>> AdaptiveAvgPool1d(output_size=5).output((1, 8, 33))
    (1, 8, 5)
    """

    kind: ClassVar[str] = "adaptive_avg_pool1d"
    rank: ClassVar[int] = 1
    torch: ClassVar[str | None] = "torch.nn.AdaptiveAvgPool1d"

    output_size: OutputSize


class AdaptiveAvgPool2d(AdaptiveMean):
    """Means over as many cells as asked for: `[N, C, H, W]` to `[N, C, *output_size]`.

    In a list, null keeps the axis. No weights, no MACs; accepts every size, and for an output of 1x1
    any number of axes in front. Source: torch.nn.AdaptiveAvgPool2d.

    >>> AdaptiveAvgPool2d(output_size=[7, None]).output((1, 512, 13, 20))
    (1, 512, 7, 20)
    """

    kind: ClassVar[str] = "adaptive_avg_pool2d"
    rank: ClassVar[int] = 2
    torch: ClassVar[str | None] = "torch.nn.AdaptiveAvgPool2d"


class AdaptiveAvgPool3d(AdaptiveMean):
    """Means over as many cells as asked for: `[N, C, D, H, W]` to `[N, C, *output_size]`.

    In a list, null keeps the axis. No weights, no MACs; accepts every size, and for an output of
    1x1x1 any number of axes in front. Source: torch.nn.AdaptiveAvgPool3d.

    >>> AdaptiveAvgPool3d(output_size=1).output((1, 512, 2, 7, 7))
    (1, 512, 1, 1, 1)
    """

    kind: ClassVar[str] = "adaptive_avg_pool3d"
    rank: ClassVar[int] = 3
    torch: ClassVar[str | None] = "torch.nn.AdaptiveAvgPool3d"


class AdaptiveMaxPool1d(AdaptiveMax):
    """Maxima over as many stretches as asked for: `[N, C, L]` to `[N, C, output_size]`.

    No weights, no MACs; accepts every length. Source: torch.nn.AdaptiveMaxPool1d.

    >>> AdaptiveMaxPool1d(output_size=5).output((1, 8, 33))
    (1, 8, 5)
    """

    kind: ClassVar[str] = "adaptive_max_pool1d"
    rank: ClassVar[int] = 1
    torch: ClassVar[str | None] = "torch.nn.AdaptiveMaxPool1d"

    output_size: OutputSize


class AdaptiveMaxPool2d(AdaptiveMax):
    """Maxima over as many cells as asked for: `[N, C, H, W]` to `[N, C, *output_size]`.

    In a list, null keeps the axis. No weights, no MACs; accepts every size. Source:
    torch.nn.AdaptiveMaxPool2d.

    >>> AdaptiveMaxPool2d(output_size=[7, None]).output((1, 512, 13, 20))
    (1, 512, 7, 20)
    """

    kind: ClassVar[str] = "adaptive_max_pool2d"
    rank: ClassVar[int] = 2
    torch: ClassVar[str | None] = "torch.nn.AdaptiveMaxPool2d"


class AdaptiveMaxPool3d(AdaptiveMax):
    """Maxima over as many cells as asked for: `[N, C, D, H, W]` to `[N, C, *output_size]`.

    In a list, null keeps the axis. No weights, no MACs; accepts every size. Source:
    torch.nn.AdaptiveMaxPool3d.

    >>> AdaptiveMaxPool3d(output_size=1).output((1, 512, 2, 7, 7))
    (1, 512, 1, 1, 1)
    """

    kind: ClassVar[str] = "adaptive_max_pool3d"
    rank: ClassVar[int] = 3
    torch: ClassVar[str | None] = "torch.nn.AdaptiveMaxPool3d"


class GlobalAvgPool1d(GlobalAverage):
    """The mean of every channel: `[N, C, L]` to `[N, C]`, or `[N, C, 1]` with `keepdim`.

    It is torch's `x.mean(-1, keepdim)`. No weights, no MACs. Source: keras.layers.GlobalAveragePooling1D.

    >>> GlobalAvgPool1d().output((1, 8, 33))
    (1, 8)
    """

    kind: ClassVar[str] = "global_avg_pool1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.GlobalAveragePooling1D"


class GlobalAvgPool2d(GlobalAverage):
    """The mean of every channel: `[N, C, H, W]` to `[N, C]`, or `[N, C, 1, 1]` with `keepdim`.

    It is torch's `x.mean((-2, -1), keepdim)`. No weights, no MACs. Source: Lin et al., Network in
    network, 2013; keras.layers.GlobalAveragePooling2D.

    >>> GlobalAvgPool2d().output((1, 2048, 7, 7))
    (1, 2048)
    >>> GlobalAvgPool2d(keepdim=True).output((1, 2048, 7, 7))
    (1, 2048, 1, 1)
    """

    kind: ClassVar[str] = "global_avg_pool2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.GlobalAveragePooling2D"


class GlobalAvgPool3d(GlobalAverage):
    """The mean of every channel: `[N, C, D, H, W]` to `[N, C]`, or `[N, C, 1, 1, 1]` with `keepdim`.

    It is torch's `x.mean((-3, -2, -1), keepdim)`. No weights, no MACs. Source:
    keras.layers.GlobalAveragePooling3D.

    >>> GlobalAvgPool3d().output((1, 512, 2, 7, 7))
    (1, 512)
    """

    kind: ClassVar[str] = "global_avg_pool3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.GlobalAveragePooling3D"


class GlobalMaxPool1d(GlobalMaximum):
    """The largest value of every channel: `[N, C, L]` to `[N, C]`, or `[N, C, 1]` with `keepdim`.

    It is torch's `x.amax(-1, keepdim)`. No weights, no MACs. Source: keras.layers.GlobalMaxPooling1D.

    >>> GlobalMaxPool1d().output((1, 8, 33))
    (1, 8)
    """

    kind: ClassVar[str] = "global_max_pool1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.GlobalMaxPooling1D"


class GlobalMaxPool2d(GlobalMaximum):
    """The largest value of every channel: `[N, C, H, W]` to `[N, C]`, or `[N, C, 1, 1]` with `keepdim`.

    It is torch's `x.amax((-2, -1), keepdim)`. No weights, no MACs. Source:
    keras.layers.GlobalMaxPooling2D.

    >>> GlobalMaxPool2d(keepdim=True).output((1, 64, 7, 7))
    (1, 64, 1, 1)
    """

    kind: ClassVar[str] = "global_max_pool2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.GlobalMaxPooling2D"


class GlobalMaxPool3d(GlobalMaximum):
    """The largest value of every channel: `[N, C, D, H, W]` to `[N, C]`, or `[N, C, 1, 1, 1]` with `keepdim`.

    It is torch's `x.amax((-3, -2, -1), keepdim)`. No weights, no MACs. Source:
    keras.layers.GlobalMaxPooling3D.

    >>> GlobalMaxPool3d().output((1, 512, 2, 7, 7))
    (1, 512)
    """

    kind: ClassVar[str] = "global_max_pool3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.GlobalMaxPooling3D"
