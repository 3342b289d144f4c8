"""Where every tensor of a network looks: the input positions that its positions are centred on.

Lines compose: a layer centred on first₂ + i·stride₂ of a tensor that is centred on first₁ + i·stride₁
of the input is centred on (first₁ + first₂·stride₁) + i·stride₁·stride₂ of it. Exact, as fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TypeAlias

from shapecalc.engine.graph import Inference
from shapecalc.layers.base import Kind, Layer, Merge
from shapecalc.layers.centre import Centre
from shapecalc.layers.requirement import Shape
from shapecalc.layers.wrapper import Wrapper
from shapecalc.record import record


@record
class Track:
    """Position i of an axis is centred on position `first + i·stride` of an axis of an input."""

    source: tuple[int, int]
    """The number of the input, and of its axis."""
    stride: Fraction = Fraction(1)
    first: Fraction = Fraction(0)

    def after(self, centre: Centre) -> Track:
        """Return the track of a result that is centred so on this tensor.

        >>> stem = Track((0, 2)).after(Centre(2, 2, Fraction(1, 2)))
        >>> stem.after(Centre(2, 2, 1)) == Track((0, 2), Fraction(4), Fraction(5, 2))
        True
        """
        return Track(self.source, self.stride * centre.stride, self.first + self.stride * centre.first)

    def comparable(self, other: Track) -> bool:
        """Say whether two tracks run along the same axis of the same input at the same pace."""
        return self.source == other.source and self.stride == other.stride


Tracks: TypeAlias = "tuple[Track | None, ...]"
"""The track of each axis of a tensor; None where nothing is known."""


def tracks(inference: Inference, inputs: Sequence[Shape], channel_axis: int) -> list[Tracks]:
    """Return the tracks of every tensor of an inference, by its slot.

    The axes of the batch and of the channels are left out: there, positions are no places.
    """
    by_slot: list[Tracks] = [()] * len(inference.shapes)  # a placeholder for a missing tensor is no node's
    for number, shape in enumerate(inputs):
        apart = {channel_axis % len(shape), *((0,) if inference.graph.batched else ())} if shape else set()
        axes = range(len(shape))
        by_slot[number] = tuple(None if axis in apart else Track((number, axis)) for axis in axes)
    for node, effect in zip(inference.graph.nodes, inference.effects, strict=True):
        if effect is None:
            continue
        sources = [(by_slot[slot], inference.shapes[slot] or ()) for slot in node.sources]
        result = _through(node.layer, sources, effect.outputs[0])
        for slot in node.slots:
            by_slot[slot] = result
    return by_slot


def _through(layer: Kind, sources: list[tuple[Tracks, Shape]], output: Shape) -> Tracks:
    if isinstance(layer, Wrapper):
        return _through(layer.layer, sources, output)
    if isinstance(layer, Layer):
        ((before, x),) = sources
        if len(before) != len(x):
            return ()
        return tuple(
            None if to is None or (track := before[to.axis]) is None else track.after(to)
            for to in layer.centres(x)
        )
    if isinstance(layer, Merge) and layer.keeps_places:
        return tuple(next(iter(tracked(sources, output, axis)), (0, None))[1] for axis in range(len(output)))
    return ()


def misaligned(
    sources: Sequence[tuple[Tracks, Shape]], output: Shape, axis: int
) -> Iterator[tuple[int, Track, int, Track]]:
    """Yield the tensors of a merge that are centred elsewhere than its first, each behind that first."""
    met = [*tracked(sources, output, axis)]
    for number, track in met[1:]:
        first, leader = met[0]
        if track.comparable(leader) and track.first != leader.first:
            yield first, leader, number, track


def tracked(sources: Sequence[tuple[Tracks, Shape]], output: Shape, axis: int) -> Iterator[tuple[int, Track]]:
    """Yield which tensors of a merge meet on an axis of its result, with their tracks.

    Those that are stretched along it, and those of which nothing is known, are left out.
    """
    from_end = axis - len(output)
    for number, (along, shape) in enumerate(sources):
        if len(along) == len(shape) >= -from_end and shape[from_end] == output[axis]:
            track = along[from_end]
            if track is not None:
                yield number, track
