"""Normalisation of each sample and channel apart."""

from collections.abc import Iterator

from shapecalc.algebra import Dim, product
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, over, placed
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Real
from shapecalc.layers.memory_traits import Input, Mode, Own, Storage
from shapecalc.layers.norm import EPS, Statistics, enough
from shapecalc.layers.requirement import Requirement, Shape, rank_between


class InstanceNorm(Statistics, torch="torch.nn.InstanceNorm{rank}d"):
    """Instance normalisation of `[N, C, {sizes}]` or `[C, {sizes}]`: (x - mean)/√(variance + eps).

    Mean and variance are those of one sample and channel. Weights are `weight: [C]` and `bias: [C]` if
    affine; buffers are those of `batch_norm{rank}d` if track_running_stats. Without running statistics, in
    evaluation too, there must be more than one spatial element. Refuses a num_features that is not C where a
    tensor has that size. Source: Ulyanov et al., Instance Normalization, 2016.

    >>> InstanceNorm{rank}d().output((1, 64, {each:25}))
    (1, 64, {each:25})
    """

    family = Family.INSTANCE_NORM

    eps: Real = EPS
    affine: Flag = False
    track_running_stats: Flag = False

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - cls.rank - 1

    def dependence(self, x: Shape, result: int) -> Dependence:
        return placed(len(x)) if self.track_running_stats else over(len(x), range(len(x))[-self.rank :])

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, self.rank + 1, self.rank + 2)
        yield from self.declared_features(x)
        if not self.track_running_stats:
            yield enough(self.kind, product(x[-self.rank :]), "spatial elements", x)

    def samples(self, x: Shape) -> Dim:
        return product(x[: -self.rank])

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """As batch normalisation of N·C channels, for which running statistics and weights are repeated."""
        repeated = (Own((self.samples(inputs[0]),)),) * (2 * self.track_running_stats + self.affine)
        return (*super().makes(inputs, mode), *repeated)

    def saved(self, inputs: Shapes, mode: Mode) -> tuple[Storage, ...]:
        """The input, or the copy of it that torch makes where it is not contiguous."""
        held = self._copied(inputs[0], mode) or (Input(),)
        return (*held, *self.makes(inputs, mode))

    def _copied(self, x: Shape, mode: Mode) -> tuple[Own, ...]:
        return () if mode.strides_of(0) is None else (Own(x),)

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """The repeated bias; after it, new running statistics are averaged one by one."""
        made = () if mode.learns else (*self._copied(inputs[0], mode), *self.makes(inputs, mode))
        bias = (Own((self.samples(inputs[0]),)),) * self.affine
        averaged = Own((self.channels(inputs[0]),))
        return ((*made, *bias, *(averaged,) * (mode.training and mode.learns and self.track_running_stats)),)


__getattr__ = of_rank(__name__)
