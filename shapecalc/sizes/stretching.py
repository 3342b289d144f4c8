"""The sizes at which a merge stretches: there, branches may differ.

An axis of size 1 is stretched in a sum, so where a map is one pixel wide its branches need not agree. The
closed forms take a free size not to be 1; the few sizes at which one is are tried here one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_

from shapecalc.algebra import Dim
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Box, Region
from shapecalc.algebra.solution import solve
from shapecalc.errors import Undecided
from shapecalc.layers.base import Merge
from shapecalc.layers.requirement import Shape
from shapecalc.sizes.question import Question, names_in
from shapecalc.sizes.solving import Found, Solver, along

MOST_STRETCHED = 64
"""How many sizes at which a map is one pixel wide are tried on each axis."""


def solved(question: Question) -> Found:
    """Return everything that is known of the sizes."""
    return _complete(Solver(question), {})


def _complete(solver: Solver, assigned: Mapping[str, int]) -> Found:
    found = solver.plain(assigned)
    exceptions = exceptional(solver, found, assigned)
    if exceptions and not _extended(solver, found, exceptions):
        for name, points in exceptions.items():
            _try_each(solver, found, assigned, name, points)
    return found


def _try_each(
    solver: Solver, found: Found, assigned: Mapping[str, int], name: str, points: IntegerSet
) -> None:
    """Replace what is known at some sizes by what an inference at each of them tells."""
    beside = along(solver.names, name, EVERY_SIZE - points)
    found.region, found.lossless = found.region & beside, found.lossless & beside
    found.usual &= beside
    for n in points:
        there = _complete(solver, {**assigned, name: n})
        found.region |= there.region
        found.stretched |= there.region
        found.lossless |= there.lossless


def _extended(solver: Solver, found: Found, exceptions: Mapping[str, IntegerSet]) -> bool:
    """Add the exceptions of each axis by itself, where no axis has to do with another; say whether so.

    Each is tried beside sizes that are legal anyhow, and those that hold are then walked with the other
    axes free: what they leave to these must be what the others leave.
    """
    if len(found.region.boxes) != 1 or found.region.boxes[0].relations or _mixes(found):
        return False
    legal = found.region.boxes[0].sets
    anyhow = dict(zip(solver.names, (next(iter(one)) for one in legal), strict=True))
    usual, wider, columns = (
        list(legal),
        list(legal),
        [[one] for box in found.lossless.boxes for one in box.sets],
    )
    columns = columns or [[] for _ in legal]
    stretched: list[tuple[int, IntegerSet]] = []
    for name, points in exceptions.items():
        axis = solver.names.index(name)
        holding = IntegerSet.of(n for n in points if solver.plain({**anyhow, name: n}).region)
        for n in holding:
            there = solver.plain({name: n})
            if any(_without(box.sets, axis) != _without(legal, axis) for box in there.region.boxes):
                return False
            for box in there.lossless.boxes:
                for column, one in zip(columns, box.sets, strict=True):
                    column.append(one)
        usual[axis] -= points
        wider[axis] = usual[axis] | holding
        stretched.append((axis, holding))
    names = solver.names
    found.region, found.usual = Region(names, (Box(tuple(wider)),)), Region(names, (Box(tuple(usual)),))
    found.lossless = Region(names, (Box(tuple(reduce(or_, one) for one in columns)),) if columns[0] else ())
    boxes = [Box((*wider[:axis], holding, *wider[axis + 1 :])) for axis, holding in stretched if holding]
    found.stretched = Region(names, tuple(boxes))
    return True


def _without(sets: tuple[IntegerSet, ...], axis: int) -> tuple[IntegerSet, ...]:
    return (*sets[:axis], *sets[axis + 1 :])


def _mixes(found: Found) -> bool:
    """Say whether a size or a condition depends on several unknowns at once."""
    nodes = zip(found.inference.graph.nodes, found.needed, strict=True)
    slots = [slot for node, is_needed in nodes if is_needed for slot in node.sources]
    sizes = [size for slot in slots for size in found.inference.shapes[slot] or ()]
    return any(len(names_in([size])) > 1 for size in sizes) or any(
        len(names_in([one.left, one.right])) > 1 for one in (imposed.requirement for imposed in found.imposed)
    )


def exceptional(solver: Solver, found: Found, assigned: Mapping[str, int]) -> dict[str, IntegerSet]:
    """Return the sizes, by unknown, at which a merge may stretch a map that is one pixel wide."""
    nodes = found.inference.graph.nodes
    doubtful = [
        (position, one)
        for position, (node, is_needed) in enumerate(zip(nodes, found.needed, strict=True))
        if is_needed and isinstance(node.layer, Merge)
        for one in _pairs(node.layer, [found.inference.shapes[slot] for slot in node.sources])
    ]
    if not doubtful:
        return {}
    positions = {node.path: position for position, node in enumerate(nodes)}
    before = solver.pinned(assigned)
    for condition in found.imposed:
        if positions.get(condition.path, -1) < doubtful[0][0]:  # -1 for an input
            before &= condition.region
    points: dict[str, IntegerSet] = {}
    for _, (left, right) in doubtful:
        differ = solve(left, "!=", right)
        for side in (left, right):
            alone = solve(side, "==", 1)
            if alone is None or not alone[1]:
                continue
            name, single = alone
            if differ is not None and differ[0] == name:
                single &= differ[1]
            axis = solver.names.index(name)
            reachable = reduce(or_, (box.sets[axis] for box in before.boxes), IntegerSet())
            single &= reachable
            points[name] = points[name] | single if name in points else single
    for name, some in points.items():
        if not some.is_finite or sum(last - first + 1 for first, last in some.early) > MOST_STRETCHED:
            raise Undecided(f"at more than {MOST_STRETCHED} values of {name} a map is one pixel wide")
    return {name: some for name, some in points.items() if some}


def _pairs(layer: Merge, inputs: Iterable[Shape | None]) -> Iterator[tuple[Dim, Dim]]:
    """Yield the pairs of sizes that a merge needs to be equal unless one of them is 1."""
    for one in layer.requirements(tuple(shape for shape in inputs if shape is not None)):
        if one.code == "broadcast" and one.verdict() is not True:
            yield one.left, one.right
        elif one.verdict() is False:
            return
