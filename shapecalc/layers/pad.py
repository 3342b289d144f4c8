"""Padding over 1, 2 and 3 axes: with zeros, a constant, the mirrored, repeated or wrapped input.

    out = n + p₀ + p₁        per axis; a negative side crops

`padding` is one number for all sides, one per axis, or `[[before, after], ...]` per side, axes in
the order of the shape. A flat list of two numbers per axis is torch's own notation, which begins
with the last axis: `[left, right, top, bottom]` over two axes.
"""

from collections.abc import Iterator
from typing import Annotated, Self, cast

from pydantic import model_validator

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import padded, uncropped
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import NoOperations, NoWeights, NoWindow
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence
from shapecalc.layers.extended_number import Fill
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Integer, PerSide, complaint
from shapecalc.layers.mixins import KeepsChannelsLast
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import WindowField
from shapecalc.layers.spatial import Spatial

Sides = Annotated[PerSide, Each(Each(Integer(), (2,)), (1, 2, 3, 4, 6)), WindowField("p")]


class SpatialPad(NoWeights, NoOperations, NoWindow, Spatial):
    """What all padding shares, for any number of axes."""

    family = Family.PADDING
    saves = "nothing"

    padding: Sides

    @model_validator(mode="after")
    def _sides_for_every_axis(self) -> Self:
        sides, rank = self.padding, self.rank
        if isinstance(sides, tuple) and len(sides) != rank:
            if len(sides) != 2 * rank or any(isinstance(side, tuple) for side in sides):
                raise complaint(
                    f"padding has {len(sides)} values; {self.kind} takes one, {rank} (per axis, or "
                    f"[before, after] per axis), or {2 * rank} in torch's order, the last axis first"
                )
        return self

    def sides(self) -> dict[str, tuple[Dim, ...]]:
        """Return the padding before (p0) and after (p1) every axis, in the order of the shape."""
        if isinstance(self.padding, tuple) and len(self.padding) == 2 * self.rank:
            flat = cast("tuple[Dim, ...]", self.padding)
            return {"p0": flat[-2::-2], "p1": flat[::-2]}
        before, after = self.per_side(self.padding)
        return {"p0": before, "p1": after}

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        return self.large_enough(padded, n=self.sizes(x), **self.sides())

    def output(self, x: Shape) -> Shape:
        return (*x[: -self.rank], *self.enlarged(x))

    def dependence(self, x: Shape, result: int) -> Dependence:
        return self.moved_on(x, tuple(-p for p in self.sides()["p0"]))

    def enlarged(self, x: Shape) -> Shape:
        """Return the spatial sizes of the output."""
        return tuple(padded(n, p0, p1) for _, n, p0, p1 in self.by_axis(x))

    def by_axis(self, x: Shape) -> Iterator[tuple[str, Dim, Dim, Dim]]:
        """Yield the name, the size, and the padding before and after of every axis."""
        return zip(AXES[self.rank], self.sizes(x), *self.sides().values(), strict=True)


class ConstantPad(KeepsChannelsLast, SpatialPad):
    """The rules of padding with a constant: there may be any number of axes in front."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, self.rank, None)
        for axis, n, p0, p1 in self.by_axis(x):
            says = f"{self.kind}: padding of {p0} and {p1} takes away more than the input {axis} of {n} has"
            yield Requirement("too-small", uncropped(n, p0, p1), ">=", 0, says)
        yield from self.large_enough(padded, n=self.sizes(x), **self.sides())


class ZeroPad(ConstantPad, torch="torch.nn.ZeroPad{rank}d", keras="keras.layers.ZeroPadding{rank}D"):
    """Zeros around: `[..., {sizes}]`, where n becomes n + p₀ + p₁; a negative side crops.

    Refuses to crop more than there is.

    >>> ZeroPad{rank}d(padding=[{each:[3, 1]}]).output((1, 3, {each:10}))
    (1, 3, {each:14})
    """


class ZeroPad2d(ZeroPad, rank=2):
    """A flat list of four is torch's `[left, right, top, bottom]`."""


class FilledPad(ConstantPad, torch="torch.nn.ConstantPad{rank}d"):
    """A `value` around: `[..., {sizes}]`, where n becomes n + p₀ + p₁; a negative side crops.

    Refuses to crop more than there is.

    >>> ConstantPad{rank}d(padding=1, value="-inf").output((1, 64, {each:112}))
    (1, 64, {each:114})
    """

    value: Fill


__getattr__ = of_rank(__name__)
