"""Whether two networks have equal output shapes and costs for every input size, or the smallest where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, TypeAlias

from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Point, Region, where
from shapecalc.algebra.relation import Relation
from shapecalc.engine.graph import Inference, over
from shapecalc.errors import SpecError, Undecided
from shapecalc.layers.requirement import Shape, shown
from shapecalc.sizes.question import Question
from shapecalc.sizes.solver import Solution, Solver, along
from shapecalc.sizes.stretching import exceptional, solved

_Reader: TypeAlias = "Callable[[tuple[Solution, Solution]], list[Shape | None]]"
"""Reads what is compared of both solutions."""

FARTHEST = 512
"""How far a size is searched at which a relation holds that could not be solved."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The smallest size at which two networks differ: the shapes of one example, None for a refusal."""

    sizes: dict[str, int]
    left: Shape | None
    right: Shape | None

    def __str__(self) -> str:
        left, right = ("nothing (refused)" if x is None else shown(x) for x in (self.left, self.right))
        return f"at {self.at} the left puts out {left}, the right {right}"

    @property
    def at(self) -> str:
        """The sizes."""
        return ", ".join(f"{name} = {size}" for name, size in self.sizes.items())


class CostDifference(Difference):
    """The smallest size at which two networks differ in their cost."""

    __slots__ = ()

    def __str__(self) -> str:
        left, right = (f"{number:,}" for number in (*(self.left or ()), *(self.right or ())))
        return f"at {self.at} the left takes {left}, the right {right}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A proof about two networks: about their output shapes, and about the sizes that they accept."""

    names: tuple[str, ...]
    shapes: Difference | None
    """The smallest size, among those that both accept, at which output shapes differ; None for none."""
    accepted: Difference | None
    """The smallest size that one accepts and the other does not; None when they accept the same."""
    have_common: bool = True
    """Whether there is any size that both accept."""
    weights: tuple[Dim, Dim] = (0, 0)
    """How many learned numbers each has, as built."""
    costs: Difference | str | None = None
    """The smallest size, among those that both accept, at which multiply-accumulates differ; None for none,
    a text where that is not decided."""

    @property
    def is_whole(self) -> bool:
        """Whether both accept the same sizes and put out the same shapes for each."""
        return self.shapes is None and self.accepted is None

    def to_dict(self) -> dict[str, Any]:
        """Return the agreement as plain data for JSON."""
        return {
            "same_shapes": self.shapes is None,
            "same_sizes": self.accepted is None,
            "have_common_sizes": self.have_common,
            "shapes_differ_at": self.shapes.sizes if self.shapes else None,
            "accepted_differ_at": self.accepted.sizes if self.accepted else None,
            "weights": [*self.weights],
            "same_costs": None if isinstance(self.costs, str) else self.costs is None,
            "costs_differ_at": self.costs.sizes if isinstance(self.costs, Difference) else None,
        }

    def __str__(self) -> str:
        over = ", ".join(self.names)
        same = f"Output shapes: the same for every {over} that both accept (proved)"
        if not self.have_common:
            same = f"Output shapes: not comparable, for no {over} is accepted by both"
        shapes = same if self.shapes is None else f"Output shapes: {self.shapes}"
        both = "Accepted sizes: the same (proved)"
        return "\n".join(
            [
                shapes,
                both if self.accepted is None else f"Accepted sizes: {self.accepted}",
                f"Weights: {self._weights}",
                f"MACs: {self.costs or f'the same for every {over} that both accept (proved)'}",
            ]
        )

    @property
    def _weights(self) -> str:
        left, right = self.weights
        same = f"the same number, {left:,}"
        return same if left == right else f"{left:,} numbers on the left, {right:,} on the right"


def agreement(left: Question, right: Question) -> Agreement:
    """Compare two networks, as built, for every input size."""
    if len(left.names) != len(right.names):
        raise SpecError(
            f"{left.spec.name} has the sizes {', '.join(left.names) or 'none'}, "
            f"but {right.spec.name} has {', '.join(right.names) or 'none'}: they cannot be compared"
        )
    return _Comparison(left, right).agreement()


def _order(point: Point) -> tuple[int, Point]:
    return max(point), point


def _first(region: Region) -> Iterator[Point]:
    """Yield the smallest point of a region, if there is one."""
    if not region:
        return
    if not any(box.relations for box in region.boxes):
        yield next(iter(region))
        return
    near = next(takewhile(lambda point: max(point) <= FARTHEST, region), None)
    if near is None:
        raise Undecided(f"whether the two differ beyond sizes of {FARTHEST} is not decided")
    yield near


def _total(inference: Inference, what: str) -> Dim:
    """Return the sum of a count over all layers; raise `Undecided` where one is not known."""
    total: Dim = 0
    for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
        if effect is None or (what == "params" and node.owner is not None):
            continue
        count = getattr(effect, what)
        if count is None:
            raise Undecided(f"what {node.path} costs is not known")
        total = total + over(count, node.loops)
    return total


