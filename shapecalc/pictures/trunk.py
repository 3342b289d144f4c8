"""The trunk of a network: the tensors that everything passes through, and what is copied across a U.

Between two such tensors a network branches. Where the longest branch becomes smaller than both its ends and
larger again, it is part of the trunk itself and the others are copied across: an encoder and a decoder.
Anywhere else (residual blocks, inceptions) only the result of the branches is on the trunk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from shapecalc.pictures.scene import Arrow, Scene, passed, reaching


@dataclass(slots=True)
class Trunk:
    """The numbers of the boxes on the trunk, in order, and the copies: from which box to which."""

    boxes: list[int] = field(default_factory=list)
    copies: list[tuple[int, int]] = field(default_factory=list)


def trunk(scene: Scene, area: Callable[[int], int | None]) -> Trunk:
    """Return the trunk from the first input to the first output; `area` is how large the map of a box is.

    Where no path leads from there to there, it is every box in order.
    """
    wanted = scene.main
    start = min(wanted)
    after = {start}
    arrows: list[Arrow] = []
    for arrow in sorted(scene.arrows, key=lambda arrow: arrow.head):
        if arrow.tail in after and arrow.head in wanted:
            after.add(arrow.head)
            arrows.append(arrow)
    result = Trunk([start])
    _follow(result, sorted(after & wanted), arrows, area)
    on_trunk = {*result.boxes}  # within nested branches, as of a UNet++, copies may come from elsewhere
    result.copies = [copy for copy in result.copies if on_trunk.issuperset(copy)]
    return result


def _follow(
    result: Trunk, numbers: list[int], arrows: list[Arrow], area: Callable[[int], int | None]
) -> None:
    for start, end in pairwise(passed(numbers, arrows)):
        inside = [arrow for arrow in arrows if start <= arrow.tail and arrow.head <= end]
        path = _longest(start, end, inside)
        if not _is_hourglass(path, area):
            result.boxes.append(end)
            continue
        kept = [arrow for arrow in inside if arrow.head != end or arrow.tail == path[-2]]
        leading = reaching(end, kept)
        for tail in (tail for tail, head in inside if head == end and tail != path[-2]):
            origin = tail
            while origin not in leading:
                origin = next(before for before, after in inside if after == origin)
            result.copies.append((origin, end))
        _follow(result, sorted(leading), [arrow for arrow in kept if arrow.head in leading], area)


def _longest(start: int, end: int, arrows: list[Arrow]) -> list[int]:
    """Return the path with the most boxes."""
    best: dict[int, tuple[int, int]] = {start: (0, start)}
    for tail, head in sorted(arrows, key=lambda arrow: (arrow.head, arrow.tail)):
        if tail in best and best[tail][0] + 1 > best.get(head, (0, 0))[0]:
            best[head] = (best[tail][0] + 1, tail)
    path = [end]
    while path[-1] != start:
        path.append(best[path[-1]][1])
    return path[::-1]


def _is_hourglass(path: list[int], area: Callable[[int], int | None]) -> bool:
    first, *inner, last = map(area, path)
    known = [size for size in inner if size is not None]
    if not known or first is None or last is None or inner[-1] is None:
        return False
    return min(known) < min(first, last) and inner[-1] > min(known)
