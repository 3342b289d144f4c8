"""Where volumes are placed: each a solid, its faces in proportion to the tensor's sizes.

A map is as high as its height, recedes by half of its width, and is as thick as it has channels; where all
maps have few channels it is one plane a channel, seen from the front. An encoder and a decoder form a U of
flat bars, height by channels, with a row for each resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from shapecalc.pictures.svg import Point, text_width
from shapecalc.pictures.volumes import Scale, Volume, Volumes, runs, scale

RECEDING = (0.433, -0.25)
"""The direction of a pixel of width into the depth: half as long as on the page, and rising by 30 degrees."""
PLANE = (0.8, 0.6)
"""The unit vector from a plane to the next; the scale of channels is its length."""
FEW_CHANNELS = 32
VECTOR = 9.0
"""How broad a vector is drawn, whatever its length."""
SMALL = 10.0
"""The size of captions."""
_BETWEEN, _APART, _SEEN = 5.0, 14.0, 0.72
_U_COLUMNS, _U_ROWS = 34.0, 58.0
"""The gaps between the bars of a row of a U, and between its rows."""
_STEP = 1.4
"""The ratio of heights from which on a bar is in another row."""


@dataclass(frozen=True, slots=True)
class Solid:
    """A volume with its position: the left upper corner of its front, and its extent on the page."""

    volume: Volume
    x: float
    y: float
    front: Point
    """How broad and how high the front is."""
    depth: Point = (0.0, 0.0)
    """The vector from the front to the back."""
    planes: int = 1
    """How many planes are drawn behind each other, where it is drawn so."""

    @property
    def centre(self) -> Point:
        """The point in the middle of the front."""
        return self.x + self.front[0] / 2, self.y + self.front[1] / 2

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """The least x and y on the page, and the greatest."""
        (broad, high), (right, down) = self.front, self.depth
        return (
            self.x + min(0, right),
            self.y + min(0, down),
            self.x + broad + max(0, right),
            self.y + high + max(0, down),
        )


@dataclass(frozen=True, slots=True)
class Caption:
    """Lines under a run of equal volumes, the first of them in bold."""

    x: float
    y: float
    lines: tuple[str, ...]


@dataclass(slots=True)
class Placement:
    """All solids and captions of a picture, in its style: `solids`, `planes` or `u`."""

    style: str
    scale: Scale
    solids: list[Solid] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)

    @property
    def steps(self) -> Iterator[tuple[Solid, Solid, str]]:
        """Each solid with the one after it, and whether a U leads `down` or `up` between them."""
        for solid, following in pairwise(self.solids):
            rise = solid.centre[1] - following.centre[1]
            yield solid, following, "" if abs(rise) < 1 else "up" if rise > 0 else "down"


def arrange(volumes: Volumes) -> Placement:
    """Return where volumes are drawn: as a U, as planes, or as solids in a row."""
    drawn = volumes.volumes
    if volumes.copies:
        return _layout_unet(drawn, scale(drawn, 150, 52, 800, 120))
    maps = [volume for volume in drawn if not volume.is_vector]
    if maps and all(volume.channels <= FEW_CHANNELS and volume.times == 1 for volume in maps):
        return _layout_row(drawn, scale(drawn, 130, 98, 300, 130), "planes")
    return _layout_row(drawn, scale(drawn, 200, 76, 460, 170), "solids")


def _layout_row(drawn: list[Volume], units: Scale, style: str) -> Placement:
    """Place runs of equal volumes side by side, as far apart as they and their captions need."""
    placement = Placement(style, units)
    x = 0.0
    for run in runs(drawn):
        shaped = [_solid(volume, units, style) for volume in run]
        lines = caption(run[0], style, len(run) == 1 and run[0].times == 1)
        needed = max(text_width(line, SMALL, bold=number == 0) for number, line in enumerate(lines))
        broad = sum(solid.front[0] for solid in shaped) + _BETWEEN * (len(shaped) - 1)
        reach = max(abs(solid.depth[0]) for solid in shaped)
        width = broad + (reach if style == "planes" else reach * _SEEN)
        left = x + max(0.0, (needed - width) / 2)
        placement.captions.append(Caption(left + width / 2, 0.0, lines))
        at = left
        for solid in shaped:
            top = -(solid.front[1] + solid.depth[1]) / 2
            placement.solids.append(replace(solid, x=at, y=top))
            at += solid.front[0] + _BETWEEN
        x += max(width, needed) + _APART
    bottom = max((solid.bounds[3] for solid in placement.solids), default=0.0)
    placement.captions = [replace(caption_, y=bottom + 18) for caption_ in placement.captions]
    return placement


def _solid(volume: Volume, units: Scale, style: str) -> Solid:
    """Return a volume at the origin."""
    front = (volume.channels * units.channel, volume.height * units.pixel)
    if volume.is_vector:
        return Solid(volume, 0, 0, (VECTOR, volume.channels * units.feature))
    if style == "u":
        return Solid(volume, 0, 0, front)
    if style == "planes":
        steps = (volume.channels - 1) * units.channel
        front = (volume.width * units.pixel, volume.height * units.pixel)
        return Solid(volume, 0, 0, front, (PLANE[0] * steps, PLANE[1] * steps), volume.channels)
    receding = volume.width * units.pixel
    return Solid(volume, 0, 0, front, (RECEDING[0] * receding, RECEDING[1] * receding))


def caption(volume: Volume, style: str, is_named: bool) -> tuple[str, ...]:
    """Return the lines under a volume: how many channels of which size, and its layer."""
    times = f" (×{volume.times})" if volume.times > 1 else ""
    sides = "×".join(map(str, volume.sides))
    size = tuple(line for line in (f"{volume.channels}{times}", sides) if line)
    if style != "planes" or not is_named:
        return size
    kind = volume.box.kind
    joined = size[0] if volume.is_vector else f"{volume.channels} @ {sides}"
    name = volume.box.name if volume.box.name not in ("", kind) else ""
    return tuple(line for line in (name or joined, joined if name else "", kind) if line)


def _layout_unet(drawn: list[Volume], units: Scale) -> Placement:
    """Place the bars of a U: a bar is as high as its map and as broad as it has channels."""
    placement = Placement("u", units)
    shaped = [_solid(volume, units, "u") for volume in drawn]
    levels = rows(drawn)
    highest: dict[int, float] = {}
    for solid, level in zip(shaped, levels, strict=True):
        highest[level] = max(highest.get(level, 0), solid.front[1])
    centres: dict[int, float] = {}
    y = 0.0
    for level in sorted(highest):
        centres[level] = y + highest[level] / 2
        y += highest[level] + _U_ROWS
    x = 0.0
    before: tuple[int, float] | None = None
    for solid, level in zip(shaped, levels, strict=True):
        broad, high = solid.front
        if before is not None:
            x += before[1] + _U_COLUMNS if level == before[0] else (before[1] - broad) / 2
        top = centres[level] - high / 2
        placement.solids.append(replace(solid, x=x, y=top))
        placement.captions.append(Caption(x + broad / 2, top - SMALL / 2, (str(solid.volume.channels),)))
        before = (level, broad)
    return placement


def rows(drawn: list[Volume]) -> list[int]:
    """Return the row of each volume in a U: one lower where the map becomes clearly smaller."""
    levels = [0]
    for volume, following in pairwise(drawn):
        here, there = max(volume.height, 1), max(following.height, 1)
        step = (here >= _STEP * there) - (there >= _STEP * here)
        levels.append(levels[-1] + step)
    return levels
