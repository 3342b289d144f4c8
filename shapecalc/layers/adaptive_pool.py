"""Pooling to a fixed size, over 1, 2 and 3 axes; over all of a channel it is in `global_pool`.

    out = output_size      whatever the input; null keeps an axis as it is

Every output sees a window that depends on the input's size, so there is no window of fixed size to speak of.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import gcd
from typing import Annotated, Any

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import NoWindow
from shapecalc.layers.centre import Centre, Centres, kept, scaled_by
from shapecalc.layers.counts import mean
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, placed, shared_out
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Integer, Nullable, complaint
from shapecalc.layers.memory_traits import Input, Mode, Storage
from shapecalc.layers.pool import Pooling, WithIndices
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import Lettered, OutputSize


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


class AdaptivePool(NoWindow, Pooling):
    """The rules of adaptive pooling, for any number of axes."""

    fixes_sizes = True

    output_size: SizeOrKept

    def output(self, x: Shape) -> Shape:
        return (*x[: -self.rank], *self.pooled(x))

    def pooled(self, x: Shape) -> Shape:
        """Return the sizes of the result."""
        pairs = zip(self.sizes(x), self.spread(self.output_size), strict=True)
        return tuple(n if out is None else out for n, out in pairs)

    def centres(self, x: Shape) -> Centres:
        """Windows of one length, side by side, where the size is divided; what sees all has no centre."""
        sizes = zip(self.spatial_axes(x), self.sizes(x), self.pooled(x), strict=True)
        return kept(len(x), {axis: self._centre(axis, n, out) for axis, n, out in sizes if n != out})

    def _centre(self, axis: int, n: Dim, out: Dim) -> Centre | None:
        if isinstance(n, int) and isinstance(out, int) and out > 1 and n % out == 0:
            return scaled_by(axis, Fraction(out, n))
        return None

    def seen(self, x: Shape) -> Dim | None:
        """Return how many numbers the windows ⌊i·n/out⌋ to ⌈(i + 1)·n/out⌉ hold together.

        Per axis it is n + out - gcd(n, out): a border i·n/out inside a number is in two windows.
        """
        sums: list[Dim] = []
        for n, out in zip(self.sizes(x), self.pooled(x), strict=True):
            if out in (1, n):
                sums.append(n)
            elif isinstance(n, int) and isinstance(out, int):
                sums.append(n + out - gcd(n, out))
            else:
                return None
        return product(sums) * product(n for axis, n in enumerate(x) if axis not in self.spatial_axes(x))

    def dependence(self, x: Shape, result: int) -> Dependence:
        axes, sizes = self.spatial_axes(x), self.pooled(x)
        return placed(len(x), dict(zip(axes, map(shared_out, axes, self.sizes(x), sizes), strict=True)))


class AdaptiveAverage(AdaptivePool, torch="torch.nn.AdaptiveAvgPool{rank}d"):
    """The means of as many windows as are requested: `[N, C, {sizes}]` to `[N, C, *output_size]`.

    In a list, null keeps an axis (not over one axis). Accepts every size, and over more than one axis, for an
    output of 1 on each, any number of axes in front, as torch takes the plain mean then.

    >>> AdaptiveAvgPool{rank}d(output_size=5).output((1, 8, {each:13}))
    (1, 8, {each:5})
    """

    family = Family.ADAPTIVE_AVERAGE_POOL
    reduced_by = mean

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """The input, unless torch takes a plain mean over all of it."""
        return () if all(out == 1 for out in self.sizes(self.output(inputs[0]))) else (Input(),)


class AdaptiveMean(AdaptiveAverage, ranked="AdaptiveAvgPool{rank}d", ranks=(2, 3)):
    def requirements(self, x: Shape) -> Iterator[Requirement]:
        usual = tuple(self.spatial_rank(x))
        if all(requirement.verdict() for requirement in usual):
            return
        listed = isinstance(self.output_size, tuple)
        yield from rank_between(self.kind, x, self.rank + listed, None)
        for out in self.output(x)[-self.rank :]:
            yield Requirement("rank", out, "==", 1, usual[0].says)


class AdaptiveMax(WithIndices, AdaptivePool, torch="torch.nn.AdaptiveMaxPool{rank}d"):
    """The maxima of as many windows as are requested: `[N, C, {sizes}]` to `[N, C, *output_size]`.

    In a list, null keeps an axis (not over one axis). With return_indices the places of the maxima are a
    second result, for `max_unpool{rank}d`. Accepts every size.

    >>> AdaptiveMaxPool{rank}d(output_size=5).output((1, 8, {each:33}))
    (1, 8, {each:5})
    """

    family = Family.ADAPTIVE_MAX_POOL


class AdaptiveAvgPool1d(AdaptiveAverage, rank=1):
    output_size: OutputSize


class AdaptiveMaxPool1d(AdaptiveMax, rank=1):
    output_size: OutputSize


__getattr__ = of_rank(__name__)
