"""ONNX's windows over 1, 2 and 3 axes where torch's have no word for them: sides of their own and `auto_pad`.

Per axis, with k the kernel, s the stride, d the dilation, p₀ and p₁ the padding before and after:

    a list, valid:             out = ⌊(n + p₀ + p₁ - (d(k - 1) + 1))/s⌋ + 1
    same_upper, same_lower:    out = ⌈n/s⌉, the odd pixel after, or before
    transposed, same:          out = n·s, by padding d(k - 1) + 1 - s in all
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from shapecalc.algebra import Dim
from shapecalc.layers.arithmetic import same, same_total, transposed
from shapecalc.layers.average_pool import AvgPool, LPPool
from shapecalc.layers.base import Layer, Window
from shapecalc.layers.conv import GroupedConvolving
from shapecalc.layers.conv_transpose import GroupedTransposing
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.fields import Each, Integer, Nullable, OneOf, PerAxis, PerSide
from shapecalc.layers.functional import ConvolvingByWeight, TransposedByWeight
from shapecalc.layers.pool import MaxPool
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import Dilation, Lettered, Stride, WindowField
from shapecalc.layers.sliding import Sliding, halves
from shapecalc.layers.spatial import Spatial

AUTO = ("valid", "same_upper", "same_lower")
AutoPadding = Annotated[
    PerSide | Literal["valid", "same_upper", "same_lower"],
    OneOf(AUTO, Each(Each(Integer(0), (2,)))),
    WindowField("p"),
]
ResultSize = Annotated[PerAxis | None, Nullable(Each(Integer(1))), Lettered("o")]


class Batched(Spatial):
    """A layer over spatial axes that always has a batch, as all of ONNX have."""

    def spatial_rank(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, self.rank + 2, self.rank + 2)


class AutoPadded(Batched, Sliding):
    """A kernel that slides over input padded as ONNX pads it."""

    framework = "onnx"
    stride: Stride = 1
    padding: AutoPadding = 0
    dilation: Dilation = 1

    def window(self, x: Shape) -> Window:
        kernel, stride, dilation = map(self.spread, (self.kernel_size, self.stride, self.dilation))
        if self.padding in ("same_upper", "same_lower"):
            less, more = halves([*map(same_total, self.sizes(x), kernel, stride, dilation)])
            sides = (less, more) if self.padding == "same_upper" else (more, less)
        else:
            sides = self.per_side(0 if self.padding == "valid" else self.padding)
        return Window(kernel, stride, *sides, dilation)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        if self.padding not in ("same_upper", "same_lower"):  # otherwise there is an output for every input
            yield from Sliding.fitting(self, x)

    def swept(self, x: Shape) -> Shape:
        if self.padding in ("same_upper", "same_lower"):
            return tuple(map(same, self.sizes(x), self.spread(self.stride)))
        return super().swept(x)


class OnnxConvolution(AutoPadded, GroupedConvolving, ranked="OnnxConv{rank}d"):
    """Convolution over {axes} as in ONNX: padding by side, or `valid`, `same_upper`, `same_lower`.

    `[N, C, {sizes}]` to `[N, out_channels, {sizes:'}]`, n' = ⌈n/s⌉ for `same`. Weights are those of
    `conv{rank}d`, and what it refuses is refused, a tensor without a batch as well. Source: ONNX, Conv.

    >>> layer = OnnxConv{rank}d(out_channels=8, kernel_size=3, stride=2, padding="same_lower")
    >>> layer.output((1, 3, {each:9}))
    (1, 8, {each:5})
    """

    order = "in_channels out_channels kernel_size stride padding dilation groups bias"


class OnnxFunctionalConvolution(ConvolvingByWeight, ranked="OnnxFunctionalConv{rank}d"):
    """Convolution over {axes} by a tensor as in ONNX: padding by side, `valid`, `same_upper`, `same_lower`.

    It takes `[N, C, {sizes}]`, a weight `[out_channels, C/groups, {each:k}]` and perhaps a bias. Refuses what
    `onnx_conv{rank}d` and `functional_conv{rank}d` refuse. Source: ONNX, Conv, ConvInteger, QLinearConv.

    >>> OnnxFunctionalConv{rank}d(padding=[{each:[0, 1]}]).output(((1, 3, {each:9}), (8, 3, {each:3})))
    (1, 8, {each:8})
    """

    torch = None
    framework = "onnx"

    padding: AutoPadding = 0

    def layer_class(self) -> type[Layer]:
        cls: type[Any] = __getattr__(f"OnnxConv{self.rank}d")
        return cls


class OnnxMaxPooling(AutoPadded, MaxPool, ranked="OnnxMaxPool{rank}d"):
    """The largest value of every window as in ONNX: padding by side, `valid`, `same_upper` or `same_lower`.

    `[N, C, {sizes}]` to `[N, C, {sizes:'}]`. The stride is 1 if left out, and a padding may be more than half
    the kernel. Refuses an input smaller than the window. Source: ONNX, MaxPool.

    >>> OnnxMaxPool{rank}d(kernel_size=3, stride=2, padding="same_upper").output((1, 8, {each:9}))
    (1, 8, {each:5})
    """

    torch = keras = None
    framework = "onnx"


class OnnxAveragePooling(AutoPadded, AvgPool, ranked="OnnxAvgPool{rank}d"):
    """The mean of every window as in ONNX: dilation, padding by side, `valid`, `same_upper`, `same_lower`.

    `[N, C, {sizes}]` to `[N, C, {sizes:'}]`. The stride is 1 if left out, and a padding may be more than half
    the kernel. Refuses an input smaller than the window. Source: ONNX, AveragePool.

    >>> OnnxAvgPool{rank}d(kernel_size=3, dilation=2).output((1, 8, {each:9}))
    (1, 8, {each:5})
    """

    torch = keras = None
    framework = "onnx"


class OnnxPowerPooling(AutoPadded, LPPool, ranked="OnnxLPPool{rank}d"):
    """(Σ xᵖ)^(1/p) over every window as in ONNX: dilation, padding by side, `valid` or `same`.

    `[N, C, {sizes}]` to `[N, C, {sizes:'}]`. The stride is 1 if left out. Refuses an input smaller than the
    window. Source: ONNX, LpPool.

    >>> OnnxLPPool{rank}d(norm_type=2, kernel_size=3, padding=1).output((1, 8, {each:9}))
    (1, 8, {each:9})
    """

    torch = keras = None
    framework = "onnx"


class OnnxTransposedConvolution(Batched, GroupedTransposing, ranked="OnnxConvTranspose{rank}d"):
    """Transposed convolution over {axes} as in ONNX: padding by side or `same`, or the size of the result.

    `[N, C, {sizes}]` to `[N, out_channels, {sizes:'}]`: `output_size` where it is given, n·s for `same`, else
    (n-1)s - p₀ - p₁ + d(k-1) + 1 + op. Weights are those of `conv_transpose{rank}d`. Refuses channels that do
    not match, an empty output, one of more than there is, and `same` where ONNX and its runtimes differ: with
    an output padding, or of a kernel shorter than the stride. Source: ONNX, ConvTranspose.

    >>> layer = OnnxConvTranspose{rank}d(out_channels=8, kernel_size=3, stride=2, padding="same_upper")
    >>> layer.output((1, 3, {each:9}))
    (1, 8, {each:18})
    """

    torch = keras = None
    framework = "onnx"
    order = (
        "in_channels out_channels kernel_size stride padding output_padding groups bias dilation output_size"
    )

    padding: AutoPadding = 0
    output_size: ResultSize = None

    def letters(self, x: Shape) -> dict[str, Shape]:
        fields = (self.kernel_size, self.stride, self.dilation, self.output_padding)
        n, (k, s, d, op) = self.sizes(x), map(self.spread, fields)
        sides = self._sides(x, k, s, d, op)
        return {"n": n, "k": k, "s": s, "d": d, "p0": sides[0], "p1": sides[1], "op": op}

    def _sides(self, x: Shape, k: Shape, s: Shape, d: Shape, op: Shape) -> tuple[Shape, Shape]:
        zeros = (0,) * self.rank
        upper = self.padding != "same_lower"
        if self.output_size is not None:
            full = map(transposed, self.sizes(x), k, s, d, zeros, zeros, op)
            totals = [size - wanted for size, wanted in zip(full, self.spread(self.output_size), strict=True)]
            upper = self.padding == "same_upper"
        elif self.padding in ("same_upper", "same_lower"):
            totals = [*map(window_overlap, k, s, d)]
        else:
            return self.per_side(0 if self.padding == "valid" else self.padding)
        less, more = halves(totals)
        return (less, more) if upper else (more, less)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        _, k, s, d, *_ = letters = [*self.letters(x).values()]
        if self.output_size is None and self.padding in ("same_upper", "same_lower"):
            for more in self.spread(self.output_padding):
                says = f"{self.kind}: {self.padding} with an output padding: ONNX and its runtimes differ"
                yield Requirement("output-padding", 0, "==", more, says)
            for overlap, stride in zip(map(window_overlap, k, s, d), s, strict=True):
                says = f"{self.kind}: {self.padding} of a kernel that spans less than the stride of {stride}"
                yield Requirement("same-stride", overlap, ">=", 0, f"{says}: ONNX and its runtimes differ")
        if self.output_size is not None:
            for before, after in zip(letters[4], letters[5], strict=True):
                says = f"{self.kind}: output_size is more than there is without padding"
                yield Requirement("output-padding", before + after, ">=", 0, says)
        yield from self.large_enough(
            transposed, **dict(zip(("n", "k", "s", "d", "p0", "p1", "op"), letters, strict=True))
        )


class OnnxFunctionalTransposedConvolution(TransposedByWeight, ranked="OnnxFunctionalConvTranspose{rank}d"):
    """Transposed convolution over {axes} by a tensor as in ONNX: padding by side, `same`, or a size.

    It takes `[N, C, {sizes}]`, a weight `[C, out_channels/groups, {each:k}]` and perhaps a bias. Refuses what
    `onnx_conv_transpose{rank}d` and `functional_conv_transpose{rank}d` refuse. Source: ONNX, ConvTranspose.

    >>> layer = OnnxFunctionalConvTranspose{rank}d(output_size=[{each:6}])
    >>> layer.output(((1, 3, {each:4}), (3, 8, {each:3})))
    (1, 8, {each:6})
    """

    torch = None
    framework = "onnx"
    order = "stride padding output_padding groups dilation output_size"

    padding: AutoPadding = 0
    output_size: ResultSize = None

    def layer_class(self) -> type[Layer]:
        cls: type[Any] = __getattr__(f"OnnxConvTranspose{self.rank}d")
        return cls


def window_overlap(k: Dim, s: Dim, d: Dim) -> Dim:
    """What a window has in common with the next one: d(k - 1) + 1 - s.

    >>> window_overlap(3, s=2, d=1)
    1
    """
    return d * (k - 1) + 1 - s


__getattr__ = of_rank(__name__)
