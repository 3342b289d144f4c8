"""Fractional max pooling: as many windows as are requested, at random distances.

out = output_size            or else
out = ⌊n·output_ratio⌋       multiplied in double precision, as torch does
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import NoWindow
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, placed, unknown
from shapecalc.layers.effect import Shapes
from shapecalc.layers.extended_number import Open
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Each, Nullable, complaint
from shapecalc.layers.memory_traits import Mode, Own
from shapecalc.layers.pool import WithIndices
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.resample import in_doubles
from shapecalc.layers.roles import KernelSize
from shapecalc.layers.unpool import OptionalSize

Ratio = Annotated[Fraction | tuple[Fraction, ...] | None, Nullable(Each(Open(0, 1)))]


class FractionalMaxPool(NoWindow, WithIndices, ranks=(2, 3), torch="torch.nn.FractionalMaxPool{rank}d"):
    """The largest value of windows at random distances: `[N, C, {sizes}]` to `[N, C, *output_size]`.

    Instead of output_size, output_ratio takes a part of each side: ⌊n·ratio⌋. For a side that is left free
    only a ratio that doubles hold exactly has one answer. With return_indices the places of the maxima are a
    second result. Refuses an input without room for so many windows, both or neither of size and ratio, and
    other ranks. Source: Graham, Fractional Max-Pooling, 2014.

    >>> FractionalMaxPool{rank}d(kernel_size=3, output_ratio=0.5).output((1, 16, {each:50}))
    (1, 16, {each:25})
    """

    order = "kernel_size output_size output_ratio return_indices"
    family = Family.FRACTIONAL_POOL
    unknown_dependence = ("places", "the windows are at random distances")

    spare: ClassVar[int] = 0
    """By how much more the input must be than what as many windows need, one apart."""

    kernel_size: KernelSize
    output_size: OptionalSize = None
    output_ratio: Ratio = None

    @model_validator(mode="after")
    def _size_or_ratio(self) -> Self:
        if (self.output_size is None) == (self.output_ratio is None):
            raise complaint(f"{self.kind} takes either output_size or output_ratio")
        return self

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        columns = self.sizes(x), self.sizes(self.output(x)), self.spread(self.kernel_size)
        for axis, n, out, k in zip(AXES[self.rank], *columns, strict=True):
            says = f"{self.kind}: the output {axis} would be {out}, less than 1"
            yield Requirement("too-small", out, ">=", 1, says)
            needed = out + k - 1 + self.spare
            room = f"need an input of at least {needed}, not {n}"
            says = f"{self.kind}: {out} windows of {k} along the {axis} {room}"
            yield Requirement("too-small", n, ">=", needed, says)

    def output(self, x: Shape) -> Shape:
        if self.output_ratio is None:
            return self.resized(x, self.spread(self.output_size))
        pairs = zip(self.sizes(x), self.spread(self.output_ratio), strict=True)
        return self.resized(x, tuple(in_doubles(self.kind, n, ratio) for n, ratio in pairs))

    def dependence(self, x: Shape, result: int) -> Dependence:
        return (*placed(len(x) - self.rank), *unknown(self.rank))

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """The random numbers, and the places if they are not saved."""
        numbers = Own((*inputs[0][: -self.rank], self.rank))
        return ((numbers, *(() if mode.learns else self.makes(inputs, mode))),)

    def seen(self, x: Shape) -> Dim:
        return product(self.spread(self.kernel_size)) * product(self.output(x))


class FractionalMaxPool3d(FractionalMaxPool, rank=3):
    """Here torch needs one row more: n >= out + k, not n >= out + k - 1."""

    spare = 1


__getattr__ = of_rank(__name__)
