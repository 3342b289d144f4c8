"""Elements moved between channels and space, or among the channels: nothing is computed."""

from abc import abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, ClassVar

from shapecalc.algebra import Dim, quotient
from shapecalc.layers.base import Layer, NoOperations, NoWeights, NoWindow, SameShape
from shapecalc.layers.centre import Centres, kept, scaled_by
from shapecalc.layers.dependence import Along, Dependence, Scattered, placed, unknown
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count
from shapecalc.layers.memory_traits import Input, Mode, Place
from shapecalc.layers.mixins import KeepsChannelsLast
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between
from shapecalc.layers.roles import Divides, Lettered, divided


class PixelShuffling(NoWeights, NoOperations, NoWindow, Layer):
    """What moves elements between the channels and the last two axes, by a factor r."""

    framework = "torch"
    family = Family.RESHAPE
    saves = "nothing"
    up: ClassVar[bool]
    """Whether space grows."""

    @property
    @abstractmethod
    def factor(self) -> Dim:
        """How many positions on each axis are made of channels, or become channels."""

    def centres(self, x: Shape) -> Centres:
        r, axes = self.factor, (len(x) - 2, len(x) - 1)
        if not isinstance(r, int):
            return (*kept(len(x) - 3), None, None, None)
        by = Fraction(r) if self.up else Fraction(1, r)
        return (*kept(len(x) - 3), None, *(scaled_by(axis, by) for axis in axes))

    def dependence(self, x: Shape, result: int) -> Dependence:
        r, axes = self.factor, (len(x) - 2, len(x) - 1)
        if not isinstance(r, int):
            return (*placed(len(x) - 3), *unknown(3))
        window = (((0, 0),) * r, 1) if self.up else (((0, r - 1),), r)
        return (*placed(len(x) - 3), None, *(Along(axis, *window) for axis in axes))


class PixelShuffle(PixelShuffling, torch="torch.nn.PixelShuffle"):
    """Channels spread out in space: `[..., C·r², H, W]` to `[..., C, H·r, W·r]`, r the upscale factor.

    Refuses channels that r² does not divide and fewer than three dimensions. Source: Shi et al., Real-time
    single image and video super-resolution using an efficient sub-pixel convolutional neural network, 2016.

    >>> PixelShuffle(upscale_factor=3).output((1, 27, 8, 8))
    (1, 3, 24, 24)
    """

    unknown_dependence = ("channels", "channels become places")
    up = True

    upscale_factor: Annotated[Count, Lettered("r")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, None)
        yield divides(self.kind, "upscale_factor²", self.upscale_factor**2, "channels", x[-3])

    def output(self, x: Shape) -> Shape:
        r = self.factor
        *leading, channels, height, width = x
        return (*leading, quotient(channels, r**2), height * r, width * r)

    @property
    def factor(self) -> Dim:
        return self.upscale_factor


class PixelUnshuffle(KeepsChannelsLast, PixelShuffling, torch="torch.nn.PixelUnshuffle"):
    """Space folded into channels: `[..., C, H·r, W·r]` to `[..., C·r², H, W]`, r the downscale factor.

    Refuses a height or width that r does not divide and fewer than three dimensions.

    >>> PixelUnshuffle(downscale_factor=2).output((1, 3, 8, 8))
    (1, 12, 4, 4)
    """

    unknown_dependence = ("channels", "places become channels")
    up = False

    downscale_factor: Annotated[Count, Lettered("r")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, None)
        yield divides(self.kind, "downscale_factor", self.downscale_factor, "height", x[-2])
        yield divides(self.kind, "downscale_factor", self.downscale_factor, "width", x[-1])

    def output(self, x: Shape) -> Shape:
        r = self.factor
        *leading, channels, height, width = x
        return (*leading, channels * r**2, quotient(height, r), quotient(width, r))

    @property
    def factor(self) -> Dim:
        return self.downscale_factor


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
    saves = "nothing"

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """A view, where nothing moves."""
        return (Place(Input()) if self.groups in (1, inputs[0][1]) else None,)

    groups: Annotated[Count, Divides("g")]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 3, None)
        yield from divided(self, x)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x), {1: Scattered(frozenset({1}))})
