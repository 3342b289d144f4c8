"""ONNX's operators that cut axes: slices in either direction, pieces of any sizes, the middle."""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, ceildiv, decide, maximum, minimum, quotient
from shapecalc.errors import Undecided
from shapecalc.layers.arithmetic import padded
from shapecalc.layers.base import Shapes
from shapecalc.layers.effect import replaced
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Index, Integer, Listed, Nullable, OneOf
from shapecalc.layers.onnx_operator import Integers, Operands, SomeAxes, an_axis, counted
from shapecalc.layers.onnx_shape import OnnxShaping, Sizes
from shapecalc.layers.requirement import Requirement, Shape, divides, shown
from shapecalc.layers.reshape import axes_exist

Places = Annotated[tuple[Dim | None, ...], Listed(Nullable(Integer()))]
"""Places along axes, counted from the end when negative; none is the first or the last."""


class OnnxSlice(OnnxShaping, kind="onnx_slice"):
    """Takes every step-th position from start to end of some axes: max(⌈(end - start)/step⌉, 0) of them.

    A negative start or end counts from the end of the axis, and what lies outside is cut off; a negative step
    goes backwards, and null is the first or the last position on the way. Refuses lists of other lengths than
    `dims`, and axes that there are not or that come twice. Source: ONNX, Slice.

    >>> OnnxSlice(dims=[1, 2], start=[-1, 1], end=[None, 1000], step=[-2, 1]).output({"data": (8, 5, 7)})
    (8, 3, 6)
    """

    dims: SomeAxes
    start: Places
    end: Places
    step: Annotated[tuple[int, ...] | None, Nullable(Listed(Integer(may_be_free=False)))] = None

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from axes_exist(self.kind, "dims", self.dims, x["data"])
        for name, values in (("start", self.start), ("end", self.end), ("step", self._step())):
            says = f"{self.kind}: {name} has {len(values)} entries, and dims {len(self.dims)}"
            yield Requirement("axes", len(values), "==", len(self.dims), says)
        for step in self._step():
            yield Requirement("axes", abs(step), ">=", 1, f"{self.kind}: a step of 0")

    def _step(self) -> tuple[int, ...]:
        return (1,) * len(self.dims) if self.step is None else self.step

    def output(self, x: Operands) -> Shape:
        sizes = [*x["data"]]
        axes = counted(self.dims, len(sizes))
        for axis, start, end, step in zip(axes, self.start, self.end, self._step(), strict=True):
            sizes[axis] = self._length(sizes[axis], start, end, step)
        return tuple(sizes)

    def _length(self, n: Dim, start: Dim | None, end: Dim | None, step: int) -> Dim:
        if step > 0:
            first, last = self._place(start, n, 0, n, 0), self._place(end, n, 0, n, n)
            return maximum(ceildiv(last - first, step), 0)
        first, last = self._place(start, n, 0, n - 1, n - 1), self._place(end, n, -1, n - 1, -1)
        return maximum(ceildiv(first - last, -step), 0)

    def _place(self, place: Dim | None, n: Dim, low: Dim, high: Dim, default: Dim) -> Dim:
        """Return a place counted from the front, between bounds."""
        if place is None:
            return default
        negative = decide(place, "<", 0)
        if negative is None:
            raise Undecided(f"{self.kind}: whether {place} counts from the end depends on what is free")
        return maximum(place + n, low) if negative else minimum(place, high)


