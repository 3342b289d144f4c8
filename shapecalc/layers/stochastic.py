"""Stochastic depth: in training, complete branches are left out; in evaluation, nothing happens."""

from typing import Annotated

from shapecalc.layers.base import Pointwise
from shapecalc.layers.counts import NOTHING
from shapecalc.layers.family import Family
from shapecalc.layers.fields import OneOf, Probability


class StochasticDepth(Pointwise, torch="torchvision.ops.StochasticDepth"):
    """Sets the complete branch to zero with probability p in training, for each sample or for the batch.

    `mode` says whether each sample is drawn for itself (row) or all together (batch). Source: Huang et al.,
    Deep Networks with Stochastic Depth, 2016.

    >>> StochasticDepth(p=0.2).output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    family = Family.DROPOUT
    per_element = NOTHING

    p: Probability
    mode: Annotated[str, OneOf(("row", "batch"))] = "row"
