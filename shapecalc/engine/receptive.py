"""Receptive fields: what the positions of every tensor see of the network's inputs, exact over branches.

For every tensor and every axis of an input on which positions are places, a few `Part`s say what is seen
there, each determined by its own axes of the tensor: none for what is the same everywhere (behind a
global pooling), one for a window that moves, several where positions were scattered (behind a reshape).
Where tensors meet, the field is the smallest interval that holds those of all. A dependence that a kind does
not state is unknown, and stays so until a branch beside it sees the complete input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from shapecalc.algebra import Dim, decide, maximum, minimum
from shapecalc.engine.graph import Inference
from shapecalc.engine.span import LONGEST_PERIOD, Steps, hull, is_within, joint, moved, reach
from shapecalc.errors import Undecided
from shapecalc.layers.dependence import (
    NOTHING,
    Along,
    Before,
    Dependence,
    Everything,
    Fixed,
    Range,
    Scattered,
)
from shapecalc.layers.requirement import Shape
from shapecalc.record import record

Axis: TypeAlias = tuple[int, int]
"""The number of an input, and of one of its axes."""


@record
class Part:
    """What is seen of one axis of an input, as far as some axes of a tensor determine it."""

    axes: frozenset[int]
    """The axes of the tensor whose position determines what is seen."""
    size: Dim | None
    """How much one position spans at most; None if it is not known."""
    total: Range | None
    """What all positions see together, inside the input; None if it is not known."""
    steps: Steps | None = None
    """The intervals, where they move evenly with one axis, or are the same everywhere."""
    origin: int | None = None
    """The tensor in which positions were scattered."""


Seen: TypeAlias = "dict[Axis, tuple[Part, ...] | None]"
"""By the axis of an input; None where it is not known, and nothing where nothing is seen of it."""


def places(inputs: Sequence[Shape], channel_axis: int, *, batched: bool) -> list[Axis]:
    """Return the axes of the inputs on which positions are places: all but the batch and the channels.

    An axis that is alone behind the batch is one of places: of the words of a sentence.
    """
    axes_of_places: list[Axis] = []
    for number, shape in enumerate(inputs):
        axes = range(1 if batched else 0, len(shape))
        channels = channel_axis % len(shape) if shape else 0
        axes_of_places += [(number, axis) for axis in axes if axis != channels or len(axes) == 1]
    return axes_of_places


def receptive(inference: Inference, inputs: Sequence[Shape], channel_axis: int) -> dict[int, Seen]:
    """Return what every tensor of an inference sees, by its slot."""
    sizes = {
        (number, axis): inputs[number][axis]
        for number, axis in places(inputs, channel_axis, batched=inference.graph.batched)
    }
    seen: dict[int, Seen] = {number: {} for number in range(len(inputs))}
    for (number, axis), n in sizes.items():
        seen[number][number, axis] = (Part(frozenset({axis}), 1, (0, n - 1), Steps()),)
    unknown: Seen = dict.fromkeys(sizes)
    for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
        if effect is None or node.loops or any(slot not in seen for slot in node.sources):
            seen |= dict.fromkeys(node.slots, unknown)
            continue
        shapes = tuple([inference.shapes[slot] or () for slot in node.sources])
        for result, slot in enumerate(node.slots):
            depends_on = node.layer.depends_on(shapes, result)
            sources = [
                _Source(seen[source], dependence, shape)
                for source, dependence, shape in zip(node.sources, depends_on, shapes, strict=True)
            ]
            seen[slot] = _seen(sources, sizes, effect.outputs[result], slot)
    return seen


@record
class _Source:
    seen: Seen
    dependence: Dependence
    shape: Shape


def _seen(sources: Sequence[_Source], sizes: Mapping[Axis, Dim], output: Shape, slot: int) -> Seen:
    seen: Seen = {}
    for axis, n in sizes.items():
        try:
            parts = [part for source in sources for part in _behind(source, axis, output, slot)]
            if parts:  # else no source sees anything of it, or is seen itself
                seen[axis] = _together(parts, (0, n - 1), output, slot)
        except Undecided:  # which of several formulas is the least depends on what is free
            seen[axis] = None
    return seen


def _behind(source: _Source, axis: Axis, output: Shape, slot: int) -> list[Part | None]:
    """Return the parts of one source behind the layer, None for what is not known."""
    parts = source.seen.get(axis, ()) if NOTHING not in source.dependence else ()
    return [None] if parts is None else [_through(part, source, output, slot) for part in parts]


# ---- through one layer


def _through(part: Part, source: _Source, output: Shape, slot: int) -> Part | None:
    """Return a part behind a layer, or None if what it sees is not known."""
    if not part.axes:
        return part
    if part.steps is None:
        return _through_scattered(part, source, output, slot)
    (axis,) = part.axes
    match source.dependence[axis]:
        case Everything():
            return None if part.total is None else constant(part.total)
        case Scattered(axes):
            return Part(axes, part.size, part.total, None, slot)
        case Before(onto):
            seen = part.steps.over(0, source.shape[axis] - 1)
            size = None if seen is None else seen[1] - seen[0] + 1
            return Part(frozenset({onto}), size, part.total, None, slot)
        case Fixed(first, last):
            seen = part.steps.over(first, last)
            return None if seen is None else constant(seen)
        case Along() as view:
            steps = part.steps.after(view)
            if steps is None:
                return None
            total = _total(part, part.steps, view, source.shape[axis], output[view.axis])
            return Part(frozenset({view.axis}), steps.widest, total, steps)
    return None


def _through_scattered(part: Part, source: _Source, output: Shape, slot: int) -> Part | None:
    axes: set[int] = set()
    size, total, origin = part.size, part.total, part.origin
    for axis in part.axes:
        match source.dependence[axis]:
            case None:
                return None
            case Everything():
                size = None
            case Before(onto):
                axes.add(onto)
                size, origin = None, slot
            case Scattered(onto):
                axes |= onto
                origin = slot
            case Fixed():
                size = total = None
            case Along() as view:
                axes.add(view.axis)
                if not view.is_itself or output[view.axis] != source.shape[axis]:
                    origin = slot
                    moves_only = all(seen is not None and seen[0] == seen[1] for seen in view.ranges)
                    size = size if moves_only else None
                    total = total if _reaches_all(view, source.shape[axis], output[view.axis]) else None
    if not axes:
        return None if total is None else constant(total)
    return Part(frozenset(axes), size, total, None, origin)


def constant(seen: Range) -> Part:
    """Return what is the same for every position."""
    return Part(frozenset(), seen[1] - seen[0] + 1, seen, Steps((seen,), 0))


def _total(part: Part, steps: Steps, view: Along, n: Dim, out: Dim) -> Range | None:
    """Return what all results see together: what those positions see that are read and are no padding."""
    if part.total is None:
        return None
    read = reach(view, out)
    if read is None:
        return None
    from_start, to_end = decide(read[0], "<=", 0), decide(read[1], ">=", n - 1)
    if from_start and to_end:
        return part.total
    if from_start is None or (to_end is None and decide(read[1], "<=", n - 1) is not True):
        return None
    seen = steps.over(0 if from_start else read[0], n - 1 if to_end else read[1])
    if seen is None:
        return None
    low = part.total[0] if from_start else maximum(seen[0], part.total[0])
    return low, part.total[1] if to_end else _least(seen[1], part.total[1])


def _least(x: Dim, y: Dim) -> Dim:
    return x if decide(x, "<=", y) else y if decide(y, "<=", x) else minimum(x, y)


def _reaches_all(view: Along, n: Dim, out: Dim) -> bool:
    """Whether every position of an axis is known to be read."""
    read = reach(view, out)
    if read is None or decide(read[0], "<=", 0) is not True or decide(read[1], ">=", n - 1) is not True:
        return False
    following = [*view.ranges[1:], moved(view.ranges[0], view.shift)]
    return all(
        seen is not None and after is not None and decide(after[0], "<=", seen[1] + 1) is True
        for seen, after in zip(view.ranges, following, strict=True)
    )


# ---- where several meet


def _together(parts: list[Part | None], complete: Range, output: Shape, slot: int) -> tuple[Part, ...] | None:
    """Return the union of parts, as few of them as possible; what sees the complete input sees the others."""
    if len(parts) == 1:
        return None if parts[0] is None else (parts[0],)
    by_axes: dict[frozenset[int], Part | None] = {}
    for part in parts:
        if part is not None:
            before = by_axes.setdefault(part.axes, part)
            by_axes[part.axes] = before and _union(before, part, output, slot)
    everywhere = by_axes.get(frozenset())
    if everywhere is not None and everywhere.total is not None:
        if is_within(complete, everywhere.total):
            return (everywhere,)
        for axes, part in [*by_axes.items()]:
            if axes and part and part.total is not None and is_within(part.total, everywhere.total):
                del by_axes[axes]
    known = [part for part in by_axes.values() if part is not None]
    return None if None in parts or len(known) < len(by_axes) else tuple(known)


def _union(x: Part, y: Part, output: Shape, slot: int) -> Part | None:
    """Return the union of two parts determined by the same axes; None if it is not known."""
    if x == y:
        return x
    total = None if x.total is None or y.total is None else hull(x.total, y.total)
    if not x.axes:
        return None if total is None else constant(total)
    if x.steps is not None and y.steps is not None:
        steps = x.steps.both(y.steps)
        if steps is not None:
            return Part(x.axes, steps.widest, total, steps)
        (axis,) = x.axes
        return Part(x.axes, _widest(x.steps, y.steps, output[axis]), total, None, slot)
    if x.origin is None or x.origin != y.origin or x.size is None or y.size is None:
        return Part(x.axes, None, total, None, slot)
    return Part(x.axes, maximum(x.size, y.size), total, None, x.origin)


def _widest(x: Steps, y: Steps, positions: Dim) -> Dim | None:
    """Return how much any position spans of two that move at different paces, each looked at."""
    if not isinstance(positions, int) or positions > LONGEST_PERIOD:
        return None
    ranges = tuple(joint([x.at(position), y.at(position)]) for position in range(positions))
    return Steps(ranges).widest if any(ranges) else None


__all__ = ["Axis", "Part", "Seen", "constant", "places", "receptive"]
