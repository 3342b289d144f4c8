"""Stochastic depth: in training, complete branches are left out; in evaluation, nothing happens."""

from typing import Annotated

from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import NOTHING
from shapecalc.layers.effect import Shapes
from shapecalc.layers.family import Family
from shapecalc.layers.fields import OneOf, Probability
from shapecalc.layers.memory_rule import RETURNED
from shapecalc.layers.memory_traits import Mode, Own, Place


class StochasticDepth(Pointwise, torch="torchvision.ops.StochasticDepth"):
    """Sets the complete branch to zero with probability p in training, for each sample or for the batch.

    `mode` says whether each sample is drawn for itself (row) or all together (batch). Source: Huang et al.,
    Deep Networks with Stochastic Depth, 2016.

    >>> StochasticDepth(p=0.2).output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    family = Family.DROPOUT
    saves = "nothing"
    per_element = NOTHING

    p: Probability
    mode: Annotated[str, OneOf(("row", "batch"))] = "row"

    def places(self, inputs: Shapes, mode: Mode) -> tuple[Place | None, ...]:
        return super().places(inputs, mode) if mode.training and self.p != 0 else (RETURNED,)

    def makes(self, inputs: Shapes, mode: Mode) -> tuple[Own, ...]:
        """A factor for each sample, or one."""
        x = inputs[0]
        drawn = Own((x[0] if self.mode == "row" else 1, *(1 for _ in x[1:])))
        return (drawn,) if mode.training and self.p != 0 else ()
