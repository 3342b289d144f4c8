"""Keras' pooling: channels last, with a window (padding `valid` or `same`), or over the whole map.

    valid:  out = ⌊(n - k)/s⌋ + 1         same:  out = ⌈n/s⌉         s = k if left out

No pooling has weights or counts as multiply-accumulates.
"""

from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.adaptive_pool import GlobalAverage, GlobalMaximum
from shapecalc.layers.base import NoMacs, NoWeights
from shapecalc.layers.counts import Operations, greatest, mean
from shapecalc.layers.family import Family
from shapecalc.layers.fields import PerAxis
from shapecalc.layers.keras_conv import KerasWindowed
from shapecalc.layers.pool import StridePerAxis
from shapecalc.layers.requirement import Shape
from shapecalc.layers.spatial import ChannelsLast


class KerasPool(NoWeights, NoMacs, KerasWindowed):
    """A window that slides over every channel by itself, as Keras pools."""

    stride: StridePerAxis = None

    def moved(self) -> PerAxis:
        return self.kernel_size if self.stride is None else self.stride

    def output(self, x: Shape) -> Shape:
        return self.resized(x, self.swept(x))

    def seen(self, x: Shape) -> Dim:
        """Return how many numbers all windows hold, padding included."""
        return product(self.spread(self.kernel_size)) * product(self.output(x))


class KerasMaxPool(KerasPool):
    """The largest value of every window."""

    family: ClassVar[Family] = Family.MAX_POOL

    def operations(self, x: Shape) -> Operations:
        return greatest(self.seen(x), product(self.output(x)))


class KerasAvgPool(KerasPool):
    """The mean of every window."""

    family: ClassVar[Family] = Family.AVERAGE_POOL

    def operations(self, x: Shape) -> Operations:
        return mean(self.seen(x), product(self.output(x)))


class KerasGlobalAvgPool(ChannelsLast, GlobalAverage):
    """The mean of every channel."""


class KerasGlobalMaxPool(ChannelsLast, GlobalMaximum):
    """The largest value of every channel."""


class KerasMaxPool1d(KerasMaxPool):
    """The largest value of every window: `[N, L, C]` to `[N, L', C]`, n' = ⌈n/s⌉ for `same`.

    No weights, no MACs. Refuses an input smaller than the window for `valid`. Source:
    keras.layers.MaxPooling1D.

    >>> KerasMaxPool1d(kernel_size=3, stride=2, padding="same").output((1, 101, 8))
    (1, 51, 8)
    """

    kind: ClassVar[str] = "max_pool1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.MaxPooling1D"


class KerasMaxPool2d(KerasMaxPool):
    """The largest value of every window: `[N, H, W, C]` to `[N, H', W', C]`, n' = ⌈n/s⌉ for `same`.

    No weights, no MACs. Refuses an input smaller than the window for `valid`. Source:
    keras.layers.MaxPooling2D.

    >>> KerasMaxPool2d(kernel_size=3, stride=2, padding="same").output((1, 112, 112, 64))
    (1, 56, 56, 64)
    """

    kind: ClassVar[str] = "max_pool2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.MaxPooling2D"


class KerasMaxPool3d(KerasMaxPool):
    """The largest value of every window: `[N, D, H, W, C]` to `[N, D', H', W', C]`, n' = ⌈n/s⌉ for `same`.

    No weights, no MACs. Refuses an input smaller than the window for `valid`. Source:
    keras.layers.MaxPooling3D.

    >>> KerasMaxPool3d(kernel_size=3, stride=2, padding="same").output((1, 8, 33, 33, 16))
    (1, 4, 17, 17, 16)
    """

    kind: ClassVar[str] = "max_pool3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.MaxPooling3D"


class KerasAvgPool1d(KerasAvgPool):
    """The mean of every window: `[N, L, C]` to `[N, L', C]`, n' = ⌈n/s⌉ for `same`.

    No weights, no MACs. Refuses an input smaller than the window for `valid`. Source:
    keras.layers.AveragePooling1D.

    >>> KerasAvgPool1d(kernel_size=3, stride=2, padding="same").output((1, 101, 8))
    (1, 51, 8)
    """

    kind: ClassVar[str] = "avg_pool1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.AveragePooling1D"


