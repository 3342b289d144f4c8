"""Resizing by interpolation, over 1, 2 and 3 axes, as the input has.

    out = size                           or else
    out = ⌊n·scale_factor⌋               multiplied in double precision, as torch does

So a size of 100 scaled by 0.29 becomes 28, because the doubles nearest to 0.29 make it
28.999999999999996. For a size that is left free there is an answer only for scales that doubles
hold exactly (0.5, 2, 1.75): ⌊n·a/b⌋ with b a power of two.
"""

from abc import abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from itertools import starmap
from typing import Annotated, Any, Self

from pydantic import model_validator

from shapecalc.algebra import Dim
from shapecalc.errors import Undecided
from shapecalc.layers.arithmetic import scaled, scaled_by_doubles
from shapecalc.layers.base import Layer, NoMacs, NoWeights, NoWindow
from shapecalc.layers.centre import Centre, Centres, kept, scaled_by
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.dependence import (
    Along,
    AxisDependence,
    Dependence,
    Fixed,
    interpolated,
    placed,
    shared_out,
)
from shapecalc.layers.effect import Shapes
from shapecalc.layers.extended_number import Open
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Integer, Nullable, OneOf, PerAxis, Truth, complaint
from shapecalc.layers.memory_traits import Input, Storage
from shapecalc.layers.memory_traits import Mode as RunMode
from shapecalc.layers.mixins import KeepsChannelsLast
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.roles import Lettered

Size = Annotated[PerAxis | None, Nullable(Each(Integer(1), (1, 2, 3))), Lettered(per_axis=True)]
Scale = Annotated[
    Fraction | int | tuple[Fraction | int, ...] | None,
    Nullable(Each(Open(0), (1, 2, 3))),
    Lettered("r", per_axis=True),
]

_RANKS = {
    "nearest": (3, 5),
    "nearest-exact": (3, 5),
    "area": (3, 5),
    "linear": (3, 3),
    "bilinear": (4, 4),
    "bicubic": (4, 4),
    "trilinear": (5, 5),
}
"""The least and greatest number of dimensions, batch and channels included, by mode."""
_ALIGNED = ("linear", "bilinear", "bicubic", "trilinear")
"""The modes that can align corners."""

Mode = Annotated[str, OneOf(tuple(_RANKS))]
OptionalFlag = Annotated[bool | None, Nullable(Truth())]


class Interpolation(KeepsChannelsLast, NoWeights, NoMacs, NoWindow, Layer):
    """What interpolation of all sorts shares, under either framework."""

    family = Family.RESAMPLE

    @abstractmethod
    def method(self) -> str:
        """Return torch's name of the interpolation."""

    def operations(self, x: Shape) -> Operations | None:
        return NOTHING if self.method().startswith("nearest") else None  # the others are not counted

    def saved(self, inputs: Shapes, mode: RunMode) -> tuple[Storage, ...]:
        """The input of mode area, which is adaptive pooling: unless that is a plain mean."""
        pools = self.method() == "area" and any(n != 1 for n in self.output(inputs[0])[2:])
        return (Input(),) if pools else ()


