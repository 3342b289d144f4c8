"""The rules of thop (0.1.1.post2209072238, `thop/vision/calc_func.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim
from shapecalc.conventions.convention import Rule, Tool, macs, of_families, of_kinds, per_result, scaled_norm
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.family import Family
from shapecalc.layers.rectifier import PReLU
from shapecalc.layers.recurrent import Gated
from shapecalc.layers.resample import Interpolation
from shapecalc.layers.softmax import Softmax, rows


def _adaptive(call: LayerCall) -> Dim:
    """(size of a window + 1) a result, windows taken as in/out: the numbers of the input and the result."""
    return call.n_in + call.n_out


def _softmax(call: LayerCall, layer: Softmax) -> Dim:
    """An exponential and a division a number, and the additions of the sum."""
    return 3 * call.n_in - rows(call.x, layer.axis(call.x))


_MODES = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}


def _upsampled(call: LayerCall, layer: Interpolation) -> Dim:
    """So many a result by the mode; of the other modes thop says itself that it takes them for nothing."""
    return call.n_out * _MODES.get(layer.method(), 0)


def _recurrent(call: LayerCall, layer: Gated) -> Dim:
    """The products; 1 a gate and 2 for its biases; 4 more for each number of the state in LSTM and GRU."""
    gates = layer.gates + layer.biases() + (4 if layer.gates > 1 else 0)
    return layer.macs(call.inputs) + layer.state_numbers(call.inputs) * gates


class Thop(Tool):
    """thop adds to MACs batch norm at 4 a number, and average pooling; it has no rule for attention."""

    name = "thop"
    unit = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1}
    sentence = (
        "MACs as thop counts them: multiply-accumulates, biases not counted; batch norm 4 a number; average "
        "pooling 1 a result, to a set size 1 more for each number of its input; attention has no rule."
    )
    sees = ("module",)
    rules: ClassVar[Mapping[Family, Rule]] = {
        **of_families(macs, Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION, Family.LINEAR),
        **of_families(of_kinds(Gated, _recurrent), Family.RECURRENT, Family.RECURRENT_CELL),
        **of_families(scaled_norm(2, 4), Family.BATCH_NORM, Family.SYNC_BATCH_NORM),
        **of_families(scaled_norm(2, 4), Family.INSTANCE_NORM, Family.LAYER_NORM),
        Family.ACTIVATION: of_kinds(PReLU, lambda call, layer: call.n_in),
        Family.SOFTMAX: of_kinds(Softmax, _softmax),
        Family.AVERAGE_POOL: per_result,
        Family.ADAPTIVE_AVERAGE_POOL: _adaptive,
        Family.RESAMPLE: of_kinds(Interpolation, _upsampled),
    }
