"""What ONNX's operators have in common: operands by ONNX's names, some of them held as initializers.

A rule receives the shapes of all operands by these names, whether a step takes them as inputs or the operator
holds them, so that there is one rule for a weight that is stored and for one that is computed.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.layers.base import Joint, Named, NoBuffers, NoMacs, NoOperations, Shapes
from shapecalc.layers.by_name import Word
from shapecalc.layers.family import Family
from shapecalc.layers.fields import Integer, Listed
from shapecalc.layers.requirement import Refused, Requirement, Shape, arity, axis_exists, rank_between, shown
from shapecalc.layers.traced import NamedShapes, Tensors

Operands: TypeAlias = dict[str, Shape]
"""The shapes of operands by ONNX's names; those that are left out are missing."""

Integers = Annotated[tuple[Dim, ...], Listed(Integer())]
"""A list of integers."""
SomeAxes = Annotated[tuple[int, ...], Listed(Integer(may_be_free=False))]
"""Axes, each counted from the end when negative."""


class OnnxOperator(NoBuffers, Joint):
    """An operator of ONNX; its tensors are the operands that are neither held nor skipped, in order."""

    framework = "onnx"
    family = Family.FUNCTION
    takes_empty = True
    order = "... held skipped"
    unknown_dependence = ("places and channels", "an operator of ONNX, known by the shapes of its results")
    operands: ClassVar[str]
    """ONNX's names of the operands; `?` is behind those that may be left out."""

    held: Annotated[Any, NamedShapes()] = Tensors()
    skipped: Annotated[tuple[str, ...], Listed(Word())] = ()

    def taken(self, inputs: Shapes) -> Operands:
        wanted = [name for name in self.operands.split() if name.rstrip("?") not in self.held]
        wanted = [name for name in wanted if name.rstrip("?") not in self.skipped]
        least = sum(not name.endswith("?") for name in wanted)
        if not least <= len(inputs) <= len(wanted):
            raise Refused(arity(self.kind, len(inputs), *range(least, len(wanted) + 1)))
        given = dict(zip([name.rstrip("?") for name in wanted], inputs, strict=False)) | self.held
        return {name: given[name] for name in self.operands.replace("?", "").split() if name in given}

    def weights(self, x: Operands) -> Named:
        return dict(self.held)

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        return iter(())

    def equal(self, x: Operands, name: str, axis: int, size: Dim) -> Iterator[Requirement]:
        """Require a size of an operand, if it is there."""
        if name in x:

            def says() -> str:
                return f"{self.kind}: axis {axis} of {name}, {shown(x[name])}, is not {size}"

            yield Requirement("shape", x[name][axis], "==", size, says)

    def ranked(self, x: Operands, /, **ranks: int) -> Iterator[Requirement]:
        """Require the number of axes of operands, of those that are there."""
        for name, rank in ranks.items():
            if name in x:
                yield from rank_between(f"{self.kind}: {name}", x[name], rank, rank)


class Moving(NoOperations, OnnxOperator):
    """An operator that copies or moves values."""

    family = Family.RESHAPE


class Computing(NoMacs, OnnxOperator):
    """An operator without multiply-accumulates, whose other operations are not counted."""


class OnnxLike(Computing, kind="onnx_like"):
    """An operator whose results have the shape of one of its tensors, by ONNX's name of the operator.

    `of` is the number of that tensor, from 0. What ONNX requires of the other tensors beyond their rank is
    not checked. Source: ONNX, QuantizeLinear, DequantizeLinear, CumSum, Trilu, Clip, Dropout and others.

    >>> OnnxLike(function="QuantizeLinear").output({"x": (1, 64, 7, 7), "y": ()})
    (1, 64, 7, 7)
    """

    operands = "x y? z? u? v? w?"

    function: Annotated[str, Word()]
    of: Annotated[int, Integer(0, may_be_free=False)] = 0
    results: Annotated[int, Integer(1, 8, may_be_free=False)] = 1

    def requirements(self, x: Operands) -> Iterator[Requirement]:
        says = f"{self.kind}: {self.function} takes the shape of tensor {self.of}, and has {len(x)} tensors"
        yield Requirement("arity", len(x), ">=", self.of + 1, says)

    def output(self, x: Operands) -> Shape:
        return [*x.values()][self.of]

    def outputs(self, x: Operands) -> Shapes:
        return (self.output(x),) * self.results


def an_axis(kind: str, axis: int, x: Shape, extra: int = 0) -> Iterator[Requirement]:
    """Require that an axis exists, of one more than there are where `extra` is 1."""
    return axis_exists(kind, "dim", axis, len(x) + extra, x)


def counted(axes: tuple[int, ...], rank: int) -> list[int]:
    """Return axes counted from the front.

    >>> counted((-1, 0), 3)
    [2, 0]
    """
    return [axis % max(rank, 1) for axis in axes]


def elements(shapes: Shapes) -> Dim:
    """Return how many elements some tensors have."""
    return sum(map(product, shapes))
