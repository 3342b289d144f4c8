"""Convolutions whose filters read one channel each: depthwise, and separable, which then mixes channels."""

from shapecalc.algebra import Dim, product
from shapecalc.layers import conv
from shapecalc.layers.base import Named
from shapecalc.layers.conv import Convolving
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import EVERYTHING, Along, AxisDependence
from shapecalc.layers.effect import Shapes, learned
from shapecalc.layers.memory_traits import Step
from shapecalc.layers.requirement import Shape
from shapecalc.layers.roles import Multiplier, OutChannels
from shapecalc.layers.sliding import Windowed


class DepthwiseConvolving(Convolving):
    """The rules of depthwise convolution: every channel has `depth_multiplier` filters of its own."""

    unknown_dependence = ("channels", "with several filters a channel, several results see one channel")

    depth_multiplier: Multiplier = 1

    def filters(self, x: Shape) -> Dim:
        return self.channels(x) * self.depth_multiplier

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        return Along(axis) if self.depth_multiplier == 1 else None

    def operations(self, x: Shape) -> Operations:
        outputs = product(self.output(x))
        return products(outputs * product(self.spread(self.kernel_size)), outputs, biased=self.bias)


class Depthwise(
    DepthwiseConvolving, Windowed, ranked="DepthwiseConv{rank}d", keras="keras.layers.DepthwiseConv{rank}D"
):
    """Depthwise convolution over {axes}: `[N, C, {sizes}]` to `[N, C·depth_multiplier, {sizes:'}]`.

    The size is that of `conv{rank}d`; weights are `weight: [C·depth_multiplier, 1, {each:k}]` and `bias`. In
    torch it is Conv{rank}d with groups = in_channels. Source: Chollet, Xception, 2017.

    >>> DepthwiseConv{rank}d(kernel_size=3, padding=1).output((1, 32, {each:9}))
    (1, 32, {each:9})
    """

    order = "kernel_size stride padding dilation * ..."

    def weights(self, x: Shape) -> Named:
        filters = self.filters(x)
        weight = (filters, 1, *self.spread(self.kernel_size))
        return learned({"weight": weight, "bias": (filters,)}, bias=self.bias)


class DepthwiseConv3d(Depthwise, rank=3):
    keras = None


class SeparableConvolving(Convolving):
    """The rules of separable convolution: depthwise, then a mix of channels at every position."""

    out_channels: OutChannels
    depth_multiplier: Multiplier = 1

    def filters(self, x: Shape) -> Dim:
        return self.out_channels

    def middle(self, x: Shape) -> Dim:
        """Return the number of channels between the halves."""
        return self.channels(x) * self.depth_multiplier

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        return EVERYTHING

    def operations(self, x: Shape) -> Operations:
        middle = product(self.resized(x, self.swept(x), self.middle(x)))
        per_position = product(self.spread(self.kernel_size)) + self.out_channels
        return products(middle * per_position, middle, product(self.output(x)), biased=self.bias)


class Separable(SeparableConvolving, Windowed, ranked="SeparableConv{rank}d", ranks=(1, 2)):
    """Depthwise, then pointwise convolution over {axes}: `[N, C, {sizes}]` to `[N, out_channels, {sizes:'}]`.

    The size is that of `conv{rank}d`; weights are `depthwise.weight: [C·m, 1, {each:k}]`, `pointwise.weight:
    [out, C·m, {each:1}]` and `pointwise.bias: [out]`, m being the depth_multiplier; the depthwise half has no
    bias. Source: Chollet, Xception, 2017.

    >>> SeparableConv{rank}d(out_channels=8, kernel_size=3).output((1, 4, {each:10}))
    (1, 8, {each:8})
    """

    keras = "keras.layers.SeparableConv{rank}D"
    order = "in_channels out_channels kernel_size stride padding dilation * ..."

    def steps(self, inputs: Shapes) -> tuple[Step, ...]:
        window = {name: getattr(self, name) for name in Windowed.model_fields}
        depthwise = of_rank(__name__)(f"DepthwiseConv{self.rank}d")
        mix = getattr(conv, f"Conv{self.rank}d")(
            out_channels=self.out_channels, kernel_size=1, bias=self.bias
        )
        first = depthwise(**window, depth_multiplier=self.depth_multiplier, bias=False)
        names = ("pointwise.weight", "pointwise.bias")
        return (Step(first, (0,), ("depthwise.weight",)), Step(mix, (1,), names))

    def weights(self, x: Shape) -> Named:
        middle = self.middle(x)
        depthwise = (middle, 1, *self.spread(self.kernel_size))
        pointwise = (self.out_channels, middle, *(1,) * self.rank)
        named: Named = {"depthwise.weight": depthwise, "pointwise.weight": pointwise}
        return learned(named | {"pointwise.bias": (self.out_channels,)}, bias=self.bias)


__getattr__ = of_rank(__name__)
