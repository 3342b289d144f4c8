"""What LeNet-5 of 1998 needs and hardly anything else uses.

Subsampling with trained coefficients, convolution that is partly connected, and distances to fixed
centres. Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition,
1998, section II.B.
"""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Named, NoBuffers, NoMacs
from shapecalc.layers.counts import Operations, products
from shapecalc.layers.dependence import AxisDependence
from shapecalc.layers.effect import Shapes, learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Integer, Listed, complaint
from shapecalc.layers.linear import OverFeatures
from shapecalc.layers.memory_traits import Mode
from shapecalc.layers.pool import WindowPooling
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.layers.roles import AsNumbers
from shapecalc.layers.sliding import Windowed


class Subsample2d(WindowPooling, kind="subsample2d", rank=2):
    """The sum over each window times one trained coefficient per channel, plus a trained bias.

    `[N, C, H, W]` to `[N, C, ⌊(H - k)/s⌋ + 1, ⌊(W - k)/s⌋ + 1]`, the stride s being k if left out. Weights
    are `weight: [C]` and `bias: [C]`. MACs are 0, as of all pooling. Refuses an input smaller than the
    window. Source: LeCun et al., 1998, layers S2 and S4.

    >>> Subsample2d(kernel_size=2).apply(((1, 6, 28, 28),)).params
    12
    """

    family = Family.SUBSAMPLING

    def weights(self, x: Shape) -> Named:
        features = (self.channels(x),)
        return {"weight": features, "bias": features}

    def operations(self, x: Shape) -> Operations:
        return Operations(additions=self.seen(x), multiplications=product(self.output(x)))


class PartialConv2d(NoBuffers, Windowed, kind="partial_conv2d", rank=2):
    """Convolution where each output channel sees the input channels that `connections` lists for it.

    `[N, C, H, W]` to `[N, len(connections), H', W']`, sizes as in `conv2d`. With t connections in all,
    weights are `weight: [t, k, k]` (one kernel per connection, in order) and `bias: [len(connections)]`, and
    MACs are N·t·k²·H'·W'. Refuses what `conv2d` refuses, and a channel that does not exist or is listed twice
    for one output. Source: LeCun et al., 1998, layer C3 and table I, with 60 connections.

    >>> PartialConv2d(connections=[[0, 1], [1, 2], [0, 1, 2]], kernel_size=5).output((1, 3, 14, 14))
    (1, 3, 10, 10)
    >>> PartialConv2d(connections=[[0, 1], [1, 2], [0, 1, 2]], kernel_size=5).weights((1, 3, 14, 14))
    {'weight': (7, 5, 5), 'bias': (3,)}
    """

    order = "connections ..."
    family = Family.CONVOLUTION
    unknown_dependence = ("channels", "a table says which channels see which")

    connections: Annotated[tuple[tuple[int, ...], ...], Listed(Listed(Integer(0), 1), 1), AsNumbers()]
    bias: Flag = True

    @model_validator(mode="after")
    def _no_connection_twice(self) -> Self:
        lists = self.connections if isinstance(self.connections, tuple) else ()  # or still a formula
        for number, channels in enumerate(lists):
            if isinstance(channels, tuple) and len(set(channels)) < len(channels):
                raise complaint(f"connections lists a channel twice for output {number}: {list(channels)}")
        return self

    def saved(self, inputs: Shapes, mode: Mode) -> None:
        """Not known: torch has no such layer."""

    @property
    def total(self) -> int:
        """The connections of all outputs together."""
        return sum(map(len, self.connections))

    def fitting(self, x: Shape) -> Iterator[Requirement]:
        highest = max(map(max, self.connections))
        has = f"the input {shown(x)} has channels 0 to {self.channels(x) - 1}"
        says = f"{self.kind}: connections name channel {highest}, but {has}"
        yield Requirement("channels", self.channels(x), ">=", highest + 1, says)
        yield from super().fitting(x)

    def filters(self, x: Shape) -> Dim:
        return len(self.connections)

    def weights(self, x: Shape) -> Named:
        weight = (self.total, *self.spread(self.kernel_size))
        return learned({"weight": weight, "bias": (len(self.connections),)}, bias=self.bias)

    def mixes(self, x: Shape, axis: int) -> AxisDependence:
        return None

    def operations(self, x: Shape) -> Operations:
        per_position = self.total * product(self.spread(self.kernel_size))
        macs = product(self.resized(x, self.swept(x), 1)) * per_position
        return products(macs, product(self.output(x)), biased=self.bias)


class RBF(NoMacs, OverFeatures, kind="rbf", framework="torch"):
    """The squared distance to fixed centres: `[..., in_features]` to `[..., out_features]`.

    The centres are drawn by hand, not learned, so they are the buffer `centers: [out_features, in_features]`.
    Source: LeCun et al., 1998, output layer.

    >>> RBF(out_features=10).buffers((1, 84))
    {'centers': (10, 84)}
    """

    family = Family.RADIAL_BASIS

    def weights(self, x: Shape) -> Named:
        return {}

    def buffers(self, x: Shape) -> Named:
        return {"centers": (self.out_features, x[-1])}

    def operations(self, x: Shape) -> Operations:
        results = product(self.output(x))
        return Operations(additions=2 * results * x[-1] - results, multiplications=results * x[-1])
