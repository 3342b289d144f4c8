"""Fractional max pooling: windows at random distances, as many as are asked for.

out = output_size            or else
out = ⌊n·output_ratio⌋       multiplied in double precision, as torch does
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.algebra.formula import Formula
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import NoMacs, NoWeights, NoWindow, Shapes
from shapecalc.layers.counts import Operations, greatest
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, placed, unknown
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Decimal, Each, Flag, Nullable, complaint
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.resample import in_doubles
from shapecalc.layers.roles import KernelSize
from shapecalc.layers.spatial import Spatial
from shapecalc.layers.unpool import OptionalSize


class _Part(Decimal):
    """An exact rational between zero and one, neither included, or a formula."""

    def check(self, value: Any) -> Any:
        found = super().check(value)
        if not isinstance(found, Formula) and not 0 < found < 1:
            raise complaint(f"a ratio must be more than 0 and less than 1, not {found}")
        return found

    def json_schema(self) -> dict[str, Any]:
        number, *others = super().json_schema()["anyOf"]
        return {"anyOf": [number | {"exclusiveMinimum": 0, "exclusiveMaximum": 1}, *others]}


Ratio = Annotated[Fraction | tuple[Fraction, ...] | None, Nullable(Each(_Part()))]


class FractionalMaxPool(
    NoWeights,
    NoMacs,
    NoWindow,
    Spatial,
    ranks=(2, 3),
    torch="torch.nn.FractionalMaxPool{rank}d",
):
    """The largest value of windows at random distances: `[N, C, {sizes}]` to `[N, C, *output_size]`.

    Instead of output_size, output_ratio takes a part of each side: ⌊n·ratio⌋. For a side that is left free
    only a ratio that doubles hold exactly has one answer. With return_indices the places of the maxima are a
    second result. Refuses an input without room for so many windows, both or neither of size and ratio, and
    other ranks. Source: Graham, Fractional Max-Pooling, 2014.

    >>> FractionalMaxPool{rank}d(kernel_size=3, output_ratio=0.5).output((1, 16, {each:50}))
    (1, 16, {each:25})
    """

    family = Family.FRACTIONAL_POOL
    unknown_dependence = ("places", "the windows are at random distances")

    spare: ClassVar[int] = 0
    """By how much more the input must be than what as many windows need, one apart."""

    kernel_size: KernelSize
    output_size: OptionalSize = None
    output_ratio: Ratio = None
    return_indices: Flag = False

    @model_validator(mode="after")
    def _size_or_ratio(self) -> Self:
        if (self.output_size is None) == (self.output_ratio is None):
            raise complaint(f"{self.kind} takes either output_size or output_ratio")
        return self

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        sizes = self.sizes(self.output(x))
        for axis, n, out, k in zip(
            AXES[self.rank], self.sizes(x), sizes, self.spread(self.kernel_size), strict=True
        ):
            yield Requirement(
                "too-small", out, ">=", 1, f"{self.kind}: the output {axis} would be {out}, less than 1"
            )
            needed = out + k - 1 + self.spare
            yield Requirement("too-small", n, ">=", needed, _too_many(self.kind, axis, n, out, k, needed))

    def output(self, x: Shape) -> Shape:
        if self.output_ratio is None:
            return self.resized(x, self.spread(self.output_size))
        pairs = zip(self.sizes(x), self.spread(self.output_ratio), strict=True)
        return self.resized(x, tuple(in_doubles(self.kind, n, ratio) for n, ratio in pairs))

    def dependence(self, x: Shape, result: int) -> Dependence:
        return (*placed(len(x) - self.rank), *unknown(self.rank))

    def outputs(self, x: Shape) -> Shapes:
        return (self.output(x),) * (1 + self.return_indices)

    def operations(self, x: Shape) -> Operations:
        results = product(self.output(x))
        return greatest(product(self.spread(self.kernel_size)) * results, results)


def _too_many(kind: str, axis: str, n: Dim, out: Dim, k: Dim, needed: Dim) -> Callable[[], str]:
    return lambda: (
        f"{kind}: {out} windows of {k} along the {axis} need an input of at least {needed}, not {n}"
    )


class FractionalMaxPool3d(FractionalMaxPool, rank=3):
    """Here torch needs one row more: n >= out + k, not n >= out + k - 1."""

    spare = 1


__getattr__ = of_rank(__name__)