class KerasAvgPool2d(KerasAvgPool):
    """The mean of every window: `[N, H, W, C]` to `[N, H', W', C]`, n' = ⌈n/s⌉ for `same`.

    No weights, no MACs. Refuses an input smaller than the window for `valid`. Source:
    keras.layers.AveragePooling2D.

    >>> KerasAvgPool2d(kernel_size=3, stride=2, padding="same").output((1, 112, 112, 64))
    (1, 56, 56, 64)
    """

    kind: ClassVar[str] = "avg_pool2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.AveragePooling2D"


class KerasAvgPool3d(KerasAvgPool):
    """The mean of every window: `[N, D, H, W, C]` to `[N, D', H', W', C]`, n' = ⌈n/s⌉ for `same`.

    No weights, no MACs. Refuses an input smaller than the window for `valid`. Source:
    keras.layers.AveragePooling3D.

    >>> KerasAvgPool3d(kernel_size=3, stride=2, padding="same").output((1, 8, 33, 33, 16))
    (1, 4, 17, 17, 16)
    """

    kind: ClassVar[str] = "avg_pool3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.AveragePooling3D"


class KerasGlobalAvgPool1d(KerasGlobalAvgPool):
    """The mean of every channel: `[N, L, C]` to `[N, C]`, or `[N, 1, C]` with `keepdim`.

    No weights, no MACs. Source: keras.layers.GlobalAveragePooling1D.

    >>> KerasGlobalAvgPool1d(keepdim=True).output((1, 101, 8))
    (1, 1, 8)
    """

    kind: ClassVar[str] = "global_avg_pool1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.GlobalAveragePooling1D"


class KerasGlobalAvgPool2d(KerasGlobalAvgPool):
    """The mean of every channel: `[N, H, W, C]` to `[N, C]`, or `[N, 1, 1, C]` with `keepdim`.

    No weights, no MACs. Source: keras.layers.GlobalAveragePooling2D.

    >>> KerasGlobalAvgPool2d(keepdim=True).output((1, 112, 112, 64))
    (1, 1, 1, 64)
    """

    kind: ClassVar[str] = "global_avg_pool2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.GlobalAveragePooling2D"


class KerasGlobalAvgPool3d(KerasGlobalAvgPool):
    """The mean of every channel: `[N, D, H, W, C]` to `[N, C]`, or `[N, 1, 1, 1, C]` with `keepdim`.

    No weights, no MACs. Source: keras.layers.GlobalAveragePooling3D.

    >>> KerasGlobalAvgPool3d(keepdim=True).output((1, 8, 33, 33, 16))
    (1, 1, 1, 1, 16)
    """

    kind: ClassVar[str] = "global_avg_pool3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.GlobalAveragePooling3D"


class KerasGlobalMaxPool1d(KerasGlobalMaxPool):
    """The largest value of every channel: `[N, L, C]` to `[N, C]`, or `[N, 1, C]` with `keepdim`.

    No weights, no MACs. Source: keras.layers.GlobalMaxPooling1D.

    >>> KerasGlobalMaxPool1d(keepdim=True).output((1, 101, 8))
    (1, 1, 8)
    """

    kind: ClassVar[str] = "global_max_pool1d"
    rank: ClassVar[int] = 1
    keras: ClassVar[str | None] = "keras.layers.GlobalMaxPooling1D"


class KerasGlobalMaxPool2d(KerasGlobalMaxPool):
    """The largest value of every channel: `[N, H, W, C]` to `[N, C]`, or `[N, 1, 1, C]` with `keepdim`.

    No weights, no MACs. Source: keras.layers.GlobalMaxPooling2D.

    >>> KerasGlobalMaxPool2d(keepdim=True).output((1, 112, 112, 64))
    (1, 1, 1, 64)
    """

    kind: ClassVar[str] = "global_max_pool2d"
    rank: ClassVar[int] = 2
    keras: ClassVar[str | None] = "keras.layers.GlobalMaxPooling2D"


class KerasGlobalMaxPool3d(KerasGlobalMaxPool):
    """The largest value of every channel: `[N, D, H, W, C]` to `[N, C]`, or `[N, 1, 1, 1, C]` with `keepdim`.

    No weights, no MACs. Source: keras.layers.GlobalMaxPooling3D.

    >>> KerasGlobalMaxPool3d(keepdim=True).output((1, 8, 33, 33, 16))
    (1, 1, 1, 1, 16)
    """

    kind: ClassVar[str] = "global_max_pool3d"
    rank: ClassVar[int] = 3
    keras: ClassVar[str | None] = "keras.layers.GlobalMaxPooling3D"
