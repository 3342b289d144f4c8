"""Intervals that move evenly, composed and united: every small case, position by position."""

from __future__ import annotations

from itertools import product

from shapecalc.algebra import Dim
from shapecalc.engine.span import Steps
from shapecalc.layers.dependence import Along

Ends = tuple[Dim, Dim]

OWN = [
    Steps(),
    Steps(((-1, 1),), 2),
    Steps(((-1, 0), (0, 1)), 1),
    Steps(((0, 2), (1, 3), (3, 4)), 3),
    Steps(((0, 0), (0, 0)), 1),
]
VIEWS = [
    Along(2),
    Along(2, ((-1, 1),), 2),
    Along(2, ((0, 0), (0, 1)), 1),
    Along(2, ((0, 0), None), 1),
    Along(2, ((-2, 0), (-1, 0), (0, 1)), 2),
]


def seen(view: Along, position: int) -> Ends | None:
    """Return what a position of a result sees, by what the fields of a view mean."""
    turns, at = divmod(position, len(view.ranges))
    ends = view.ranges[at]
    return None if ends is None else (ends[0] + turns * view.shift, ends[1] + turns * view.shift)


def covered(steps: Steps, ends: Ends) -> Ends | None:
    """Return the interval that positions see together, each looked at."""
    first, last = ends
    assert isinstance(first, int)
    assert isinstance(last, int)
    each = [own for at in range(first, last + 1) if (own := steps.at(at)) is not None]
    numbers = [end for own in each for end in own if isinstance(end, int)]
    return (min(numbers), max(numbers)) if numbers else None


def test_a_chain_sees_what_its_links_see() -> None:
    for steps, view in product(OWN, VIEWS):
        behind = steps.after(view)
        assert behind is not None
        for position in range(20):
            ends = seen(view, position)
            assert behind.at(position) == (None if ends is None else covered(steps, ends)), (steps, view)


def test_branches_together_see_what_either_sees() -> None:
    for steps, other in product(OWN, repeat=2):
        together = steps.both(other)
        if together is None:
            assert steps.stride != other.stride
            continue
        for position in range(20):
            ends = [end for own in (steps, other) for end in own.at(position) or () if isinstance(end, int)]
            assert together.at(position) == (min(ends), max(ends))
