"""The sizes at which a merge broadcasts: there, branches may differ.

An axis of size 1 is stretched in a sum, so where a map is one pixel wide its branches need not agree. The
closed forms take a free size not to be 1; the few exceptions are evaluated here one by one.
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
from shapecalc.sizes.solver import Solution, Solver, along

MOST_STRETCHED = 64
"""How many sizes at which a map is one pixel wide are tried on each axis."""


def solved(question: Question) -> Solution:
    """Return the sizes for which the network of a question holds, exceptions included."""
    return _complete(Solver(question), {})


def _complete(solver: Solver, assigned: Mapping[str, int]) -> Solution:
    solution = solver.plain(assigned)
    exceptions = exceptional(solver, solution, assigned)
    if exceptions and not _extended(solver, solution, exceptions):
        for name, points in exceptions.items():
            _try_each(solver, solution, assigned, name, points)
    return solution


def _try_each(
    solver: Solver, solution: Solution, assigned: Mapping[str, int], name: str, points: IntegerSet
) -> None:
    """At exceptional sizes replace the closed-form answer by that of an inference at each of them."""
    beside = along(solver.names, name, EVERY_SIZE - points)
    solution.region, solution.lossless = solution.region & beside, solution.lossless & beside
    solution.usual &= beside
    for n in points:
        there = _complete(solver, {**assigned, name: n})
        solution.region |= there.region
        solution.stretched |= there.region
        solution.lossless |= there.lossless


def _extended(solver: Solver, solution: Solution, exceptions: Mapping[str, IntegerSet]) -> bool:
    """Add the exceptions of each axis alone, where the axes are independent; say whether they are.

    Each is tried beside sizes that are legal in any case; those that hold are then inferred with the other
    axes free: what they leave to these must be what the others leave.
    """
    if len(solution.region.boxes) != 1 or solution.region.boxes[0].relations or _mixes(solution):
        return False
    names, legal = solver.names, solution.region.boxes[0].sets
    legal_point = dict(zip(names, (next(iter(axis)) for axis in legal), strict=True))
    usual, wider = list(legal), list(legal)
    lossless = [box.sets for box in solution.lossless.boxes]
    stretched: list[tuple[int, IntegerSet]] = []
    for name, points in exceptions.items():
        axis = names.index(name)
        holding = IntegerSet.of(n for n in points if solver.plain({**legal_point, name: n}).region)
        for n in holding:
            there = solver.plain({name: n})
            if any(_without(box.sets, axis) != _without(legal, axis) for box in there.region.boxes):
                return False
            lossless += [box.sets for box in there.lossless.boxes]
        usual[axis] -= points
        wider[axis] = usual[axis] | holding
        stretched.append((axis, holding))
    columns = [reduce(or_, column) for column in zip(*lossless, strict=True)]
    solution.region, solution.usual = Region(names, (Box(tuple(wider)),)), Region(names, (Box(tuple(usual)),))
    solution.lossless = Region(names, (Box(tuple(columns)),) if columns else ())
    boxes = [Box((*wider[:axis], holding, *wider[axis + 1 :])) for axis, holding in stretched if holding]
    solution.stretched = Region(names, tuple(boxes))
    return True


def _without(sets: tuple[IntegerSet, ...], axis: int) -> tuple[IntegerSet, ...]:
    return (*sets[:axis], *sets[axis + 1 :])


def _mixes(solution: Solution) -> bool:
    """Say whether a size or a condition depends on several unknowns at once."""
    shapes = solution.inference.shapes
    nodes = (node for node in solution.inference.graph.nodes if node.path not in solution.unneeded)
    slots = [slot for node in nodes for slot in node.sources]
    sides = [[size] for slot in slots for size in shapes[slot] or ()]
    sides += [[each.requirement.left, each.requirement.right] for each in solution.imposed]
    return any(len(names_in(dims)) > 1 for dims in sides)


def exceptional(solver: Solver, solution: Solution, assigned: Mapping[str, int]) -> dict[str, IntegerSet]:
    """Return the sizes, by unknown, at which a merge may stretch a map that is one pixel wide."""
    nodes, shapes = solution.inference.graph.nodes, solution.inference.shapes
    pairs = [
        (position, pair)
        for position, node in enumerate(nodes)
        if node.path not in solution.unneeded and isinstance(node.layer, Merge)
        for pair in _pairs(node.layer, [shapes[slot] for slot in node.sources])
    ]
    if not pairs:
        return {}
    positions = {node.path: position for position, node in enumerate(nodes)}
    before = solver.pinned(assigned)
    for condition in solution.imposed:
        if positions.get(condition.path, -1) < pairs[0][0]:  # -1 for an input
            before &= condition.region
    points: dict[str, IntegerSet] = {}
    for _, (left, right) in pairs:
        differ = solve(left, "!=", right)
        for side in (left, right):
            is_one = solve(side, "==", 1)
            if is_one is None or not is_one[1]:
                continue
            name, single = is_one
            if differ is not None and differ[0] == name:
                single &= differ[1]
            axis = solver.names.index(name)
            single &= reduce(or_, (box.sets[axis] for box in before.boxes), IntegerSet())
            points[name] = points.get(name, IntegerSet()) | single
    for name, own in points.items():
        if not own.is_finite or sum(last - first + 1 for first, last in own.early) > MOST_STRETCHED:
            raise Undecided(f"at more than {MOST_STRETCHED} values of {name} a map is one pixel wide")
    return {name: own for name, own in points.items() if own}


def _pairs(layer: Merge, inputs: Iterable[Shape | None]) -> Iterator[tuple[Dim, Dim]]:
    """Yield the pairs of sizes that a merge needs to be equal unless one of them is 1."""
    for requirement in layer.requirements(tuple(shape for shape in inputs if shape is not None)):
        verdict = requirement.verdict()
        if requirement.code == "broadcast" and verdict is not True:
            yield requirement.left, requirement.right
        elif verdict is False:
            return