class _Comparison:
    def __init__(self, left: Question, right: Question) -> None:
        self.names = left.names
        self.solvers = Solver(left), Solver(right)
        self.renamed = dict(zip(right.names, left.names, strict=True))
        self.fronts = left.spec.front, right.spec.front

    def agreement(self) -> Agreement:
        left, right = (solved(solver.question).region for solver in self.solvers)
        right = Region(self.names, right.boxes)
        differing = min(self.differing({}, left & right, self.outputs), key=_order, default=None)
        alone = min(self.alone(left, right), key=_order, default=None)
        return Agreement(
            self.names,
            self.difference(differing),
            self.difference(alone),
            bool(left & right),
            self.weights(),
            self.costs(left & right),
        )

    def alone(self, left: Region, right: Region) -> Iterator[Point]:
        """Yield the smallest size that one network accepts and the other does not."""
        if left != right:
            yield from _first((left - right) | (right - left))

    def weights(self) -> tuple[Dim, Dim]:
        """Return how many learned numbers each network has."""
        left, right = (_total(solver.plain({}).inference, "params") for solver in self.solvers)
        return left, right

    def costs(self, within: Region) -> Difference | str | None:
        """Return the smallest size with other costs, if there is one, or why that is not decided."""
        try:
            point = min(self.differing({}, within, self.totals), key=_order, default=None)
        except Undecided as undecided:
            return f"not compared: {undecided.message}"
        if point is None:
            return None
        sizes = dict(zip(self.names, point, strict=True))
        left, right = self.totals(self.solved_at(sizes))
        return CostDifference(sizes, left, right)

    def totals(self, solutions: tuple[Solution, Solution]) -> list[Shape | None]:
        """Return the multiply-accumulates of both in the unknowns of the left; raise where unknown."""
        left, right = (_total(solution.inference, "macs") for solution in solutions)
        return [(left,), (self.in_names_of_the_left(right),)]

    def differing(self, assigned: Mapping[str, int], within: Region, read: _Reader) -> Iterator[Point]:
        """Yield the smallest sizes where what is read differs: in general, and where a merge stretches."""
        theirs = {old: assigned[new] for old, new in self.renamed.items() if new in assigned}
        solutions = self.solved_at(assigned)
        points = exceptional(self.solvers[0], solutions[0], assigned)
        for name, some in exceptional(self.solvers[1], solutions[1], theirs).items():
            own = self.renamed[name]
            points[own] = points.get(own, IntegerSet()) | some
        usual = within
        for name, n in assigned.items():
            usual &= along(self.names, name, IntegerSet.of([n]))
        for name, some in points.items():
            usual &= along(self.names, name, EVERY_SIZE - some)
        yield from self.smallest(read, solutions, usual)
        for name, some in points.items():
            for n in some:
                yield from self.differing({**assigned, name: n}, within, read)

    def smallest(self, read: _Reader, solutions: tuple[Solution, Solution], usual: Region) -> Iterator[Point]:
        if not usual:
            return
        left, right = read(solutions)
        if left is None or right is None or len(left) != len(right):
            region = usual
        else:
            region = Region(self.names)
            for mine, theirs in zip(left, right, strict=True):
                region |= usual & where(self.names, Relation(mine, "!=", theirs))
        yield from _first(region)

    def solved_at(self, sizes: Mapping[str, int]) -> tuple[Solution, Solution]:
        """Return the solutions of both where some sizes are numbers."""
        theirs = {old: sizes[new] for old, new in self.renamed.items() if new in sizes}
        return self.solvers[0].plain(sizes), self.solvers[1].plain(theirs)

    def in_names_of_the_left(self, size: Dim) -> Dim:
        """Return a size of the right with the names of the left for its unknowns."""
        own: dict[str, Dim] = {old: symbol(new) for old, new in self.renamed.items()}
        return size.subs(own) if isinstance(size, Expr) else size

    def outputs(
        self, solutions: tuple[Solution, Solution], *, without_batch: bool = False
    ) -> list[Shape | None]:
        """Return both main outputs in the unknowns of the left, channels first.

        The batch is left out where it has to be: where only one has it, or `without_batch`.
        """
        fronts = (0, 0) if self.fronts[0] == self.fronts[1] and not without_batch else self.fronts
        questions = [solver.question for solver in self.solvers]
        is_keras = [question.spec.framework == "keras" for question in questions]
        shapes: list[Shape | None] = []
        for side, (question, solution) in enumerate(zip(questions, solutions, strict=True)):
            shape = question.result(solution.inference)
            if shape is not None and side:
                shape = tuple(map(self.in_names_of_the_left, shape))
            if shape is not None and is_keras[side] and not is_keras[1 - side] and len(shape) > 2:
                batch = self.fronts[side]
                shape = (*shape[:batch], shape[-1], *shape[batch:-1])
            shapes.append(None if shape is None else shape[fronts[side] :])
        return shapes

    def difference(self, point: Point | None) -> Difference | None:
        if point is None:
            return None
        sizes = dict(zip(self.names, point, strict=True))
        solutions = self.solved_at(sizes)
        left, right = self.outputs(solutions, without_batch=True)
        return Difference(
            sizes, left if solutions[0].region else None, right if solutions[1].region else None
        )
