"""Keras' padding, cropping and upsampling: channels last.

pad:       out = n + p₀ + p₁
crop:      out = n - c₀ - c₁
upsample:  out = n·scale_factor, an integer

Sides are one number for all, one per axis, or `[[before, after], ...]`.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated

from shapecalc.layers.arithmetic import scaled
from shapecalc.layers.centre import Centre, Centres, scaled_by
from shapecalc.layers.crop import Crop
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Along, Dependence, interpolated, placed, unknown
from shapecalc.layers.fields import Each, ExtentPerSide, Integer, OneOf, PerAxis
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.resample import Interpolation, per_axis
from shapecalc.layers.roles import Lettered, WindowField
from shapecalc.layers.spatial import ChannelsLast

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


class KerasPad(
    ChannelsLast, SpatialPad, ranked="KerasZeroPad{rank}d", keras="keras.layers.ZeroPadding{rank}D"
):
    """Zeros around: `[N, {sizes}, C]`, where n becomes n + p₀ + p₁; no side is negative.

    >>> KerasZeroPad{rank}d(padding=[{each:[3, 1]}]).output((1, {each:10}, 8))
    (1, {each:14}, 8)
    """

    padding: Annotated[ExtentPerSide, WindowField("p")]

    def output(self, x: Shape) -> Shape:
        return self.resized(x, self.enlarged(x))


class KerasCrop(ChannelsLast, Crop, ranked="KerasCrop{rank}d"):
    """What is left of the input when its sides are cut off: `[N, {sizes}, C]`, where n becomes n - c₀ - c₁.

    Refuses to leave nothing.

    >>> KerasCrop{rank}d(crop=[{each:[2, 1]}]).output((1, {each:10}, 8))
    (1, {each:7}, 8)
    """


class KerasUpsample(Interpolation, kind="upsample", framework="keras", keras="keras.layers.UpSampling2D"):
    """Every element repeated or interpolated: `[N, *n, C]` to `[N, *n·scale_factor, C]`.

    Over one to three axes, as the input has; modes other than nearest over two only. Refuses factors that are
    not integers. Source: keras.layers.UpSampling1D, UpSampling2D and UpSampling3D.

    >>> KerasUpsample(scale_factor=[2, 3], mode="bilinear").output((1, 14, 14, 64))
    (1, 28, 42, 64)
    """

    order = "scale_factor * ..."

    scale_factor: Annotated[PerAxis, Each(Integer(1), (1, 2, 3)), Lettered("r", per_axis=True)]
    mode: Annotated[str, OneOf(INTERPOLATIONS)] = "nearest"

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, 5)
        values, axes = len(per_axis(self.scale_factor, x)), len(x) - 2
        says = f"{self.kind}: scale_factor has {values} values, but {shown(x)} has {axes} axes to scale"
        yield Requirement("axes", values, "==", axes, says)
        if self.mode != "nearest":
            says = f"{self.kind}: mode {self.mode} needs 2 axes to scale, but {shown(x)} has {axes}"
            yield Requirement("axes", axes, "==", 2, says)

    def output(self, x: Shape) -> Shape:
        pairs = zip(x[1:-1], per_axis(self.scale_factor, x), strict=True)
        return (x[0], *(scaled(n, factor, 1) for n, factor in pairs), x[-1])

    def dependence(self, x: Shape, result: int) -> Dependence:
        if self.mode.startswith("lanczos"):
            return (Along(0), *unknown(len(x) - 2), Along(len(x) - 1))
        views = {
            axis: interpolated(axis, Fraction(1, f), self.mode, corners=False) if isinstance(f, int) else None
            for axis, f in enumerate(per_axis(self.scale_factor, x), start=1)
        }
        return placed(len(x), views)

    def centres(self, x: Shape) -> Centres:
        factors = enumerate(per_axis(self.scale_factor, x), start=1)
        even = [scaled_by(axis, f) if isinstance(f, int) else None for axis, f in factors]
        return (Centre(0), *even, None)

    def method(self) -> str:
        return self.mode


__getattr__ = of_rank(__name__)
