"""Kernels that slide over the input: what convolutions of all sorts share, and torch's padding."""

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Literal

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import same_padding, window
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Window
from shapecalc.layers.fields import Each, Integer, OneOf, PerSide
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
        """Return the kernel with the padding written out per side."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        yield from self.large_enough(window, n=self.sizes(x), **letters(self.window(x)))

    def swept(self, x: Shape) -> Shape:
        """Return the spatial sizes of the output."""
        columns = zip(self.sizes(x), *letters(self.window(x)).values(), strict=True)
        return tuple([window(*column) for column in columns])


class Windowed(Sliding):
    """A kernel that slides over input padded as torch pads it."""

    stride: Stride = 1
    padding: Padding = 0
    dilation: Dilation = 1
    padding_mode: PaddingMode = "zeros"

    def window(self, x: Shape) -> Window:
        return self.sliding

    @cached_property
    def sliding(self) -> Window:
        """The kernel, with `same` padding written out per side; it is the same for every input."""
        kernel, dilation = self.spread(self.kernel_size), self.spread(self.dilation)
        if self.padding == "same":
            totals = [same_padding(k, d) for k, d in zip(kernel, dilation, strict=True)]
            sides = [(total // 2, total - total // 2) for total in totals]
        else:
            padding = 0 if self.padding == "valid" else self.padding
            sides = [p if isinstance(p, tuple) else (p, p) for p in self.spread(padding)]
        before, after = zip(*sides, strict=True)
        return Window(kernel, self.spread(self.stride), before, after, dilation)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from self.spatial_rank(x)
        window_ = self.sliding
        if self.padding == "same":
            for stride in window_.stride:
                yield Requirement(
                    "same-stride",
                    1,
                    "==",
                    stride,
                    f"{self.kind}: padding: same needs stride 1, not {stride}",
                    "give the padding as a number",
                )
        if self.padding_mode in ("reflect", "circular"):
            yield from self._paddable(x, window_)
        yield from super().requirements(x)

    def _paddable(self, x: Shape, window_: Window) -> Iterator[Requirement]:
        """Reflection and wrapping take their padding from the input, which must be long enough."""
        spare = 1 if self.padding_mode == "reflect" else 0
        for axis, n, *sides in zip(
            AXES[self.rank], self.sizes(x), window_.before, window_.after, strict=True
        ):
            for p in sides:
                yield Requirement(
                    "padding",
                    n,
                    ">=",
                    p + spare,
                    f"{self.kind}: {self.padding_mode} padding of {p} needs an input {axis} of at "
                    f"least {p + spare}, not {n}",
                )


def letters(window_: Window) -> dict[str, tuple[Dim, ...]]:
    """Return the letters of the formula, each with its value per axis."""
    return {
        "k": window_.kernel,
        "s": window_.stride,
        "d": window_.dilation,
        "p0": window_.before,
        "p1": window_.after,
    }
