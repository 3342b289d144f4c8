"""The rules of fvcore's FlopCountAnalysis (0.1.5.post20221221, `fvcore/nn/jit_handles.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim
from shapecalc.conventions.convention import Rule, Tool, macs, of_families, of_kinds, scaled_norm
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.adaptive_pool import AdaptivePool
from shapecalc.layers.family import Family
from shapecalc.layers.resample import Interpolation


def batch_norm(call: LayerCall) -> Dim:
    """2 a number with a scale, 1 without; without running statistics they are taken: 5 and 4."""
    gathers = getattr(call.layer, "track_running_stats", True) is False
    return call.n_in * ((5 if gathers else 2) if call.is_scaled else (4 if gathers else 1))


def _pooled(call: LayerCall, layer: AdaptivePool) -> Dim:
    """1 for each number of the input, over two axes."""
    return call.n_in if layer.rank == 2 else 0


def _upsampled(call: LayerCall, layer: Interpolation) -> Dim:
    """1 a result for nearest over two axes, 4 for bilinear; `area` is adaptive pooling; else nothing."""
    if len(call.x) != 4:
        return 0
    mode = layer.method()
    return call.n_in if mode == "area" else call.n_out * {"nearest": 1, "bilinear": 4}.get(mode, 0)


class Fvcore(Tool):
    """fvcore counts a fused multiply-add as one flop, batch norm as 2 a number, and adaptive averages."""

    name = "fvcore"
    unit = "flops"
    per_mac: ClassVar[Mapping[str, int]] = {"flops": 1}
    sentence = (
        "flops as fvcore counts them: 1 for each multiply-accumulate, biases not counted; batch norm 2 a "
        "number, other norms 5, adaptive average pooling 1, upsampling 1 or 4; nothing else is counted."
    )
    rules: ClassVar[Mapping[Family, Rule]] = {
        **of_families(macs, Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION, Family.LINEAR, Family.LOSS),
        **of_families(macs, Family.MATRIX_PRODUCT, Family.EINSUM, Family.ATTENTION, Family.RECURRENT_CELL),
        **of_families(batch_norm, Family.BATCH_NORM, Family.SYNC_BATCH_NORM),
        **of_families(scaled_norm(4, 5), Family.INSTANCE_NORM, Family.GROUP_NORM, Family.LAYER_NORM),
        Family.ADAPTIVE_AVERAGE_POOL: of_kinds(AdaptivePool, _pooled),
        Family.RESAMPLE: of_kinds(Interpolation, _upsampled),
    }
