"""Conventions that read each kind's own counts: multiply-accumulates alone, or every single operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim
from shapecalc.conventions.convention import Convention, Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.counts import PARTS


class ByMacs(Convention):
    """What conventions share that count each kind's own multiply-accumulates and nothing else."""

    def counts(self, call: LayerCall) -> Counts | None:
        return None if call.macs is None else {self.unit: call.macs * self.per_mac[self.unit]}


class Mac(ByMacs):
    """Multiply-accumulates by the definition: one multiplication and the addition that follows.

    Convolutions, linear layers and matrix products; biases, normalization, activations and pooling count
    nothing. The rule is each kind's own.
    """

    name = "mac"
    unit = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1}
    sentence = (
        "MACs: multiply-accumulates of convolutions, linear layers and matrix products; "
        "biases, normalization, activations and pooling are not counted. FLOPs = 2·MACs."
    )

    @property
    def title(self) -> str:
        return self.unit


class FlopCounter(ByMacs):
    """torch.utils.flop_counter.FlopCounterMode: two for each multiply-accumulate (torch 2.14.1).

    It counts matrix products, convolutions and attention as they are dispatched, at 2·MACs, and nothing else.
    """

    name = "flop_counter"
    unit = "FLOPs"
    per_mac: ClassVar[Mapping[str, int]] = {"FLOPs": 2}
    sentence = (
        "FLOPs as torch.utils.flop_counter counts them: 2 for each multiply-accumulate of convolutions, "
        "linear layers, matrix products and attention; nothing else is counted."
    )


class Torchvision(ByMacs):
    """The `_ops` that torchvision 0.29.1 writes beside its weights: FlopCounterMode's figure halved.

    It is printed as "GFLOPS", in thousands of millions, but counts multiply-accumulates.
    """

    name = "torchvision"
    unit = "MACs"
    per_mac: ClassVar[Mapping[str, int]] = {"MACs": 1}
    sentence = (
        "MACs as in torchvision's `_ops`, which prints them as GFLOPS: multiply-accumulates of convolutions, "
        "linear layers and matrix products; nothing else is counted."
    )


class Exact(Convention):
    """Every operation counted by part; what is known by a formula alone, such as bicubic, is not counted."""

    name = "exact"
    unit = "operations"
    per_mac: ClassVar[Mapping[str, int]] = dict.fromkeys(PARTS, 0) | {"multiplications": 1, "additions": 1}
    sentence = (
        "operations: every multiplication, addition or subtraction, comparison, division, exponential, root, "
        "logarithm, power and error function counts one; in evaluation; padding is computed with."
    )

    def counts(self, call: LayerCall) -> Counts | None:
        operations = call.layer.operations_on(call.inputs)
        return None if operations is None else operations.by_part()

    def total(self, counts: Counts) -> Dim:
        return sum(counts.values())
