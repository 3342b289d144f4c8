"""How the volumes of an encoder and a decoder stand: flat, one row a resolution, down and up again."""

from __future__ import annotations

from itertools import pairwise

from shapecalc.pictures.solids import SMALL, VECTOR, Caption, Solid, Standing
from shapecalc.pictures.volumes import Scale, Volume

APART = 34.0
"""From one bar to the next in its row."""
ROWS = 58.0
"""From one row to the next."""
_STEP = 1.4
"""By what ratio of heights another row begins."""


def u(drawn: list[Volume], units: Scale) -> Standing:
    """Return the bars of a U: a bar is as high as its map and as broad as it has channels."""
    found = Standing("u", units)
    levels = rows(drawn)
    highest: dict[int, float] = {}
    for one, level in zip(drawn, levels, strict=True):
        highest[level] = max(highest.get(level, 0), _front(one, units)[1])
    centres: dict[int, float] = {}
    y = 0.0
    for level in sorted(highest):
        centres[level] = y + highest[level] / 2
        y += highest[level] + ROWS
    x = 0.0
    before: tuple[int, float] | None = None
    for one, level in zip(drawn, levels, strict=True):
        broad, high = _front(one, units)
        if before is not None:
            x += before[1] + APART if level == before[0] else (before[1] - broad) / 2
        found.solids.append(Solid(one, x, centres[level] - high / 2, (broad, high)))
        found.captions.append(
            Caption(x + broad / 2, centres[level] - high / 2 - SMALL / 2, (str(one.channels),))
        )
        before = (level, broad)
    found.bottom = max(solid.bounds[3] for solid in found.solids)
    return found


def _front(one: Volume, units: Scale) -> tuple[float, float]:
    if one.is_vector:
        return VECTOR, one.channels * units.feature
    return one.channels * units.channel, one.height * units.pixel


def rows(drawn: list[Volume]) -> list[int]:
    """Return on which row each volume stands: one lower where the map becomes clearly smaller."""
    found = [0]
    for one, following in pairwise(drawn):
        here, there = max(one.height, 1), max(following.height, 1)
        step = (here >= _STEP * there) - (there >= _STEP * here)
        found.append(found[-1] + step)
    return found
