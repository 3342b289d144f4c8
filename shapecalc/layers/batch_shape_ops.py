"""Shapes that include the batch: every element arranged anew, axes of size 1 repeated, any axes padded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import Dim, product
from shapecalc.layers.arithmetic import padded, uncropped
from shapecalc.layers.base import Layer, NoOperations, NoWeights, NoWindow
from shapecalc.layers.dependence import Along, Dependence, placed, stretched
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Integer, Listed
from shapecalc.layers.flatten import Rearranging
from shapecalc.layers.memory_traits import Mode, Place
from shapecalc.layers.mixins import KeepsChannelsLast
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.layers.reshape import Sizes, completed, fits
from shapecalc.layers.roles import AsNumbers
from shapecalc.layers.strides import stretched_strides


class View(Rearranging, torch="torch.reshape"):
    """Arranges all elements anew, those of all samples together; one size may be -1.

    `shape` includes the batch; `reshape` keeps the first axis instead. Refuses a shape that does not hold as
    many elements. Source: torch.Tensor.view.

    >>> View(shape=[8, -1, 96]).output((2, 56, 56, 96))
    (8, 784, 96)
    """

    shape: Sizes

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield fits(self.kind, self.shape, product(x), shown(x))

    def output(self, x: Shape) -> Shape:
        return completed(self.shape, product(x))


class BroadcastTo(Rearranging, kind="broadcast_to", torch="torch.broadcast_to"):
    """Repeats axes of size 1 until the shape is `shape`; -1 keeps an axis, new ones come in front.

    Refuses fewer axes than the input has, and an axis that is neither 1 nor kept. Source:
    torch.Tensor.expand.

    >>> BroadcastTo(shape=[8, -1, -1]).output((1, 1, 768))
    (8, 1, 768)
    """

    shape: Annotated[tuple[Dim, ...], Listed(Integer(-1)), AsNumbers()]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        new = len(self.shape) - len(x)
        says = f"{self.kind}: {shown(x)} has more axes than the {len(self.shape)} of shape"
        yield Requirement("rank", new, ">=", 0, says)
        yield from (
            Requirement("expand", size, ">=", 1, f"{self.kind}: a new axis has no size to keep")
            for size in self.shape[:new]
        )
        for axis, (size, n) in enumerate(zip(self.shape[new:], x, strict=True)):
            if size != -1 and n != 1:
                says = f"{self.kind}: axis {axis} of {shown(x)} is {n}, not 1, so it cannot become {size}"
                yield Requirement("expand", n, "==", size, says)

    def output(self, x: Shape) -> Shape:
        new = len(self.shape) - len(x)
        kept = (n if size == -1 else size for size, n in zip(self.shape[new:], x, strict=True))
        return (*self.shape[:new], *kept)

    def rearranged_strides(self, x: Shape, strides: Shape) -> Shape:
        return stretched_strides(self.output(x), x, strides)

    def gradients(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        """Sums of that of the result, unless nothing is repeated."""
        x = inputs[0]
        return super().gradients(inputs, mode) if self.output(x) == x else (None,)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return stretched(x, self.output(x))


class Pad(
    KeepsChannelsLast, NoWeights, NoOperations, NoWindow, Layer, kind="pad", torch="torch.nn.functional.pad"
):
    """Padding of any axes: `pad` lists before and after of the last axis, then of the one before it.

    A negative amount crops. Refuses half a pair, more pairs than axes, and an axis of which nothing is left.

    >>> Pad(pad=[0, 0, 0, 3, 0, 5]).output((1, 64, 72, 96))
    (1, 69, 75, 96)
    """

    family = Family.PADDING
    saves = "nothing"

    pad: Annotated[tuple[Dim, ...], Listed(Integer())]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        values = len(self.pad)
        yield Requirement("axes", values % 2, "==", 0, f"{self.kind}: pad has {values} values, half a pair")
        says = f"{self.kind}: pad has {values // 2} pairs, but {shown(x)} has {len(x)} axes"
        yield Requirement("axes", len(x), ">=", values // 2, says)
        left = [(axis, uncropped(x[axis], *sides), 0) for axis, *sides in self._sides(x)]
        left += [(axis, n, 1) for axis, n in enumerate(self.output(x))]
        for axis, n, least in left:
            says = f"{self.kind}: nothing of axis {axis} of {shown(x)} is left"
            yield Requirement("too-small", n, ">=", least, says)

    def output(self, x: Shape) -> Shape:
        sizes = [*x]
        for axis, p0, p1 in self._sides(x):
            sizes[axis] = padded(x[axis], p0, p1)
        return tuple(sizes)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x), {axis: Along(axis, ((-p0, -p0),)) for axis, p0, _ in self._sides(x)})

    def _sides(self, x: Shape) -> Iterator[tuple[int, Dim, Dim]]:
        """Yield each axis that is padded, the last one first, with what is before and after."""
        return zip(range(len(x) - 1, -1, -1), self.pad[::2], self.pad[1::2], strict=False)
