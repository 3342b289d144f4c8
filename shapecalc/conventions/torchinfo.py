"""The rules of torchinfo (1.8.0, `torchinfo/layer_info.py`): weights times how often they are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import Rule, Tool, macs_and_bias, of_families
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.family import Family, Group

CONVOLUTIONS = (Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION)


def _weights_per_sample(call: LayerCall) -> Dim:
    """Every weight once a sample, at however many positions it is used."""
    return call.batch * call.learned


def _recurrent(call: LayerCall) -> Dim:
    """Every weight and every bias at every position."""
    return product(call.x[:-1]) * call.learned


class Torchinfo(Tool):
    """torchinfo counts weights: at every position those of convolutions, once a sample all others."""

    name = "torchinfo"
    unit = "mult-adds"
    per_mac: ClassVar[Mapping[str, int]] = {"mult-adds": 1}
    sentence = (
        "mult-adds as torchinfo counts them: weights and biases of convolutions at every position, all other "
        "weights once a sample; what has no weights is not counted, and attention has no rule."
    )
    sees = ("module", "custom")
    rules: ClassVar[Mapping[Family, Rule]] = {
        **of_families(macs_and_bias, *CONVOLUTIONS),
        **of_families(_weights_per_sample, Family.LINEAR, Family.BILINEAR, Family.EMBEDDING),
        **of_families(_weights_per_sample, Family.RECURRENT_CELL, Family.ACTIVATION, Family.SUBSAMPLING),
        **of_families(_weights_per_sample, *[family for family in Family if family.group is Group.NORM]),
        Family.RECURRENT: _recurrent,
    }

    def rule(self, call: LayerCall) -> Dim | None:
        """Weights of a function are a module's of which nothing is known; convolutions go by its name."""
        unseen = call.called not in self.sees
        unknown = unseen or (call.called == "custom" and call.layer.family in CONVOLUTIONS)
        return None if unknown and call.weights else super().rule(call)
