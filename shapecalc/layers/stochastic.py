"""Stochastic depth: in training, whole branches are left out; in evaluation, nothing happens."""

from typing import Annotated, ClassVar

from shapecalc.layers.base import Elementwise
from shapecalc.layers.counts import NOTHING
from shapecalc.layers.family import Family
from shapecalc.layers.fields import OneOf, Probability


class StochasticDepth(Elementwise):
    """Sets the whole branch to zero with probability p in training, for each sample or for the batch.

    Any shape, kept; no weights. `mode` says whether each sample is drawn for itself (row) or all
    together (batch). Source: torchvision.ops.StochasticDepth; Huang et al., Deep Networks with
    Stochastic Depth, 2016.

    >>> StochasticDepth(p=0.2).output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    kind: ClassVar[str] = "stochastic_depth"
    family: ClassVar[Family] = Family.DROPOUT
    torch: ClassVar[str | None] = "torchvision.ops.StochasticDepth"
    per_element = NOTHING

    p: Probability
    mode: Annotated[str, OneOf(("row", "batch"))] = "row"
