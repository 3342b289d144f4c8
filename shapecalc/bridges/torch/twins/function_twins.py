"""Twins that are functions of tensors: merges, functions by name, other shapes, parts of a tensor."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from shapecalc.bridges.torch.twins.code import call, literal
from shapecalc.bridges.torch.twins.source import Fold, Operation, TorchCall
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS, Fields, Shapes
from shapecalc.bridges.torch.twins.twin import FunctionTwin, ModuleTwin, Twin, floats
from shapecalc.layers import by_name
from shapecalc.layers.base import Kind
from shapecalc.layers.batch_shape_ops import BroadcastTo
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.functional import FunctionalEmbedding
from shapecalc.layers.merge import Add, Concat, Matmul, Multiply
from shapecalc.layers.reshape import Reshape, Unflatten
from shapecalc.layers.select import Chunk, EmptySlice, Slice, Split


class ArithmeticTwin(FunctionTwin[Add | Multiply]):
    """A sum or a product of any number of tensors, element by element."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        return Fold(str(self.kind.torch), ast.Add() if self.kind is Add else ast.Mult())


class ConcatTwin(FunctionTwin[Concat]):
    """Tensors behind one another along an axis, by default that of the channels."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        axis = fields.get("dim", self.kind.model_fields["dim"].default)
        return TorchCall("torch.cat", settings={"dim": axis}, is_listed=True)


class MatmulTwin(FunctionTwin[Matmul]):
    """The matrix product."""

    macs_not_counted = "a product with a vector is aten.mv or aten.dot, which are not counted"


class FunctionalEmbeddingTwin(FunctionTwin[FunctionalEmbedding]):
    """A table that is a tensor, behind the integers by which it is read."""

    def tensors(self, shapes: Shapes, device: str) -> list[Tensor]:
        return [*super().tensors(shapes[:1], device), *(floats(x, device) for x in shapes[1:])]


class EinsumTwin(FunctionTwin[Einsum]):
    """A sum of products, by its equation."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        return TorchCall("torch.einsum", before=(fields["equation"],))


# ---- functions by their names

_NO_FUNCTION = "torch has no function {} that could be called with tensors alone"


class CombineTwin(FunctionTwin[by_name.Combine]):
    """A function of several tensors; of two, it is applied to the first and each of the others in turn."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        if self.missing_arguments(fields["function"]):
            return Fold("torch.add")  # of the same shape
        function = f"torch.{fields['function']}"
        is_of_all = len(shapes) > 2 and placeholders(fields["function"], len(shapes)) == ()
        return TorchCall(function) if is_of_all else Fold(function)

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        is_missing = self.missing_arguments(fields["function"])
        return _NO_FUNCTION.format(fields["function"]) if is_missing else ""

    def uncovered(self, layer: Kind | type[Kind]) -> str:
        return self.missing_arguments(layer.function) if isinstance(layer, by_name.Combine) else ""

    @staticmethod
    def missing_arguments(name: str) -> str:
        """Return why a function cannot be called with two or three tensors alone, or an empty string."""
        is_known = any(placeholders(name, tensors) == () for tensors in (2, 3))
        return "" if is_known else f"what else {name} takes is not known"


class ReduceTwin(FunctionTwin[by_name.Reduce]):
    """A reduction."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        settings = {name: value for name, value in fields.items() if name != "function"}
        name = fields["function"]
        # torch.norm takes no more than two axes
        function = "torch.linalg.vector_norm" if name == "norm" else f"torch.{name}"
        return TorchCall(function, settings=settings)


