"""Eventually periodic sets of integers: the solutions of every relation in one unknown.

Below `start` there are finitely many stretches, from `start` on the residues modulo `modulus` decide. Each
set has one normal form, so two sets are the same exactly when they compare equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from math import lcm
from operator import and_, or_
from typing import TypeAlias

from shapecalc.errors import Undecided
from shapecalc.record import record

LONGEST_PERIOD = 20_000
MOST_STRETCHES = 100_000
_LISTED = 5
"""Longer runs of numbers are written from first to last."""

Stretch: TypeAlias = tuple[int, int]
"""The first and the last of numbers without a gap."""


@record
class IntegerSet:
    """The n below `start` in `early`, and the n from `start` on with n mod `modulus` in `residues`.

    >>> evens = IntegerSet.every(2, [0])
    >>> 188 in (evens & IntegerSet.at_least(100)), (evens & IntegerSet.at_least(100)).text("n")
    (True, 'n ≡ 0 (mod 2), n ≥ 100')
    """

    early: tuple[Stretch, ...] = ()
    start: int = 0
    modulus: int = 1
    residues: frozenset[int] = frozenset()

    # ---- constructors

    @classmethod
    def at_least(cls, least: int) -> IntegerSet:
        """Return all numbers from `least` on."""
        return cls((), least, 1, frozenset((0,)))

    @classmethod
    def of(cls, numbers: Iterable[int]) -> IntegerSet:
        """Return the set of some numbers."""
        return cls.of_stretches((number, number) for number in numbers)

    @classmethod
    def of_stretches(cls, stretches: Iterable[Stretch]) -> IntegerSet:
        """Return the set of the numbers in some stretches."""
        early = _joined(stretches)
        return cls(early, early[-1][1] + 1 if early else 0)

    @classmethod
    def every(cls, modulus: int, residues: Iterable[int], start: int = 1) -> IntegerSet:
        """Return the numbers from `start` on that have one of the residues."""
        return cls((), start, modulus, frozenset(residues)).reduced()

    def reduced(self) -> IntegerSet:
        """Return the normal form: the shortest period and the earliest start."""
        modulus, residues = self.modulus, self.residues
        for shorter in range(1, modulus):
            if modulus % shorter == 0 and all((n + shorter) % modulus in residues for n in residues):
                modulus, residues = shorter, frozenset(n % shorter for n in residues)
                break
        early = list(_joined(self.early))
        if not residues:
            return IntegerSet(tuple(early), early[-1][1] + 1 if early else 0)
        start = self.start
        while start > 0 and (early[-1][1] == start - 1 if early else False) == (
            (start - 1) % modulus in residues
        ):
            if not early or early[-1][1] != start - 1:
                start -= 1
            elif modulus == 1:
                start = early.pop()[0]
            else:
                start -= 1
                first, _ = early.pop()
                if first < start:
                    early.append((first, start - 1))
        return IntegerSet(tuple(early), start, modulus, residues)

    # ---- membership

    def __contains__(self, n: int) -> bool:
        if n >= self.start:
            return n % self.modulus in self.residues
        return any(first <= n <= last for first, last in self.early)

    def __bool__(self) -> bool:
        return bool(self.residues or self.early)

    @property
    def is_finite(self) -> bool:
        """Whether there is a largest number in it."""
        return not self.residues

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers from the smallest on; without end where there is no largest."""
        for first, last in self.early:
            yield from range(first, last + 1)
        if self.residues:
            least = self.start
            while True:
                period = range(least, least + self.modulus)
                yield from (n for n in period if n % self.modulus in self.residues)
                least += self.modulus

    def first_from(self, n: int) -> int | None:
        """Return the least number in the set that is not below n."""
        for first, last in self.early:
            if n <= last:
                return max(n, first)
        n = max(n, self.start)
        return next((m for m in range(n, n + self.modulus) if m % self.modulus in self.residues), None)

    def last_until(self, n: int) -> int | None:
        """Return the greatest number in the set that is not above n."""
        for m in range(n, max(self.start, n - self.modulus + 1) - 1, -1):
            if m % self.modulus in self.residues:
                return m
        return next((min(n, last) for first, last in reversed(self.early) if first <= n), None)

    # ---- combining

    def __and__(self, other: IntegerSet) -> IntegerSet:
        """Return the numbers in both."""
        return self._with(other, and_)

    def __or__(self, other: IntegerSet) -> IntegerSet:
        """Return the numbers in either."""
        return self._with(other, or_)

    def __sub__(self, other: IntegerSet) -> IntegerSet:
        """Return the numbers in this set that are not in the other."""
        return self._with(other, lambda mine, theirs: mine and not theirs)

    def _with(self, other: IntegerSet, keep: Callable[[bool, bool], bool]) -> IntegerSet:
        modulus = lcm(self.modulus, other.modulus)
        if modulus > LONGEST_PERIOD:
            raise Undecided(f"two conditions repeat together only after {modulus:,} sizes")
        start = max(self.start, other.start)
        mine, theirs = self.stretches(start), other.stretches(start)
        edges = sorted({edge for first, last in (*mine, *theirs) for edge in (first, last + 1)})
        early = [
            (edge, following - 1) for edge, following in pairwise(edges) if keep(edge in self, edge in other)
        ]
        period = range(start, start + modulus)
        residues = frozenset(n % modulus for n in period if keep(n in self, n in other))
        return IntegerSet(tuple(early), start, modulus, residues).reduced()

    def stretches(self, end: int) -> list[Stretch]:
        """Return the numbers below `end` as stretches without a gap."""
        below = [(first, min(last, end - 1)) for first, last in self.early if first < end]
        if self.start >= end or not self.residues:
            return below
        if self.modulus == 1:
            return [*below, (self.start, end - 1)]
        if (end - self.start) // self.modulus * len(self.residues) > MOST_STRETCHES:
            raise Undecided(f"a condition has more than {MOST_STRETCHES:,} separate sizes")
        below += [(n, n) for n in range(self.start, end) if n % self.modulus in self.residues]
        return list(_joined(below))

    # ---- writing

    def text(self, name: str) -> str:
        """Return the set as a reader writes it.

        >>> IntegerSet.every(16, [12], start=188).text("n"), IntegerSet.of(range(32, 38)).text("n")
        ('n ≡ 12 (mod 16), n ≥ 188', 'n = 32…37')
        """
        if not self.residues:
            return f"{name} = {_listed(self.early)}" if self.early else f"no {name}"
        least = self.first_from(self.start)
        assert least is not None
        parts: list[str] = []
        if self.modulus > 1:
            runs = _joined((residue, residue) for residue in self.residues)
            parts.append(f"{name} ≡ {_listed(runs)} (mod {self.modulus})")
        if least > min(residue or self.modulus for residue in self.residues):
            parts.append(f"{name} ≥ {least}")
        elif not parts:
            parts.append(f"any {name}")
        return ", ".join(parts) + (f", or {name} = {_listed(self.early)}" if self.early else "")


EVERY_SIZE = IntegerSet.at_least(1)


def _joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in order, those that touch as a single one."""
    joined: list[Stretch] = []
    for first, last in sorted(stretches):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def _listed(stretches: Iterable[Stretch]) -> str:
    return ", ".join(
        f"{first}…{last}" if last - first >= _LISTED else ", ".join(map(str, range(first, last + 1)))
        for first, last in stretches
    )
