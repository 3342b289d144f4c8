"""Transposed convolutions over 1, 2 and 3 axes: the shape of a convolution, run backwards.

Per axis, with k the kernel, s the stride, d the dilation, p the padding and op the output padding:

    out  = (n - 1)s - 2p + d(k - 1) + 1 + op
    MACs = batch · in_channels · ∏ n · (out_channels/groups) · ∏ k
"""

from abc import abstractmethod
from collections.abc import Iterator

from shapecalc.algebra import Dim, maximum, product, quotient
from shapecalc.layers.arithmetic import transposed
from shapecalc.layers.axis_names import AXES
from shapecalc.layers.base import Named, NoBuffers, Window
from shapecalc.layers.conv import mixed
from shapecalc.layers.counts import Operations
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import OF_GROUPS, AxisDependence
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.layers.roles import (
    Dilation,
    Groups,
    InChannels,
    KernelSize,
    OutChannels,
    OutputPadding,
    PaddingPerAxis,
    Stride,
)
from shapecalc.layers.spatial import Spatial


class TransposedConvolving(NoBuffers, Spatial):
    """What transposed convolutions share, under either framework."""

    family = Family.TRANSPOSED_CONVOLUTION
    saves = "input"

    in_channels: InChannels = None
    out_channels: OutChannels
    kernel_size: KernelSize
    stride: Stride = 1
    dilation: Dilation = 1
    bias: Flag = True

    @abstractmethod
    def letters(self, x: Shape) -> dict[str, Shape]:
        """Return the letters of the formula, each with its value per axis."""

    def output(self, x: Shape) -> Shape:
        return self.resized(x, tuple(map(transposed, *self.letters(x).values())), self.out_channels)

    def scattered(self, x: Shape, outward: Dim) -> Operations:
        """Return ∏ x · outward · ∏ k MACs: every input element meets every weight of its group once."""
        return Operations(macs=product(x) * outward * product(self.spread(self.kernel_size)))


class GroupedTransposing(TransposedConvolving):
    """Transposed convolution by groups of channels with weights in torch's layout, whatever the padding."""

    unknown_dependence = OF_GROUPS

    output_padding: OutputPadding = 0
    groups: Groups = 1

    def weights(self, x: Shape) -> Named:
        outward = quotient(self.out_channels, self.groups)
        weight = (self.channels(x), outward, *self.spread(self.kernel_size))
        return learned({"weight": weight, "bias": (self.out_channels,)}, bias=self.bias)

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        return mixed(axis, self.groups, x[axis], self.out_channels)

    def window(self, x: Shape) -> Window:
        _, k, s, d, p0, p1, _ = self.letters(x).values()
        return Window(k, s, p0, p1, d, transposed=True)

    def operations(self, x: Shape) -> Operations:
        return self.scattered(x, quotient(self.out_channels, self.groups))


class ConvTranspose(
    GroupedTransposing, torch="torch.nn.ConvTranspose{rank}d", keras="keras.layers.Conv{rank}DTranspose"
):
    """Transposed convolution over {axes}: a size n becomes (n-1)s - 2p + d(k-1) + 1 + op.

    `[N, C, {sizes}]` to `[N, out_channels, {sizes:'}]`. Weights are `weight: [in_channels,
    out_channels/groups, {each:k}]` and `bias: [out_channels]`; every input element meets every weight of its
    group. Refuses channels that do not match, groups that do not divide, an output padding that is smaller
    than neither stride nor dilation, and an empty output. Source: Dumoulin and Visin, A guide to convolution
    arithmetic for deep learning, 2016.

    >>> ConvTranspose{rank}d(out_channels=8, kernel_size=4, stride=2, padding=1).output((1, 16, {each:50}))
    (1, 8, {each:100})
    """

    order = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation"

    padding: PaddingPerAxis = 0

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        letters = self.letters(x)
        for axis, s, d, op in zip(AXES[self.rank], letters["s"], letters["d"], letters["op"], strict=True):
            limit = f"must be smaller than the stride ({s}) or the dilation ({d})"
            says = f"{self.kind}: output_padding of {op} along the {axis} {limit}"
            yield Requirement("output-padding", maximum(s, d), ">=", op + 1, says)
        yield from self.large_enough(transposed, **letters)

    def letters(self, x: Shape) -> dict[str, Shape]:
        fields = {"k": self.kernel_size, "s": self.stride, "d": self.dilation}
        fields |= {"p0": self.padding, "p1": self.padding, "op": self.output_padding}
        return {"n": self.sizes(x)} | {letter: self.spread(value) for letter, value in fields.items()}


__getattr__ = of_rank(__name__)
