"""ONNX's Resize and Upsample, of any axes, by scales or to sizes.

    out = size                          or else
    out = ⌊n·scale⌋                     the scale a number of single precision

The standard multiplies in double precision, some runtimes in single precision: where they differ, as for
10·0.7, and for a free size with a scale that is not exact in binary, the answer is Undecided.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import floor
from struct import pack, unpack
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.algebra import Dim
from shapecalc.errors import Undecided
from shapecalc.layers.arithmetic import scaled
from shapecalc.layers.counts import NOTHING, Operations
from shapecalc.layers.extended_number import Open
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Integer, Listed, Nullable, OneOf, complaint
from shapecalc.layers.onnx_operator import Computing, Operands, counted
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.layers.reshape import axes_exist
from shapecalc.layers.roles import AsNumbers

Scales = Annotated[tuple[Fraction | int, ...] | None, Nullable(Listed(Open(0)))]
POLICIES = ("stretch", "not_larger", "not_smaller")


class OnnxResize(Computing, kind="onnx_resize"):
    """Resizes the axes in `dims`, all if left out, to `sizes` or by `scales`: n becomes ⌊n·scale⌋.

    With the policy `not_larger` or `not_smaller` all of these axes have one scale, the least or the greatest
    of size/n, and n becomes n·scale rounded. Refuses lists of other lengths, and an empty result. Source:
    ONNX, Resize, Upsample.

    >>> OnnxResize(scales=[1, 1, 0.5, 1.5]).output({"X": (1, 3, 7, 7)})
    (1, 3, 3, 10)
    >>> OnnxResize(sizes=[7, 8], dims=[2, 3], policy="not_larger").output({"X": (1, 1, 2, 4)})
    (1, 1, 4, 8)
    """

    family = Family.RESAMPLE
    operands = "X"

    sizes: Annotated[tuple[Dim, ...] | None, Nullable(Listed(Integer(0))), AsNumbers()] = None
    scales: Scales = None
    dims: Annotated[tuple[int, ...] | None, Nullable(Listed(Integer(may_be_free=False)))] = None
    mode: Annotated[str, OneOf(("nearest", "linear", "cubic"))] = "nearest"
    policy: Annotated[str, OneOf(POLICIES)] = "stretch"

    @model_validator(mode="after")
    def _sizes_or_scales(self) -> Self:
        if (self.sizes is None) == (self.scales is None):
            raise complaint(f"{self.kind} takes either sizes or scales")
        return self

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        data = x["X"]
        yield from axes_exist(self.kind, "dims", self._axes(data), data)
        values = self.scales if self.sizes is None else self.sizes
        wanted = len(self._axes(data))
        says = f"{self.kind}: {len(values or ())} values for {wanted} axes of {shown(data)}"
        yield Requirement("axes", len(values or ()), "==", wanted, says)
        for axis, out in zip(self._axes(data), self._resized(data), strict=True):
            yield Requirement(
                "too-small", out, ">=", 1, f"{self.kind}: nothing of axis {axis} of {shown(data)} is left"
            )

    def _axes(self, data: Shape) -> tuple[int, ...]:
        return tuple(range(len(data))) if self.dims is None else self.dims

    def _resized(self, data: Shape) -> Iterator[Dim]:
        kept = [data[axis] for axis in self._axes(data)]
        if self.scales is not None:
            return iter([self._scaled(n, scale) for n, scale in zip(kept, self.scales, strict=True)])
        if self.policy == "stretch":
            return iter(self.sizes or ())
        sizes = [float(size) for size in self.sizes or () if isinstance(size, int)]
        numbers = [float(n) for n in kept if isinstance(n, int) and n]
        if len(sizes) < len(kept) or len(numbers) < len(kept):
            raise Undecided(f"{self.kind}: the policy {self.policy} depends on what is free")
        ratios = [size / n for size, n in zip(sizes, numbers, strict=True)]
        ratio = min(ratios) if self.policy == "not_larger" else max(ratios)
        return iter([floor(ratio * n + 0.5) for n in numbers])

    def _scaled(self, n: Dim, scale: Fraction | int) -> Dim:
        factor = _single(float(scale))
        if not isinstance(n, int):
            if Fraction(factor) == scale and scale.numerator < 4096:
                return scaled(n, scale.numerator, scale.denominator)
            raise Undecided(f"{self.kind}: ⌊{n}·{float(scale)}⌋ depends on how {float(scale)} is rounded")
        exact, rounded = floor(float(n) * factor), floor(_single(float(n) * factor))
        if exact != rounded:
            raise Undecided(
                f"{self.kind}: ⌊{n}·{float(scale)}⌋ is {exact} or {rounded}, as the product is rounded"
            )
        return exact

    def output(self, x: Operands) -> Shape:
        data = x["X"]
        new = dict(zip(counted(self._axes(data), len(data)), self._resized(data), strict=True))
        return tuple([new.get(axis, n) for axis, n in enumerate(data)])

    def operations(self, x: Operands) -> Operations | None:
        return NOTHING if self.mode == "nearest" else None  # the others are not counted


def _single(value: float) -> float:
    """Return the number of single precision nearest to one of double precision."""
    single: float = unpack("f", pack("f", value))[0]
    return single
