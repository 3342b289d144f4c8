"""Regions of sizes as lines for a reader and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.algebra.integer_set import IntegerSet
from shapecalc.algebra.region import Box, Region
from shapecalc.render.lines import IndentedLine
from shapecalc.render.text_formula import formula

MOST_BOXES = 8
_OPERATORS = "=≡≥≤<>≠"


def set_lines(region: Region) -> Iterator[IndentedLine]:
    """Yield a region, its formulas as such."""
    for line in written(region):
        yield 1, (formula(line) if any(sign in line for sign in _OPERATORS) else line,)


def written(region: Region) -> list[str]:
    """Return a region as lines: one per unknown for a single box, else one per box.

    >>> from shapecalc.algebra.region import everything
    >>> written(everything(("H", "W")))
    ['any H, W']
    """
    if not region.names:
        return ["the only size that the input has"] if region else ["none"]
    boxes = region.boxes
    if not boxes:
        return ["none"]
    if len(boxes) == 1:
        return _conditions(boxes[0], region.names)
    listed = boxes if len(boxes) <= MOST_BOXES + 1 else boxes[:MOST_BOXES]
    lines = ["; ".join(_conditions(box, region.names)) for box in listed]
    left = len(boxes) - len(listed)
    return [*lines, f"and {left} more ranges"] if left else lines


def _conditions(box: Box, names: tuple[str, ...]) -> list[str]:
    """Return the sets of a box, unknowns with the same set together, and its relations."""
    together: dict[IntegerSet, list[str]] = {}
    for name, axis in zip(names, box.sets, strict=True):
        together.setdefault(axis, []).append(name)
    return [*(axis.text(", ".join(own)) for axis, own in together.items()), *map(str, box.relations)]


def plain_region(region: Region) -> list[dict[str, Any]]:
    """Return a region as plain data for JSON."""
    return [
        {
            "sets": {name: _plain_set(axis) for name, axis in zip(region.names, box.sets, strict=True)},
            "relations": [*map(str, box.relations)],
        }
        for box in region.boxes
    ]


def _plain_set(axis: IntegerSet) -> dict[str, Any]:
    return {
        "stretches": [[*stretch] for stretch in axis.early],
        "from": axis.start,
        "modulus": axis.modulus,
        "residues": sorted(axis.residues),
    }


def plain_shape(shape: tuple[Dim, ...]) -> list[int | str]:
    """Return a shape as plain data for JSON: closed forms as text."""
    return [size if isinstance(size, int) else str(size) for size in shape]
