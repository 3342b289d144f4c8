"""Keras' normalisations: the channels are the last axis, and weights have Keras' names.

Batch normalisation has four tensors. All are parameters to Keras, but the moving mean and variance
are gathered and never trained.
"""

from collections.abc import Iterator
from fractions import Fraction

from shapecalc.algebra import product
from shapecalc.layers.base import Layer, Named, NoBuffers, NoMacs, NoWindow, OwnPlace, SameShape
from shapecalc.layers.counts import Operations, rescaled, standardized
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.dependence import EVERYTHING, OF_GROUPS, Dependence, over
from shapecalc.layers.effect import learned
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Flag, Real
from shapecalc.layers.layer_norm import NormalizedEnd, NumGroups, OverLastAxes, root_mean_square
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import InChannels, declared, divided

EPS = Fraction(1, 1000)


class KerasScaled(SameShape, NoBuffers, NoMacs, NoWindow, Layer):
    """A normalisation with a learned scale and shift per channel, each of which may be left out."""

    order = "* ..."
    framework = "keras"

    eps: Real = EPS
    affine: Flag = True
    scale: Flag = True
    center: Flag = True

    @classmethod
    def channel_axis(cls, x: Shape) -> int:
        return len(x) - 1

    def learned(self, size: Shape) -> Named:
        """Return gamma and beta, as far as they are wanted."""
        return learned(
            {"gamma": size, "beta": size}, gamma=self.affine and self.scale, beta=self.affine and self.center
        )


class KerasBatchNorm(
    OwnPlace, KerasScaled, ranked="KerasBatchNorm{rank}d", keras="keras.layers.BatchNormalization"
):
    """Batch normalisation of `[N, {sizes}, C]`: (x - mean)/√(variance + eps) per channel.

    Weights are `gamma`, `beta`, `moving_mean` and `moving_variance`, each `[C]`; the last two are parameters
    that are not trained. Refuses a num_features that is not C. Keras has one layer for all ranks:
    `batch_norm1d`, `2d` and `3d` are the same. Source: Ioffe and Szegedy, 2015.

    >>> KerasBatchNorm{rank}d(scale=False).apply(((1, {each:112}, 64),)).params
    192
    """

    family = Family.BATCH_NORM
    statistics = frozenset({"moving_mean", "moving_variance"})

    num_features: InChannels = None
    momentum: Real = Fraction(99, 100)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, None)
        yield from declared(self, x)

    def weights(self, x: Shape) -> Named:
        return self.learned(x[-1:]) | {"moving_mean": x[-1:], "moving_variance": x[-1:]}

    def operations(self, x: Shape) -> Operations:
        return rescaled(product(x), x[-1], shift=self.affine and self.center)


class KerasGroupNorm(KerasScaled, kind="group_norm", keras="keras.layers.GroupNormalization"):
    """Group normalisation of `[N, ..., C]`: mean and variance over C/num_groups channels.

    Weights are `gamma: [C]` and `beta: [C]`. Refuses groups that do not divide the channels. Source: Wu and
    He, 2018.

    >>> KerasGroupNorm(num_groups=32).weights((1, 14, 14, 256))
    {'gamma': (256,), 'beta': (256,)}
    """

    family = Family.GROUP_NORM
    unknown_dependence = OF_GROUPS

    num_groups: NumGroups
    num_channels: InChannels = None

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 2, None)
        yield from declared(self, x)
        yield from divided(self, x)

    def dependence(self, x: Shape, result: int) -> Dependence:
        return (*over(len(x) - 1, range(1, len(x) - 1)), EVERYTHING if self.num_groups == 1 else None)

    def weights(self, x: Shape) -> Named:
        return self.learned(x[-1:])

    def operations(self, x: Shape) -> Operations:
        scale, shift = self.affine and self.scale, self.affine and self.center
        return standardized(product(x), x[0] * self.num_groups, scale=scale, shift=shift)


class KerasLayerNorm(
    OverLastAxes, kind="layer_norm", framework="keras", keras="keras.layers.LayerNormalization"
):
    """Layer normalisation over the last axes: (x - mean)/√(variance + eps) · gamma + beta.

    Weights are `gamma: normalized_shape` if elementwise_affine and `beta: normalized_shape` if bias too.
    Refuses a normalized_shape that is not the end of the input's shape; left out it is the last axis.

    >>> KerasLayerNorm().weights((1, 197, 768))
    {'gamma': (768,), 'beta': (768,)}
    """

    order = "* ..."
    family = Family.LAYER_NORM

    eps: Real = EPS
    bias: Flag = True

    def weights(self, x: Shape) -> Named:
        size, scale = self.normalized(x), self.elementwise_affine
        return learned({"gamma": size, "beta": size}, gamma=scale, beta=scale and self.bias)

    def operations(self, x: Shape) -> Operations:
        scale, shift = self.elementwise_affine, self.elementwise_affine and self.bias
        return standardized(product(x), self.samples(x), scale=scale, shift=shift)


class KerasRMSNorm(NormalizedEnd, kind="rms_norm", framework="keras", keras="keras.layers.RMSNormalization"):
    """Root-mean-square normalisation over the last axes: x/√(mean of x² + eps) · scale.

    The weight is `scale: normalized_shape`. Refuses what `layer_norm` refuses. Source: Zhang and Sennrich,
    2019.

    >>> KerasRMSNorm().weights((1, 128, 4096))
    {'scale': (4096,)}
    """

    order = "* ..."
    family = Family.RMS_NORM

    eps: Real = Fraction(1, 1_000_000)

    def weights(self, x: Shape) -> Named:
        return {"scale": self.normalized(x)}

    def operations(self, x: Shape) -> Operations:
        return root_mean_square(product(x), self.samples(x), scale=True)


__getattr__ = of_rank(__name__)
