"""The rules of torchinfo (1.8.0, `torchinfo/layer_info.py`): weights times how often they are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions import families as of
from shapecalc.conventions.convention import OneUnit, Rule, if_nothing_multiplies, macs_and_bias, rules
from shapecalc.conventions.layer_call import LayerCall


def _weights_a_sample(asked: LayerCall) -> Dim:
    """Every weight once a sample, however many positions it is used at."""
    return asked.batch * asked.learned


def _recurrent(asked: LayerCall) -> Dim:
    """Every weight and every bias at every position."""
    return product(asked.x[:-1]) * asked.learned


class Torchinfo(OneUnit):
    """torchinfo counts weights: at every position those of convolutions, once a sample all others."""

    name: ClassVar[str] = "torchinfo"
    unit: ClassVar[str] = "mult-adds"
    per_mac: ClassVar[Mapping[str, int]] = {"mult-adds": 1}
    sentence: ClassVar[str] = (
        "mult-adds as torchinfo counts them: weights and biases of convolutions at every position, all other "
        "weights once a sample; what has no weights is not counted, and attention has no rule."
    )
    rules: ClassVar[Mapping[str, Rule]] = rules(
        ((*of.CONVOLUTIONS, *of.TRANSPOSED), macs_and_bias),
        (of.RECURRENT, _recurrent),
        ((*of.CELLS, "bilinear", "embedding_bag"), _weights_a_sample),
        ((*of.UNSEEN, "einsum"), if_nothing_multiplies),
        ((of.SYNC, "linear", "embedding", "prelu", "subsample2d", *of.NORMS), _weights_a_sample),
    )
    nothing: ClassVar[frozenset[str]] = frozenset(
        {
            *of.COPYING,
            *of.ACTIVATIONS,
            *of.OVER_AXIS,
            *of.SUMS,
            *of.OTHERS,
            *of.LEARNED_AND_POINTWISE,
            *of.POWER_POOLS,
            *of.POOLS,
            *of.UPSAMPLING,
        }
        - rules.keys()
    )
