"""Padding made of the input itself, over 1, 2 and 3 axes: mirrored, repeated or wrapped around.

    out = n + p₀ + p₁        per axis; a negative side crops

`padding` is written as in `zero_pad2d` and its relatives. No padding has weights or MACs.

Where a circular padding with one negative side takes more on the other than the crop leaves, torch
raises or returns memory it never wrote, depending on the other axes; here it is always refused.
"""

from collections.abc import Callable, Iterator

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import uncropped
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.requirement import Requirement, Shape


class ReflectionPad(SpatialPad, kind="reflection_pad{rank}d", torch="torch.nn.ReflectionPad{rank}d"):
    """The rules of mirrored padding: a side is at most one less than the input.

    No weights, no MACs. Refuses a side as long as the input. Source: torch.nn.ReflectionPad{rank}d.
    """

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        for axis, n, *sides in self.by_axis(x):
            for p in sides:
                yield Requirement("padding", n, ">=", p + 1, _too_short(self.kind, axis, n, p))
        yield from super().requirements(x)


class ReplicationPad(SpatialPad, kind="replication_pad{rank}d", torch="torch.nn.ReplicationPad{rank}d"):
    """The rules of padding that repeats the border: as much as one likes.

    No weights, no MACs. Refuses an output that would be empty. Source: torch.nn.ReplicationPad{rank}d.
    """


class CircularPad(SpatialPad, kind="circular_pad{rank}d", torch="torch.nn.CircularPad{rank}d"):
    """The rules of wrapped padding: a side is at most what the other, if negative, leaves.

    No weights, no MACs. Refuses a side longer than the input. Source: torch.nn.CircularPad{rank}d.
    """

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from super().requirements(x)
        for axis, n, p0, p1 in self.by_axis(x):
            left = uncropped(n, p0, p1)
            for p in (p0, p1):
                yield Requirement("padding", left, ">=", p, _wraps_twice(self.kind, axis, left, p))


def _too_short(kind: str, axis: str, n: Dim, p: Dim) -> Callable[[], str]:
    return lambda: f"{kind}: padding of {p} mirrors {p + 1} elements, but the {axis} is {n}"


def _wraps_twice(kind: str, axis: str, left: Dim, p: Dim) -> Callable[[], str]:
    return lambda: f"{kind}: padding of {p} wraps around more than once: the {axis} offers {left}"


class ReflectionPad1d(ReflectionPad, rank=1):
    """The input mirrored at its border: `[N, C, L]` to `[N, C, L + p₀ + p₁]`.

    >>> ReflectionPad1d(padding=3).output((1, 8, 10))
    (1, 8, 16)
    """


class ReflectionPad2d(ReflectionPad, rank=2):
    """The input mirrored at its border: `[N, C, H, W]`, each side n becoming n + p₀ + p₁.

    >>> ReflectionPad2d(padding=40).output((1, 3, 256, 256))
    (1, 3, 336, 336)
    """


class ReflectionPad3d(ReflectionPad, rank=3):
    """The input mirrored at its border: `[N, C, D, H, W]`, each side n becoming n + p₀ + p₁.

    >>> ReflectionPad3d(padding=1).output((1, 3, 8, 10, 10))
    (1, 3, 10, 12, 12)
    """


class ReplicationPad1d(ReplicationPad, rank=1):
    """The border repeated: `[N, C, L]` to `[N, C, L + p₀ + p₁]`.

    >>> ReplicationPad1d(padding=[2, 0]).output((1, 8, 10))
    (1, 8, 12)
    """


class ReplicationPad2d(ReplicationPad, rank=2):
    """The border repeated: `[N, C, H, W]`, each side n becoming n + p₀ + p₁.

    >>> ReplicationPad2d(padding=[1, 2]).output((1, 3, 10, 10))
    (1, 3, 12, 14)
    """


class ReplicationPad3d(ReplicationPad, rank=3):
    """The border repeated: `[N, C, D, H, W]`, each side n becoming n + p₀ + p₁.

    >>> ReplicationPad3d(padding=1).output((1, 3, 8, 10, 10))
    (1, 3, 10, 12, 12)
    """


class CircularPad1d(CircularPad, rank=1):
    """The input wrapped around: `[N, C, L]` to `[N, C, L + p₀ + p₁]`.

    >>> CircularPad1d(padding=10).output((1, 8, 10))
    (1, 8, 30)
    """


class CircularPad2d(CircularPad, rank=2):
    """The input wrapped around: `[N, C, H, W]`, each side n becoming n + p₀ + p₁.

    >>> CircularPad2d(padding=[[0, 0], [5, 5]]).output((1, 3, 180, 360))
    (1, 3, 180, 370)
    """


class CircularPad3d(CircularPad, rank=3):
    """The input wrapped around: `[N, C, D, H, W]`, each side n becoming n + p₀ + p₁.

    >>> CircularPad3d(padding=1).output((1, 3, 8, 10, 10))
    (1, 3, 10, 12, 12)
    """
