"""The legal sizes next to a size, and the padding or cropping that reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from shapecalc.algebra.region import Point, Region
from shapecalc.render.lines import LONGEST_LIST, Answer, IndentedLine


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A legal size next to another size, and what to pad or crop on each side to reach it."""

    sizes: dict[str, int]
    change: dict[str, tuple[int, int]]
    """Rows or columns to pad (positive) or crop (negative), before and after."""

    def __str__(self) -> str:
        changes = [
            (f"pad {name}" if after > 0 else f"crop {name}") + f" by {abs(before)} and {abs(after)}"
            for name, (before, after) in self.change.items()
            if before or after
        ]
        return f"{'x'.join(map(str, self.sizes.values()))}: {', '.join(changes)}"


@dataclass(frozen=True, slots=True)
class Nearest(Answer):
    """The nearest legal sizes below and above a size; None where there is none."""

    asked: dict[str, int]
    is_legal: bool
    below: Neighbour | None
    above: Neighbour | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        size = "x".join(map(str, self.asked.values()))
        if self.is_legal:
            yield 0, (f"{size} is accepted",)
            return
        yield 0, (f"{size} is not accepted",)
        for side, neighbour in (("below", self.below), ("above", self.above)):
            yield 1, (f"nearest {side}: {neighbour}" if neighbour else f"none {side}",)


def nearest(region: Region, point: Point) -> Nearest:
    """Return the nearest points of a region none of which is larger, and none of which is smaller."""

    def neighbour(near: Point | None) -> Neighbour | None:
        if near is None:
            return None
        changes = [there - here for here, there in zip(point, near, strict=True)]
        halves = [abs(change) // 2 * (1 if change > 0 else -1) for change in changes]
        sides = [(half, change - half) for half, change in zip(halves, changes, strict=True)]
        return Neighbour(named(near), dict(zip(region.names, sides, strict=True)))

    def named(sizes: Point) -> dict[str, int]:
        return dict(zip(region.names, sizes, strict=True))

    below, above = region.below(point), region.above(point)
    return Nearest(named(point), point in region, neighbour(below), neighbour(above))
