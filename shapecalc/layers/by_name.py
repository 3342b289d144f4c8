"""Functions of torch by their names: of each element, of several tensors, over axes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.errors import quote
from shapecalc.layers.base import Pointwise, Shapes
from shapecalc.layers.counts import NOTHING, SIGMOID, Operations, greatest
from shapecalc.layers.dependence import Dependence, unsaid, unseen
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Annotation, OneOf, complaint
from shapecalc.layers.merge import Broadcast
from shapecalc.layers.requirement import Shape
from shapecalc.layers.select import Mean


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


OF_EACH = _words(
    """
    abs acos asin atan bitwise_not ceil clamp clamp_max clamp_min clip cos cosh detach_ erf erfc exp
    exp2 expm1 float_power floor fmod frac half_ invert isfinite isinf isnan log log10 log1p log2
    logical_not logit masked_fill nan_to_num neg positive reciprocal remainder requires_grad_ round
    rrelu rsqrt sigmoid sigmoid_ sign sin sinh sqrt square tan tanh threshold tril tril_ triu triu_
    trunc type_as_
    """
)
"""Functions of each element by itself. Others keep the shape and move or mix elements, as `roll` does."""
OF_NONE = frozenset(["empty_like", "full_like", "ones_like", "rand_like", "randn_like", "zero", "zeros_like"])
"""Functions that take a shape from their tensor and nothing else."""
OF_PAIRS = _words(
    """
    add addcdiv addcmul atan2 bitwise_and bitwise_or div divide eq floor_divide floordiv fmod ge gt le
    lerp logical_and logical_or logical_xor lt maximum minimum mod mul multiply ne pow remainder sub subtract
    true_divide where xor
    """
)
"""Functions of the elements of several tensors that stand at one place."""


_ONE = {
    "additions": "add sub rsub subtract iadd isub",
    "multiplications": "mul multiply imul square",
    "divisions": "div divide true_divide truediv rtruediv reciprocal",
    "comparisons": "maximum minimum max min abs sign threshold eq ne lt le gt ge clamp_min clamp_max",
    "exponentials": "exp exp2",
    "logarithms": "log log2 log10",
    "powers": "pow float_power",
    "error_functions": "erf erfc",
    "roots": "sqrt",
}
_COPIES = """
    neg positive detach_ flip roll rot90 masked_fill fill tril triu zeros_like ones_like full_like empty_like
"""
PER_ELEMENT: Mapping[str, Operations] = {
    **{name: Operations(**{part: 1}) for part, names in _ONE.items() for name in names.split()},
    **dict.fromkeys(_COPIES.split(), NOTHING),
    **dict.fromkeys(("clamp", "clip"), Operations(comparisons=2)),
    "expm1": Operations(exponentials=1, additions=1),
    "log1p": Operations(logarithms=1, additions=1),
    "rsqrt": Operations(roots=1, divisions=1),
    "sigmoid_": SIGMOID,
}
"""The operations of a function for each element of its result; others are not counted."""


def _counted(function: str, results: Dim) -> Operations | None:
    return PER_ELEMENT[function] * results if function in PER_ELEMENT else None


class Word(Annotation):
    """The name of a function, as in torch."""

    def check(self, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.]*", value, re.ASCII):
            return value
        raise complaint(f"{quote(value)} is not the name of a function")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_.]*$"}


class Elementwise(Pointwise, kind="elementwise", framework="torch"):
    """A function of each element that has no kind of its own, by its name: shape kept.

    No weights, no multiply-accumulates. Source: torch's functions of one tensor, such as torch.exp.

    >>> Elementwise(function="exp").output((1, 96, 56, 56))
    (1, 96, 56, 56)
    """

    family: ClassVar[Family] = Family.ELEMENTWISE
    unknown_dependence: ClassVar[tuple[str, str] | None] = (
        "places and channels",
        "a function such as roll keeps the shape and moves elements",
    )

    function: Annotated[str, Word()]

    def dependence(self, x: Shape, result: int) -> Dependence:
        if self.function in OF_EACH or self.function in OF_PAIRS:  # these with a number
            return super().dependence(x, result)
        return unseen(len(x)) if self.function in OF_NONE else unsaid(len(x))

    def operations(self, x: Shape) -> Operations | None:
        return _counted(self.function, product(x))


class Combine(Broadcast, kind="combine", framework="torch"):
    """A function of the elements of several tensors, by its name, broadcast as `add` does.

    Refuses what `add` refuses. No weights, no multiply-accumulates. Source: torch.sub, torch.div,
    torch.maximum and others.

    >>> Combine(function="sub").output(((1, 64, 7, 7), (1, 64, 1, 1)))
    (1, 64, 7, 7)
    """

    unknown_dependence: ClassVar[tuple[str, str] | None] = (
        "places and channels",
        "a function that is not known to work on each element by itself",
    )

    function: Annotated[str, Word()]

    def depends_on(self, inputs: Shapes, result: int) -> tuple[Dependence, ...]:
        if self.function in OF_PAIRS:
            return super().depends_on(inputs, result)
        return tuple([unsaid(len(x)) for x in inputs])

    def operations(self, inputs: Shapes) -> Operations | None:
        return _counted(self.function, product(self.output(inputs)))


class Reduce(Mean, kind="reduce", framework="torch"):
    """Makes one number of the axes in `dim`, which vanish, or become 1 with keepdim.

    `function` says how: their sum, greatest, least or product. Sums are no MACs. Refuses axes that do
    not exist or come twice. Source: torch.sum, torch.amax, torch.amin, torch.var, torch.std.

    >>> Reduce(function="amax", dim=[2, 3]).output((1, 1280, 7, 7))
    (1, 1280)
    """

    order = "function ..."

    torch = None
    function: Annotated[str, OneOf(("sum", "amax", "amin", "var", "std"))]

    def operations(self, x: Shape) -> Operations:
        numbers, results = product(x), product(self.output(x))
        if self.function in ("amax", "amin"):
            return greatest(numbers, results)
        added = Operations(additions=numbers - results)
        if self.function == "sum":
            return added
        squares = Operations(additions=numbers, multiplications=numbers, divisions=2 * results)
        return added + added + squares + Operations(roots=results if self.function == "std" else 0)
