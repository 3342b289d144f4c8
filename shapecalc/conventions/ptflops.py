"""The rules of ptflops' default backend (0.7.5, `ptflops/pytorch_ops.py`).

ptflops watches modules and, besides, replaces functions of torch.nn.functional. A module that calls such a
function is met twice: ReLU, max pooling and average pooling cost two a number, not one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import (
    Rule,
    Tool,
    macs,
    macs_and_bias,
    nothing,
    of_families,
    of_kinds,
    per_input,
)
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.attention import MultiheadAttention
from shapecalc.layers.average_pool import LPPool
from shapecalc.layers.family import Family
from shapecalc.layers.layer_norm import CrossMapLRN2d, LocalResponseNorm
from shapecalc.layers.rectifier import ELU, GELU, LeakyReLU, PReLU, SiLU
from shapecalc.layers.recurrent import Gated
from shapecalc.layers.relu import ReLU, ReLU6
from shapecalc.layers.resample import Interpolation, UpsamplingBilinear2d, UpsamplingNearest2d
from shapecalc.layers.softmax import Softmax, Softmax2d

WATCHED = (ReLU, PReLU, ELU, GELU, LeakyReLU, ReLU6)
"""Activations whose modules are watched."""
REPLACED = (ReLU, PReLU, ELU, GELU, SiLU)
"""Activations whose modules call a function that is replaced."""
FUNCTIONS = (*REPLACED, ReLU6)
"""Activations whose functions are replaced."""


def _norm(call: LayerCall) -> Dim:
    """1 a number, 2 with a scale that the module calls `affine`, as layer norm does not."""
    return call.n_in * (2 if call.is_scaled and call.layer.family is not Family.LAYER_NORM else 1)


def _activation(call: LayerCall) -> Dim:
    """1 a number for the module and 1 for the function inside, as far as each is met."""
    layer = call.layer
    return call.n_in * (isinstance(layer, WATCHED) + isinstance(layer, REPLACED))


def _power_pooled(call: LayerCall, layer: LPPool) -> Dim:
    """The functions inside: an average pooling, a ReLU and a product; of no finite power a max pooling."""
    return call.n_in if isinstance(layer.norm_type, str) else call.n_in + 2 * call.n_out


def _responses(call: LayerCall, layer: LocalResponseNorm) -> Dim:
    """The functions inside: two products and a sum, and pooling over channels that are padded by size - 1."""
    if isinstance(layer, CrossMapLRN2d):
        return 0
    padded = call.x[1] + layer.size - 1
    return 3 * call.n_in + call.x[0] * padded * product(call.x[2:])


def _interpolated(call: LayerCall, layer: Interpolation) -> Dim:
    """1 a result; `area` pools besides."""
    return call.n_out + (call.n_in if layer.method() == "area" else 0)


def _upsampled(call: LayerCall, layer: Interpolation) -> Dim:
    """The function inside and, if the module is Upsample itself, 1 more a result."""
    of_one_mode = isinstance(layer, UpsamplingNearest2d | UpsamplingBilinear2d)
    return _interpolated(call, layer) + (0 if of_one_mode else call.n_out)


def _attention(call: LayerCall, layer: MultiheadAttention) -> Dim:
    """Products, the query's scale, softmax at 1 a weight, and biases; the last one even if there is none."""
    key = call.inputs[1] if len(call.inputs) > 1 else call.x
    batch, queries = layer.parts(call.x)
    _, keys = layer.parts(key)
    scale_and_output_bias = 2 * queries * call.x[-1]
    biases = (queries + 2 * keys) * call.x[-1] if layer.bias else 0
    weights = layer.num_heads * queries * keys
    return layer.macs(call.inputs) + product(batch) * (scale_and_output_bias + biases + weights)


JOINING = {1: 1, 3: 7, 4: 10}
"""By the number of gates, what joins them for each number of the state."""


def _recurrent(call: LayerCall, layer: Gated) -> Dim:
    """The products, the biases, and what joins the gates."""
    return layer.macs(call.inputs) + layer.state_numbers(call.inputs) * (
        JOINING[layer.gates] + layer.biases()
    )


def _twice(call: LayerCall) -> Dim:
    """One for each number of the input, by the module and by the function inside."""
    return 2 * call.n_in


BY_FUNCTIONS: Mapping[Family, Rule] = {
    Family.SOFTMAX: of_kinds((Softmax, Softmax2d), lambda call, layer: call.n_in),
    Family.POWER_POOL: of_kinds(LPPool, _power_pooled),
    Family.RESPONSE_NORM: of_kinds(LocalResponseNorm, _responses),
}
"""Modules that are not watched, but call functions that are replaced."""
POOLS = (
    *(Family.MAX_POOL, Family.AVERAGE_POOL),
    *(Family.ADAPTIVE_MAX_POOL, Family.ADAPTIVE_AVERAGE_POOL),
)


class Ptflops(Tool):
    """ptflops adds to MACs the biases, norms, ReLUs and pooling, the last two counted twice."""

    name = "ptflops"
    unit = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1}
    sentence = (
        "MACs as ptflops counts them: multiply-accumulates and biases; batch norm 2 a number; ReLU 2 a "
        "number and pooling 2 for each of its input, since it meets the module and the function inside it."
    )
    sees = ("module", "custom", "function")
    rules: ClassVar[Mapping[Family, Rule]] = {
        **of_families(macs_and_bias, Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION, Family.LINEAR),
        **of_families(of_kinds(Gated, _recurrent), Family.RECURRENT, Family.RECURRENT_CELL),
        **of_families(_norm, Family.BATCH_NORM, Family.INSTANCE_NORM, Family.GROUP_NORM, Family.LAYER_NORM),
        **of_families(_twice, *POOLS),
        Family.MATRIX_PRODUCT: macs,
        Family.ATTENTION: of_kinds(MultiheadAttention, _attention),
        Family.ACTIVATION: _activation,
        **BY_FUNCTIONS,
        Family.RESAMPLE: of_kinds(Interpolation, _upsampled),
    }
    functions: ClassVar[Mapping[Family, Rule]] = {
        **of_families(per_input, *POOLS),
        **BY_FUNCTIONS,
        Family.ACTIVATION: of_kinds(FUNCTIONS, lambda call, layer: call.n_in),
        Family.RESAMPLE: of_kinds(Interpolation, _interpolated),
    }
    """What a function costs that no module calls; the others are not replaced."""

    def rule(self, call: LayerCall) -> Dim | None:
        if call.called in ("custom", "function"):
            return self.functions.get(call.layer.family, nothing)(call)
        return super().rule(call)
