"""What the positions of a tensor see along an axis of an input: intervals that move evenly, composed.

Position i + t·P of an axis sees ranges[i], an interval of the input, moved on by t·Q. A chain of
convolutions has P = 1, and size, stride and offset are then those of Araujo, Norris and Sim: the length of
the range, Q, and the first of the range. Upsampling makes P larger and the stride Q/P: how much a position
sees may then depend on its remainder by P. Behind a layer of period p and shift q the period is
p·P/gcd(q, P).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import gcd, lcm

from shapecalc.algebra import Dim, decide, maximum, minimum, quotient
from shapecalc.layers.dependence import Along, Range
from shapecalc.record import record

LONGEST_PERIOD = 4096
"""Intervals that repeat after more positions than this are not followed."""


@record
class Steps:
    """Position i + t·len(ranges) sees ranges[i] moved on by t·shift; None sees nothing."""

    ranges: tuple[Range | None, ...] = ((0, 0),)
    shift: int = 1

    @property
    def stride(self) -> Fraction:
        """How far the interval moves for each position, on average."""
        return Fraction(self.shift, len(self.ranges))

    @property
    def sizes(self) -> list[Dim]:
        """How many positions each interval spans, one that sees nothing left out."""
        return [last - first + 1 for first, last in _known(self.ranges)]

    @property
    def widest(self) -> Dim:
        """How many positions the longest interval spans."""
        return maximum(*self.sizes)

    @property
    def first(self) -> Dim:
        """The left edge of what the first position sees, or the first that sees anything."""
        return _known(self.ranges)[0][0]

    def at(self, position: Dim) -> Range | None:
        """Return what a position sees.

        >>> Steps(((-1, 0), (0, 1)), 1).at(5)
        (2, 3)
        """
        period = len(self.ranges)
        if period == 1:
            return moved(self.ranges[0], position * self.shift)
        assert isinstance(position, int)
        return moved(self.ranges[position % period], position // period * self.shift)

    def over(self, first: Dim, last: Dim) -> Range | None:
        """Return the smallest interval of all that some positions see; None also if it is not known."""
        period = len(self.ranges)
        if period == 1:  # it moves on, so that the last ends last
            start, end = self.at(first), self.at(last)
            return None if start is None or end is None else (start[0], end[1])
        if not isinstance(first, int) or not isinstance(last, int):
            return None
        low = joint(self.at(position) for position in range(first, min(first + period, last + 1)))
        high = joint(self.at(position) for position in range(max(last - period + 1, first), last + 1))
        return joint([low, high])

    def after(self, view: Along) -> Steps | None:
        """Return what the results of a layer see, which see this tensor so; None if it is not known.

        >>> Steps(((0, 2),), 2).after(Along(2, ((-1, 1),), 1))
        Steps(ranges=((-2, 4),), shift=2)
        """
        own, theirs = len(self.ranges), len(view.ranges)
        turns = own // gcd(view.shift, own)
        if theirs * turns > LONGEST_PERIOD:
            return None
        ranges: list[Range | None] = []
        for turn in range(turns):
            for seen in view.ranges:
                read = moved(seen, turn * view.shift)
                if read is not None and own > 1 and not all(isinstance(end, int) for end in read):
                    return None
                ranges.append(None if read is None else self.over(*read))
        if not _known(ranges):
            return None
        return _shortest(tuple(ranges), self.shift * turns * view.shift // own)

    def both(self, other: Steps) -> Steps | None:
        """Return the smallest intervals that hold both, where both move at one pace."""
        if self.stride != other.stride:
            return None
        period = lcm(len(self.ranges), len(other.ranges))
        if period > LONGEST_PERIOD:
            return None
        ranges = tuple(joint([self.at(position), other.at(position)]) for position in range(period))
        return _shortest(ranges, self.shift * (period // len(self.ranges)))


def _known(ranges: Iterable[Range | None]) -> list[Range]:
    return [seen for seen in ranges if seen is not None]


def joint(ranges: Iterable[Range | None]) -> Range | None:
    """Return the smallest interval that holds all that are seen; None where none is."""
    known = _known(ranges)
    return hull(*known) if known else None


def hull(*ranges: Range) -> Range:
    """Return the smallest interval that holds all of some.

    >>> hull((0, 3), (2, 9))
    (0, 9)
    """
    firsts, lasts = zip(*ranges, strict=True)
    return minimum(*firsts), maximum(*lasts)


def _shortest(ranges: tuple[Range | None, ...], shift: int) -> Steps:
    """Return the same intervals with their shortest period."""
    length = len(ranges)
    for period in range(1, length // 2 + 1):
        if length % period or shift * period % length:
            continue
        by = shift * period // length
        if all(
            moved(ranges[position], by) == ranges[position + period] for position in range(length - period)
        ):
            return Steps(ranges[:period], by)
    return Steps(ranges, shift)


def moved(seen: Range | None, by: Dim) -> Range | None:
    """Return an interval moved on.

    >>> moved((0, 2), 4)
    (4, 6)
    """
    return None if seen is None else (seen[0] + by, seen[1] + by)


def reach(view: Along, positions: Dim) -> Range | None:
    """Return the smallest interval that some first positions of a result see together, if it is known.

    >>> reach(Along(2, ((-1, 1),), 2), 4)
    (-1, 7)
    """
    steps, period = Steps(view.ranges, view.shift), len(view.ranges)
    if period == 1 or isinstance(positions, int):
        return steps.over(0, positions - 1)
    if decide(positions % period, "==", 0) is not True:
        return None
    first = joint(view.ranges)
    if first is None:
        return None
    return first[0], first[1] + (quotient(positions, period) - 1) * view.shift


def is_within(inner: Range, outer: Range) -> bool:
    """Whether an interval is known to lie in another."""
    return decide(outer[0], "<=", inner[0]) is True and decide(inner[1], "<=", outer[1]) is True