class ElementwiseTwin(FunctionTwin[by_name.Elementwise]):
    """A function of one tensor; where it takes a number that is not known, that is 1 or 0."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        name = fields["function"]
        operands = placeholders(name)
        if operands is None:
            return TorchCall("torch.clone")  # of the same shape
        home = "torch" if hasattr(torch, name) else functional.__name__
        return TorchCall(f"{home}.{name}", after=operands)

    def unwritten(self, fields: Fields, shapes: Shapes) -> str:
        name = fields["function"]
        if not callable(getattr(torch, name, None)):
            return _NO_FUNCTION.format(name)
        is_known = placeholders(name) == ()
        return "" if is_known else f"torch.{name} takes more than a tensor, and the spec does not say what"

    def uncovered(self, layer: Kind | type[Kind]) -> str:
        if isinstance(layer, by_name.Elementwise) and placeholders(layer.function) is None:
            return f"what else {layer.function} takes is not known"
        return ""


@cache
def placeholders(name: str, tensors: int = 1) -> tuple[Any, ...] | None:
    """Return operands for a function beside tensors, on which no shape depends; None where none is known.

    >>> placeholders("exp"), placeholders("mul"), placeholders("masked_fill")
    ((), (1,), None)
    """
    function: Any = getattr(torch, name, None) or getattr(functional, name, None)
    for operands in ((), (1,), (0,)) if function is not None else ():
        for dtype in (torch.float32, torch.long):
            x = torch.ones((2, 3), dtype=dtype, device="meta")
            try:
                result = function(*[x] * tensors, *operands)
            except REJECTIONS:
                continue
            if isinstance(result, Tensor):
                return operands
    return None


# ---- other shapes, and parts of a tensor


class SplitTwin(FunctionTwin[Split]):
    """Pieces of certain sizes, by default of the channels, where torch cuts the batch."""

    positional: ClassVar[tuple[str, ...]] = ("split_size",)
    always = ("dim",)


class ChunkTwin(SplitTwin, Twin[Chunk]):
    """A number of pieces, by default of the channels, where torch cuts the batch."""

    positional = ("chunks",)


class BroadcastToTwin(FunctionTwin[BroadcastTo]):
    """Broadcasting to a shape."""

    positional = ("shape",)


class UnflattenTwin(ModuleTwin[Unflatten]):
    """torch's module, which may hold its sizes with the names of axes."""

    def from_module(self, module: nn.Module) -> Fields | None:
        fields = super().from_module(module) or {}
        sizes = (size[1] if isinstance(size, tuple) else size for size in fields["unflattened_size"])
        return {**fields, "unflattened_size": tuple(sizes)}


class ReshapeTwin(FunctionTwin[Reshape]):
    """All axes but the first in another shape."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        return _Reshaped(fields["shape"])


@dataclass(frozen=True)
class _Reshaped:
    sizes: tuple[int, ...]

    def __call__(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return x.reshape(x.shape[0], *self.sizes)

    def write(self, inputs: Sequence[ast.expr]) -> ast.expr:
        (x,) = inputs
        batch = ast.Subscript(ast.Attribute(x, "shape"), ast.Constant(0))
        return call(ast.Attribute(x, "reshape"), batch, *map(literal, self.sizes))


class SliceTwin(FunctionTwin[Slice]):
    """Indexing with a slice along an axis; an empty result counts as refused."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        axis = range(len(shapes[0]))[fields["dim"]]
        return _Sliced(axis, slice(fields.get("start"), fields.get("end"), fields.get("step")))


class EmptySliceTwin(FunctionTwin[EmptySlice]):
    """Indexing with a slice of nothing."""

    def operation(self, fields: Fields, shapes: Shapes) -> Operation:
        return _Sliced(range(len(shapes[0]))[fields["dim"]], slice(None, 0), may_be_empty=True)


@dataclass(frozen=True)
class _Sliced:
    axis: int
    part: slice
    may_be_empty: bool = False

    def __call__(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        result = x[(slice(None),) * self.axis + (self.part,)]
        if result.numel() == 0 and not self.may_be_empty:
            raise ValueError("nothing is left")
        return result

    def write(self, inputs: Sequence[ast.expr]) -> ast.expr:
        step = None if self.part.step == 1 else self.part.step
        ends = [None if end is None else literal(end) for end in (self.part.start, self.part.stop, step)]
        slices: list[ast.expr] = [*[ast.Slice()] * self.axis, ast.Slice(*ends)]
        return ast.Subscript(inputs[0], ast.Tuple(slices) if self.axis else slices[0])
