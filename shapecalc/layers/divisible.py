"""A requirement that a network states about its input, where a layer alone would round it away."""

from collections.abc import Iterator
from functools import partial

from shapecalc.algebra import Dim
from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import NOTHING
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Count
from shapecalc.layers.mixins import ReturnsInput
from shapecalc.layers.requirement import Requirement, Shape, divides, rank_between
from shapecalc.layers.reshape import Axes, axes_exist, listed


class Divisible(ReturnsInput, Pointwise, kind="divisible", framework="torch"):
    """Returns its input, and refuses sizes on the axes `dim` that `divisor` does not divide.

    For networks that ask for it in so many words, as a Vision Transformer does of its patches, whose
    convolution alone would drop the pixels that are left over. In torch it is an assertion:
    torch._assert(x.shape[dim] % divisor == 0). Source: torchvision.models.VisionTransformer.

    >>> Divisible(divisor=16).output((1, 3, 224, 256))
    (1, 3, 224, 256)
    """

    family = Family.IDENTITY
    per_element = NOTHING

    divisor: Count
    dim: Axes = (-2, -1)

    def requirements(self, x: Shape) -> Iterator[Requirement]:
        yield from rank_between(self.kind, x, 1, None)
        yield from axes_exist(self.kind, "dim", listed(self.dim), x)
        for axis in listed(self.dim):
            needed = divides(self.kind, "divisor", self.divisor, f"axis {axis}", x[axis])
            yield needed.saying(hint=partial(self._nearest, x[axis]))

    def _nearest(self, n: Dim) -> str:
        below = n // self.divisor * self.divisor
        above = below + self.divisor
        return f"the nearest size is {above}" if below == 0 else f"the nearest sizes are {below} and {above}"
