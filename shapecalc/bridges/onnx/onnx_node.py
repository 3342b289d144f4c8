"""A node of an ONNX graph, as the rules of operators see it: operands, attributes, and what it becomes."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto
from onnx.helper import get_attribute_value

from shapecalc.bridges.onnx.size_values import Size, field_value, plain
from shapecalc.errors import SpecError, quote
from shapecalc.layers.base import Kind

if TYPE_CHECKING:
    from shapecalc.bridges.onnx.graph_import import GraphImport, Tensors


MOST_VALUES = 4096
"""A tensor with more numbers has no value that is followed."""
WHOLE = frozenset(
    {
        *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL),
        *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
    }
)
"""The element types of integers."""


@dataclass(slots=True, eq=False)
class Operand:
    """A tensor of the file.

    It is the result of a step (`step` has its name in the spec), or its `value` is known, or it is an
    initializer (`weight`) that nothing has claimed yet. `shape` is that at the sizes of the import.
    """

    title: str
    dtype: int
    shape: tuple[int, ...]
    step: str | None = None
    value: Any = None
    weight: TensorProto | None = None
    is_literal: bool = False
    """Whether a node holds its numbers: nothing learns them, unless they are the weights of a layer."""

    below: Any = None
    """What its integers are less than, where they count up to a number."""

    @property
    def key(self) -> int:
        """What distinguishes an initializer from others of its name, in other graphs."""
        return id(self.weight)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)


class Node:
    """A node with its operands; `version` is that of the operator set it belongs to."""

    def __init__(
        self,
        graph: GraphImport,
        proto: NodeProto,
        operands: Sequence[Operand | None],
        name: str,
        attributes: Mapping[str, AttributeProto],
        tensors: Tensors,
    ) -> None:
        self.graph = graph
        self.tensors = tensors
        """What its graph can read; a subgraph reads it too."""
        self.proto = proto
        self.operands = operands
        self.name = name
        """The name of its step in the spec."""
        self.op = proto.op_type
        self.domain = "" if proto.domain == "ai.onnx" else proto.domain
        self.version = graph.versions.get(self.domain, 1)
        self.attributes = attributes
        self.results: list[Operand] = []
        first = next((each for each in operands if each is not None), None)
        self.result_type = TensorProto.INT64 if first is None else first.dtype
        """The element type of what is folded."""

    # ---- what it has

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute: a number, a text, a list, a tensor or a graph of ONNX; else the default."""
        if name not in self.attributes:
            return default
        value = get_attribute_value(self.attributes[name])
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return [*value] if hasattr(value, "__len__") and not isinstance(value, (str, bytes)) else value

    def given(self, number: int) -> Operand | None:
        """Return an operand that may be left out."""
        return self.operands[number] if number < len(self.operands) else None

    def operand(self, number: int) -> Operand:
        """Return an operand; raise `SpecError` where it is left out."""
        operand = self.given(number)
        if operand is None:
            raise self.error(f"{self.op} has no operand {number}")
        return operand

    @property
    def all_operands(self) -> list[Operand]:
        """The operands that are not left out."""
        return [operand for operand in self.operands if operand is not None]

    def value(self, number: int) -> Any:
        """Return the value of an operand as an array, or None where it is left out.

        Its numbers are ordinary ones or computed from sizes. Raises `SpecError` where nothing is known of it.
        """
        operand = self.given(number)
        if operand is None:
            return None
        array = self.graph.value_of(operand)
        if array is None:
            raise self.error(
                f"{self.op} reads {quote(operand.title)}, whose value depends on the input's data"
            )
        return array

    def numbers(self, number: int, attribute: str | None = None, default: Any = None) -> Any:
        """Return a list of numbers that is an operand, or was an attribute in older operator sets."""
        array = self.value(number)
        if array is not None:
            return array.reshape(-1).tolist()
        return self.attribute(attribute, default) if attribute else default

    def integers(self, number: int, attribute: str | None = None, default: Any = None) -> Any:
        """Return such a list as ordinary integers: what is computed from sizes becomes a condition."""
        items = self.numbers(number, attribute, default)
        return None if items is None else [int(plain(item)) for item in items]

    def sizes(self, operand: Operand) -> list[Any]:
        """Return the sizes of an operand, which know what they are computed from."""
        if operand.step is None:
            return [*operand.shape]
        least = int(operand.step in self.graph.inputs)
        return [
            Size(size, f"size({operand.step!r}, {axis})", self.graph.condition, least)
            for axis, size in enumerate(operand.shape)
        ]

    def written(self, operand: Operand) -> list[Any]:
        """Return the sizes of an operand as the values of fields."""
        return [field_value(size) for size in self.sizes(operand)]

    def decimal(self, name: str, default: float | None = None) -> Any:
        """Return an attribute of a single float as the decimal that is meant."""
        value = self.attribute(name, default)
        return value if value is None else float(str(np.float32(value)))

    def error(self, message: str) -> SpecError:
        """Return an error of this node."""
        return SpecError(message, place=self.graph.place, path=self.name)

    # ---- what it becomes

    def owns(self, *weights: Operand | None) -> bool:
        """Say whether operands are initializers that a layer can have as its own, each once.

        They are those that no step has yet, or all are of one step with an equal layer.
        """
        present = [weight for weight in weights if weight is not None]
        owners = {self.graph.owners.get(weight.key) for weight in present}
        return all(weight.weight is not None for weight in present) and len(owners) <= 1

    def layer(self, layer: Kind, weights: Sequence[Operand | None], *operands: Operand) -> bool:
        """Append the layer that makes the results and has initializers as its weights.

        It shares the weights of an equal layer that has them already. Returns False, with nothing done, where
        they are not initializers, or of other layers.
        """
        present = [weight for weight in weights if weight is not None]
        if not self.owns(*present):
            return False
        owners = self.graph.owners
        owner = next((owners[weight.key] for weight in present if weight.key in owners), None)
        if owner is not None and not self.graph.has_layer(owner, layer):
            return False
        self._bind(self.graph.append(layer, operands, self.name, share=owner))
        for weight in present:
            owners.setdefault(weight.key, self.graph.last)
        return True

    def ends(self, layer: Kind, *operands: Operand) -> None:
        """Append the layer that makes the results of the node."""
        self._bind(self.graph.append(layer, operands, self.name))

    def step(self, layer: Kind, *operands: Operand, name: str = "") -> Operand:
        """Append a layer before the last and return its result."""
        word = name or layer.kind
        return self.graph.append(layer, operands, self.graph.unique(f"{self.name}_{word}"))[0]

    def run_graph(self, body: GraphProto) -> None:
        """Run a subgraph, which reads what the node's graph reads, in the place of the node."""
        inside: Tensors = ChainMap({}, self.tensors)
        for tensor in body.initializer:
            inside[tensor.name] = self.graph.initializer(tensor)
        self.graph.run_inside(self, body.node, inside)
        self.results = self.graph.results(self, inside, [each.name for each in body.output])

    @property
    def is_plain(self) -> bool:
        """Whether it computes with numbers alone: with no result of a layer and with no weight."""
        return not any(each.step or self.graph.is_learned(each) for each in self.all_operands)

    def unknown(self) -> None:
        """Let the result be numbers of which only the shape is known, that of the operands broadcast."""
        shape = np.broadcast_shapes(*(each.shape for each in self.all_operands))
        self.results = [Operand(self.proto.output[0], self.result_type, shape)]

    def opaque(self) -> None:
        """Let the results have the shapes that the file says: no rule knows them at other sizes."""
        self.graph.append_opaque(self)

    def alias(self, operand: Operand, dtype: int | None = None) -> None:
        """Let the result be an operand, as it is or of another element type."""
        self.results = [operand if dtype is None else replace(operand, dtype=dtype)]

    def fold(self, *values: Any) -> None:
        """Let the results be known values, of the element type of the first operand unless one is set."""
        self.results = [self.graph.known(value, self.result_type) for value in values]

    def is_small(self, shape: Sequence[int]) -> bool:
        """Say whether the values of a tensor of this shape can be followed."""
        return all(size >= 0 for size in shape) and prod(shape) <= MOST_VALUES

    def _bind(self, results: Sequence[Operand]) -> None:
        self.results = [*results]
