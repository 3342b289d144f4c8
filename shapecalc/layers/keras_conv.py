"""Keras' convolutions: channels last, padding `valid` or `same`, kernels with the axes first.

Per axis, with k the kernel, s the stride and d the dilation:

    valid:  out = ⌊(n - (d(k - 1) + 1))/s⌋ + 1
    same:   out = ⌈n/s⌉, by padding max((out - 1)s + d(k - 1) + 1 - n, 0) in all, the odd one after

Multiply-accumulates are those of torch's layers, whose rules these classes share.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Annotated

from shapecalc.algebra import maximum, minimum, quotient
from shapecalc.layers.arithmetic import same, same_padding, same_total
from shapecalc.layers.base import Named, Window
from shapecalc.layers.conv import GroupedConvolving
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.effect import learned
from shapecalc.layers.fields import OneOf
from shapecalc.layers.pool import StridePerAxis
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Dilation, Stride, WindowField
from shapecalc.layers.separable_conv import DepthwiseConvolving, SeparableConvolving
from shapecalc.layers.sliding import Sliding, halves
from shapecalc.layers.spatial import ChannelsLast

SameOrValid = Annotated[str, OneOf(("valid", "same")), WindowField("p")]
OrCausal = Annotated[str, OneOf(("valid", "same", "causal")), WindowField("p")]


class KerasWindowed(ChannelsLast, Sliding):
    """A kernel that slides over input padded as Keras pads it."""

    stride: StridePerAxis = None
    padding: SameOrValid = "valid"

    def window(self, x: Shape) -> Window:
        kernel, dilation = self.spread(self.kernel_size), self.spread(getattr(self, "dilation", 1))
        stride, zeros = kernel if self.stride is None else self.spread(self.stride), (0,) * self.rank
        if self.padding == "valid":
            return Window(kernel, stride, zeros, zeros, dilation)
        if self.padding == "causal":
            return Window(kernel, stride, tuple(map(same_padding, kernel, dilation)), zeros, dilation)
        totals = [*map(same_total, self.sizes(x), kernel, stride, dilation)]
        return Window(kernel, stride, *halves(totals), dilation)

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        if self.padding == "valid":  # otherwise there is an output for every input
            yield from super().fitting(x)

    def swept(self, x: Shape) -> Shape:
        if self.padding == "valid":
            return super().swept(x)
        return tuple(map(same, self.sizes(x), self.window(x).stride))


class KerasDilated(KerasWindowed):
    """A kernel with a dilation, which moves by 1 if nothing is said."""

    stride: Stride = 1
    dilation: Dilation = 1


class KerasConvolution(
    GroupedConvolving, KerasDilated, ranked="KerasConv{rank}d", keras="keras.layers.Conv{rank}D"
):
    """Convolution over {axes}: `[N, {sizes}, C]` to `[N, {sizes:'}, out_channels]`, n' = ⌈n/s⌉ for `same`.

    Weights are `kernel: [{each:k}, in/groups, out]` and `bias: [out]`. Refuses a stride and a dilation of
    more than 1 together, and what torch's conv{rank}d refuses.

    >>> KerasConv{rank}d(out_channels=64, kernel_size=7, stride=2, padding="same").output((1, {each:99}, 3))
    (1, {each:50}, 64)
    """

    order = "in_channels out_channels kernel_size stride padding * ..."

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield not_both(self.kind, self.spread(self.stride), self.spread(self.dilation))
        yield from super().requirements(x)

    def weights(self, x: Shape) -> Named:
        inward = quotient(self.channels(x), self.groups)
        kernel = (*self.spread(self.kernel_size), inward, self.out_channels)
        return learned({"kernel": kernel, "bias": (self.out_channels,)}, bias=self.bias)


def not_both(kind: str, stride: Shape, dilation: Shape) -> Requirement:
    """Require that stride and dilation are not both more than 1, as Keras does."""
    s, d = reduce(maximum, stride), reduce(maximum, dilation)
    says = f"{kind}: Keras takes no stride of more than 1 ({s}) together with a dilation of more than 1 ({d})"
    return Requirement("dilated-stride", minimum(s, d), "==", 1, says)


class KerasConv1d(KerasConvolution, rank=1):
    """`causal` pads before only."""

    padding: OrCausal = "valid"


class KerasDepthwise(DepthwiseConvolving, KerasDilated, ranked="KerasDepthwiseConv{rank}d", ranks=(1, 2)):
    """Depthwise convolution over {axes}: `[N, {sizes}, C]` to `[N, {sizes:'}, C·depth_multiplier]`.

    Weights are `kernel: [{each:k}, C, depth_multiplier]` and `bias`; the size is that of `conv{rank}d`.

    >>> KerasDepthwiseConv{rank}d(kernel_size=3, padding="same").output((1, {each:112}, 32))
    (1, {each:112}, 32)
    """

    keras = "keras.layers.DepthwiseConv{rank}D"
    order = "in_channels kernel_size stride padding depth_multiplier * ..."

    def weights(self, x: Shape) -> Named:
        kernel = (*self.spread(self.kernel_size), self.channels(x), self.depth_multiplier)
        return learned({"kernel": kernel, "bias": (self.filters(x),)}, bias=self.bias)


class KerasSeparable(SeparableConvolving, KerasDilated, ranked="KerasSeparableConv{rank}d", ranks=(1, 2)):
    """Depthwise, then pointwise convolution over {axes}: `[N, {sizes}, C]` to `[N, {sizes:'}, out_channels]`.

    Weights are `depthwise_kernel: [{each:k}, C, m]`, `pointwise_kernel: [{each:1}, C·m, out]` and `bias:
    [out]`, m being the depth_multiplier; the size is that of `conv{rank}d`. Source: Chollet, Xception, 2017.

    >>> KerasSeparableConv{rank}d(out_channels=8, kernel_size=3).output((1, {each:10}, 4))
    (1, {each:8}, 8)
    """

    keras = "keras.layers.SeparableConv{rank}D"
    order = "in_channels out_channels kernel_size stride padding * ..."

    def weights(self, x: Shape) -> Named:
        depthwise = (*self.spread(self.kernel_size), self.channels(x), self.depth_multiplier)
        pointwise = (*(1,) * self.rank, self.middle(x), self.out_channels)
        named: Named = {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise}
        return learned(named | {"bias": (self.out_channels,)}, bias=self.bias)


__getattr__ = of_rank(__name__)
