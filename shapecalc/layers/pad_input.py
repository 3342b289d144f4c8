"""Padding made of the input itself, over 1, 2 and 3 axes: mirrored, repeated or wrapped around.

    out = n + p₀ + p₁        per axis; a negative side crops

`padding` is written as in `zero_pad2d` and its relatives.

Where a circular padding with one negative side takes more on the other than the crop leaves, torch
raises or returns memory it never wrote, depending on the other axes; here it is always refused.
"""

from collections.abc import Iterator

from shapecalc.layers.arithmetic import uncropped
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.requirement import Requirement, Shape


class ReflectionPad(SpatialPad, torch="torch.nn.ReflectionPad{rank}d"):
    """The input mirrored at its border: `[N, C, {sizes}]`, where n becomes n + p₀ + p₁.

    Refuses a side as long as the input.

    >>> ReflectionPad{rank}d(padding=3).output((1, 8, {each:10}))
    (1, 8, {each:16})
    """

    saves = "input"

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        for axis, n, *sides in self.by_axis(x):
            for p in sides:
                says = f"{self.kind}: padding of {p} mirrors {p + 1} elements, but the {axis} is {n}"
                yield Requirement("padding", n, ">=", p + 1, says)
        yield from super().fitting(x)


class ReplicationPad(SpatialPad, torch="torch.nn.ReplicationPad{rank}d"):
    """The border repeated: `[N, C, {sizes}]`, where n becomes n + p₀ + p₁.

    Refuses an output that would be empty.

    >>> ReplicationPad{rank}d(padding=20).output((1, 8, {each:10}))
    (1, 8, {each:50})
    """

    saves = "input"


class CircularPad(SpatialPad, torch="torch.nn.CircularPad{rank}d"):
    """The input wrapped around: `[N, C, {sizes}]`, where n becomes n + p₀ + p₁.

    Refuses a side that is longer than the input, or than what the other side, if negative, leaves of it.

    >>> CircularPad{rank}d(padding=10).output((1, 8, {each:10}))
    (1, 8, {each:30})
    """

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        yield from super().fitting(x)
        for axis, n, p0, p1 in self.by_axis(x):
            left = uncropped(n, p0, p1)
            for p in (p0, p1):
                says = f"{self.kind}: padding of {p} wraps around more than once: the {axis} offers {left}"
                yield Requirement("padding", left, ">=", p, says)


__getattr__ = of_rank(__name__)
