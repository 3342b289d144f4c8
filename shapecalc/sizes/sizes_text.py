"""Legal sizes as text for a terminal, as pieces and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from shapecalc.algebra.integer_set import EVERY_SIZE, IntegerSet
from shapecalc.algebra.region import Box, Region
from shapecalc.layers.requirement import shown
from shapecalc.render.lines import IndentedLine, as_page, as_text
from shapecalc.render.piece import Line, Page
from shapecalc.render.text_formula import formula
from shapecalc.sizes.answer import Nearest, Neighbour, Sizes, diagonal
from shapecalc.sizes.solving import Imposed

MOST_BOXES = 8


def text(sizes: Sizes, beside: Nearest | None = None) -> str:
    """Return the sizes, what imposes them, and those at which nothing is lost; then the nearest to one."""
    return as_text(_with_nearest(sizes, beside))


def sizes_page(sizes: Sizes, beside: Nearest | None = None) -> Page:
    """Return the same as pieces."""
    return as_page(_with_nearest(sizes, beside))


def _with_nearest(sizes: Sizes, beside: Nearest | None) -> Iterator[IndentedLine]:
    yield from _lines(sizes)
    if beside is not None:
        yield 0, ()
        yield from _nearest(beside)


def _lines(sizes: Sizes) -> Iterator[IndentedLine]:
    yield 0, (_heading(sizes),)
    yield 0, ()
    if sizes.failures:
        yield 0, ("No size is accepted:",)
        for failure in sizes.failures:
            yield 1, (f"{failure.place}: {failure.message}" if failure.place else failure.message,)
            yield 2, (f"in {failure.path}",)
        if sizes.region:
            yield 0, ("but for these, because a sum stretches a map of one pixel:",)
    elif not sizes.region:
        yield 0, ("No size is accepted: each of the conditions excludes what the others leave.",)
    else:
        yield 0, ("Accepted sizes",)
    if sizes.region:
        yield from _accepted(sizes)
    if sizes.imposed and not sizes.failures:
        yield 0, ()
        yield 0, ("Imposed by",)
        for path, conditions in groupby(sizes.imposed, lambda one: one.path):
            found = [*conditions]
            place = found[0].node.place.of(found[0].node.layer.kind)
            yield 1, (f"{path}: {found[0].node.layer.kind}" + (f" ({place})" if place else ""),)
            yield from ((2, _because(one, sizes.names)) for one in found)
    if sizes.region:
        yield 0, ()
        yield from _lossless(sizes)


def _heading(sizes: Sizes) -> str:
    shapes = ", ".join(
        shown(shape[sizes.front :]) if len(sizes.inputs) == 1 else f"{name} {shown(shape[sizes.front :])}"
        for name, shape in sizes.inputs.items()
    )
    built = ", ".join(f"{name} = {size}" for name, size in sizes.built.items())
    how = f", built at {built}" if built else ", built anew for each size"
    return f"{sizes.title} on {shapes}{how}{', all outputs' if sizes.outputs == 'all' else ''}"


def _accepted(sizes: Sizes) -> Iterator[IndentedLine]:
    boxes = sizes.usual.boxes
    if boxes:
        yield from set_lines(sizes.usual, sizes.names)
        if len(sizes.names) > 1 and len(sizes.inputs) == 1 and (len(boxes) > 1 or boxes[0].relations):
            yield 1, ("all sides equal: ", formula(diagonal(sizes.usual).text("n")))
    if sizes.stretched and not sizes.failures:
        yield 0, ("and because a sum stretches a map of one pixel",)
    if sizes.stretched:
        yield from set_lines(sizes.stretched, sizes.names)


def _lossless(sizes: Sizes) -> Iterator[IndentedLine]:
    if sizes.reading == sizes.region:
        yield 0, ("At each of them every window reads its input to the end: nothing is lost.",)
    elif not sizes.reading:
        yield 0, ("At each of them some window leaves the end of its input unread.",)
    else:
        yield 0, ("Every window reads its input to the end, so that nothing is lost, for",)
        yield from set_lines(sizes.reading, sizes.names)


def set_lines(region: Region, names: tuple[str, ...]) -> Iterator[IndentedLine]:
    """Yield a region, its formulas as such."""
    for line in written(region, names):
        yield 1, (formula(line) if any(sign in line for sign in _RELATIONS) else line,)


_RELATIONS = "=≡≥≤<>≠"


def written(region: Region, names: tuple[str, ...]) -> list[str]:
    """Return a region as lines: one per unknown for a single box, else one per box."""
    if not names:
        return ["the only size that the input has"] if region else ["none"]
    boxes = region.boxes
    if not boxes:
        return ["none"]
    if len(boxes) == 1:
        return [*_axes(boxes[0], names), *_relations(boxes[0])]
    shown_ = boxes if len(boxes) <= MOST_BOXES + 1 else boxes[:MOST_BOXES]
    lines = ["; ".join((*_axes(box, names), *_relations(box))) for box in shown_]
    left = len(boxes) - len(shown_)
    return [*lines, f"and {left} more ranges"] if left else lines


def _axes(box: Box, names: tuple[str, ...]) -> list[str]:
    """Return the sets of a box, unknowns with the same set together."""
    together: dict[IntegerSet, list[str]] = {}
    for name, one in zip(names, box.sets, strict=True):
        together.setdefault(one, []).append(name)
    return [one.text(", ".join(own)) for one, own in together.items()]


def _relations(box: Box) -> list[str]:
    return [str(relation) for relation in box.relations]


def _because(one: Imposed, names: tuple[str, ...]) -> Line:
    boxes = one.region.boxes
    needed = formula(str(one.requirement))
    if len(boxes) != 1 or boxes[0].relations:
        return (needed,)
    axes = [own.text(name) for name, own in zip(names, boxes[0].sets, strict=True) if own != EVERY_SIZE]
    return needed, ", so ", formula("; ".join(axes))


def _nearest(found: Nearest) -> Iterator[IndentedLine]:
    """Yield the nearest legal sizes and the padding or cropping that reaches them."""
    asked = "x".join(map(str, found.asked.values()))
    if found.is_legal:
        yield 0, (f"{asked} is accepted",)
        return
    yield 0, (f"{asked} is not accepted",)
    for name, one in (("below", found.below), ("above", found.above)):
        yield 1, (f"nearest {name}: {_reached(one)}" if one else f"none {name}",)


def _reached(one: Neighbour) -> str:
    changes = [
        f"{'pad' if after > 0 else 'crop'} {name} by {abs(before)} and {abs(after)}"
        for name, (before, after) in one.change.items()
        if before or after
    ]
    return f"{'x'.join(map(str, one.sizes.values()))}: {', '.join(changes)}"


def nearest_to_dict(found: Nearest) -> dict[str, Any]:
    """Return the nearest legal sizes as plain data for JSON."""
    return asdict(found)


def to_dict(sizes: Sizes) -> dict[str, Any]:
    """Return the sizes as plain data for JSON."""
    return {
        "name": sizes.title,
        "inputs": {
            name: [size if isinstance(size, int) else str(size) for size in shape[sizes.front :]]
            for name, shape in sizes.inputs.items()
        },
        "sizes": list(sizes.names),
        "built": sizes.built,
        "outputs": sizes.outputs,
        "legal": _region(sizes.region),
        "text": written(sizes.region, sizes.names),
        "stretched": _region(sizes.stretched),
        "lossless": _region(sizes.reading),
        "imposed": [
            {
                "path": one.path,
                "kind": one.node.layer.kind,
                "file": one.node.place.file,
                "line": one.node.place.of(one.node.layer.kind).line,
                "relation": str(one.requirement),
                "legal": _region(one.region),
            }
            for one in sizes.imposed
        ],
        "failures": [{"path": one.path, "message": one.message} for one in sizes.failures],
    }


def _region(region: Region) -> list[dict[str, Any]]:
    return [
        {
            "sets": {name: _set(one) for name, one in zip(region.names, box.sets, strict=True)},
            "relations": _relations(box),
        }
        for box in region.boxes
    ]


def _set(one: IntegerSet) -> dict[str, Any]:
    return {
        "stretches": [list(stretch) for stretch in one.early],
        "from": one.start,
        "modulus": one.modulus,
        "residues": sorted(one.residues),
    }
