"""Sets of points with integer coordinates: unions of boxes, each the product of one set per unknown.

A relation in one unknown cuts a box along that axis. A product of functions of one unknown each, held to a
constant (a linear layer behind a flatten), splits into a box for every way to factor the constant.
Any other relation stays with its box and is evaluated at each point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import count, islice, product
from math import isqrt
from operator import and_, or_
from typing import TypeAlias

from shapecalc.algebra.expr import Dim, Expr, decide, symbol
from shapecalc.algebra.factor import separated
from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.solution import solve
from shapecalc.errors import FormulaError, Undecided
from shapecalc.record import record

Point: TypeAlias = tuple[int, ...]

LARGEST_PRODUCT = 10**10
MOST_BOXES = 4_000
FARTHEST = 4_096
"""How far from a point a neighbour is looked for where a relation could not be solved."""


@record
class Box:
    """The points with each coordinate in its set, for which the relations that are left hold too."""

    sets: tuple[IntegerSet, ...]
    relations: tuple[Relation, ...] = ()

    def __and__(self, other: Box) -> Box:
        sets = tuple(map(and_, self.sets, other.sets))
        return Box(sets, tuple(dict.fromkeys((*self.relations, *other.relations))))

    def __bool__(self) -> bool:
        return all(self.sets)


@record
class Region:
    """A union of boxes over unknowns with names.

    >>> from shapecalc.algebra.expr import symbol
    >>> H, W = symbol("H"), symbol("W")
    >>> region = where(("H", "W"), Relation((H//4 - 3) * (W//4 - 3), "==", 25))
    >>> [tuple(axis.text(name) for axis, name in zip(box.sets, "HW")) for box in region.boxes][1]
    ('H = 32, 33, 34, 35', 'W = 32, 33, 34, 35')
    """

    names: tuple[str, ...]
    boxes: tuple[Box, ...] = ()

    def __contains__(self, point: Sequence[int]) -> bool:
        return any(self._holds(box, tuple(point)) for box in self.boxes)

    def _holds(self, box: Box, point: Point) -> bool:
        if any(n not in axis for n, axis in zip(point, box.sets, strict=True)):
            return False
        values = dict(zip(self.names, point, strict=True))
        return all(relation.holds_at(values) for relation in box.relations)

    def __bool__(self) -> bool:
        """Say whether there may be a point: a relation that is left could still exclude them all."""
        return any(self.boxes)

    def __and__(self, other: Region) -> Region:
        if len(self.boxes) * len(other.boxes) > MOST_BOXES:
            raise Undecided("the conditions leave too many separate ranges of sizes")
        both = (mine & theirs for mine, theirs in product(self.boxes, other.boxes))
        return Region(self.names, tuple(box for box in both if box)).merged()

    def __or__(self, other: Region) -> Region:
        return Region(self.names, (*self.boxes, *other.boxes)).merged()

    def __sub__(self, other: Region) -> Region:
        """Return the points in this region alone; raise `Undecided` where a relation was not solved."""
        if any(box.relations for box in other.boxes):
            raise Undecided("what lies outside depends on a relation between several sizes")
        boxes = list(self.boxes)
        for taken in other.boxes:
            boxes = [piece for box in boxes for piece in _outside(box, taken)]
        return Region(self.names, tuple(boxes)).merged()

    def merged(self) -> Region:
        """Return the same region with boxes that differ on one axis only joined."""
        boxes = list(dict.fromkeys(self.boxes))
        for axis in range(len(self.names)):
            together: dict[tuple[object, ...], Box] = {}
            for box in boxes:
                key = (*box.sets[:axis], None, *box.sets[axis + 1 :], box.relations)
                first = together.get(key)
                if first is not None:
                    sets = list(box.sets)
                    sets[axis] = first.sets[axis] | box.sets[axis]
                    box = replace(box, sets=tuple(sets))  # noqa: PLW2901  (the union takes its place)
                together[key] = box
            boxes = list(together.values())
        return Region(self.names, tuple(boxes))

    @property
    def diagonal(self) -> IntegerSet:
        """The numbers n such that the point with n for every unknown lies here; may be `Undecided`."""
        side = dict.fromkeys(self.names, symbol("n"))
        numbers = IntegerSet()
        for box in self.boxes:
            own = reduce(and_, box.sets, EVERY_SIZE)
            for relation in box.relations:
                try:
                    on_side = relation.subs(side)
                except FormulaError:  # it divides by zero for every n
                    own = IntegerSet()
                    break
                boxes = where(("n",), on_side).boxes
                if any(each.relations for each in boxes):
                    raise Undecided(f"for which n {on_side} holds is not decided")
                own &= reduce(or_, (axis for each in boxes for axis in each.sets), IntegerSet())
            numbers |= own
        return numbers

    # ---- points

    def __iter__(self) -> Iterator[Point]:
        """Yield the points, those whose largest coordinate is smallest first."""
        last = self._end
        for shell in count(1) if last is None else range(1, last + 1):
            axes = [
                sorted({n for box in self.boxes for n in _within(box.sets[axis], shell)})
                for axis in range(len(self.names))
            ]
            yield from (point for point in product(*axes) if max(point) == shell and point in self)

    @property
    def is_finite(self) -> bool:
        """Whether there are finitely many points, by the sets alone."""
        return self._end is not None

    @property
    def _end(self) -> int | None:
        """The largest coordinate of any point, or None."""
        sets = [axis for box in self.boxes for axis in box.sets]
        if not all(axis.is_finite for axis in sets):
            return None
        return max((axis.early[-1][1] for axis in sets if axis.early), default=0)

    def below(self, point: Point) -> Point | None:
        """Return a nearest point of the region none of whose coordinates is above this one's."""
        return self._neighbour(point, up=False)

    def above(self, point: Point) -> Point | None:
        """Return a nearest point of the region none of whose coordinates is below this one's."""
        return self._neighbour(point, up=True)

    def _neighbour(self, point: Point, *, up: bool) -> Point | None:
        nearest = [near for box in self.boxes if (near := self._nearest_in(box, point, up=up)) is not None]
        return min(nearest, key=lambda near: (_distance(near, point), near), default=None)

    def _nearest_in(self, box: Box, point: Point, *, up: bool) -> Point | None:
        steps = [_steps(axis, n, up=up) for axis, n in zip(box.sets, point, strict=True)]
        if not box.relations:
            firsts = [next(step, None) for step in steps]
            return tuple(n for n in firsts if n is not None) if None not in firsts else None
        return self._nearest_related(box, point, steps[:-1], up=up)

    def _nearest_related(
        self, box: Box, point: Point, steps: Sequence[Iterator[int]], *, up: bool
    ) -> Point | None:
        """Try values of all unknowns but the last, the nearest first; the relations then give the last."""
        each = round(FARTHEST ** (1 / max(len(steps), 1)))
        axes = [[*islice(step, each)] for step in steps]
        best: Point | None = None
        for others in sorted(product(*axes), key=lambda near: _distance(near, point[:-1])):
            if best is not None and _distance(others, point[:-1]) >= _distance(best, point):
                break
            last = self._last_axis(box, others)
            n = last.first_from(point[-1]) if up else last.last_until(point[-1])
            if n is not None and n >= 1:
                near = (*others, n)
                if best is None or _distance(near, point) < _distance(best, point):
                    best = near
        return best

    def _last_axis(self, box: Box, others: Point) -> IntegerSet:
        """Return the values of the last unknown when all others are fixed."""
        values = dict(zip(self.names, others, strict=False))
        last = box.sets[-1]
        for relation in box.relations:
            try:
                own_region = where(self.names[-1:], relation.subs(values))
            except FormulaError:  # it divides by zero
                return IntegerSet()
            for own in own_region.boxes or (Box((IntegerSet(),)),):
                if own.relations:
                    raise Undecided("the nearest sizes depend on a relation between several sizes")
                last &= own.sets[0]
        return last


def _outside(box: Box, taken: Box) -> Iterator[Box]:
    """Yield boxes that together hold the points of one box that another does not hold."""
    sets = list(box.sets)
    for axis, (own, theirs) in enumerate(zip(box.sets, taken.sets, strict=True)):
        piece = replace(box, sets=(*sets[:axis], own - theirs, *sets[axis + 1 :]))
        if piece:
            yield piece
        sets[axis] = own & theirs


def _within(axis: IntegerSet, last: int) -> Iterator[int]:
    for first, end in axis.stretches(last + 1):
        yield from range(first, end + 1)


def _steps(axis: IntegerSet, n: int, *, up: bool) -> Iterator[int]:
    """Yield the members from n on, upwards or downwards, no farther away than `FARTHEST`."""
    following: int | None = n
    while following is not None:
        following = axis.first_from(following) if up else axis.last_until(following)
        if following is None or abs(following - n) > FARTHEST or following < 1:
            return
        yield following
        following += 1 if up else -1


def _distance(point: Point, other: Point) -> int:
    return sum(abs(a - b) for a, b in zip(point, other, strict=True))


def everything(names: tuple[str, ...]) -> Region:
    """Return the region of all points whose coordinates are at least 1."""
    return Region(names, (Box((EVERY_SIZE,) * len(names)),))


def where(names: tuple[str, ...], relation: Relation) -> Region:
    """Return the points for which a relation holds."""
    difference = relation.difference
    if isinstance(difference, int):
        return everything(names) if relation.verdict() else Region(names)
    solved = solve(*relation)
    if solved is not None:
        return Region(names, (_slab(names, dict([solved])),)) if solved[1] else Region(names)
    if relation.op == ">=" and relation.right == 1 and (factors := _positive_factors(relation.left)):
        return reduce(and_, (where(names, Relation(factor, ">=", 1)) for factor in factors))
    boxes = _factored(names, difference) if relation.op == "==" else None
    if boxes is None:
        return Region(names, (replace(everything(names).boxes[0], relations=(relation,)),))
    return Region(names, tuple(box for box in boxes if box)).merged()


def _positive_factors(value: Dim) -> list[Expr]:
    """Return the factors of a product, each of one unknown, none of which is ever below 0; else none.

    Such a product is at least 1 where each of them is, whatever positive number it is multiplied by.
    """
    factors = separated(value) if isinstance(value, Expr) else []
    functions = [factor for factor in factors if isinstance(factor, Expr)]
    numbers = [factor for factor in factors if isinstance(factor, int)]
    is_apart = all(len(function.free_symbols) == 1 and decide(function, ">=", 0) for function in functions)
    return functions if len(functions) > 1 and is_apart and all(number > 0 for number in numbers) else []


def _slab(names: tuple[str, ...], sets: dict[str, IntegerSet]) -> Box:
    return Box(tuple(sets.get(name, EVERY_SIZE) for name in names))


def _factored(names: tuple[str, ...], difference: Expr) -> list[Box] | None:
    """Return the boxes on which a product of functions, each of one unknown, has its required value."""
    constant = _completing(difference)
    total = None if constant is None else constant - difference.constant
    if total is None or not 0 < abs(total) <= LARGEST_PRODUCT:
        return None
    moving = difference + total
    assert isinstance(moving, Expr)
    factors = separated(moving)
    number = factors.pop(0) if isinstance(factors[0], int) else 1
    functions = [factor for factor in factors if isinstance(factor, Expr)]
    assert isinstance(number, int)
    if len(functions) < 2 or any(len(function.free_symbols) != 1 for function in functions):
        return None
    if total % number:
        return []
    boxes: list[Box] = []
    for values in _factorings(total // number, len(functions)):
        sets: dict[str, IntegerSet] = {}
        for function, value in zip(functions, values, strict=True):
            solved = solve(function, "==", value)
            if solved is None:
                return None
            sets |= [solved]
        boxes.append(_slab(names, sets))
        if len(boxes) > MOST_BOXES:
            raise Undecided(f"{total:,} is a product in too many ways to list the sizes")
    return [box for box in boxes if box]


def _completing(difference: Expr) -> int | None:
    """Return the constant that makes the other terms a product of sums, one per unknown, if one does.

    In p·(a + α)(b + β)(c + γ) the terms without a, without b and without c show p·α, p·β and p·γ.
    """
    coefficients = dict(difference.terms)
    full = max(coefficients, key=len)
    scale = coefficients[full]
    constant = scale
    for position in range(len(full)):
        constant *= coefficients.get(full[:position] + full[position + 1 :], 0)
        if constant % scale:
            return None
        constant //= scale
    return constant


def _factorings(number: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to write a number as an ordered product of some factors, signs included."""
    if parts == 1:
        yield (number,)
        return
    size = abs(number)
    small = [d for d in range(1, isqrt(size) + 1) if size % d == 0]
    for divisor in sorted({*small, *(size // d for d in small)}):
        for signed in (divisor, -divisor):
            yield from ((signed, *rest) for rest in _factorings(number // signed, parts - 1))
