"""Pooling over all of every channel, over 1, 2 and 3 axes."""

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import NoWindow
from shapecalc.layers.counts import greatest, mean
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, without
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag
from shapecalc.layers.memory_traits import Input, Mode, Result, Storage
from shapecalc.layers.pool import Pooling
from shapecalc.layers.requirement import Shape


class GlobalPool(NoWindow, Pooling):
    """The rules of global pooling, for any number of axes."""

    family = Family.GLOBAL_POOL
    fixes_sizes = True

    keepdim: Flag = False

    def output(self, x: Shape) -> Shape:
        return self.resized(x, (1,) * self.rank if self.keepdim else ())

    def dependence(self, x: Shape, result: int) -> Dependence:
        return without(len(x), self.spatial_axes(x), keepdim=self.keepdim)

    def seen(self, x: Shape) -> Dim:
        return product(x)


class GlobalAverage(
    GlobalPool, ranked="GlobalAvgPool{rank}d", keras="keras.layers.GlobalAveragePooling{rank}D"
):
    """The mean of every channel: `[N, C, {sizes}]` to `[N, C]`, or `[N, C, {each:1}]` with keepdim.

    It is torch's `x.mean(dim, keepdim)` over {axes}. Source: Lin et al., Network in network, 2013.

    >>> GlobalAvgPool{rank}d(keepdim=True).output((1, 2048, {each:7}))
    (1, 2048, {each:1})
    """

    reduced_by = mean
    saves = "nothing"


class GlobalMaximum(GlobalPool, ranked="GlobalMaxPool{rank}d", keras="keras.layers.GlobalMaxPooling{rank}D"):
    """The largest value of every channel: `[N, C, {sizes}]` to `[N, C]`, or `[N, C, {each:1}]` with keepdim.

    It is torch's `x.amax(dim, keepdim)` over {axes}.

    >>> GlobalMaxPool{rank}d().output((1, 64, {each:7}))
    (1, 64)
    """

    reduced_by = greatest

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """Input and result, which are compared."""
        return (Input(), Result())


__getattr__ = of_rank(__name__)
