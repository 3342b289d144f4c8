"""ONNX's reductions that torch has no function for: of several axes, of none of the elements."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

from shapecalc.algebra import Dim, product
from shapecalc.layers.counts import Operations, greatest, norm
from shapecalc.layers.fields import OneOf
from shapecalc.layers.requirement import Shape
from shapecalc.layers.select import Mean


def _sum(numbers: Dim, results: Dim) -> Operations:
    return Operations(additions=numbers - results)


_REDUCTIONS: Mapping[str, Callable[[Dim, Dim], Operations]] = {
    "l1": partial(norm, 1),
    "log_sum": lambda numbers, results: _sum(numbers, results) + Operations(logarithms=results),
    "max": greatest,
    "min": greatest,
    "prod": lambda numbers, results: Operations(multiplications=numbers - results),
    "sum_square": lambda numbers, results: _sum(numbers, results) + Operations(multiplications=numbers),
}


class OnnxReduce(Mean, kind="onnx_reduce", framework="onnx"):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim.

    `function` says how: the sum of magnitudes or squares, the logarithm of the sum, the product, the greatest
    or the least, of no element too. Refuses axes that do not exist or come twice. Source: ONNX, ReduceL1,
    ReduceLogSum, ReduceSumSquare, ReduceProd, ReduceMax, ReduceMin; the others are `mean` and `reduce`.

    >>> OnnxReduce(function="prod", dim=[1, 2], keepdim=True).output((8, 5, 3))
    (8, 1, 1)
    """

    order = "function ..."

    torch = None
    function: Annotated[str, OneOf(tuple(_REDUCTIONS))]

    def operations(self, x: Shape) -> Operations:
        return _REDUCTIONS[self.function](product(x), product(self.output(x)))
