"""Dropout of elements and of complete channels: in evaluation, the identity.

The ranks are those that torch's layers accept: only `dropout1d` insists on one.
"""

from collections.abc import Iterator
from fractions import Fraction

from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import NOTHING
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Probability
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import InPlaceFlag


class Dropping(Pointwise):
    """What all sorts of dropout share: the probability that something is dropped."""

    family = Family.DROPOUT
    per_element = NOTHING

    p: Probability = Fraction(1, 2)
    inplace: InPlaceFlag = False


class Dropout(Dropping, torch="torch.nn.Dropout", keras="keras.layers.Dropout"):
    """Sets each element to zero with probability p in training. Source: Srivastava et al., Dropout, 2014."""


class ChannelDropout(Dropping, torch="torch.nn.Dropout{rank}d", keras="keras.layers.SpatialDropout{rank}D"):
    """Sets complete channels of `[N, C, {sizes}]` to zero in training.

    As in torch, other ranks are accepted. Source: Tompson et al., 2015.

    >>> Dropout{rank}d(p=0.2).output((1, 64, {each:56}))
    (1, 64, {each:56})
    """

    framework = "torch"


class Dropout1d(ChannelDropout, rank=1):
    """Over one axis, only `[C, L]` is."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 2, 3)


class AlphaDropout(Dropping, torch="torch.nn.AlphaDropout", keras="keras.layers.AlphaDropout"):
    """Sets elements to the negative saturation of SELU in training, keeping mean and variance.

    Source: Klambauer et al., Self-normalizing neural networks, 2017.
    """


class FeatureAlphaDropout(Dropping, framework="torch", torch="torch.nn.FeatureAlphaDropout"):
    """Sets complete channels to the negative saturation of SELU in training."""


__getattr__ = of_rank(__name__)
