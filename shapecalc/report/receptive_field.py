"""The receptive field of a layer: size, stride and offset, in the terms of Araujo, Norris and Sim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from shapecalc.algebra import Dim, Expr, decide
from shapecalc.algebra.expr_text import grouped
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.layers.base import Merge
from shapecalc.layers.requirement import Shape
from shapecalc.record import record

if TYPE_CHECKING:
    from shapecalc.engine.alignment import Tracks
    from shapecalc.engine.receptive import Axis, Part, Seen


@record
class Extent:
    """The receptive field along one axis of an input; None where a number is not known."""

    size: Dim | None = None
    """How many positions are seen, the largest number where that differs from position to position."""
    stride: Fraction | int | None = None
    """How far the field moves for one position of the layer, 0 where it does not."""
    offset: Dim | None = None
    """The left edge of the field of the first position, negative in the padding."""
    varies: bool = False
    whole_input: bool = False
    exceeds_input: bool | None = None
    """Whether it is larger than the input; None where that depends on a size that is left free."""


@record
class ReceptiveField:
    """The receptive field of a layer in one input, with an extent for each spatial axis.

    >>> import shapecalc
    >>> field = shapecalc.load("vgg16").analyze()["stage5.max_pool2d"].field
    >>> field.size, field.stride, field.offset, field.exceeds_input
    ((212, 212), (32, 32), (-90, -90), False)
    """

    extents: tuple[Extent, ...]
    aligned: bool = True
    """Whether the branches that meet in the layer have their windows centred on the same positions."""

    @property
    def nothing(self) -> bool:
        """Whether nothing at all is seen of the inputs, as by a learned tensor."""
        return not self.extents

    @property
    def size(self) -> tuple[Dim | None, ...]:
        """How many positions are seen, at most; None where it is not known."""
        return tuple(extent.size for extent in self.extents)

    @property
    def stride(self) -> tuple[Fraction | int | None, ...]:
        """How far the field moves for one position of the layer."""
        return tuple(extent.stride for extent in self.extents)

    @property
    def offset(self) -> tuple[Dim | None, ...]:
        """The left edge of the field of the first position; negative in the padding."""
        return tuple(extent.offset for extent in self.extents)

    @property
    def varies(self) -> bool:
        """Whether the size differs from position to position."""
        return any(extent.varies for extent in self.extents)

    @property
    def whole_input(self) -> bool:
        """Whether every position sees all of the input, and nothing beside it."""
        return not self.nothing and all(extent.whole_input for extent in self.extents)

    @property
    def exceeds_input(self) -> bool | None:
        """Whether the field is larger than the input on some axis; None if that is not known."""
        exceeds = [extent.exceeds_input for extent in self.extents]
        return True if True in exceeds else None if None in exceeds else False

    def to_dict(self) -> dict[str, Any]:
        """Return the field as plain data for JSON: a fraction as text, such as 1/2."""
        numbers = {"size": self.size, "stride": self.stride, "offset": self.offset}
        names = ("varies", "nothing", "whole_input", "exceeds_input", "aligned")
        return {name: [*map(_plain, values)] for name, values in numbers.items()} | {
            name: getattr(self, name) for name in names
        }

    def __str__(self) -> str:
        return field_text(self)


def _plain(value: Dim | Fraction | None) -> int | str | None:
    return str(value) if isinstance(value, (Expr, Fraction)) else value


class ReceptiveFields:
    """The receptive fields of all tensors of an inference, computed when the first is requested."""

    nothing: ClassVar[ReceptiveField] = ReceptiveField(())

    def __init__(self, inference: Inference, inputs: Sequence[Shape], names: Sequence[str]) -> None:
        self.inference = inference
        self.inputs = inputs
        self.names = names
        self.channel_axis = inference.graph.channel_axis
        self._known: dict[int, dict[str, ReceptiveField]] = {}

    @cached_property
    def places(self) -> list[Axis]:
        """The spatial axes of the inputs."""
        from shapecalc.engine.receptive import places

        return places(self.inputs, self.channel_axis, batched=self.inference.graph.batched)

    @cached_property
    def seen(self) -> dict[int, Seen]:
        """What every tensor sees, by its slot."""
        from shapecalc.engine.receptive import receptive

        return receptive(self.inference, self.inputs, self.channel_axis)

    @cached_property
    def tracks(self) -> list[Tracks]:
        """What every tensor is centred on, by its slot."""
        from shapecalc.engine.alignment import tracks

        return tracks(self.inference, self.inputs, self.channel_axis)

    def of(self, node: GraphNode, output: Shape) -> dict[str, ReceptiveField]:
        """Return the field of a layer in every input of which it sees anything, or may see anything."""
        if node.first_slot not in self._known:
            self._known[node.first_slot] = dict(self._by_input(node, output))
        return self._known[node.first_slot]

    def _by_input(self, node: GraphNode, output: Shape) -> Iterator[tuple[str, ReceptiveField]]:
        seen = self.seen.get(node.first_slot, {})
        aligned = self.are_aligned(node, output)
        for number, name in enumerate(self.names):
            own = [axis for axis in self.places if axis[0] == number]
            if any(axis in seen for axis in own):
                extents = [_extent(seen.get(axis, ()), self.inputs[number][axis[1]]) for axis in own]
                yield name, ReceptiveField(tuple(extents), aligned)

    def sees_nothing(self, node: GraphNode) -> bool:
        """Whether a layer sees nothing of any input, though there is something to see."""
        return bool(self.places) and self.seen.get(node.first_slot) == {}

    def are_aligned(self, node: GraphNode, output: Shape) -> bool:
        """Whether the branches that meet in a layer are centred on the same positions."""
        if not isinstance(node.layer, Merge) or not node.layer.keeps_places or self.inference.graph.loops:
            return True
        from shapecalc.engine.alignment import misaligned

        sources = [(self.tracks[slot], self.inference.shapes[slot] or ()) for slot in node.sources]
        return not any(any(misaligned(sources, output, axis)) for axis in range(len(output)))


def _extent(parts: tuple[Part, ...] | None, n: Dim) -> Extent:
    if parts is None or len(parts) != 1 or parts[0].size is None:
        return Extent()
    (part,) = parts
    is_all = not part.axes and part.total is not None and part.total[0] == 0 and part.total[1] == n - 1
    exceeds = False if is_all else decide(parts[0].size, ">", n)
    steps = part.steps
    if steps is None:
        return Extent(part.size, whole_input=is_all, exceeds_input=exceeds)
    stride = steps.stride.numerator if steps.stride.denominator == 1 else steps.stride
    varies = any(size != part.size for size in steps.sizes) or None in steps.ranges
    return Extent(part.size, stride, steps.first, varies, is_all, exceeds)


def field_text(field: ReceptiveField | None) -> str:
    """Return a field as `427x427 s32 @-213`: its size, its stride and its offset; ? is not known.

    >>> field_text(ReceptiveField((Extent(3, 1, -1),) * 2))
    '3x3 s1 @-1'
    """
    if field is None:
        return "?"
    if field.nothing:
        return "nothing"
    notes = " > input" * bool(field.exceeds_input) + " misaligned" * (not field.aligned)
    if field.whole_input:
        return f"whole input{notes}"
    text = "≤" * field.varies + "x".join("?" if size is None else grouped(size) for size in field.size)
    if None not in field.stride:
        text += f" s{compact(field.stride)}"
    if None not in field.offset:
        text += f" @{compact(field.offset)}"
    return text + notes


def compact(values: Sequence[object]) -> str:
    """Return a value for each axis, one where all are equal: `3x5`, `3`."""
    texts = [str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)