class Resize(Interpolation):
    """The rules of interpolation to a size or by a factor, as torch does it."""

    framework = "torch"

    size: Size = None
    scale_factor: Scale = None

    @model_validator(mode="after")
    def _size_or_scale(self) -> Self:
        if (self.size is None) == (self.scale_factor is None):
            raise complaint(f"{self.kind} takes either size or scale_factor")
        return self

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(f"{self.kind} ({self.method()})", x, *_RANKS[self.method()])
        for name, value in (("size", self.size), ("scale_factor", self.scale_factor)):
            if isinstance(value, tuple):
                has = f"{shown(x)} has {len(x) - 2} axes behind its channels"
                says = f"{self.kind}: {name} has {len(value)} values, but {has}"
                yield Requirement("axes", len(value), "==", len(x) - 2, says)
        if self.scale_factor is not None:
            for n, scale in zip(x[2:], per_axis(self.scale_factor, x), strict=True):
                out = in_doubles(self.kind, n, scale)
                says = f"{self.kind}: a size of {n} scaled by {float(scale)} would be {out}, less than 1"
                yield Requirement("too-small", out, ">=", 1, says)

    def output(self, x: Shape) -> Shape:
        if self.scale_factor is None:
            return (*x[:2], *per_axis(self.size, x))
        pairs = zip(x[2:], per_axis(self.scale_factor, x), strict=True)
        return (*x[:2], *(in_doubles(self.kind, n, scale) for n, scale in pairs))

    def centres(self, x: Shape) -> Centres:
        return (*kept(2), *starmap(self._centre, self._columns(x)))

    def _centre(self, axis: int, n: Dim, out: Dim, scale: Fraction | int | None) -> Centre | None:
        """Return the centre along an axis; None where the steps of the interpolation are not all equal."""
        if not isinstance(n, int) or not isinstance(out, int):
            return None
        if self.corners():
            return Centre(axis, Fraction(n - 1, out - 1)) if out > 1 else None
        if scale is not None and scale * n != out:
            return None
        if self.method() in _ALIGNED or out % n == 0:
            return scaled_by(axis, Fraction(out, n))
        return Centre(axis, n // out) if self.method() == "nearest" and n % out == 0 else None

    def dependence(self, x: Shape, result: int) -> Dependence:
        if self.method() == "bicubic" and self.output(x) == x:  # torch copies, if no axis is resized
            return placed(len(x))
        return (*placed(2), *starmap(self._view, self._columns(x)))

    def _columns(self, x: Shape) -> Iterator[tuple[int, Dim, Dim, Fraction | int | None]]:
        """Yield each axis with its size, that of the result, and the scale if one is given."""
        return zip(range(2, len(x)), x[2:], self.output(x)[2:], per_axis(self.scale_factor, x), strict=True)

    def _view(self, axis: int, n: Dim, out: Dim, scale: Fraction | int | None) -> AxisDependence:
        """Return the view along an axis; where it depends on a size that is left free, it is not said."""
        method = self.method()
        if method == "area":
            return shared_out(axis, n, out)
        if n == out and method not in {"nearest-exact", "bicubic"}:
            return Along(axis)  # torch copies
        doubles = method == "nearest" and out == 2 * n  # and here it goes by the sizes
        if self.corners():
            if not isinstance(n, int) or not isinstance(out, int):
                return None
            if out == 1:
                return Fixed(0, 0)
            return interpolated(axis, Fraction(n - 1, out - 1), method, corners=True)
        if scale is not None and (isinstance(scale, int) or not (self.rescales() or doubles)):
            return interpolated(axis, 1 / Fraction(scale), method, corners=False)
        if not isinstance(n, int) or not isinstance(out, int):
            return None
        return interpolated(axis, Fraction(n, out), method, corners=False)

    def rescales(self) -> bool:
        """Whether the scale only determines the size of the result."""
        return False

    def corners(self) -> bool:
        """Whether the first and the last positions of input and output lie on each other."""
        return False


def per_axis(value: Any, x: Shape) -> tuple[Any, ...]:
    """Return one value for each spatial axis, from a field that may hold one for all."""
    return value if isinstance(value, tuple) else (value,) * (len(x) - 2)


def in_doubles(kind: str, n: Dim, scale: Fraction | int) -> Dim:
    """Return ⌊n·scale⌋, for numbers with the rounding of doubles, for symbols only without."""
    if isinstance(n, int):
        return scaled_by_doubles(n, scale)
    if Fraction(float(scale)) != scale:
        raise Undecided(
            f"{kind}: ⌊{n}·{float(scale)}⌋ depends on how doubles round {float(scale)}; with {n} left free "
            "only a scale that is exact in binary has one answer"
        )
    return scaled(n, scale.numerator, scale.denominator)


class Upsample(Resize, torch="torch.nn.Upsample"):
    """Interpolation to `size`, or by `scale_factor`: `[N, C, *n]` to `[N, C, *⌊n·scale_factor⌋]`.

    The modes are nearest, nearest-exact and area over one to three axes, linear over one, bilinear and
    bicubic over two, trilinear over three. Refuses a mode that does not fit the input, a list that does not
    fit its axes, both or neither of size and scale_factor, `align_corners` for a mode that has none, and an
    output that would be empty.

    >>> Upsample(scale_factor=2).output((1, 64, 14, 14))
    (1, 64, 28, 28)
    >>> Upsample(scale_factor=0.29).output((1, 64, 100))
    (1, 64, 28)
    """

    mode: Mode = "nearest"
    align_corners: OptionalFlag = None
    recompute_scale_factor: OptionalFlag = None

    def method(self) -> str:
        return self.mode

    def corners(self) -> bool:
        return bool(self.align_corners)

    def rescales(self) -> bool:
        return bool(self.recompute_scale_factor)

    @model_validator(mode="after")
    def _mode_allows(self) -> Self:
        if self.align_corners is not None and self.mode in _RANKS and self.mode not in _ALIGNED:
            raise complaint(f"mode {self.mode} has no align_corners (those with it: {', '.join(_ALIGNED)})")
        if self.recompute_scale_factor is True and self.size is not None:
            raise complaint("recompute_scale_factor goes with scale_factor, not with size")
        return self


class UpsamplingNearest2d(Resize, torch="torch.nn.UpsamplingNearest2d"):
    """Interpolation by the nearest element: `[N, C, H, W]` to `[N, C, ⌊H·scale⌋, ⌊W·scale⌋]`.

    It is `upsample` with mode nearest and, as in torch, takes one to three axes whatever its name says.

    >>> UpsamplingNearest2d(scale_factor=2).output((1, 64, 14, 14))
    (1, 64, 28, 28)
    """

    def method(self) -> str:
        return "nearest"


class UpsamplingBilinear2d(Resize, torch="torch.nn.UpsamplingBilinear2d"):
    """Bilinear interpolation with aligned corners: `[N, C, H, W]` to `[N, C, ⌊H·scale⌋, ⌊W·scale⌋]`.

    It is `upsample` with mode bilinear and `align_corners: true`.

    >>> UpsamplingBilinear2d(size=[32, 48]).output((1, 64, 14, 14))
    (1, 64, 32, 48)
    """

    def method(self) -> str:
        return "bilinear"

    def corners(self) -> bool:
        return True
