"""The rules of fvcore's FlopCountAnalysis (0.1.5.post20221221, `fvcore/nn/jit_handles.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim
from shapecalc.conventions import families as of
from shapecalc.conventions.convention import (
    OneUnit,
    Rule,
    arriving,
    if_nothing_multiplies,
    macs,
    rules,
    scaled_norm,
)
from shapecalc.conventions.layer_call import LayerCall


def _batch_norm(asked: LayerCall) -> Dim:
    """2 a number with a scale, 1 without; without running statistics they are taken: 5 and 4."""
    gathers = getattr(asked.layer, "track_running_stats", True) is False
    return asked.n_in * ((5 if gathers else 2) if asked.is_scaled else (4 if gathers else 1))


def _upsampled(asked: LayerCall) -> Dim:
    """1 a result for nearest over two axes, 4 for bilinear; `area` is adaptive pooling; else nothing."""
    mode = {"upsampling_nearest2d": "nearest", "upsampling_bilinear2d": "bilinear"}.get(asked.kind)
    mode = mode or asked.word("mode") or "nearest"
    if len(asked.x) != 4:
        return 0
    if mode == "area":
        return asked.n_in
    return asked.n_out * {"nearest": 1, "bilinear": 4}.get(mode, 0)


class Fvcore(OneUnit):
    """fvcore counts a fused multiply-add as one flop, batch norm as 2 a number, and adaptive averages."""

    name: ClassVar[str] = "fvcore"
    unit: ClassVar[str] = "flops"
    per_mac: ClassVar[Mapping[str, int]] = {"flops": 1}
    sentence: ClassVar[str] = (
        "flops as fvcore counts them: 1 for each multiply-accumulate, biases not counted; batch norm 2 a "
        "number, other norms 5, adaptive average pooling 1, upsampling 1 or 4; nothing else is counted."
    )
    rules: ClassVar[Mapping[str, Rule]] = rules(
        ((*of.CONVOLUTIONS, *of.TRANSPOSED, "linear", "matmul", "multihead_attention"), macs),
        (("einsum", "linear_cross_entropy_loss", *of.CELLS), macs),
        ((*of.BATCH_NORMS, of.SYNC), _batch_norm),
        ((*of.INSTANCE_NORMS, *of.WITHIN_SAMPLE), scaled_norm(4, 5)),
        (("adaptive_avg_pool2d",), arriving),
        (of.UPSAMPLING, _upsampled),
        (of.UNSEEN, if_nothing_multiplies),
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
            "rms_norm",
            "local_response_norm",
        }
        - rules.keys()
    )
