"""The rules of calflops (0.3.2, `calflops/pytorch_ops.py`), which counts MACs and FLOPs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions import families as of
from shapecalc.conventions.convention import (
    Convention,
    Counts,
    Rule,
    arriving,
    has_rule,
    if_nothing_multiplies,
    rules,
    scaled_norm,
)
from shapecalc.conventions.fvcore import Fvcore
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.ptflops import power_pooled, responses
from shapecalc.conventions.recurrent_ops import Steps


def _nothing(asked: LayerCall) -> Dim:
    """Nothing beside the two of each multiply-accumulate."""
    return 0


def _bias(asked: LayerCall) -> Dim:
    """An addition for each result that has a bias."""
    return asked.bias


def _upsampled(asked: LayerCall) -> Dim:
    """The sizes multiplied where they are given, otherwise what arrives; `area` pools besides."""
    pooled = asked.n_in if asked.word("mode") == "area" else 0
    size = getattr(asked.layer, "size", None)
    if size is None:
        return asked.n_in + pooled
    return (product(size) if isinstance(size, tuple) else size) + pooled


def _recurrent(asked: LayerCall) -> Dim:
    """The biases and what joins the gates; of two sums of products each gate is spared one addition."""
    steps = Steps.of(asked)
    return steps.hidden * (steps.joining + steps.biases - 2 * steps.gates)


class Calflops(Convention):
    """calflops' MACs are those of convolutions, linear layers and matrix products; its FLOPs add all else."""

    name: ClassVar[str] = "calflops"
    unit: ClassVar[str] = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1, "FLOPs": 2}
    sentence: ClassVar[str] = (
        "MACs as calflops counts them: convolutions, linear layers and matrix products. Its FLOPs are 2 for "
        "each, the biases of convolutions, batch norm 2 a number, ReLU 1 and pooling 1 a number that arrives."
    )
    more: ClassVar[Mapping[str, Rule]] = rules(
        ((*of.CONVOLUTIONS, *of.TRANSPOSED), _bias),
        (("linear", "matmul", "multihead_attention"), _nothing),
        (("einsum", "linear_cross_entropy_loss"), _nothing),
        (of.UNSEEN, if_nothing_multiplies),
        ((*of.RECURRENT, *of.CELLS), _recurrent),
        ((*of.BATCH_NORMS, of.SYNC), Fvcore.rules["batch_norm2d"]),
        ((*of.INSTANCE_NORMS, *of.WITHIN_SAMPLE), scaled_norm(4, 5)),
        (("relu", "prelu", "elu", "leaky_relu", "silu", "gelu", "softmax", "softmax2d"), arriving),
        (of.POOLS, arriving),
        (of.POWER_POOLS, power_pooled),
        (("local_response_norm",), responses),
        (of.UPSAMPLING, _upsampled),
    )
    """The FLOPs of each kind that are not those of its MACs."""
    nothing: ClassVar[frozenset[str]] = frozenset(
        {
            *of.COPYING,
            *of.ACTIVATIONS,
            *of.OVER_AXIS,
            *of.SUMS,
            *of.OTHERS,
            *of.LEARNED_AND_POINTWISE,
            "rms_norm",
        }
        - more.keys()
    )

    def single(self, asked: LayerCall) -> Counts | None:
        if asked.kind in self.nothing:
            return {"MACs": 0, "FLOPs": 0}
        rule = self.more.get(asked.kind)
        more = None if rule is None else rule(asked)
        if asked.macs is None or more is None:
            return None
        return {"MACs": asked.macs, "FLOPs": 2 * asked.macs + more}

    def knows_single(self, kind: str) -> bool:
        return kind in self.nothing or has_rule(self.more, kind)
