"""The rules of calflops (0.3.2, `calflops/pytorch_ops.py`), which counts MACs and FLOPs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import (
    Counts,
    Rule,
    Tool,
    nothing,
    of_families,
    of_kinds,
    per_input,
    scaled_norm,
)
from shapecalc.conventions.fvcore import batch_norm
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.ptflops import BY_FUNCTIONS, JOINING, POOLS
from shapecalc.layers.family import Family
from shapecalc.layers.rectifier import ELU, GELU, LeakyReLU, PReLU, SiLU
from shapecalc.layers.recurrent import Gated
from shapecalc.layers.relu import ReLU, ReLU6
from shapecalc.layers.resample import Interpolation, Resize

REPLACED = (ReLU, PReLU, ELU, LeakyReLU, SiLU, GELU)
"""Activations whose modules call a function that is replaced."""


def _bias(call: LayerCall) -> Dim:
    """An addition for each result that has a bias."""
    return call.bias


def _activation(call: LayerCall) -> Dim:
    """1 for each number, if a function is called that is replaced: ReLU6 as a module calls another."""
    replaced = isinstance(call.layer, REPLACED) or (call.called != "module" and isinstance(call.layer, ReLU6))
    return call.n_in if replaced else 0


def _upsampled(call: LayerCall, layer: Interpolation) -> Dim:
    """The product of `size` where there is one, otherwise the numbers of the input; `area` pools besides."""
    pooled = call.n_in if layer.method() == "area" else 0
    size = layer.size if isinstance(layer, Resize) else None
    if size is None:
        return call.n_in + pooled
    return (product(size) if isinstance(size, tuple) else size) + pooled


def _recurrent(call: LayerCall, layer: Gated) -> Dim:
    """The biases and what joins the gates; of two sums of products each gate is spared one addition."""
    return layer.state_numbers(call.inputs) * (JOINING[layer.gates] + layer.biases() - 2 * layer.gates)


class Calflops(Tool):
    """calflops' MACs are those of convolutions, linear layers and matrix products; its FLOPs add all else."""

    name = "calflops"
    unit = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1, "FLOPs": 2}
    sentence = (
        "MACs as calflops counts them: convolutions, linear layers and matrix products. Its FLOPs are 2 for "
        "each, the biases of convolutions, batch norm 2 a number, ReLU 1 and pooling 1 a number of its input."
    )
    sees = ("module", "custom", "function")
    rules: ClassVar[Mapping[Family, Rule]] = {
        **of_families(_bias, Family.CONVOLUTION, Family.TRANSPOSED_CONVOLUTION),
        **of_families(nothing, Family.LINEAR, Family.MATRIX_PRODUCT, Family.EINSUM, Family.ATTENTION),
        **of_families(of_kinds(Gated, _recurrent), Family.RECURRENT, Family.RECURRENT_CELL),
        **of_families(batch_norm, Family.BATCH_NORM, Family.SYNC_BATCH_NORM),
        **of_families(scaled_norm(4, 5), Family.INSTANCE_NORM, Family.GROUP_NORM, Family.LAYER_NORM),
        **of_families(per_input, *POOLS),
        Family.LOSS: nothing,
        Family.ACTIVATION: _activation,
        **BY_FUNCTIONS,
        Family.RESAMPLE: of_kinds(Interpolation, _upsampled),
    }
    """The FLOPs of each family that are not those of its MACs."""

    def counts_of_one(self, call: LayerCall) -> Counts | None:
        more = self.rule(call)
        macs = call.macs if call.called in self.sees else 0
        return None if macs is None or more is None else {"MACs": macs, "FLOPs": 2 * macs + more}
