"""What the results of a layer see of its input, axis by axis: a window, everything, one place, or unknown.

    Along        a window that moves with an axis of the result
    Fixed        the same positions, whatever the position of the result
    Everything   every position: what is global
    Scattered    one position for each of the result, not at an even pace (a reshape)
    Before       every position up to its own (a recurrent layer)
    Nothing      none: the tensor is not seen at all
    None         not declared; `Kind.unknown_dependence` has the reason

A position of a result is taken with all its channels: it sees what any of them sees. Padding counts as
positions, below 0 and behind the end. Evaluation mode is meant. Source of the terms: Araujo, Norris and Sim,
Computing receptive fields of convolutional neural networks, 2019.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, gcd
from types import MappingProxyType
from typing import TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import extent
from shapecalc.record import record

Shape: TypeAlias = tuple[Dim, ...]
Range: TypeAlias = tuple[Dim, Dim]
"""The first and the last of some positions."""


@record
class Along:
    """Position i + t·len(ranges) of axis `axis` of the result sees ranges[i], moved on by t·shift.

    A position that sees nothing (in the gaps of a transposed convolution) has None in place of a range.
    """

    axis: int
    ranges: tuple[Range | None, ...] = ((0, 0),)
    shift: int = 1

    @property
    def is_itself(self) -> bool:
        """Whether every position sees the one with its own number, and no other."""
        return self.ranges == ((0, 0),) and self.shift == 1


@record
class Fixed:
    """Every position of the result sees these positions."""

    first: Dim
    last: Dim


@record
class Everything:
    """Every position of the result sees all positions."""


@record
class Scattered:
    """Every position sees one place; which one follows from its position on these axes of the result."""

    axes: frozenset[int]


@record
class Before:
    """Position i of axis `axis` of the result sees every position up to i."""

    axis: int


@record
class Nothing:
    """No result sees anything of the tensor, on no axis."""


EVERYTHING = Everything()
NOTHING = Nothing()

AxisDependence: TypeAlias = Along | Fixed | Everything | Scattered | Before | Nothing | None
Dependence: TypeAlias = tuple[AxisDependence, ...]
"""A view for each axis of an input."""
_NONE: Mapping[int, AxisDependence] = MappingProxyType({})

OF_GROUPS = ("channels", "channels of one group see those of their group alone")
"""The `Kind.unknown_dependence` of a layer of groups of channels."""


def placed(rank: int, others: Mapping[int, AxisDependence] = _NONE) -> Dependence:
    """Return the dependence of a layer whose every result sees its own place, on all axes but the `others`.

    >>> placed(2, {1: EVERYTHING})
    (Along(axis=0, ranges=((0, 0),), shift=1), Everything())
    """
    return tuple([others[axis] if axis in others else Along(axis) for axis in range(rank)])


def unknown(rank: int) -> Dependence:
    """Return the dependence of a layer that declares none."""
    return (None,) * rank


def unseen(rank: int) -> Dependence:
    """Return the dependence of a layer that sees nothing of a tensor; one view even of a single number.

    >>> unseen(0)
    (Nothing(),)
    """
    return (NOTHING,) * max(rank, 1)


def everywhere(x: Shape) -> Dependence:
    """Return the dependence of a layer whose every result sees all of a tensor."""
    return (EVERYTHING,) * len(x)


def stretched(x: Shape, output: Shape) -> Dependence:
    """Return what a result sees of a tensor that was stretched to it.

    >>> stretched((8, 1), (2, 8, 5))
    (Along(axis=1, ranges=((0, 0),), shift=1), Fixed(first=0, last=0))
    """
    missing = len(output) - len(x)
    return tuple(
        [Along(axis + missing) if n == output[axis + missing] else Fixed(0, 0) for axis, n in enumerate(x)]
    )


def reduced(x: Shape, full: Shape, axis: int) -> Dependence:
    """Return what a result sees of a tensor that was stretched to `full`, of which an axis then vanished.

    >>> reduced((3, 1), (4, 3, 5), 2)
    (Along(axis=1, ranges=((0, 0),), shift=1), Fixed(first=0, last=0))
    """
    views: list[AxisDependence] = [*stretched(x, full)]
    for number, view in enumerate(views):
        if isinstance(view, Along) and view.axis >= axis:
            views[number] = EVERYTHING if view.axis == axis else Along(view.axis - 1)
    return tuple(views)


def over(rank: int, axes: Sequence[int]) -> Dependence:
    """Return the dependence of a layer that mixes some axes, counted from 0, and keeps the others.

    >>> over(2, [1])
    (Along(axis=0, ranges=((0, 0),), shift=1), Everything())
    """
    return placed(rank, dict.fromkeys(axes, EVERYTHING))


def without(rank: int, axes: Collection[int], *, keepdim: bool) -> Dependence:
    """Return the dependence of a layer that reduces some axes, which vanish or become 1.

    >>> without(3, [1], keepdim=False)[1:]
    (Everything(), Along(axis=1, ranges=((0, 0),), shift=1))
    """
    left = [axis for axis in range(rank) if keepdim or axis not in axes]
    return tuple([EVERYTHING if axis in axes else Along(left.index(axis)) for axis in range(rank)])


def swept(axis: int, kernel: Dim, stride: Dim, before: Dim, dilation: Dim) -> AxisDependence:
    """Return the view of a sliding window: position i sees i·s - p₀ to i·s - p₀ + d(k - 1).

    >>> swept(2, kernel=3, stride=2, before=1, dilation=1)
    Along(axis=2, ranges=((-1, 1),), shift=2)
    """
    if not isinstance(stride, int):
        return None
    return Along(axis, ((-before, extent(kernel, dilation) - 1 - before),), stride)


def scattered_by(axis: int, kernel: Dim, stride: Dim, before: Dim, dilation: Dim) -> AxisDependence:
    """Return the view of a transposed window: position i sees every j with i = j·s - p₀ + d·t, 0 <= t < k.

    How many these are depends on the remainder of i by s.

    >>> scattered_by(2, kernel=3, stride=2, before=1, dilation=1)
    Along(axis=2, ranges=((0, 0), (0, 1)), shift=1)
    """
    match kernel, stride, before, dilation:
        case int(k), int(s), int(p), int(d):
            reached = [[position + p - d * tap for tap in range(k)] for position in range(s)]
            sources = [[number // s for number in numbers if number % s == 0] for numbers in reached]
            return Along(axis, tuple([(min(of), max(of)) if of else None for of in sources]))
    return None


def shared_out(axis: int, n: Dim, out: Dim) -> AxisDependence:
    """Return the view of an adaptive window: position i sees ⌊i·n/out⌋ to ⌈(i + 1)·n/out⌉ - 1.

    >>> shared_out(2, 10, 4)
    Along(axis=2, ranges=((0, 2), (2, 4)), shift=5)
    """
    if n == out:
        return Along(axis)
    if out == 1:
        return EVERYTHING
    if not isinstance(n, int) or not isinstance(out, int):
        return None
    period, shift = out // gcd(n, out), n // gcd(n, out)
    ranges = [(i * n // out, -(-(i + 1) * n // out) - 1) for i in range(period)]
    return Along(axis, tuple(ranges), shift)


def interpolated(axis: int, step: Fraction, method: str, *, corners: bool) -> AxisDependence:
    """Return the view of an interpolation that moves by `step` of its input for each result.

    Position i lies at i·step where corners are aligned, else at (i + 1/2)·step - 1/2; linear methods see the
    positions on both sides of it, bicubic ones two on each, and all see one position where it falls on it.

    >>> interpolated(2, Fraction(1, 2), "bilinear", corners=False)
    Along(axis=2, ranges=((-1, 0), (0, 1)), shift=1)
    >>> interpolated(2, Fraction(1, 2), "nearest", corners=False)
    Along(axis=2, ranges=((0, 0), (0, 0)), shift=1)
    """
    half = Fraction(1, 2)
    ranges: list[Range | None] = []
    for position in range(step.denominator):
        if method in ("nearest", "nearest-exact"):
            nearest = floor((position + (half if method == "nearest-exact" else 0)) * step)
            ranges.append((nearest, nearest))
            continue
        at = position * step if corners else (position + half) * step - half
        reach = 1 if method == "bicubic" and at.denominator != 1 else 0
        ranges.append((floor(at) - reach, ceil(at) + reach))
    return Along(axis, tuple(ranges), step.numerator)


def rearranged(x: Shape, output: Shape) -> Dependence:
    """Return the dependence of a layer that keeps the order of all elements and changes their axes.

    An axis stays itself where as many elements are behind it as before; the others are scattered over the
    axes that were made of them.

    >>> rearranged((1, 8, 4, 4), (1, 8, 16))[1:]
    (Along(axis=1, ranges=((0, 0),), shift=1), Scattered(axes=frozenset({2})), Scattered(axes=frozenset({2})))
    """
    before = [product(x[axis:]) for axis in range(len(x) + 1)]
    after = [product(output[axis:]) for axis in range(len(output) + 1)]
    views: list[AxisDependence] = []
    for axis, n in enumerate(x):
        start = next(size for size in reversed(before[: axis + 1]) if size in after)
        end = next(size for size in before[axis + 1 :] if size in after)
        group = range(len(after) - 1 - after[::-1].index(start), after.index(end))
        made_of = [at for at in group if output[at] != 1]
        if n == 1:
            views.append(Fixed(0, 0))
        elif len(made_of) == 1 and output[made_of[0]] == n:
            views.append(Along(made_of[0]))
        else:
            views.append(Scattered(frozenset(made_of)))
    return tuple(views)