class OnnxSplit(OnnxShaping, kind="onnx_split"):
    """Cuts axis `dim` into pieces: of the sizes listed, or `chunks` of ⌈n/chunks⌉, the last maybe smaller.

    Refuses sizes that do not add up to the axis, and more pieces than it has. Source: ONNX, Split.

    >>> OnnxSplit(chunks=3).outputs({"data": (7, 2)})
    ((3, 2), (3, 2), (1, 2))
    """

    dim: Index = 0
    sizes: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(0), 1))] = None
    chunks: Annotated[int, Integer(1, 4096, may_be_free=False)] = 1
    even: Flag = False

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["data"]
        yield from an_axis(self.kind, self.dim, data)
        n = data[self.dim]
        if self.even and self.sizes is None:
            yield divides(self.kind, "chunks", self.chunks, f"axis {self.dim}", n)
        pieces = self._pieces(n)
        says = f"{self.kind}: the pieces {list(pieces)} are not axis {self.dim} of {shown(data)}"
        yield Requirement("elements", sum(pieces), "==", n, says)
        yield Requirement("elements", pieces[-1], ">=", 0, says)

    def _pieces(self, n: Dim) -> tuple[Dim, ...]:
        if self.sizes is not None:
            return self.sizes
        size = quotient(n, self.chunks) if n % self.chunks == 0 else ceildiv(n, self.chunks)
        return (size,) * (self.chunks - 1) + (n - (self.chunks - 1) * size,)

    def output(self, x: Operands) -> Shape:
        return self.outputs(x)[0]

    def outputs(self, x: Operands) -> Shapes:
        data = x["data"]
        return tuple([replaced(data, self.dim, size) for size in self._pieces(data[self.dim])])


class OnnxCenterCropPad(OnnxShaping, kind="onnx_center_crop_pad"):
    """Crops or pads axes on both sides until they have these sizes. Refuses axes that there are not.

    Source: ONNX, CenterCropPad.

    >>> OnnxCenterCropPad(shape=[10, 7], dims=[0, 1]).output({"data": (20, 8, 3)})
    (10, 7, 3)
    """

    shape: Sizes
    dims: SomeAxes

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from axes_exist(self.kind, "dims", self.dims, x["data"])
        says = f"{self.kind}: shape has {len(self.shape)} sizes, and dims {len(self.dims)} axes"
        yield Requirement("axes", len(self.shape), "==", len(self.dims), says)

    def output(self, x: Operands) -> Shape:
        new = dict(zip(counted(self.dims, len(x["data"])), self.shape, strict=True))
        return tuple([new.get(axis, n) for axis, n in enumerate(x["data"])])


class OnnxPad(OnnxShaping, kind="onnx_pad"):
    """Pads or, by a negative amount, crops the axes in `dims`, or all: n becomes n + before + after.

    `pads` lists what is before of all these axes, then what is after. What is put there is `mode`. Refuses
    another number of amounts, axes that there are not, and less than nothing. Source: ONNX, Pad.

    >>> OnnxPad(pads=[1, -1, 2, 0], dims=[0, 2], mode="edge").output({"data": (3, 4, 5)})
    (6, 4, 4)
    """

    family = Family.PADDING

    pads: Integers
    dims: Annotated[tuple[int, ...] | None, Nullable(Listed(Integer(may_be_free=False)))] = None
    mode: Annotated[str, OneOf(("constant", "reflect", "edge", "wrap"))] = "constant"

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["data"]
        yield from axes_exist(self.kind, "dims", self._axes(data), data)
        wanted = 2 * len(self._axes(data))
        says = f"{self.kind}: pads has {len(self.pads)} amounts, not {wanted}"
        yield Requirement("axes", len(self.pads), "==", wanted, says)
        for n in self.output(x):
            yield Requirement("too-small", n, ">=", 0, f"{self.kind}: more is cut off than {shown(data)} has")

    def _axes(self, data: Shape) -> tuple[int, ...]:
        return tuple(range(len(data))) if self.dims is None else self.dims

    def output(self, x: Operands) -> Shape:
        sizes = [*x["data"]]
        axes = counted(self._axes(x["data"]), len(sizes))
        for axis, *sides in zip(axes, self.pads[: len(axes)], self.pads[len(axes) :], strict=True):
            sizes[axis] = padded(sizes[axis], *sides)
        return tuple(sizes)
