"""The feature maps of a network as volumes: which are drawn, how large each is, and the scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import floor, log10
from operator import attrgetter

from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.family import Group
from shapecalc.layers.merge import Concat, Multiply
from shapecalc.layers.requirement import Shape
from shapecalc.pictures.scene import Box, Scene, depths, last_fitting, scene
from shapecalc.pictures.trunk import trunk
from shapecalc.report.report import Report

MOST_VOLUMES = 40
"""How many volumes a picture may have whose depth nobody chose."""
LONGEST_RUN = 4
"""How many equal volumes are drawn side by side before one is drawn for all of them."""
_STEPS = (1, 1.2, 1.5, 1.8, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Volume:
    """One tensor: a map with channels, height and width, or a vector of features (height and width 0)."""

    box: Box
    channels: int
    height: int
    width: int
    sides: tuple[int, ...] = ()
    """All the sides, of which the last two are drawn."""
    times: int = 1
    copied: int = 0
    """How many of the channels are copied from the other side of a U."""
    raised_by: str = ""
    """The kind of the layer before that made the map larger, where its own result is not drawn."""

    @property
    def is_vector(self) -> bool:
        """Whether it has no sides."""
        return self.height == 0

    @property
    def size(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.height, self.width


@dataclass(slots=True)
class Volumes:
    """The volumes from the input to the output, and the pairs of them with a copy across."""

    scene: Scene
    volumes: list[Volume] = field(default_factory=list)
    copies: list[tuple[int, int]] = field(default_factory=list)


def volumes(report: Report, depth: int | None = None) -> Volumes:
    """Return what is drawn of a report, by default as deep as not too many volumes come out.

    Raises `Undecided` where a size was left free: there is no scale to draw it to; and `SpecError` where
    there is nothing to draw but vectors, or the input.

    >>> import shapecalc
    >>> [volume.size for volume in volumes(shapecalc.load("lenet5").analyze()).volumes[:4]]
    [(1, 32, 32), (6, 28, 28), (6, 14, 14), (16, 10, 10)]
    """
    chosen = depths(report, folds=False)[1:] if depth is None else (depth,)
    candidates = (_volumes(scene(report, deeper, folds=False)) for deeper in chosen)
    result = last_fitting(candidates, lambda candidate: len(candidate.volumes) <= MOST_VOLUMES)
    vectors = all(volume.is_vector for volume in result.volumes)
    if vectors or len(result.volumes) == 1:
        what = "the tensors between its parts are vectors" if vectors else "none of its parts changes the map"
        raise SpecError(f"{report.name} has no volumes to draw: {what}", hint="draw its graph")
    return result


def _volumes(drawn: Scene) -> Volumes:
    measured = {box.number: _measured(box, drawn.report) for box in drawn.boxes}
    sides = {number: axes for number, (_, axes) in measured.items()}
    sizes = {number: _drawn_size(*measure) for number, measure in measured.items()}

    def area(number: int) -> int | None:
        _, height, width = sizes[number]
        return height * width or None

    main = trunk(drawn, area)
    channels = {head: sizes[tail][0] for tail, head in main.copies}
    merges = {head for _, head in main.copies if _is_concat(drawn.boxes[head])}
    shown: list[Volume] = []
    place: dict[int, int] = {}
    before = 0
    for number, following in zip(main.boxes, [*main.boxes[1:], -1], strict=True):
        box = drawn.boxes[number]
        size = sizes[number]
        if following not in merges and (not shown or _is_drawn(box, shown[-1].size == size)):
            copied = channels.get(number, 0) if number in merges else 0
            shown.append(
                Volume(
                    box,
                    *size,
                    sides[number],
                    copied=copied if copied < size[0] else 0,
                    raised_by=drawn.boxes[before].kind if number in merges else "",
                )
            )
        before = number
        place[number] = len(shown) - 1
    copies = [(place[tail], place[head]) for tail, head in main.copies]
    if copies:
        return Volumes(drawn, shown, copies)
    return Volumes(drawn, [*_shortened(shown)])


def _is_concat(box: Box) -> bool:
    return box.node is not None and isinstance(box.node.layer, Concat)


_KEEPS_MAPS = {Group.POINTWISE, Group.NORM, Group.RESHAPE, Group.RESAMPLE, Group.PADDING, "output"}
"""What makes no map of its own: a picture shows the one before, or that of the convolution behind."""
_CHANNELS_FIRST = {Group.CONVOLUTION, Group.POOLING, Group.RESAMPLE, Group.PADDING, "input"}
"""What has channels before its positions even where its input has no height."""


def _is_drawn(box: Box, same_size: bool) -> bool:
    if box.family in _KEEPS_MAPS:
        return False
    if not same_size or box.node is None:
        return True
    is_idle_pool = (
        box.family == Group.POOLING and box.node.window is None
    )  # adaptive, to the size of its input
    return not (is_idle_pool or isinstance(box.node.layer, Multiply))


def _shortened(shown: list[Volume]) -> Iterator[Volume]:
    """Yield the volumes, of a long run of equal ones the first."""
    for _, group in groupby(shown, key=lambda volume: (volume.size, volume.box.family)):
        run = [*group]
        if len(run) <= LONGEST_RUN:
            yield from run
        else:
            yield replace(run[0], times=len(run))


def _measured(box: Box, report: Report) -> tuple[int, tuple[int, ...]]:
    """Return the channels and the sides; the length of a sequence is its only side."""
    shape = _numbers(report.visible(box.output), box)
    if len(shape) < 2:
        return (shape[0] if shape else 1), ()
    is_last = report.graph.channel_axis == -1
    if len(shape) == 2:
        is_last = is_last or box.family not in _CHANNELS_FIRST
    return (shape[-1], shape[:-1]) if is_last else (shape[0], shape[1:])


def _drawn_size(channels: int, sides: tuple[int, ...]) -> tuple[int, int, int]:
    """Return channels, height and width: a sequence is as high as it is long, and one wide."""
    if not sides:
        return channels, 0, 0
    return (channels, sides[0], 1) if len(sides) == 1 else (channels, sides[-2], sides[-1])


def _numbers(shape: Shape, box: Box) -> tuple[int, ...]:
    numbers = tuple(size for size in shape if isinstance(size, int))
    if len(numbers) < len(shape):
        free = next(size for size in shape if not isinstance(size, int))
        raise Undecided(f"volumes are drawn to scale, and the sizes of {box.name} depend on {free}")
    return numbers


@dataclass(frozen=True, slots=True)
class Scale:
    """How many units of the drawing a pixel, a channel, and a feature of a vector take."""

    pixel: float
    channel: float
    feature: float


def scale(drawn: list[Volume], highest: float, thickest: float, broadest: float, longest: float) -> Scale:
    """Return round scales: the highest map, the thickest one, all together, and the longest vector fit."""
    maps = [volume for volume in drawn if not volume.is_vector]
    thickness = max((volume.channels for volume in maps), default=1)
    together = sum(volume.channels for volume in maps) or 1
    return Scale(
        rounded(highest / max((max(volume.height, volume.width) for volume in maps), default=1)),
        rounded(min(thickest / thickness, broadest / together)),
        rounded(longest / max((volume.channels for volume in drawn if volume.is_vector), default=1)),
    )


def rounded(value: float) -> float:
    """Return the largest round number that is not larger.

    >>> rounded(0.77), rounded(3.2), rounded(150), rounded(0.09999999999999999)
    (0.6, 3.0, 150.0, 0.1)
    """
    unit = 10.0 ** floor(log10(value))
    step = max((step for step in _STEPS if unit * step <= value), default=1)  # the logarithm may round up
    return float(f"{unit * step:.6g}")


def runs(drawn: list[Volume]) -> list[list[Volume]]:
    """Return neighbours of one size together: they share a caption."""
    return [[*group] for _, group in groupby(drawn, key=attrgetter("size"))]
