"""For which whole numbers a relation in one unknown holds: an eventually periodic set, exactly.

A quasi-linear function satisfies f(n + L) = f(n) + c, so from some number on the solutions of
f(n) ≥ 0 or f(n) = 0 repeat with period L, and below that number there are finitely many to try.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import lcm

from shapecalc.algebra.decide import LONGEST_PERIOD, decide, period
from shapecalc.algebra.expr import Dim

FARTHEST = 20_000
"""A relation whose solutions settle only beyond this number is left as it is."""


@dataclass(frozen=True)
class Solution:
    """The whole numbers n ≥ 1 with n < start in `early`, or n ≥ start and n mod modulus in `residues`."""

    early: frozenset[int]
    start: int
    modulus: int
    residues: frozenset[int]

    def __contains__(self, n: int) -> bool:
        return n in self.early if n < self.start else n % self.modulus in self.residues

    def __and__(self, other: Solution) -> Solution | None:
        """Return the numbers in both; None when their common period is too long."""
        modulus = lcm(self.modulus, other.modulus)
        if modulus > LONGEST_PERIOD:
            return None
        start = max(self.start, other.start)
        early = frozenset(n for n in range(1, start) if n in self and n in other)
        residues = frozenset(n % modulus for n in range(start, start + modulus) if n in self and n in other)
        return Solution(early, start, modulus, residues).reduced()

    def reduced(self) -> Solution:
        """Return the same set with the shortest period and the earliest start."""
        modulus, residues = self.modulus, self.residues
        for shorter in range(1, modulus):
            if modulus % shorter == 0 and all((n + shorter) % modulus in residues for n in residues):
                modulus, residues = shorter, frozenset(n % shorter for n in residues)
                break
        start, early = self.start, set(self.early)
        while start > 1 and ((start - 1 in early) == ((start - 1) % modulus in residues)):
            start -= 1
            early.discard(start)
        return Solution(frozenset(early), start, modulus, residues)

    def text(self, name: str) -> str:
        """Return the set as a reader writes it.

        >>> Solution(frozenset(), 188, 16, frozenset({12})).text("n")
        'n ≡ 12 (mod 16), n ≥ 188'
        """
        if not self.residues:
            return f"{name} = {', '.join(map(str, sorted(self.early)))}" if self.early else f"no {name}"
        least = next(n for n in range(self.start, self.start + self.modulus) if n in self)
        parts: list[str] = []
        if self.modulus > 1:
            listed = ", ".join(map(str, sorted(self.residues)))
            parts.append(f"{name} ≡ {listed} (mod {self.modulus})")
        if least > min(residue or self.modulus for residue in self.residues):
            parts.append(f"{name} ≥ {least}")
        elif not parts:
            parts.append(f"any {name}")
        alone = f", or {name} = {', '.join(map(str, sorted(self.early)))}" if self.early else ""
        return ", ".join(parts) + alone


def solve(left: Dim, relation: str, right: Dim) -> tuple[str, Solution] | None:
    """Return the unknown of a relation and its solutions, or None when that is not decided here.

    >>> from shapecalc.algebra.expr import symbol
    >>> n = symbol("n")
    >>> solve(2*(n//2), "==", n)[1].text("n"), solve((n - 5)//2, ">=", 1)[1].text("n")
    ('n ≡ 0 (mod 2)', 'n ≥ 7')
    """
    difference = left - right
    if isinstance(difference, int):
        return None
    free = difference.symbols()
    length = period(difference)
    if len(free) != 1 or length is None:
        return None
    name = free[0].name

    def value(n: int) -> int:
        found = difference.subs({name: n})
        assert isinstance(found, int)
        return found

    slope = value(1 + length) - value(1)
    start = 1
    if slope:
        # Past this number every residue's sequence has crossed zero for good.
        crossing = max(abs(value(n)) for n in range(1, length + 1)) // abs(slope) + 2
        start = 1 + length * crossing
        if start + length > FARTHEST:
            return None
    holds = {n: decide(value(n), relation, 0) is True for n in range(1, start + length)}
    early = frozenset(n for n in range(1, start) if holds[n])
    residues = frozenset(n % length for n in range(start, start + length) if holds[n])
    return name, Solution(early, start, length, residues).reduced()


def combined(relations: Iterable[tuple[Dim, str, Dim]]) -> tuple[dict[str, Solution], list[int]]:
    """Return the joint solutions per unknown, and the positions of the relations that stay as they are."""
    found: dict[str, Solution] = {}
    left_over: list[int] = []
    for position, (left, relation, right) in enumerate(relations):
        solved = solve(left, relation, right)
        if solved is None:
            left_over.append(position)
            continue
        name, solution = solved
        both = found[name] & solution if name in found else solution
        if both is None:
            left_over.append(position)
        else:
            found[name] = both
    return found, left_over
