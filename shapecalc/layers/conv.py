"""Convolutions over 1, 2 and 3 axes: plain, grouped and dilated; the depthwise are in `separable_conv`.

Per axis, with k the kernel, s the stride, d the dilation and p₀, p₁ the padding before and after:

    out  = ⌊(n + p₀ + p₁ - (d(k - 1) + 1))/s⌋ + 1
    MACs = batch · out_channels · ∏ out · (in_channels/groups) · ∏ k
"""

from shapecalc.algebra import Dim, product, quotient
from shapecalc.layers.base import Named, NoBuffers
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import EVERYTHING, OF_GROUPS, Along, AxisDependence
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag
from shapecalc.layers.requirement import Shape
from shapecalc.layers.roles import Groups, InChannels, OutChannels
from shapecalc.layers.sliding import Sliding, Windowed


class Convolving(NoBuffers, Sliding):
    """What convolutions of all sorts share, for any number of axes and in either layout."""

    family = Family.CONVOLUTION

    in_channels: InChannels = None
    bias: Flag = True


class GroupedConvolving(Convolving):
    """The rules of convolution: each filter reads the channels of one group."""

    unknown_dependence = OF_GROUPS

    out_channels: OutChannels
    groups: Groups = 1

    def filters(self, x: Shape) -> Dim:
        return self.out_channels

    def weights(self, x: Shape) -> Named:
        inward = quotient(self.channels(x), self.groups)
        weight = (self.out_channels, inward, *self.spread(self.kernel_size))
        return learned({"weight": weight, "bias": (self.out_channels,)}, bias=self.bias)

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        return mixed(axis, self.groups, x[axis], self.out_channels)

    def operations(self, x: Shape) -> Operations:
        per_output = quotient(self.channels(x), self.groups) * product(self.spread(self.kernel_size))
        outputs = product(self.output(x))
        return products(outputs * per_output, outputs, biased=self.bias)


def mixed(axis: int, groups: Dim, channels: Dim, out_channels: Dim) -> AxisDependence:
    """Return what channels see of channels: all of one group, itself alone in as many groups as channels.

    >>> mixed(1, 1, 8, 16)
    Everything()
    """
    if groups == 1:
        return EVERYTHING
    return Along(axis) if groups == channels == out_channels else None


class Convolution(
    GroupedConvolving, Windowed, torch="torch.nn.Conv{rank}d", keras="keras.layers.Conv{rank}D"
):
    """Convolution over {axes}: a size n becomes ⌊(n + 2p - (d(k-1) + 1))/s⌋ + 1.

    `[N, C, {sizes}]` to `[N, out_channels, {sizes:'}]`. Weights are `weight: [out_channels,
    in_channels/groups, {each:k}]` and `bias: [out_channels]`. padding is a number, one per axis, `[[before,
    after], ...]`, `same` or `valid`. Refuses channels that do not match, groups that do not divide, and an
    input smaller than the kernel. Source: LeCun et al., Gradient-based learning applied to document
    recognition, 1998.

    >>> Conv{rank}d(out_channels=6, kernel_size=5).output((1, 1, {each:32}))
    (1, 6, {each:28})
    """

    order = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode"


__getattr__ = of_rank(__name__)
