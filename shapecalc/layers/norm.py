"""Normalisation: batch, instance, group, layer, root mean square, and local response.

The shape is kept. None of them multiplies in the sense of a MAC: the convention counts
convolutions and matrix products only.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import (
    Layer,
    Named,
    NoBuffers,
    NoMacs,
    NoWeights,
    NoWindow,
    Requirement,
    SameShape,
    Shape,
    divides,
    matches,
    rank_between,
    shown,
)
from shapecalc.layers.fields import Count, Decimal, Each, Flag, Optional, OptionalCount, Real, Whole

EPS = Fraction(1, 100_000)

Momentum = Annotated[Fraction | int | None, Optional(Decimal())]


class Statistics(SameShape, NoMacs, NoWindow, Layer):
    """What batch and instance normalisation share: a mean and a variance per channel."""

    rank: ClassVar[int]

    num_features: OptionalCount = None
    momentum: Momentum = Fraction(1, 10)
    affine: Flag
    track_running_stats: Flag

    def channels(self, x: Shape) -> Dim:
        """Return the size of the channel axis."""
        raise NotImplementedError

    def declared_features(self, x: Shape) -> Iterator[Requirement]:
        """Compare num_features with the channels where a tensor has that size, as torch does."""
        if self.affine or self.track_running_stats:
            yield from matches(self.kind, "num_features", self.num_features, self.channels(x), x)

    def weights(self, x: Shape) -> Named:
        features = (self.channels(x),)
        return {"weight": features, "bias": features} if self.affine else {}

    def buffers(self, x: Shape) -> Named:
        if not self.track_running_stats:
            return {}
        features = (self.channels(x),)
        return {"running_mean": features, "running_var": features, "num_batches_tracked": ()}


class BatchNorm(Statistics):
    """The rules of batch normalisation, for any number of spatial axes; the batch is required."""

    eps: Annotated[Fraction | int, Decimal(0)] = EPS
    affine: Flag = True
    track_running_stats: Flag = True

    def channels(self, x: Shape) -> Dim:
        return x[1]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        low = 2 if self.rank == 1 else self.rank + 2
        yield from rank_between(self.kind, x, low, self.rank + 2)
        yield from self.declared_features(x)
        if not self.track_running_stats:
            yield _enough(self.kind, x[0] * product(x[2:]), "values per channel", x)


class BatchNorm1d(BatchNorm):
    """Batch normalisation of `[N, C]` or `[N, C, L]`: (x - mean)/√(variance + eps) per channel.

    Weights are `weight: [C]` and `bias: [C]` if affine; buffers are `running_mean: [C]`,
    `running_var: [C]` and `num_batches_tracked` if track_running_stats. Without running
    statistics the batch must hold more than one value per channel. Refuses other ranks and a
    num_features that is not C. Source: torch.nn.BatchNorm1d; Ioffe and Szegedy, 2015.

    >>> BatchNorm1d().weights((8, 32))
    {'weight': (32,), 'bias': (32,)}
    """

    kind: ClassVar[str] = "batch_norm1d"
    rank: ClassVar[int] = 1
    torch: ClassVar[str | None] = "torch.nn.BatchNorm1d"
    keras: ClassVar[str | None] = "keras.layers.BatchNormalization"


class BatchNorm2d(BatchNorm):
    """Batch normalisation of `[N, C, H, W]`: (x - mean)/√(variance + eps) per channel.

    Weights, buffers and refusals are those of `batch_norm1d`; only 4 dimensions are accepted.
    Source: torch.nn.BatchNorm2d; Ioffe and Szegedy, Batch Normalization, 2015.

    >>> BatchNorm2d().buffers((1, 64, 112, 112))
    {'running_mean': (64,), 'running_var': (64,), 'num_batches_tracked': ()}
    """

    kind: ClassVar[str] = "batch_norm2d"
    rank: ClassVar[int] = 2
    torch: ClassVar[str | None] = "torch.nn.BatchNorm2d"
    keras: ClassVar[str | None] = "keras.layers.BatchNormalization"


class BatchNorm3d(BatchNorm):
    """Batch normalisation of `[N, C, D, H, W]`: (x - mean)/√(variance + eps) per channel.

    Weights, buffers and refusals are those of `batch_norm1d`; only 5 dimensions are accepted.
    Source: torch.nn.BatchNorm3d.

    >>> BatchNorm3d(affine=False).weights((1, 16, 4, 8, 8))
    {}
    """

    kind: ClassVar[str] = "batch_norm3d"
    rank: ClassVar[int] = 3
    torch: ClassVar[str | None] = "torch.nn.BatchNorm3d"
    keras: ClassVar[str | None] = "keras.layers.BatchNormalization"


class InstanceNorm(Statistics):
    """The rules of instance normalisation, for any number of spatial axes, batched or not."""

    eps: Real = EPS
    affine: Flag = False
    track_running_stats: Flag = False

    def channels(self, x: Shape) -> Dim:
        return x[-self.rank - 1]

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, self.rank + 1, self.rank + 2)
        yield from self.declared_features(x)
        if not self.track_running_stats:
            yield _enough(self.kind, product(x[-self.rank :]), "spatial elements", x)


class InstanceNorm1d(InstanceNorm):
    """Instance normalisation of `[N, C, L]` or `[C, L]`: (x - mean)/√(variance + eps) per channel.

    Mean and variance are of one sample. Weights are `weight: [C]` and `bias: [C]` if affine;
    buffers are those of `batch_norm1d` if track_running_stats. Without running statistics, in
    evaluation too, there must be more than one spatial element. Refuses a num_features that is not
    C where a tensor has that size. Source: torch.nn.InstanceNorm1d; Ulyanov et al., 2016.

    >>> InstanceNorm1d(affine=True).weights((1, 8, 100))
    {'weight': (8,), 'bias': (8,)}
    """

    kind: ClassVar[str] = "instance_norm1d"
    rank: ClassVar[int] = 1
    torch: ClassVar[str | None] = "torch.nn.InstanceNorm1d"


class InstanceNorm2d(InstanceNorm):
    """Instance normalisation of `[N, C, H, W]` or `[C, H, W]`, each sample and channel by itself.

    Weights, buffers and refusals are those of `instance_norm1d`. Source: torch.nn.InstanceNorm2d;
    Ulyanov et al., Instance Normalization, 2016.

    >>> InstanceNorm2d().output((1, 64, 256, 256))
    (1, 64, 256, 256)
    """

    kind: ClassVar[str] = "instance_norm2d"
    rank: ClassVar[int] = 2
    torch: ClassVar[str | None] = "torch.nn.InstanceNorm2d"


class InstanceNorm3d(InstanceNorm):
    """Instance normalisation of `[N, C, D, H, W]` or `[C, D, H, W]`, each channel by itself.

    Weights, buffers and refusals are those of `instance_norm1d`. Source: torch.nn.InstanceNorm3d.

    >>> InstanceNorm3d().weights((1, 16, 4, 8, 8))
    {}
    """

    kind: ClassVar[str] = "instance_norm3d"
    rank: ClassVar[int] = 3
    torch: ClassVar[str | None] = "torch.nn.InstanceNorm3d"


class GroupNorm(SameShape, NoBuffers, NoMacs, NoWindow, Layer):
    """Group normalisation of `[N, C, ...]`: mean and variance over C/num_groups channels.

    Weights are `weight: [C]` and `bias: [C]` if affine. Refuses groups that do not divide the
    channels, a num_channels that is not C (compared if affine), and inputs with one value per
    group in the whole batch, N·C/num_groups·∏ sizes = 1. Source: torch.nn.GroupNorm; Wu and He,
    2018.

    >>> GroupNorm(num_groups=32).weights((1, 256, 14, 14))
    {'weight': (256,), 'bias': (256,)}
    """

    kind: ClassVar[str] = "group_norm"
    torch: ClassVar[str | None] = "torch.nn.GroupNorm"
    keras: ClassVar[str | None] = "keras.layers.GroupNormalization"

    num_groups: Count
    num_channels: OptionalCount = None
    eps: Real = EPS
    affine: Flag = True

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, None)
        if self.num_channels is not None:
            yield divides(self.kind, "num_groups", self.num_groups, "num_channels", self.num_channels)
        if self.affine:
            yield from matches(self.kind, "num_channels", self.num_channels, x[1], x)
        yield divides(self.kind, "num_groups", self.num_groups, "channels", x[1])
        values = x[0] * (x[1] // self.num_groups) * product(x[2:])
        yield _enough(self.kind, values, "values per group", x)

    def weights(self, x: Shape) -> Named:
        return {"weight": (x[1],), "bias": (x[1],)} if self.affine else {}


class OverLastAxes(SameShape, NoBuffers, NoMacs, NoWindow, Layer):
    """The rules of normalisation over the last axes, with a weight for each position in them."""

    normalized_shape: Annotated[Dim | tuple[Dim, ...] | None, Optional(Each(Whole(1)))] = None
    elementwise_affine: Flag = True

    def normalized(self, x: Shape) -> Shape:
        """Return the sizes of the axes that are normalised; the last one unless they are given."""
        given = self.normalized_shape
        if given is None:
            return (x[-1],)
        return given if isinstance(given, tuple) else (given,)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        given = (1,) if self.normalized_shape is None else self.normalized(x)
        yield Requirement("normalized-shape", len(given), ">=", 1, f"{self.kind}: normalized_shape is empty")
        yield from rank_between(self.kind, x, len(given), None)
        for arriving, wanted in zip(x[-len(given) :], self.normalized(x), strict=True):
            yield Requirement("normalized-shape", wanted, "==", arriving, lambda: self._differs(x))

    def _differs(self, x: Shape) -> str:
        wanted = self.normalized(x)
        return (
            f"{self.kind}: normalized_shape {shown(wanted)} is not the end of {shown(x)}, "
            f"which is {shown(x[-len(wanted) :])}"
        )


class LayerNorm(OverLastAxes):
    """Layer normalisation over the last axes: (x - mean)/√(variance + eps) · weight + bias.

    Weights are `weight: normalized_shape` if elementwise_affine and `bias: normalized_shape` if
    bias too. Refuses a normalized_shape that is not the end of the input's shape; left out it is
    the last axis. Source: torch.nn.LayerNorm; Ba et al., Layer Normalization, 2016.

    >>> LayerNorm(normalized_shape=[7, 7]).weights((1, 768, 7, 7))
    {'weight': (7, 7), 'bias': (7, 7)}
    """

    kind: ClassVar[str] = "layer_norm"
    torch: ClassVar[str | None] = "torch.nn.LayerNorm"
    keras: ClassVar[str | None] = "keras.layers.LayerNormalization"

    eps: Real = EPS
    bias: Flag = True

    def weights(self, x: Shape) -> Named:
        if not self.elementwise_affine:
            return {}
        named: Named = {"weight": self.normalized(x)}
        return named | {"bias": self.normalized(x)} if self.bias else named


class RMSNorm(OverLastAxes):
    """Root-mean-square normalisation over the last axes: x/√(mean of x² + eps) · weight.

    The weight is `weight: normalized_shape` if elementwise_affine. Refuses what `layer_norm`
    refuses. Source: torch.nn.RMSNorm; Zhang and Sennrich, 2019.

    >>> RMSNorm().weights((1, 128, 4096))
    {'weight': (4096,)}
    """

    kind: ClassVar[str] = "rms_norm"
    torch: ClassVar[str | None] = "torch.nn.RMSNorm"
    keras: ClassVar[str | None] = "keras.layers.RMSNormalization"

    eps: Annotated[Fraction | int | None, Optional(Decimal())] = None

    def weights(self, x: Shape) -> Named:
        return {"weight": self.normalized(x)} if self.elementwise_affine else {}


class LocalResponseNorm(SameShape, NoWeights, NoMacs, NoWindow, Layer):
    """Division by the activity of neighbouring channels: x/(k + alpha/size · ∑ x²)^beta.

    The sum runs over `size` channels around each one; no pixel sees another. Takes `[N, C, ...]`
    of 3 or more dimensions. Source: torch.nn.LocalResponseNorm; Krizhevsky et al., ImageNet
    classification with deep convolutional neural networks, 2012.

    >>> LocalResponseNorm(size=5).output((1, 96, 55, 55))
    (1, 96, 55, 55)
    """

    kind: ClassVar[str] = "local_response_norm"
    torch: ClassVar[str | None] = "torch.nn.LocalResponseNorm"

    size: Count
    alpha: Real = Fraction(1, 10_000)
    beta: Real = Fraction(3, 4)
    k: Real = 1

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 3, None)


def _enough(kind: str, values: Dim, what: str, x: Shape) -> Requirement:
    return Requirement(
        "too-small",
        values,
        ">=",
        2,
        lambda: f"{kind} needs at least 2 {what} to take a variance, but {shown(x)} has {values}",
    )
