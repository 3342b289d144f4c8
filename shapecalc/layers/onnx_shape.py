"""ONNX's operators that arrange, repeat, cut and fold, where torch's have another rule or none."""

from collections.abc import Iterator
from itertools import starmap
from typing import Annotated

from shapecalc.algebra import Dim, product, quotient
from shapecalc.layers.arithmetic import window
from shapecalc.layers.fields import Count, Flag, Index, Integer, Listed, Nullable
from shapecalc.layers.merge import broadcast, stretches
from shapecalc.layers.onnx_operator import Integers, Moving, Operands, SomeAxes, counted
from shapecalc.layers.requirement import Requirement, Shape, divides, shown
from shapecalc.layers.reshape import axes_exist
from shapecalc.layers.roles import AsNumbers

Sizes = Annotated[tuple[Dim, ...], Listed(Integer(0)), AsNumbers()]
"""A list of sizes."""
Window = Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(1)))]
"""A number of at least 1 for each axis; none is 1 for all."""
NOT_GIVEN = -1


class OnnxShaping(Moving):
    """An operator on one tensor, whose other operands are fields."""

    operands = "data"


class OnnxReshape(OnnxShaping, kind="onnx_reshape"):
    """Arranges all elements anew: `shape` includes the batch, one size may be -1, and 0 keeps the axis.

    With `allowzero` a 0 is a size. Refuses a shape that does not hold as many elements, and a 0 for an axis
    that there is not. Source: ONNX, Reshape.

    >>> OnnxReshape(shape=[0, 0, 12, -1]).output({"data": (2, 197, 768)})
    (2, 197, 12, 64)
    """

    shape: Annotated[tuple[Dim, ...], Listed(Integer(-1)), AsNumbers()]
    allowzero: Flag = False

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["data"]
        kept = [axis for axis, size in enumerate(self.shape) if size == 0 and not self.allowzero]
        open_ = [size for size in self.shape if size == NOT_GIVEN]
        yield Requirement("elements", 1, ">=", len(open_), f"{self.kind}: {list(self.shape)} has -1 twice")
        for axis in kept:
            says = f"{self.kind}: a 0 keeps axis {axis}, and {shown(data)} has {len(data)} axes"
            yield Requirement("rank", len(data), ">=", axis + 1, says)
        known, total = product(self._known(data)), product(data)
        text = f"{self.kind}: {shown(data)} has {total} elements, and {shown(self.shape)} holds"
        if not open_:
            yield Requirement("elements", known, "==", total, f"{text} {known}")
        else:
            yield Requirement("elements", known, ">=", 1, f"{text} none")
            yield Requirement("elements", total % known, "==", 0, f"{text} a multiple of {known}")

    def _known(self, data: Shape) -> list[Dim]:
        sizes = [
            data[axis] if size == 0 and not self.allowzero else size for axis, size in enumerate(self.shape)
        ]
        return [size for size in sizes if size != NOT_GIVEN]

    def output(self, x: Operands) -> Shape:
        data = x["data"]
        known = self._known(data)
        sizes = iter(known)
        rest = quotient(product(data), product(known)) if NOT_GIVEN in self.shape else 0
        return tuple([rest if size == NOT_GIVEN else next(sizes) for size in self.shape])


class OnnxFlatten(OnnxShaping, kind="onnx_flatten"):
    """Makes a matrix of a tensor: the axes before `dim` are the rows, the others the columns.

    Refuses an axis that there is not. Source: ONNX, Flatten.

    >>> OnnxFlatten(dim=2).output({"data": (2, 3, 4, 5)})
    (6, 20)
    """

    dim: Index = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["data"]
        says = f"{self.kind}: dim = {self.dim} is not from {-len(data)} to {len(data)}"
        yield Requirement("axis", self.dim, ">=", -len(data), says)
        yield Requirement("axis", len(data), ">=", self.dim, says)

    def output(self, x: Operands) -> Shape:
        data = x["data"]
        axis = self.dim + len(data) if self.dim < 0 else self.dim
        return (product(data[:axis]), product(data[axis:]))


class OnnxSqueeze(OnnxShaping, kind="onnx_squeeze"):
    """Drops axes of size 1. Refuses axes that are not 1, that there are not, or that come twice.

    Source: ONNX, Squeeze with axes.

    >>> OnnxSqueeze(dims=[2, -1]).output({"data": (1, 512, 1, 1)})
    (1, 512)
    """

    dims: SomeAxes

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["data"]
        yield from axes_exist(self.kind, "dims", self.dims, data)
        for axis in self.dims:
            says = f"{self.kind}: axis {axis} of {shown(data)} is {data[axis]}, not 1"
            yield Requirement("shape", data[axis], "==", 1, says)

    def output(self, x: Operands) -> Shape:
        data = x["data"]
        gone = counted(self.dims, len(data))
        return tuple([n for axis, n in enumerate(data) if axis not in gone])


class OnnxExpand(OnnxShaping, kind="onnx_expand"):
    """Stretches a tensor and `shape` to one another: in both, axes of size 1 are repeated.

    A free size is taken not to be 1. Refuses sizes that differ where neither is 1. Source: ONNX, Expand.

    >>> OnnxExpand(shape=[2, 1, 6]).output({"data": (3, 1)})
    (2, 3, 6)
    """

    shape: Sizes

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        return stretches(self.kind, (x["data"], self.shape)) if x["data"] and self.shape else iter(())

    def output(self, x: Operands) -> Shape:
        return broadcast((x["data"], self.shape))


