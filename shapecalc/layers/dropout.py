"""Dropout of elements and of complete channels: in evaluation, the identity.

The ranks are those that torch's layers accept: only `dropout1d` insists on one.
"""

from collections.abc import Iterator
from fractions import Fraction

from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import NOTHING
from shapecalc.layers.declaration import of_rank
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Probability
from shapecalc.layers.memory_rule import RETURNED
from shapecalc.layers.memory_traits import Input, Mode, Own, Place
from shapecalc.layers.requirement import Requirement, Shape, rank_between
from shapecalc.layers.roles import InPlaceFlag


class Dropping(Pointwise):
    """What all sorts of dropout share: the probability that something is dropped."""

    family = Family.DROPOUT
    per_element = NOTHING

    saves = "nothing"

    p: Probability = Fraction(1, 2)
    inplace: InPlaceFlag = False

    def drops(self, mode: Mode) -> bool:
        """Whether anything happens."""
        return mode.training and self.p != 0

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return super().places(inputs, mode) if self.drops(mode) else (RETURNED,)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """The factors by which elements are multiplied; one for all where all are dropped."""
        if not self.drops(mode):
            return ()
        return (Own(() if self.p == 1 else self.drawn(inputs[0])),)

    def drawn(self, x: Shape) -> Shape:
        """Return the shape of the factors."""
        return x


class Dropout(Dropping, torch="torch.nn.Dropout", keras="keras.layers.Dropout"):
    """Sets each element to zero with probability p in training. Source: Srivastava et al., Dropout, 2014."""


class ChannelDropout(Dropping, torch="torch.nn.Dropout{rank}d", keras="keras.layers.SpatialDropout{rank}D"):
    """Sets complete channels of `[N, C, {sizes}]` to zero in training.

    As in torch, other ranks are accepted. Source: Tompson et al., 2015.

    >>> Dropout{rank}d(p=0.2).output((1, 64, {each:56}))
    (1, 64, {each:56})
    """

    framework = "torch"

    def unbatched(self, x: Shape) -> bool:
        """Whether torch puts a batch in front, of which it returns a view."""
        return self.rank != 2 and len(x) != self.rank + 2

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        places = super().places(inputs, mode)
        return (Place(Input()),) if self._viewed(inputs[0], places) else places

    def _viewed(self, x: Shape, places: tuple[Place | None, ...]) -> bool:
        return places == (RETURNED,) and self.unbatched(x) and self.inplace is not True

    def drawn(self, x: Shape) -> Shape:
        return (x[0], *(1 for _ in x[1:])) if self.unbatched(x) else _per_channel(x)


class Dropout1d(ChannelDropout, rank=1):
    """Over one axis, only `[C, L]` is."""

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        return rank_between(self.kind, x, 2, 3)


class AlphaDropout(Dropping, torch="torch.nn.AlphaDropout", keras="keras.layers.AlphaDropout"):
    """Sets elements to the negative saturation of SELU in training, keeping mean and variance.

    Source: Klambauer et al., Self-normalizing neural networks, 2017.
    """

    def overwrites(self, mode: Mode) -> bool:
        """Torch's class makes a new tensor whatever `inplace` says."""
        return mode.in_place

    def meanwhile(self, inputs: Shapes, mode: Mode) -> tuple[tuple[Own, ...], ...]:
        """What is added where elements are dropped, unless all are."""
        made = self.makes(inputs, mode)
        more = made if self.p != 1 else ()
        return ((*more, *(() if mode.learns else made)),)


class FeatureAlphaDropout(AlphaDropout, framework="torch", torch="torch.nn.FeatureAlphaDropout"):
    """Sets complete channels to the negative saturation of SELU in training."""

    keras = None

    def drawn(self, x: Shape) -> Shape:
        return _per_channel(x)


def _per_channel(x: Shape) -> Shape:
    return (*x[:2], *(1 for _ in x[2:]))


__getattr__ = of_rank(__name__)
