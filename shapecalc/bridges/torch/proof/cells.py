"""Proofs by cases: all sizes cut into cells on which every condition holds throughout, or nowhere.

A cell gives each free size an arithmetic progression, bounded or not. Inside an unbounded one the size
is written a + L·m with m ≥ 0, so that ⌊n/L⌋ and n mod L become polynomials and a lower bound is known; a
bounded one is gone through number by number. Cutting a cell keeps all of its points, so what holds on
every cell that is left holds for all sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from math import lcm, prod
from typing import TypeAlias

from shapecalc.algebra.expr import Dim, Expr, Floor, decide, symbol
from shapecalc.algebra.relation import Relation
from shapecalc.errors import FormulaError, Undecided

MOST_POINTS = 512
"""The most combinations of bounded sizes that one decision goes through."""
MOST_CLASSES = 256
"""The most residue classes that a cell is cut into at once."""
FARTHEST = 1024
"""How far behind the beginning of a cell a condition may be decided."""


@dataclass(frozen=True, slots=True)
class Progression:
    """The numbers first, first + step, …: `count` of them, or without end."""

    first: int
    step: int = 1
    count: int | None = None

    def __getitem__(self, index: int) -> int:
        return self.first + self.step * index

    def __contains__(self, n: int) -> bool:
        index, rest = divmod(n - self.first, self.step)
        return rest == 0 and index >= 0 and (self.count is None or index < self.count)

    def at(self, index: int) -> int:
        """Return the number at an index, or the last if the progression ends before it."""
        return self[index if self.count is None else min(index, self.count - 1)]

    def cut(self, at: int) -> tuple[Progression, Progression]:
        """Return the first `at` numbers, and the others."""
        left = None if self.count is None else self.count - at
        return Progression(self.first, self.step, at), Progression(self[at], self.step, left)

    def classes(self, modulus: int) -> tuple[Progression, ...]:
        """Return the numbers by their position modulo a number; the progression must be unbounded."""
        return tuple(Progression(self[index], self.step * modulus) for index in range(modulus))

    def text(self, name: str) -> str:
        """Return the numbers as a reader writes them, or nothing when they are all sizes.

        >>> Progression(4, 2).text("H"), Progression(3, 1, 2).text("H"), Progression(1).text("H")
        ('H ≡ 0 (mod 2), H ≥ 4', '3 ≤ H ≤ 4', '')
        """
        if self.count == 1:
            return f"{name} = {self.first}"
        if self.count is not None:
            if self.step == 1:
                return f"{self.first} ≤ {name} ≤ {self[self.count - 1]}"
            return f"{name} = {', '.join(str(self[index]) for index in range(self.count))}"
        parts = [] if self.step == 1 else [f"{name} ≡ {self.first % self.step} (mod {self.step})"]
        if self.first > (self.first % self.step or self.step):
            parts.append(f"{name} ≥ {self.first}")
        return ", ".join(parts)


Cell: TypeAlias = Mapping[str, Progression]


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these holds."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Relation | Every | Some


def negation(condition: Condition) -> Condition:
    """Return the condition that holds where this one does not."""
    if isinstance(condition, Relation):
        return condition.negation
    parts = tuple(map(negation, condition.parts))
    return Some(parts) if isinstance(condition, Every) else Every(parts)


def everywhere(names: Mapping[str, int] | list[str]) -> dict[str, Progression]:
    """Return the cell of all sizes of at least 1."""
    return {name: Progression(1) for name in names}


def restricted(cell: Cell, value: Dim) -> Iterator[Dim]:
    """Yield an expression as it reads inside a cell, once for each combination of bounded sizes.

    Raises `Undecided` when there are too many combinations.
    """
    if isinstance(value, int):
        yield value
        return
    free = [name for name in value.free_symbols if name in cell]
    counts = {name: count for name in free if (count := cell[name].count) is not None}
    if prod(counts.values()) > MOST_POINTS:
        raise Undecided("there are too many sizes to go through one by one")
    endless = {
        name: cell[name].first + cell[name].step * symbol(f"{name}'", 0)
        for name in free
        if name not in counts
    }
    for indices in product(*map(range, counts.values())):
        point: dict[str, Dim] = dict(endless)
        point |= {name: cell[name][index] for name, index in zip(counts, indices, strict=True)}
        yield value.subs(point)


def holds(cell: Cell, condition: Condition) -> bool | None:
    """Return True if a condition holds all over a cell, False if nowhere in it, None otherwise.

    >>> H = symbol("H")
    >>> even = {"H": Progression(2, 2)}
    >>> holds(even, Relation(H % 2, "==", 0)), holds(even, Relation(H, ">=", 3))
    (True, None)
    """
    if isinstance(condition, Relation):
        return _relation_holds(cell, condition)
    verdicts = [holds(cell, part) for part in condition.parts]
    decisive = isinstance(condition, Some)
    if decisive in verdicts:
        return decisive
    return None if None in verdicts else not decisive


def _relation_holds(cell: Cell, relation: Relation) -> bool | None:
    try:
        verdicts = (
            decide(difference, relation.op, 0) for difference in restricted(cell, relation.difference)
        )
        first = next(verdicts)
        return first if all(verdict is first for verdict in verdicts) else None
    except (FormulaError, Undecided):
        return None  # a division by what may be zero, or too much to go through


def divided(cell: Cell, condition: Condition) -> list[Cell]:
    """Return the parts into which to cut a cell on which a condition is not decided, or the cell alone.

    The condition is then decided on at least one part if possible: past a threshold, otherwise by residues.
    """
    if not isinstance(condition, Relation):
        open_parts = [part for part in condition.parts if holds(cell, part) is None]
        return divided(cell, open_parts[0]) if open_parts else [cell]
    difference = condition.difference
    if isinstance(difference, int):
        return [cell]
    free = sorted(name for name in difference.free_symbols if name in cell)
    bounded = [name for name in free if cell[name].count is not None and cell[name].count != 1]
    for name in bounded:
        if at := _first_change(cell, name, condition):
            return _cut(cell, name, at)
    endless = [name for name in free if cell[name].count is None]
    for name in endless:
        if at := _threshold(cell, name, condition):
            return _cut(cell, name, at)
    for name in endless:
        modulus = _divisors(cell, name, difference)
        if 1 < modulus <= MOST_CLASSES:
            return [{**cell, name: part} for part in cell[name].classes(modulus)]
    for name in bounded:
        return _cut(cell, name, 1)
    return _cut(cell, endless[0], 1) if len(endless) > 1 else [cell]


def _cut(cell: Cell, name: str, at: int) -> list[Cell]:
    return [{**cell, name: part} for part in cell[name].cut(at)]


def _first_change(cell: Cell, name: str, condition: Condition) -> int | None:
    """Return the first index of a bounded size at which the verdict is another than before."""
    sizes = (cell[name][index] for index in range(cell[name].count or 0))
    verdicts = (holds({**cell, name: Progression(size, 1, 1)}, condition) for size in sizes)
    return next((index for index, pair in enumerate(pairwise(verdicts), 1) if pair[0] is not pair[1]), None)


def _threshold(cell: Cell, name: str, condition: Condition) -> int | None:
    """Return the least index from which on a condition is decided, if it is not too far."""

    def decided(at: int) -> bool:
        return holds({**cell, name: cell[name].cut(at)[1]}, condition) is not None

    high = 1
    while not decided(high):
        high *= 2
        if high > FARTHEST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def _divisors(cell: Cell, name: str, value: Expr) -> int:
    """Return the least modulus by which the floors over a size would go, as far as they are numbers."""
    modulus = 1
    try:
        for inside in restricted({name: cell[name]}, value):
            for atom in inside.atoms() if isinstance(inside, Expr) else ():
                if isinstance(atom, Floor) and isinstance(atom.denominator, int):
                    if f"{name}'" in atom.numerator.free_symbols:
                        modulus = lcm(modulus, atom.denominator)
    except (FormulaError, Undecided):
        return 1
    return modulus


def smallest_points(cell: Cell) -> dict[str, int]:
    """Return the first number of every size in a cell."""
    return {name: progression.first for name, progression in cell.items()}


def cell_text(cell: Cell) -> str:
    """Return a cell as a reader writes it: every size that is not wholly free, or nothing."""
    return ", ".join(text for name, progression in cell.items() if (text := progression.text(name)))
