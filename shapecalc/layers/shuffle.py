"""Elements moved between channels and space, or among the channels: nothing is computed."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated

from shapecalc.algebra import Dim, quotient
from shapecalc.layers.base import Layer, NoOperations, NoWeights, NoWindow, SameShape
from shapecalc.layers.centre import Centre, Centres, kept, scaled_by
from shapecalc.layers.dependence import Along, AxisDependence, Dependence, Scattered, placed
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between
from shapecalc.layers.roles import Divides, Lettered, divided


def _evenly(x: Shape, factor: Dim, *, up: bool) -> Centres:
    """Return the centres of a map that is stretched or folded on its last two axes."""
    height, width = len(x) - 2, len(x) - 1
    last: list[Centre | None] = [None, None]
    if isinstance(factor, int):
        by = Fraction(factor) if up else Fraction(1, factor)
        last = [scaled_by(height, by), scaled_by(width, by)]
    return (*kept(len(x) - 3), None, *last)


class PixelShuffle(
    NoWeights, NoOperations, NoWindow, Layer, framework="torch", torch="torch.nn.PixelShuffle"
):
    """Channels spread out in space: `[..., C·r², H, W]` to `[..., C, H·r, W·r]`, r the upscale factor.

    Refuses channels that r² does not divide and fewer than three dimensions. Source: Shi et al., Real-time
    single image and video super-resolution using an efficient sub-pixel convolutional neural network, 2016.

    >>> PixelShuffle(upscale_factor=3).output((1, 27, 8, 8))
    (1, 3, 24, 24)
    """

    family = Family.RESHAPE
    unknown_dependence = ("channels", "channels become places")

    upscale_factor: Annotated[Count, Lettered("r")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, None)
        yield divides(self.kind, "upscale_factor²", self.upscale_factor**2, "channels", x[-3])

    def output(self, x: Shape) -> Shape:
        r = self.upscale_factor
        *leading, channels, height, width = x
        return (*leading, quotient(channels, r**2), height * r, width * r)

    def centres(self, x: Shape) -> Centres:
        return _evenly(x, self.upscale_factor, up=True)

    def dependence(self, x: Shape, result: int) -> Dependence:
        r = self.upscale_factor
        last: list[AxisDependence] = [None, None]
        if isinstance(r, int):
            last = [Along(axis, ((0, 0),) * r) for axis in (len(x) - 2, len(x) - 1)]
        return (*placed(len(x) - 3), None, *last)


class PixelUnshuffle(
    NoWeights, NoOperations, NoWindow, Layer, framework="torch", torch="torch.nn.PixelUnshuffle"
):
    """Space folded into channels: `[..., C, H·r, W·r]` to `[..., C·r², H, W]`, r the downscale factor.

    Refuses a height or width that r does not divide and fewer than three dimensions.

    >>> PixelUnshuffle(downscale_factor=2).output((1, 3, 8, 8))
    (1, 12, 4, 4)
    """

    family = Family.RESHAPE
    unknown_dependence = ("channels", "places become channels")

    downscale_factor: Annotated[Count, Lettered("r")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, None)
        yield divides(self.kind, "downscale_factor", self.downscale_factor, "height", x[-2])
        yield divides(self.kind, "downscale_factor", self.downscale_factor, "width", x[-1])

    def output(self, x: Shape) -> Shape:
        r = self.downscale_factor
        *leading, channels, height, width = x
        return (*leading, channels * r**2, quotient(height, r), quotient(width, r))

    def centres(self, x: Shape) -> Centres:
        return _evenly(x, self.downscale_factor, up=False)

    def dependence(self, x: Shape, result: int) -> Dependence:
        r = self.downscale_factor
        last: list[AxisDependence] = [None, None]
        if isinstance(r, int):
            last = [Along(axis, ((0, r - 1),), r) for axis in (len(x) - 2, len(x) - 1)]
        return (*placed(len(x) - 3), None, *last)


class ChannelShuffle(
    SameShape, NoWeights, NoOperations, NoWindow, Layer, framework="torch", torch="torch.nn.ChannelShuffle"
):
    """The channels of several groups dealt out in turn: `[N, C, *]` stays `[N, C, *]`.

    Refuses groups that do not divide the channels, which are always the second dimension, and fewer than
    three dimensions. Source: Zhang et al., ShuffleNet, 2017.

    >>> ChannelShuffle(groups=2).output((1, 116, 28, 28))
    (1, 116, 28, 28)
    """

    family = Family.RESHAPE

    groups: Annotated[Count, Divides("g")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, None)
        yield from divided(self, x)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x), {1: Scattered(frozenset({1}))})
