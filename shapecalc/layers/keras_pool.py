"""Keras' pooling: channels last, with a window (padding `valid` or `same`), or over the complete map.

    valid:  out = ⌊(n - k)/s⌋ + 1         same:  out = ⌈n/s⌉         s = k if left out

No pooling has weights or counts as multiply-accumulates.
"""

from shapecalc.algebra import Dim, product
from shapecalc.layers.adaptive_pool import GlobalAverage, GlobalMaximum
from shapecalc.layers.base import NoMacs, NoWeights
from shapecalc.layers.counts import Operations, greatest, mean
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.family import Family
from shapecalc.layers.fields import PerAxis
from shapecalc.layers.keras_conv import KerasWindowed
from shapecalc.layers.pool import StridePerAxis
from shapecalc.layers.requirement import Shape
from shapecalc.layers.spatial import ChannelsLast


class KerasPool(NoWeights, NoMacs, KerasWindowed):
    """A window that slides over every channel by itself, as Keras pools."""

    order = "kernel_size stride padding"

    stride: StridePerAxis = None

    def moved(self) -> PerAxis:
        return self.kernel_size if self.stride is None else self.stride

    def output(self, x: Shape) -> Shape:
        return self.resized(x, self.swept(x))

    def seen(self, x: Shape) -> Dim:
        """Return how many numbers all windows hold, padding included."""
        return product(self.spread(self.kernel_size)) * product(self.output(x))


class KerasMaxPool(KerasPool, ranked="KerasMaxPool{rank}d", keras="keras.layers.MaxPooling{rank}D"):
    """The largest value of every window: `[N, {sizes}, C]` to `[N, {sizes:'}, C]`, n' = ⌈n/s⌉ for `same`.

    Refuses an input smaller than the window for `valid`.

    >>> KerasMaxPool{rank}d(kernel_size=3, stride=2, padding="same").output((1, {each:101}, 8))
    (1, {each:51}, 8)
    """

    family = Family.MAX_POOL

    def operations(self, x: Shape) -> Operations:
        return greatest(self.seen(x), product(self.output(x)))


class KerasAvgPool(KerasPool, ranked="KerasAvgPool{rank}d", keras="keras.layers.AveragePooling{rank}D"):
    """The mean of every window: `[N, {sizes}, C]` to `[N, {sizes:'}, C]`, n' = ⌈n/s⌉ for `same`.

    Refuses an input smaller than the window for `valid`.

    >>> KerasAvgPool{rank}d(kernel_size=3, stride=2).output((1, {each:101}, 8))
    (1, {each:50}, 8)
    """

    family = Family.AVERAGE_POOL

    def operations(self, x: Shape) -> Operations:
        return mean(self.seen(x), product(self.output(x)))


class KerasGlobalAvgPool(ChannelsLast, GlobalAverage, ranked="KerasGlobalAvgPool{rank}d"):
    """The mean of every channel: `[N, {sizes}, C]` to `[N, C]`, or `[N, {each:1}, C]` with keepdim.

    >>> KerasGlobalAvgPool{rank}d(keepdim=True).output((1, {each:33}, 8))
    (1, {each:1}, 8)
    """


class KerasGlobalMaxPool(ChannelsLast, GlobalMaximum, ranked="KerasGlobalMaxPool{rank}d"):
    """The largest value of every channel: `[N, {sizes}, C]` to `[N, C]`, or `[N, {each:1}, C]` with keepdim.

    >>> KerasGlobalMaxPool{rank}d().output((1, {each:33}, 8))
    (1, 8)
    """


__getattr__ = of_rank(__name__)
