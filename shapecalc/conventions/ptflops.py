"""The rules of ptflops' default backend (0.7.5, `ptflops/pytorch_ops.py`).

ptflops watches modules and, besides, replaces functions of torch.nn.functional. A module that calls such a
function is met twice: ReLU, max pooling and average pooling cost two a number, not one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions import families as of
from shapecalc.conventions.attention_sizes import Attention
from shapecalc.conventions.convention import (
    OneUnit,
    Rule,
    arriving,
    if_nothing_multiplies,
    macs,
    macs_and_bias,
    rules,
    times,
)
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.recurrent_ops import Steps

TWICE = ("relu", "prelu", "elu", "gelu")
"""Activations that are met as a module and again as a function."""
ONCE = ("relu6", "leaky_relu", "silu", "softmax", "softmax2d")
"""Activations that are met as one of them."""


def _norm(asked: LayerCall) -> Dim:
    """1 a number, 2 with a scale that the module calls `affine`, as layer norm does not."""
    return asked.n_in * (2 if asked.is_scaled and asked.kind != "layer_norm" else 1)


def power_pooled(asked: LayerCall) -> Dim:
    """The functions inside: an average pooling, a ReLU and a product; of no finite power a max pooling."""
    return asked.n_in if asked.word("norm_type") else asked.n_in + 2 * asked.n_out


def responses(asked: LayerCall) -> Dim:
    """The functions inside: two products and a sum, and pooling over channels that are padded by size - 1."""
    padded = asked.x[1] + asked.whole("size") - 1
    return 3 * asked.n_in + asked.x[0] * padded * product(asked.x[2:])


def _upsampled(asked: LayerCall) -> Dim:
    """1 a result for the function and, if the module is Upsample itself, 1 more; `area` pools besides."""
    pooled = asked.n_in if asked.word("mode") == "area" else 0
    return asked.n_out * (2 if asked.kind == "upsample" else 1) + pooled


def _attention(asked: LayerCall) -> Dim | None:
    """Products, the query's scale, softmax at 1 a weight, and biases; the last one even if there is none."""
    if asked.macs is None:
        return None
    looks = Attention.of(asked)
    scale_and_output_bias = 2 * looks.queries * looks.features
    biases = (looks.queries + 2 * looks.keys) * looks.features if asked.flag("bias") else 0
    return asked.macs + looks.batch * (
        scale_and_output_bias + biases + looks.heads * looks.queries * looks.keys
    )


def _recurrent(asked: LayerCall) -> Dim | None:
    """The products, the biases, and what joins the gates."""
    steps = Steps.of(asked)
    return None if asked.macs is None else asked.macs + steps.hidden * (steps.joining + steps.biases)


class Ptflops(OneUnit):
    """ptflops adds to MACs the biases, norms, ReLUs and pooling, the last two counted twice."""

    name: ClassVar[str] = "ptflops"
    unit: ClassVar[str] = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1}
    sentence: ClassVar[str] = (
        "MACs as ptflops counts them: multiply-accumulates and biases; batch norm 2 a number; ReLU 2 a "
        "number and pooling 2 for each that arrives, since it meets the module and the function inside it."
    )
    rules: ClassVar[Mapping[str, Rule]] = rules(
        ((*of.CONVOLUTIONS, *of.TRANSPOSED, "linear"), macs_and_bias),
        (("matmul",), macs),
        ((*of.RECURRENT, *of.CELLS), _recurrent),
        ((*of.BATCH_NORMS, *of.INSTANCE_NORMS, *of.WITHIN_SAMPLE), _norm),
        (TWICE, times(2, arriving)),
        (ONCE, arriving),
        (of.POOLS, times(2, arriving)),
        (of.POWER_POOLS, power_pooled),
        (("local_response_norm",), responses),
        (of.UPSAMPLING, _upsampled),
        ((*of.UNSEEN, "einsum"), if_nothing_multiplies),
        (("multihead_attention",), _attention),
    )
    nothing: ClassVar[frozenset[str]] = frozenset(
        {
            *of.COPYING,
            *of.ACTIVATIONS,
            *of.OVER_AXIS,
            *of.SUMS,
            *of.OTHERS,
            *of.LEARNED_AND_POINTWISE,
            "rms_norm",
            of.SYNC,
        }
        - rules.keys()
    )
