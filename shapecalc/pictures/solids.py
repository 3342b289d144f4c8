"""How volumes stand: each a solid with a place, its faces in proportion to the tensor's sizes.

A map is as high as its height, recedes by half of its width, and is as thick as it has channels; where all
maps have few channels it is one plane a channel, seen from the front; in a U it is flat, height by channels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shapecalc.pictures.layout import Point
from shapecalc.pictures.svg import text_width
from shapecalc.pictures.volumes import Scale, Volume, Volumes, kind_of, runs, scale

RECEDING = (0.433, -0.25)
"""The way of a pixel of width into the depth: half as long as on the page, and rising by 30 degrees."""
PLANE = (0.8, 0.6)
"""The way from a plane to the next, one long: the scale of channels says how far it goes."""
FEW_CHANNELS = 32
VECTOR = 9.0
"""How broad a vector is drawn; it says nothing."""
SMALL = 10.0
"""The size of captions."""


@dataclass(frozen=True, slots=True)
class Solid:
    """A volume in its place: the left upper corner of its front, and how far it goes on the page."""

    volume: Volume
    x: float
    y: float
    front: Point
    """How broad and how high the front is."""
    depth: Point = (0.0, 0.0)
    """The way from the front to the back."""
    planes: int = 1
    """How many planes stand one behind the other, where it is drawn so."""

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
    """Lines under a run of equal volumes, the first of them stronger."""

    x: float
    y: float
    lines: tuple[str, ...]


@dataclass(slots=True)
class Standing:
    """Everything that is drawn, in its place."""

    style: str
    scale: Scale
    solids: list[Solid] = field(default_factory=list)
    captions: list[Caption] = field(default_factory=list)
    bottom: float = 0.0


def standing(found: Volumes) -> Standing:
    """Return where the volumes stand: as a U, as planes, or as solids in a row."""
    drawn = found.volumes
    if found.copies:
        from shapecalc.pictures.unet_layout import u

        return u(drawn, scale(drawn, 150, 52, 800, 120))
    maps = [one for one in drawn if not one.is_vector]
    if maps and all(one.channels <= FEW_CHANNELS and one.times == 1 for one in maps):
        return _row(drawn, scale(drawn, 130, 98, 300, 130), "planes")
    return _row(drawn, scale(drawn, 200, 76, 460, 170), "solids")


def _row(drawn: list[Volume], units: Scale, style: str) -> Standing:
    """Stand runs of equal volumes side by side, as far apart as they and their captions need."""
    found = Standing(style, units)
    x = 0.0
    for run in runs(drawn):
        shaped = [_solid(one, units, style) for one in run]
        lines = caption(run[0], style, len(run) == 1 and run[0].times == 1)
        taken = max(text_width(line, SMALL, bold=number == 0) for number, line in enumerate(lines))
        broad = sum(one.front[0] for one in shaped) + _BETWEEN * (len(shaped) - 1)
        reach = max(abs(one.depth[0]) for one in shaped)
        whole = broad + (reach if style == "planes" else reach * _SEEN)
        left = x + max(0.0, (taken - whole) / 2)
        found.captions.append(Caption(left + whole / 2, 0.0, lines))
        at = left
        for one in shaped:
            top = -(one.front[1] + one.depth[1]) / 2
            found.solids.append(Solid(one.volume, at, top, one.front, one.depth, one.planes))
            at += one.front[0] + _BETWEEN
        x += max(whole, taken) + _APART
    found.bottom = max((solid.bounds[3] for solid in found.solids), default=0.0)
    found.captions = [Caption(one.x, found.bottom + 18, one.lines) for one in found.captions]
    return found


_BETWEEN, _APART, _SEEN = 5.0, 14.0, 0.72


def _solid(one: Volume, units: Scale, style: str) -> Solid:
    if one.is_vector:
        return Solid(one, 0, 0, (VECTOR, one.channels * units.feature))
    if style == "planes":
        steps = (one.channels - 1) * units.channel
        front = (one.width * units.pixel, one.height * units.pixel)
        return Solid(one, 0, 0, front, (PLANE[0] * steps, PLANE[1] * steps), one.channels)
    receding = one.width * units.pixel
    front = (one.channels * units.channel, one.height * units.pixel)
    return Solid(one, 0, 0, front, (RECEDING[0] * receding, RECEDING[1] * receding))


def caption(one: Volume, style: str, is_named: bool) -> tuple[str, ...]:
    """Return what stands under a volume: how many channels of which size, and how it came about."""
    times = f" (×{one.times})" if one.times > 1 else ""
    sides = "×".join(map(str, one.sides))
    size = tuple(line for line in (f"{one.channels}{times}", sides) if line)
    if style != "planes" or not is_named:
        return size
    kind = kind_of(one.box)
    joined = size[0] if one.is_vector else f"{one.channels} @ {sides}"
    name = one.box.name if one.box.name not in ("", kind) else ""
    return tuple(line for line in (name or joined, joined if name else "", kind) if line)
