"""Normalisation per channel, with statistics that may be kept: what they share, and batch norm.

No norm has MACs: the convention counts convolutions and matrix products only. The others are in
`instance_norm` and `layer_norm`.
"""

from abc import abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, ClassVar, Self

from pydantic import model_validator

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Layer, Named, NoMacs, NoWindow, SameShape
from shapecalc.layers.counts import Operations, rescaled, standardized
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import Dependence, over, placed
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Decimal, Flag, Nullable, complaint
from shapecalc.layers.memory_traits import Mode, Own
from shapecalc.layers.mixins import KeepsOrder
from shapecalc.layers.requirement import Requirement, Shape, rank_between, shown
from shapecalc.layers.roles import InChannels, declared

EPS = Fraction(1, 100_000)

Momentum = Annotated[Fraction | int | None, Nullable(Decimal())]


class Statistics(SameShape, NoMacs, NoWindow, Layer):
    """What batch and instance normalisation share: a mean and a variance per channel."""

    order = "num_features eps ..."
    framework = "torch"
    saves = "input"
    statistics = frozenset({"running_mean", "running_var"})
    rank: ClassVar[int]

    num_features: InChannels = None
    momentum: Momentum = Fraction(1, 10)
    affine: Flag
    track_running_stats: Flag

    def channels(self, x: Shape) -> Dim:
        """Return the size of the channel axis."""
        return x[self.channel_axis(x)]

    def declared_features(self, x: Shape) -> Iterator[Requirement]:
        """Compare num_features with the channels where a tensor has that size, as torch does."""
        if self.affine or self.track_running_stats:
            yield from declared(self, x)

    def weights(self, x: Shape) -> Named:
        features = (self.channels(x),)
        return {"weight": features, "bias": features} if self.affine else {}

    def buffers(self, x: Shape) -> Named:
        if not self.track_running_stats:
            return {}
        features = (self.channels(x),)
        return {"running_mean": features, "running_var": features, "num_batches_tracked": ()}

    def operations(self, x: Shape) -> Operations:
        if self.track_running_stats:
            return rescaled(product(x), self.channels(x), shift=self.affine)
        return standardized(product(x), self.samples(x), scale=self.affine, shift=self.affine)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """A mean and a scale of each group; torch has them on the meta device in evaluation too."""
        statistic = Own((self.samples(inputs[0]),), "statistic")
        return (statistic, statistic)

    @abstractmethod
    def samples(self, x: Shape) -> Dim:
        """Return of how many groups of numbers mean and variance are taken."""


class BatchNorm(
    KeepsOrder, Statistics, torch="torch.nn.BatchNorm{rank}d", keras="keras.layers.BatchNormalization"
):
    """Batch normalisation of `[N, C, {sizes}]`: (x - mean)/√(variance + eps) per channel.

    Weights are `weight: [C]` and `bias: [C]` if affine; buffers are `running_mean: [C]`, `running_var: [C]`
    and `num_batches_tracked` if track_running_stats. The batch is required; without running statistics it
    must hold more than one value per channel. Refuses other ranks and a num_features that is not C. Source:
    Ioffe and Szegedy, Batch Normalization, 2015.

    >>> BatchNorm{rank}d().output((8, 64, {each:112}))
    (8, 64, {each:112})
    """

    family = Family.BATCH_NORM

    eps: Annotated[Fraction | int, Decimal(0)] = EPS
    affine: Flag = True
    track_running_stats: Flag = True

    @model_validator(mode="after")
    def _no_division_by_zero(self) -> Self:
        if self.track_running_stats is False and self.eps == 0:
            raise complaint("eps may not be 0 without running statistics: the variance can be 0")
        return self

    def dependence(self, x: Shape, result: int) -> Dependence:
        if self.track_running_stats:
            return placed(len(x))
        return over(len(x), [axis for axis in range(len(x)) if axis != 1])

    def ranks(self) -> tuple[int, int | None]:
        """Return the least and the most dimensions; None where there is no end."""
        return (2 if self.rank == 1 else self.rank + 2), self.rank + 2

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, *self.ranks())
        yield from self.declared_features(x)
        if not self.track_running_stats:
            yield enough(self.kind, x[0] * product(x[2:]), "values per channel", x)

    def samples(self, x: Shape) -> Dim:
        return self.channels(x)


class BatchNorm1d(BatchNorm, rank=1):
    """The length may be absent: `[N, C]`."""


class SyncBatchNorm(BatchNorm, torch="torch.nn.SyncBatchNorm"):
    """Batch normalisation whose statistics are those of all processes together.

    Weights and buffers are those of `batch_norm1d`; any input of 2 or more dimensions is accepted.

    >>> SyncBatchNorm().weights((8, 64, 56, 56))
    {'weight': (64,), 'bias': (64,)}
    """

    family = Family.SYNC_BATCH_NORM

    def ranks(self) -> tuple[int, int | None]:
        return 2, None


def enough(kind: str, values: Dim, what: str, x: Shape) -> Requirement:
    """Require at least two values, without which there is no variance."""
    says = f"{kind} needs at least 2 {what} to take a variance, but {shown(x)} has {values}"
    return Requirement("too-small", values, ">=", 2, says)


__getattr__ = of_rank(__name__)
