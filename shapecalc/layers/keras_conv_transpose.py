"""Keras' transposed convolutions: channels last, padding `valid` or `same`.

Per axis, with k_e = d(k - 1) + 1 and op the output padding:

    same:   out = n·s                      valid:  out = n·s + max(k_e - s, 0)
    with an output padding:  out = (n - 1)s + k_e - 2p + op,  p = ⌊k_e/2⌋ for same, 0 for valid
"""

from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import maximum
from shapecalc.layers.arithmetic import extent, transposed, transposed_same, transposed_valid
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Named, Window
from shapecalc.layers.conv_transpose import TransposedConvolving
from shapecalc.layers.counts import Operations
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import EVERYTHING, AxisDependence
from shapecalc.layers.effect import learned
from shapecalc.layers.fields import Each, Integer, Nullable, PerAxis
from shapecalc.layers.keras_conv import SameOrValid, not_both
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import WindowField
from shapecalc.layers.sliding import halves
from shapecalc.layers.spatial import ChannelsLast

OptionalPadding = Annotated[PerAxis | None, Nullable(Each(Integer(0))), WindowField("o", 0, is_shown=False)]


class KerasConvTranspose(
    ChannelsLast,
    TransposedConvolving,
    ranked="KerasConvTranspose{rank}d",
    keras="keras.layers.Conv{rank}DTranspose",
):
    """Transposed convolution over {axes}: `[N, {sizes}, C]` to `[N, {sizes:'}, out_channels]`.

    n' = n·s for `same` and n·s + max(k_e - s, 0) for `valid`. Weights are `kernel: [{each:k}, out, in]` and
    `bias: [out]`. Refuses a stride and a dilation of more than 1 together, and an output padding that is not
    smaller than the stride.

    >>> KerasConvTranspose{rank}d(out_channels=64, kernel_size=3, stride=2).output((1, {each:28}, 128))
    (1, {each:57}, 64)
    """

    order = "in_channels out_channels kernel_size stride padding output_padding * ..."

    padding: SameOrValid = "valid"
    output_padding: OptionalPadding = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield not_both(self.kind, self.spread(self.stride), self.spread(self.dilation))
        yield from super().requirements(x)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        if self.output_padding is not None:
            columns = self.spread(self.stride), self.spread(self.output_padding)
            for axis, s, op in zip(AXES[self.rank], *columns, strict=True):
                says = f"output_padding of {op} along the {axis} must be less than the stride, {s}"
                yield Requirement("output-padding", s, ">=", op + 1, f"{self.kind}: {says}")
            yield from self.large_enough(transposed, **self.letters(x))

    def output(self, x: Shape) -> Shape:
        if self.output_padding is not None:
            return super().output(x)
        n, k, s, d = self.sizes(x), *map(self.spread, (self.kernel_size, self.stride, self.dilation))
        sizes = map(transposed_same, n, s) if self.padding == "same" else map(transposed_valid, n, k, s, d)
        return self.resized(x, tuple(sizes), self.out_channels)

    def weights(self, x: Shape) -> Named:
        kernel = (*self.spread(self.kernel_size), self.out_channels, self.channels(x))
        return learned({"kernel": kernel, "bias": (self.out_channels,)}, bias=self.bias)

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        return EVERYTHING

    def window(self, x: Shape) -> Window:
        k, s, d = map(self.spread, (self.kernel_size, self.stride, self.dilation))
        same = self.padding == "same"
        cut = [maximum(extent(*pair) - step, 0) if same else 0 for *pair, step in zip(k, d, s, strict=True)]
        return Window(k, s, *halves(cut), d, transposed=True)

    def letters(self, x: Shape) -> dict[str, Shape]:
        """Return the letters of the formula with an output padding."""
        k, s, d = map(self.spread, (self.kernel_size, self.stride, self.dilation))
        same = self.padding == "same"
        half = tuple(extent(*pair) // 2 if same else 0 for pair in zip(k, d, strict=True))
        op = self.spread(self.output_padding)
        return {"n": self.sizes(x), "k": k, "s": s, "d": d, "p0": half, "p1": half, "op": op}

    def operations(self, x: Shape) -> Operations:
        return self.scattered(x, self.out_channels)


__getattr__ = of_rank(__name__)
