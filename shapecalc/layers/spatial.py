"""What layers over 1, 2 or 3 spatial axes have in common: one rule, three ranks."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, decide
from shapecalc.layers.arithmetic import extent, unread, written
from shapecalc.layers.axis_names import AXES, spatial_letters
from shapecalc.layers.base import Kind, Layer, Window
from shapecalc.layers.centre import Centres, spread_over
from shapecalc.layers.dependence import (
    Along,
    AxisDependence,
    Dependence,
    placed,
    scattered_by,
    swept,
    unknown,
)
from shapecalc.layers.fields import Each, complaint
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import declared, divided


class OverAxes(Kind):
    """A kind over `rank` spatial axes behind a channel axis, batched or not."""

    framework = "torch"
    rank: ClassVar[int]

    @model_validator(mode="after")
    def _one_value_per_axis(self) -> Self:
        for name in self.model_fields_set:
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != self.rank:
                if any(isinstance(rule, Each) and rule.per_axis for rule in _rules(self, name)):
                    raise complaint(f"{len(value)} values for {self.rank} axes", name)
        return self

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - cls.rank - 1

    def channels(self, x: Shape) -> Dim:
        """Return the size of the channel axis."""
        return x[self.channel_axis(x)]

    def sizes(self, x: Shape) -> Shape:
        """Return the sizes of the spatial axes."""
        return x[-self.rank :]

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        return ("C", *spatial_letters(self.rank))

    def resized(self, x: Shape, sizes: Shape, channels: Dim | None = None) -> Shape:
        """Return the shape with other spatial sizes and, unless None, other channels."""
        return (*x[: -self.rank - 1], self.channels(x) if channels is None else channels, *sizes)

    def spread(self, value: Any) -> tuple[Any, ...]:
        """Return one value per axis from a field that may hold one for all."""
        return value if isinstance(value, tuple) else (value,) * self.rank

    def per_side(self, value: Any) -> tuple[Shape, Shape]:
        """Return what is before and after every axis, from a field that may hold one for all."""
        before, after = zip(*[v if isinstance(v, tuple) else (v, v) for v in self.spread(value)], strict=True)
        return before, after

    def spatial_rank(self, x: Shape) -> Iterator[Requirement]:
        """Require a channel axis and the spatial axes, with a batch axis in front or without."""
        return rank_between(self.kind, x, self.rank + 1, self.rank + 2)

    def large_enough(self, rule: Callable[..., Dim], **values: tuple[Dim, ...]) -> Iterator[Requirement]:
        """Require that a size formula gives at least one on every axis.

        The keywords are the letters of the formula, in its order, each with its value per axis.
        """
        for axis, *column in zip(AXES[self.rank], *values.values(), strict=True):
            size = rule(*column)
            if not isinstance(size, int) or size < 1:
                letters = dict(zip(values, column, strict=True))
                yield Requirement("too-small", size, ">=", 1, _too_small(self.kind, axis, rule, letters))


class Spatial(OverAxes, Layer):
    """A layer of one tensor over `rank` spatial axes."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        yield from declared(self, x)
        yield from divided(self, x)
        yield from self.fitting(x)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        """Yield what an input of this rank, and of the sizes that are declared, must satisfy besides."""
        return iter(())

    def unread(self, window: Window | None, x: Shape, output: Shape) -> Shape:
        """Return per axis how many positions at the end of the input no window reaches; not above 0 for none.

        A kernel shorter than its stride leaves positions out by design: nothing is said of it.
        """
        if window is None or window.transposed:
            return ()
        rows: list[Dim] = []
        letters = window.kernel, window.stride, window.dilation, window.before
        for n, out, k, s, d, p0 in zip(self.sizes(x), self.sizes(output), *letters, strict=True):
            span = extent(k, d)
            by_design = decide(span, ">=", s) is False
            rows.append(0 if by_design else unread(n, out, k, s, d, p0))
        return tuple(rows)

    def spatial_axes(self, x: Shape) -> tuple[int, ...]:
        """Return the numbers of the spatial axes."""
        return self.sizes(tuple(range(len(x))))  # type: ignore[return-value]

    def centres(self, x: Shape) -> Centres:
        window = self.window(x)
        if window is None or not window.transposed:
            return super().centres(x)
        letters = window.kernel, window.stride, window.before, window.dilation
        axes = self.spatial_axes(x)
        of_axes = dict(zip(axes, map(spread_over, axes, *letters), strict=True))
        return tuple(of_axes.get(axis) for axis in range(len(x)))

    def dependence(self, x: Shape, result: int) -> Dependence:
        window = self.window(x)
        if window is None:
            return unknown(len(x))
        view = scattered_by if window.transposed else swept
        letters = window.kernel, window.stride, window.before, window.dilation
        axes, channels = self.spatial_axes(x), self.channel_axis(x)
        views = dict(zip(axes, map(view, axes, *letters), strict=True))
        return placed(len(x), views | {channels: self.mixes(x, channels)})

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        """Return what a channel sees of the channels, on this axis: itself, if a kind says nothing."""
        return Along(axis)

    def moved_on(self, x: Shape, by: tuple[Dim, ...]) -> Dependence:
        """Return the dependence of a result that begins that many positions further on, per spatial axis."""
        pairs = zip(self.spatial_axes(x), by, strict=True)
        return placed(len(x), {axis: Along(axis, ((first, first),)) for axis, first in pairs})


class ChannelsLast(Spatial):
    """Turns the rules of a spatial layer to Keras' layout: batch, spatial axes, channels."""

    framework = "keras"

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - 1

    def sizes(self, x: Shape) -> Shape:
        return x[-self.rank - 1 : -1]

    def axes(self, x: Shape, number: int) -> tuple[str, ...]:
        channels, *sizes = super().axes(x, number)
        return (*sizes, channels)

    def resized(self, x: Shape, sizes: Shape, channels: Dim | None = None) -> Shape:
        return (*x[: -self.rank - 1], *sizes, self.channels(x) if channels is None else channels)

    def spatial_rank(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, self.rank + 2, self.rank + 2)


def _rules(layer: Kind, name: str) -> list[Any]:
    """Return the annotations of a field, looking inside those that wrap another."""
    rules = type(layer).model_fields[name].metadata
    return [*rules, *(getattr(rule, inner, None) for rule in rules for inner in ("otherwise", "item"))]


def _too_small(kind: str, axis: str, rule: Callable[..., Dim], letters: dict[str, Dim]) -> Callable[[], str]:
    return lambda: (
        f"{kind}: the output {axis} would be {rule(**letters)}, less than 1: {written(rule, **letters)}"
    )
