"""The trunk of a network: the tensors that everything passes through, and what is copied across a U.

Between two such tensors a network branches. Where the longest branch becomes smaller than both its ends and
larger again, it is a part of the trunk itself and the others are copied across: an encoder and a decoder.
Anywhere else (residual blocks, inceptions) only what comes out of the branches is on the trunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from shapecalc.pictures.scene import Scene, passed

Way = tuple[int, int]


@dataclass(slots=True)
class Trunk:
    """The numbers of the boxes on the trunk, in order, and the copies: from which box to which."""

    boxes: list[int] = field(default_factory=list)
    copies: list[Way] = field(default_factory=list)


def trunk(scene: Scene, area: Callable[[int], int | None]) -> Trunk:
    """Return the trunk from the first input to the first output; `area` is how large the map of a box is.

    Where no way leads from there to there, it is every box in order.
    """
    end = next((box.number for box in scene.boxes if box.family == "output"), 0)
    wanted = scene.reaching(end)
    start = min(wanted)
    after = {start}
    ways: list[Way] = []
    for arrow in sorted(scene.arrows, key=lambda one: one.head):
        if arrow.tail in after and arrow.head in wanted:
            after.add(arrow.head)
            ways.append((arrow.tail, arrow.head))
    found = Trunk([start])
    _follow(found, sorted(after & wanted), ways, area)
    return found


def _follow(found: Trunk, numbers: list[int], ways: list[Way], area: Callable[[int], int | None]) -> None:
    for start, end in pairwise(passed(numbers, ways)):
        inside = [one for one in ways if start <= one[0] and one[1] <= end]
        path = _longest(start, end, inside)
        if not _is_hourglass(path, area):
            found.boxes.append(end)
            continue
        kept = [one for one in inside if one[1] != end or one[0] == path[-2]]
        left = _leading_to(end, kept)
        for tail, _ in (one for one in inside if one[1] == end and one[0] != path[-2]):
            origin = tail
            while origin not in left:
                origin = next(one[0] for one in inside if one[1] == origin)
            found.copies.append((origin, end))
        _follow(found, sorted(left), [one for one in kept if one[1] in left], area)


def _longest(start: int, end: int, ways: list[Way]) -> list[int]:
    """Return the way with the most boxes."""
    best: dict[int, tuple[int, int]] = {start: (0, start)}
    for tail, head in sorted(ways, key=lambda one: (one[1], one[0])):
        if tail in best and best[tail][0] + 1 > best.get(head, (0, 0))[0]:
            best[head] = (best[tail][0] + 1, tail)
    path = [end]
    while path[-1] != start:
        path.append(best[path[-1]][1])
    return path[::-1]


def _is_hourglass(path: list[int], area: Callable[[int], int | None]) -> bool:
    areas = [area(number) for number in path]
    known = [one for one in areas[1:-1] if one is not None]
    first, last, arriving = areas[0], areas[-1], areas[-2]
    if not known or first is None or last is None or arriving is None:
        return False
    return min(known) < min(first, last) and arriving > min(known)


def _leading_to(end: int, ways: list[Way]) -> set[int]:
    found = {end}
    for tail, head in sorted(ways, key=lambda one: -one[1]):
        if head in found:
            found.add(tail)
    return found
