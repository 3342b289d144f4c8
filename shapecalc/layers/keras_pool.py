"""Keras' pooling: channels last, with a window (padding `valid` or `same`), or over the complete map.

valid:  out = ⌊(n - k)/s⌋ + 1         same:  out = ⌈n/s⌉         s = k if left out
"""

from shapecalc.layers.adaptive_pool import AdaptivePool
from shapecalc.layers.counts import greatest, mean
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.family import Family
from shapecalc.layers.global_pool import GlobalAverage, GlobalMaximum
from shapecalc.layers.keras_conv import KerasWindowed
from shapecalc.layers.pool import WindowPooling
from shapecalc.layers.requirement import Shape
from shapecalc.layers.roles import OutputSize
from shapecalc.layers.spatial import ChannelsLast


class KerasPool(KerasWindowed, WindowPooling):
    """A window that slides over every channel apart, as Keras pools."""

    order = "kernel_size stride padding"


class KerasMaxPool(KerasPool, ranked="KerasMaxPool{rank}d", keras="keras.layers.MaxPooling{rank}D"):
    """The largest value of every window: `[N, {sizes}, C]` to `[N, {sizes:'}, C]`, n' = ⌈n/s⌉ for `same`.

    Refuses an input smaller than the window for `valid`.

    >>> KerasMaxPool{rank}d(kernel_size=3, stride=2, padding="same").output((1, {each:101}, 8))
    (1, {each:51}, 8)
    """

    family = Family.MAX_POOL
    reduced_by = greatest


class KerasAvgPool(KerasPool, ranked="KerasAvgPool{rank}d", keras="keras.layers.AveragePooling{rank}D"):
    """The mean of every window: `[N, {sizes}, C]` to `[N, {sizes:'}, C]`, n' = ⌈n/s⌉ for `same`.

    Refuses an input smaller than the window for `valid`.

    >>> KerasAvgPool{rank}d(kernel_size=3, stride=2).output((1, {each:101}, 8))
    (1, {each:50}, 8)
    """

    family = Family.AVERAGE_POOL
    reduced_by = mean


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


class KerasAdaptive(ChannelsLast, AdaptivePool):
    """A set number of windows, as Keras has them."""

    output_size: OutputSize

    def output(self, x: Shape) -> Shape:
        return self.resized(x, self.pooled(x))


class KerasAdaptiveAverage(
    KerasAdaptive,
    ranked="KerasAdaptiveAvgPool{rank}d",
    keras="keras.layers.AdaptiveAveragePooling{rank}D",
):
    """The means of as many windows as are requested: `[N, {sizes}, C]` to `[N, *output_size, C]`.

    >>> KerasAdaptiveAvgPool{rank}d(output_size=5).output((1, {each:13}, 8))
    (1, {each:5}, 8)
    """

    family = Family.ADAPTIVE_AVERAGE_POOL
    reduced_by = mean


class KerasAdaptiveMaximum(
    KerasAdaptive, ranked="KerasAdaptiveMaxPool{rank}d", keras="keras.layers.AdaptiveMaxPooling{rank}D"
):
    """The maxima of as many windows as are requested: `[N, {sizes}, C]` to `[N, *output_size, C]`.

    >>> KerasAdaptiveMaxPool{rank}d(output_size=5).output((1, {each:13}, 8))
    (1, {each:5}, 8)
    """

    family = Family.ADAPTIVE_MAX_POOL
    reduced_by = greatest


__getattr__ = of_rank(__name__)
