"""Kernels that slide over the input: what convolutions of all sorts share, and torch's padding."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import sub
from typing import Annotated, Literal

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import padded, same_padding, window
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Window
from shapecalc.layers.effect import Shapes
from shapecalc.layers.fields import Each, Integer, OneOf, PerSide
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Dilation, KernelSize, Stride, WindowField
from shapecalc.layers.spatial import Spatial

Padding = Annotated[
    PerSide | Literal["same", "valid"],
    OneOf(("same", "valid"), Each(Each(Integer(0), (2,)))),
    WindowField("p"),
]
PaddingMode = Annotated[str, OneOf(("zeros", "reflect", "replicate", "circular"))]


class Sliding(Spatial):
    """A kernel that slides over the input, whatever is around it."""

    kernel_size: KernelSize

    @abstractmethod
    def window(self, x: Shape) -> Window:
        """Return the kernel with the padding of each side."""

    def rule(self) -> Callable[..., Dim]:
        """Return the formula of the size."""
        return window

    def filters(self, x: Shape) -> Dim:
        """Return the number of channels of the result: the input's, unless a kind makes others."""
        return self.channels(x)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        return self.large_enough(self.rule(), **self.letters(x))

    def output(self, x: Shape) -> Shape:
        return self.resized(x, self.swept(x), self.filters(x))

    def swept(self, x: Shape) -> Shape:
        """Return the spatial sizes of the output."""
        of = self.window(x)
        columns = self.sizes(x), of.kernel, of.stride, of.dilation, of.before, of.after
        return tuple(map(self.rule(), *columns))

    def letters(self, x: Shape) -> dict[str, Shape]:
        """Return the letters of the formula, each with its value per axis."""
        of = self.window(x)
        sides = {"p0": of.before, "p1": of.after}
        return {"n": self.sizes(x), "k": of.kernel, "s": of.stride, "d": of.dilation} | sides


class Windowed(Sliding):
    """A kernel that slides over input padded as torch pads it."""

    stride: Stride = 1
    padding: Padding = 0
    dilation: Dilation = 1
    padding_mode: PaddingMode = "zeros"

    def window(self, x: Shape) -> Window:
        return self.sliding

    def padded_copy(self, x: Shape) -> Shape | None:
        """Return the shape of the copy that torch pads before it convolves; None where it makes none."""
        of, given = self.sliding, self.padding if isinstance(self.padding, tuple) else ()
        per_side = any(isinstance(side, tuple) for side in given)
        if self.padding_mode == "zeros" and of.before == of.after and not per_side:
            return None
        before, after = of.before, of.after
        if (
            self.padding_mode == "zeros" and self.padding == "same"
        ):  # what is the same on both sides is no copy
            before, after = (0,) * self.rank, tuple(map(sub, after, before))
        return self.resized(x, tuple(map(padded, self.sizes(x), before, after)))

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...] | None:
        """The input, or the padded copy of it; padding that is made of the input saves that as well."""
        copied = self.padded_copy(inputs[0]) is not None
        of_input = mode.wants(0) and self.padding_mode in ("reflect", "replicate")
        return (*self.makes(inputs, mode), *(Input(),) * (of_input or not copied))

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The padded copy."""
        copy = self.padded_copy(inputs[0])
        return () if copy is None else (Own(copy),)

    @cached_property
    def sliding(self) -> Window:
        """The kernel, with `same` padding per side; it is the same for every input."""
        kernel, dilation = self.spread(self.kernel_size), self.spread(self.dilation)
        if self.padding == "same":
            sides = halves([*map(same_padding, kernel, dilation)])
        else:
            sides = self.per_side(0 if self.padding == "valid" else self.padding)
        return Window(kernel, self.spread(self.stride), *sides, dilation)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        if self.padding == "same":
            for stride in self.sliding.stride:
                says = f"{self.kind}: padding: same needs stride 1, not {stride}"
                yield Requirement("same-stride", 1, "==", stride, says, "give the padding as a number")
        if self.padding_mode in ("reflect", "circular"):
            yield from self._paddable(x)
        yield from super().fitting(x)

    def _paddable(self, x: Shape) -> Iterator[Requirement]:
        """Reflection and wrapping take their padding from the input, which must be long enough."""
        spare = 1 if self.padding_mode == "reflect" else 0
        sides = self.sliding.before, self.sliding.after
        for axis, n, *amounts in zip(AXES[self.rank], self.sizes(x), *sides, strict=True):
            for p in amounts:
                needs = f"needs an input {axis} of at least {p + spare}, not {n}"
                says = f"{self.kind}: {self.padding_mode} padding of {p} {needs}"
                yield Requirement("padding", n, ">=", p + spare, says)


def halves(totals: list[Dim]) -> tuple[Shape, Shape]:
    """Return what is before and after of some totals, the odd number after.

    >>> halves([5, 2])
    ((2, 1), (3, 1))
    """
    return tuple(total // 2 for total in totals), tuple(total - total // 2 for total in totals)
