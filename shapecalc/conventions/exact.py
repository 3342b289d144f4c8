"""Every single operation by part: multiplications, additions, comparisons, exponentials and others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim
from shapecalc.conventions.convention import Convention, Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.layers.counts import PARTS


class Exact(Convention):
    """Every operation counted by part; what is known by a formula alone, such as bicubic, is not counted."""

    name: ClassVar[str] = "exact"
    unit: ClassVar[str] = "operations"
    per_mac: ClassVar[Mapping[str, int]] = dict.fromkeys(PARTS, 0) | {"multiplications": 1, "additions": 1}
    sentence: ClassVar[str] = (
        "operations: every multiplication, addition or subtraction, comparison, division, exponential, root, "
        "logarithm, power and error function counts one; in evaluation; padding is computed with."
    )

    def counts(self, call: LayerCall) -> Counts | None:
        operations = call.layer.operations_on(call.inputs)
        return None if operations is None else operations.by_part()

    def total(self, counts: Counts) -> Dim:
        result: Dim = 0
        for number in counts.values():
            result = result + number
        return result
