"""The steps of a model that is imported from ONNX: names, shapes, and the initializers that they have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper
from pydantic import ValidationError

from shapecalc import layers
from shapecalc.algebra import Dim
from shapecalc.bridges.onnx.onnx_node import MOST_VALUES, WHOLE, Operand
from shapecalc.bridges.onnx.size_values import concrete, spec_text
from shapecalc.engine.evaluate import Evaluator
from shapecalc.errors import FormulaError, Place, ShapecalcError, SpecError, quote
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.family import Family
from shapecalc.layers.requirement import Refused
from shapecalc.spec.tree import MOST_LAYERS, Step

_COMPUTED = re.compile(r"^(val_\d+|onnx::.*|.*_output_\d+|scalar_tensor.*|.*[Cc]onst.*)$")
"""What exporters call numbers that they folded, which nothing learns."""


_MOST_FLOATS = 16
"""Floats that are computed with numbers of shapes, such as scales, are no more than these."""


class Halt(ShapecalcError):
    """A layer refuses its input: the steps up to it are the model, whose inference says why."""


class ImportedSteps:
    """Appends steps, at the sizes of the import, and infers the shapes of their results."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.steps: list[Step] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        """The shape of each tensor of the spec, by its name there."""
        self.names: dict[str, int] = {}
        self.inputs: set[str] = set()
        self.first = ""
        self.last = ""
        self.owners: dict[int, str] = {}
        """The step that has each initializer as a weight, by its key."""
        self.held: list[Operand] = []
        """The initializers."""
        self.conditions: set[tuple[str, str, str]] = set()
        self._bodies: dict[str, Kind] = {}
        self._evaluator = Evaluator()
        self._kept: list[Kind] = []

    # ---- names

    def unique(self, title: str) -> str:
        """Return a name for the spec that no step has yet: dots for slashes, a number where taken."""
        parts = (re.sub(r"\W", "_", part, flags=re.ASCII) for part in re.split(r"[/.]|::", title))
        name = ".".join([part for part in parts if part])[:150].rstrip(".") or "node"
        number = self.names.get(name, 0) + 1
        self.names[name] = number
        return name if number == 1 else self.unique(f"{name}_{number}")

    # ---- tensors

    def add_input(self, name: str, operand: Operand) -> None:
        """Make an input known."""
        self.names[name] = 1
        self.shapes[name] = operand.shape
        self.inputs.add(name)
        self.first = self.first or name
        self.last = self.last or name

    def initializer(self, tensor: TensorProto) -> Operand:
        """Return the operand of an initializer or of a constant."""
        if any(size < 0 for size in tensor.dims):
            raise SpecError(f"the tensor {quote(tensor.name)} has a negative size", place=self.place)
        self.held.append(Operand(tensor.name, tensor.data_type, tuple(tensor.dims), weight=tensor))
        return self.held[-1]

    def known(self, value: Any, dtype: int) -> Operand:
        """Return the operand of an array of numbers."""
        array = np.asarray(value, dtype=object)
        return Operand("", dtype, array.shape, value=array)

    def value_of(self, operand: Operand) -> Any:
        """Return the numbers of a tensor as an array of objects; None where they are not known."""
        if operand.value is None and operand.weight is not None and self._is_readable(operand):
            operand.value = self._decoded(operand.weight)
        return operand.value

    def _is_readable(self, operand: Operand) -> bool:
        is_external = operand.weight is not None and operand.weight.data_location == TensorProto.EXTERNAL
        return not is_external and operand.numel <= MOST_VALUES

    def _decoded(self, tensor: TensorProto) -> Any:
        try:
            array = numpy_helper.to_array(tensor)
            if array.dtype.kind not in "biuf":
                return None
        except (ValueError, TypeError, NotImplementedError) as error:
            raise SpecError(
                f"the tensor {quote(tensor.name)} cannot be read: {error}", place=self.place
            ) from None
        return np.array(array.tolist(), dtype=object).reshape(array.shape)

    def is_known(self, operand: Operand) -> bool:
        """Say whether a tensor is a number among shapes, and no weight: such are computed with here."""
        if operand.value is not None and operand.weight is None:
            return True
        if operand.weight is None or not self._is_readable(operand):
            return False
        return operand.dtype in WHOLE or self.is_constant(operand)

    def are_known(self, operands: Sequence[Operand]) -> bool:
        """Say whether tensors are numbers to compute with: known ones, and what meets numbers of shapes."""
        is_of_shapes = any(each.value is not None and each.weight is None for each in operands)
        return all(
            self.is_known(each)
            or (
                (is_of_shapes and each.weight is not None and each.numel <= _MOST_FLOATS)
                and self.value_of(each) is not None
            )
            for each in operands
        )

    def is_constant(self, operand: Operand) -> bool:
        """Say whether a tensor is a number that nothing learns: known, or a single one without a name."""
        if operand.weight is None:
            return operand.step is None
        is_named = operand.title and not operand.is_literal and not _COMPUTED.match(operand.title)
        return operand.numel <= 1 and not is_named

    def is_learned(self, operand: Operand) -> bool:
        """Say whether an initializer is a parameter of the network: of floats, or of quantized ones."""
        is_small = operand.dtype in (TensorProto.INT8, TensorProto.UINT8) and operand.numel > 1
        is_weight = (
            operand.weight is not None and (operand.dtype not in WHOLE or is_small) and operand.numel > 0
        )
        return is_weight and not operand.is_literal and not self.is_constant(operand)

    @property
    def unread(self) -> dict[str, tuple[int, ...]]:
        """The parameters that no step has and no value was read of, each with its shape."""
        left = (each for each in self.held if each.step is None and each.value is None)
        return {
            each.title: each.shape for each in left if self.is_learned(each) and each.key not in self.owners
        }

    def source(self, operand: Operand) -> str:
        """Return the name of a tensor in the spec; a weight or a known value becomes a step."""
        if operand.step is None:
            is_first = self.is_learned(operand) and operand.key not in self.owners
            shape = [size or 1 for size in operand.shape]
            layer = layers.Parameter(shape=shape) if is_first else layers.Constant(shape=shape)
            result = self.append(layer, (), self.unique(operand.title or layer.kind))[0]
            result = self.emptied(result, operand.shape)
            if is_first:
                self.owners[operand.key] = result.step or ""
            operand.step = result.step
        assert operand.step is not None
        return operand.step

    # ---- steps

    def emptied(self, operand: Operand, shape: tuple[int, ...]) -> Operand:
        """Return nothing of the axes of a tensor that have no size in this shape."""
        for axis in (axis for axis, size in enumerate(shape) if not size):
            name = self.unique(f"{operand.step}_empty")
            operand = self.append(layers.EmptySlice(dim=axis), (operand,), name)[0]
        return operand

    def append(
        self, layer: Kind, operands: Sequence[Operand], name: str, share: str | None = None
    ) -> list[Operand]:
        """Append a step of this name and return its results; `share` is a step whose weights it has."""
        sources = [self.source(operand) for operand in operands] or [self.first]
        below = operands[0].below if operands else None
        if below is not None and isinstance(layer, layers.Embedding):
            self.condition(spec_text(below), "at_most", str(layer.num_embeddings))
            if concrete(below) > concrete(layer.num_embeddings):
                raise Halt
        if len(self.steps) >= MOST_LAYERS:
            raise SpecError(f"the graph makes more than {MOST_LAYERS:,} layers", place=self.place)
        data: dict[str, Any] = {"name": name, "place": self.place}
        if sources != [self.last] or isinstance(layer, Merge):
            data["from"] = tuple(sources)
        self.steps.append(Step(layer, **data) if share is None else Step(share=share, **data))
        self._bodies[name] = layer
        self.last = name
        shapes = self._inferred(layer, sources)
        dtype = operands[0].dtype if operands else TensorProto.FLOAT
        titles = [name] if len(shapes) == 1 else [f"{name}.{number}" for number in range(len(shapes))]
        self.shapes |= {name: shapes[0], **dict(zip(titles, shapes, strict=True))}
        below = below if layer.family is Family.RESHAPE else None
        pairs = zip(titles, shapes, strict=True)
        return [Operand(title, dtype, shape, title, below=below) for title, shape in pairs]

    def _inferred(self, layer: Kind, sources: Sequence[str]) -> list[tuple[int, ...]]:
        try:
            resolved = layer.resolve(lambda formula: formula.evaluate(self))
        except (SpecError, ValidationError):
            raise Halt from None
        self._kept.append(resolved)
        effect = self._evaluator.apply(resolved, tuple(self.shapes[source] for source in sources))
        if isinstance(effect, Refused):
            raise Halt
        return [tuple([n for n in shape if isinstance(n, int)]) for shape in effect.outputs]

    def has_layer(self, name: str, layer: Kind) -> bool:
        """Say whether a step has an equal layer."""
        return self._bodies.get(name) == layer

    def lookup(self, name: str) -> Any:
        """Return the value of a name in a formula: there is none, sizes are read of tensors."""
        raise FormulaError(f"unknown name {quote(name)}")

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Return the size of a tensor, for formulas."""
        return self.shapes[tensor or self.last][axis]

    def condition(self, left: str, relation: str, right: str) -> None:
        """Record what has to hold, most often what holds at the sizes of the import and was decided by."""
        if (left, relation, right) in self.conditions:
            return
        self.conditions.add((left, relation, right))
        layer = layers.Require(left=left, relation=relation, right=right)
        name = self.unique(layer.kind)
        self.steps.append(Step(layer, name=name, place=self.place))
        self.shapes[name] = self.shapes[self.last]
        self.last = name
