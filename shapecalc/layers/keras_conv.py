"""Keras' convolutions: channels last, padding `valid` or `same`, kernels with the axes first.

Per axis, with k the kernel, s the stride and d the dilation:

    valid:  out = ⌊(n - (d(k - 1) + 1))/s⌋ + 1
    same:   out = ⌈n/s⌉, by padding max((out - 1)s + d(k - 1) + 1 - n, 0) in all, the odd one after

Multiply-accumulates are those of torch's layers, whose rules these classes share.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated

from shapecalc.algebra import maximum, minimum, quotient
from shapecalc.layers.arithmetic import same, same_padding, same_total
from shapecalc.layers.base import Named, Window
from shapecalc.layers.conv import Convolving, DepthwiseConvolving, SeparableConvolving
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.fields import OneOf, PerAxis
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import Dilation, Stride, WindowField
from shapecalc.layers.sliding import Sliding
from shapecalc.layers.spatial import ChannelsLast

SameOrValid = Annotated[str, OneOf(("valid", "same")), WindowField("p")]
OrCausal = Annotated[str, OneOf(("valid", "same", "causal")), WindowField("p")]


class KerasWindowed(ChannelsLast, Sliding):
    """A kernel that slides over input padded as Keras pads it."""

    padding: SameOrValid = "valid"

    def dilated(self) -> PerAxis:
        """Return the dilation; 1 for the kinds that have none."""
        return 1

    @abstractmethod
    def moved(self) -> PerAxis:
        """Return the stride."""

    def window(self, x: Shape) -> Window:
        kernel, dilation = self.spread(self.kernel_size), self.spread(self.dilated())
        stride, zeros = self.spread(self.moved()), (0,) * self.rank
        if self.padding == "valid":
            return Window(kernel, stride, zeros, zeros, dilation)
        if self.padding == "causal":
            reach = tuple(map(same_padding, kernel, dilation))
            return Window(kernel, stride, reach, zeros, dilation)
        totals = tuple(map(same_total, self.sizes(x), kernel, stride, dilation))
        before = tuple(total // 2 for total in totals)
        after = tuple(total - p for total, p in zip(totals, before, strict=True))
        return Window(kernel, stride, before, after, dilation)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        if self.padding == "valid":
            yield from super().requirements(x)
        else:  # there is an output for every input
            yield from self.spatial_rank(x)

    def swept(self, x: Shape) -> Shape:
        if self.padding == "valid":
            return super().swept(x)
        return tuple(map(same, self.sizes(x), self.spread(self.moved())))


class KerasDilated(KerasWindowed):
    """A kernel with a dilation, which moves by 1 if nothing is said."""

    stride: Stride = 1
    dilation: Dilation = 1

    def dilated(self) -> PerAxis:
        return self.dilation

    def moved(self) -> PerAxis:
        return self.stride


class KerasConvolution(Convolving, KerasDilated, ranked="KerasConv{rank}d", keras="keras.layers.Conv{rank}D"):
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
        named: Named = {"kernel": (*self.spread(self.kernel_size), inward, self.out_channels)}
        return named | {"bias": (self.out_channels,)} if self.bias else named


def not_both(kind: str, stride: Shape, dilation: Shape) -> Requirement:
    """Require that stride and dilation are not both more than 1, as Keras does."""
    s, d = stride[0], dilation[0]
    for further, wider in zip(stride[1:], dilation[1:], strict=True):
        s, d = maximum(s, further), maximum(d, wider)
    says = f"{kind}: Keras takes no stride of more than 1 ({s}) together with a dilation of more than 1 ({d})"
    return Requirement("dilated-stride", minimum(s, d), "==", 1, says)


class KerasConv1d(KerasConvolution, rank=1):
    """`causal` pads before only."""

    padding: OrCausal = "valid"


class KerasDepthwise(
    DepthwiseConvolving,
    KerasDilated,
    ranked="KerasDepthwiseConv{rank}d",
    ranks=(1, 2),
    keras="keras.layers.DepthwiseConv{rank}D",
):
    """Depthwise convolution over {axes}: `[N, {sizes}, C]` to `[N, {sizes:'}, C·depth_multiplier]`.

    Weights are `kernel: [{each:k}, C, depth_multiplier]` and `bias`; the size is that of `conv{rank}d`.

    >>> KerasDepthwiseConv{rank}d(kernel_size=3, padding="same").output((1, {each:112}, 32))
    (1, {each:112}, 32)
    """

    order = "in_channels kernel_size stride padding depth_multiplier * ..."

    def weights(self, x: Shape) -> Named:
        channels, multiplier = self.channels(x), self.depth_multiplier
        named: Named = {"kernel": (*self.spread(self.kernel_size), channels, multiplier)}
        return named | {"bias": (channels * multiplier,)} if self.bias else named


class KerasSeparable(
    SeparableConvolving,
    KerasDilated,
    ranked="KerasSeparableConv{rank}d",
    ranks=(1, 2),
    keras="keras.layers.SeparableConv{rank}D",
):
    """Depthwise, then pointwise convolution over {axes}: `[N, {sizes}, C]` to `[N, {sizes:'}, out_channels]`.

    Weights are `depthwise_kernel: [{each:k}, C, m]`, `pointwise_kernel: [{each:1}, C·m, out]` and `bias:
    [out]`, m being the depth_multiplier; the size is that of `conv{rank}d`. Source: Chollet, Xception, 2017.

    >>> KerasSeparableConv{rank}d(out_channels=8, kernel_size=3).output((1, {each:10}, 4))
    (1, {each:8}, 8)
    """

    order = "in_channels out_channels kernel_size stride padding * ..."

    def weights(self, x: Shape) -> Named:
        channels, multiplier, ones = self.channels(x), self.depth_multiplier, (1,) * self.rank
        named: Named = {
            "depthwise_kernel": (*self.spread(self.kernel_size), channels, multiplier),
            "pointwise_kernel": (*ones, channels * multiplier, self.out_channels),
        }
        return named | {"bias": (self.out_channels,)} if self.bias else named


__getattr__ = of_rank(__name__)