class OnnxTile(OnnxShaping, kind="onnx_tile"):
    """Repeats a tensor along every axis: n becomes n·repeats. Refuses another number of repeats than axes.

    Source: ONNX, Tile.

    >>> OnnxTile(repeats=[1, 2, 3]).output({"data": (1, 4, 5)})
    (1, 8, 15)
    """

    repeats: Annotated[tuple[Dim, ...], Listed(Integer(0))]

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        says = f"{self.kind}: repeats has {len(self.repeats)} entries, and {shown(x['data'])} other axes"
        yield Requirement("rank", len(self.repeats), "==", len(x["data"]), says)

    def output(self, x: Operands) -> Shape:
        return tuple([n * times for n, times in zip(x["data"], self.repeats, strict=True)])


class OnnxBlocks(OnnxShaping):
    """What moves between channels and blocks of pixels, in the order of ONNX."""

    block_size: Count

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, data=4)
        for n, by, name in self.divided(x["data"]):
            yield divides(self.kind, "block_size", by, name, n)

    def divided(self, data: Shape) -> tuple[tuple[Dim, Dim, str], ...]:
        """Return sizes, what must divide them, and what they are called."""
        return ((data[1], self.block_size * self.block_size, "the channels"),)


class OnnxDepthToSpace(OnnxBlocks, kind="onnx_depth_to_space"):
    """Channels become blocks of pixels, the blocks slowest: `[N, C·b², H, W]` to `[N, C, H·b, W·b]`.

    Refuses channels that b² does not divide. Source: ONNX, DepthToSpace in the mode DCR; CRD is
    `pixel_shuffle`.

    >>> OnnxDepthToSpace(block_size=2).output({"data": (1, 12, 4, 5)})
    (1, 3, 8, 10)
    """

    def output(self, x: Operands) -> Shape:
        (n, channels, *sizes), b = x["data"], self.block_size
        return (n, quotient(channels, b * b), *[size * b for size in sizes])


class OnnxSpaceToDepth(OnnxBlocks, kind="onnx_space_to_depth"):
    """Blocks of pixels become channels, the blocks slowest: `[N, C, H·b, W·b]` to `[N, C·b², H, W]`.

    Refuses sides that b does not divide. Source: ONNX, SpaceToDepth.

    >>> OnnxSpaceToDepth(block_size=2).output({"data": (1, 3, 8, 10)})
    (1, 12, 4, 5)
    """

    def divided(self, data: Shape) -> tuple[tuple[Dim, Dim, str], ...]:
        return tuple(
            [(n, self.block_size, name) for n, name in zip(data[2:], ("height", "width"), strict=True)]
        )

    def output(self, x: Operands) -> Shape:
        (n, channels, *sizes), b = x["data"], self.block_size
        return (n, channels * b * b, *[quotient(size, b) for size in sizes])


class OnnxCol2Im(OnnxShaping, kind="onnx_col2im"):
    """Puts columns back to where they are in an image: `[N, C·∏ k, L]` to `[N, C, *output_size]`.

    L is the number of windows of that size and those strides, dilations and sides in the image. Refuses
    channels that ∏ k does not divide, and another L. Source: ONNX, Col2Im.

    >>> OnnxCol2Im(output_size=[5, 5], block=[1, 5]).output({"data": (1, 5, 5)})
    (1, 1, 5, 5)
    """

    output_size: Sizes
    block: Annotated[tuple[Dim, ...], Listed(Integer(1))]
    strides: Window = None
    dilations: Window = None
    pads: Annotated[Integers | None, Nullable(Listed(Integer(0)))] = None

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        yield from self.ranked(x, data=3)
        rank = len(self.output_size)
        for values, wanted in (
            (self.block, rank),
            (self._of(self.strides), rank),
            (self._of(self.dilations), rank),
            (self._pads(), 2 * rank),
        ):
            yield Requirement(
                "axes", len(values), "==", wanted, f"{self.kind}: {list(values)} is not for {rank} axes"
            )
        yield divides(self.kind, "the product of block", product(self.block), "axis 1", x["data"][1])
        pads = self._pads()
        columns = zip(
            self.output_size,
            self.block,
            self._of(self.strides),
            self._of(self.dilations),
            pads[:rank],
            pads[rank:],
            strict=True,
        )
        counts = [*starmap(window, columns)]
        for count in counts:
            yield Requirement(
                "too-small", count, ">=", 1, f"{self.kind}: no window fits into {shown(self.output_size)}"
            )
        total = product(counts)
        says = f"{self.kind}: {shown(self.output_size)} has {total} windows, and axis 2 is {x['data'][2]}"
        yield Requirement("elements", x["data"][2], "==", total, says)

    def _of(self, values: tuple[Dim, ...] | None) -> tuple[Dim, ...]:
        return (1,) * len(self.output_size) if values is None else values

    def _pads(self) -> tuple[Dim, ...]:
        return (0,) * (2 * len(self.output_size)) if self.pads is None else self.pads

    def output(self, x: Operands) -> Shape:
        n, channels, _ = x["data"]
        return (n, quotient(channels, product(self.block)), *self.output_size)
