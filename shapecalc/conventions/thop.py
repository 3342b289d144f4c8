"""The rules of thop (0.1.1.post2209072238, `thop/vision/calc_func.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions import families as of
from shapecalc.conventions.convention import (
    OneUnit,
    Rule,
    arriving,
    if_nothing_multiplies,
    leaving,
    macs,
    rules,
    scaled_norm,
)
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.recurrent_ops import Steps


def _adaptive(asked: LayerCall) -> Dim:
    """(size of a window + 1) a result, windows taken as in/out: what arrives and what leaves."""
    return asked.n_in + asked.n_out


def _softmax(asked: LayerCall) -> Dim:
    """An exponential and a division a number, and the additions of the sum."""
    axis = asked.axis("dim")
    return 3 * asked.n_in - product((*asked.x[:axis], *asked.x[axis + 1 :]))


_MODES = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}


def _upsampled(asked: LayerCall) -> Dim:
    """So many a result by the mode; of the other modes thop says itself that it takes them for nothing."""
    mode = {"upsampling_nearest2d": "nearest", "upsampling_bilinear2d": "bilinear"}.get(asked.kind)
    return asked.n_out * _MODES.get(mode or asked.word("mode") or "nearest", 0)


def _recurrent(asked: LayerCall) -> Dim | None:
    """The products; 1 a gate and 2 for its biases; 4 more for each number of the state in LSTM and GRU."""
    steps = Steps.of(asked)
    gates = steps.gates * (3 if steps.bias else 1)
    return (
        None if asked.macs is None else asked.macs + steps.hidden * (gates + (0 if steps.gates == 1 else 4))
    )


class Thop(OneUnit):
    """thop adds to MACs batch norm at 4 a number, and average pooling; it has no rule for attention."""

    name: ClassVar[str] = "thop"
    unit: ClassVar[str] = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1}
    sentence: ClassVar[str] = (
        "MACs as thop counts them: multiply-accumulates, biases not counted; batch norm 4 a number; average "
        "pooling 1 a result, to a given size 1 more for each number that arrives; attention has no rule."
    )
    rules: ClassVar[Mapping[str, Rule]] = rules(
        ((*of.CONVOLUTIONS, *of.TRANSPOSED, "linear"), macs),
        ((*of.RECURRENT, *of.CELLS), _recurrent),
        ((*of.BATCH_NORMS, of.SYNC, *of.INSTANCE_NORMS, "layer_norm"), scaled_norm(2, 4)),
        (("prelu",), arriving),
        (("softmax",), _softmax),
        (of.AVG_POOLS, leaving),
        (of.ADAPTIVE_AVG, _adaptive),
        (of.UPSAMPLING, _upsampled),
        ((*of.UNSEEN, "einsum"), if_nothing_multiplies),
    )
    nothing: ClassVar[frozenset[str]] = frozenset(
        {
            *of.COPYING,
            *of.ACTIVATIONS,
            *of.OVER_AXIS,
            *of.SUMS,
            *of.OTHERS,
            *of.LEARNED_AND_POINTWISE,
            *of.NORMS,
            *of.POWER_POOLS,
            *of.POOLS,
        }
        - rules.keys()
    )
