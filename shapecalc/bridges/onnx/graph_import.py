"""The steps that the nodes of an ONNX graph have become so far, and what is known of its tensors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from onnx import AttributeProto, FunctionProto, NodeProto, TensorProto, numpy_helper
from pydantic import ValidationError

from shapecalc import layers
from shapecalc.algebra import Dim
from shapecalc.bridges.onnx.onnx_node import Node, Operand
from shapecalc.bridges.onnx.operators import fold_of, rule_of
from shapecalc.engine.evaluate import Evaluator
from shapecalc.errors import FormulaError, Place, ShapecalcError, SpecError, quote
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.requirement import Refused
from shapecalc.spec.tree import Step

Tensors: TypeAlias = "MutableMapping[str, Operand]"
"""The tensors that a graph can read, by the names in the file."""

MOST_VALUES = 4096
"""A tensor with more numbers has no value that is followed."""
_WHOLE = frozenset(
    {
        *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL),
        *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
    }
)
_COMPUTED = re.compile(r"^(val_\d+|onnx::.*|.*_output_\d+|scalar_tensor.*|.*[Cc]onst.*)$")
"""What exporters call numbers that they folded, which nothing learns."""


DEEPEST = 40
"""Functions and subgraphs are nested no deeper."""
Attributes: TypeAlias = "Mapping[str, AttributeProto]"
NONE: Attributes = {}


def domain_of(domain: str) -> str:
    """Return a domain by one name: ONNX's own has two."""
    return "" if domain == "ai.onnx" else domain


class Halt(ShapecalcError):
    """A layer refuses its input: the steps up to it are the model, whose inference says why."""


class GraphImport:
    """Makes steps of nodes, at the sizes of the import; reads what the layers make of them."""

    def __init__(
        self,
        versions: Mapping[str, int],
        place: Place,
        functions: Mapping[tuple[str, str], FunctionProto],
        declared: Callable[[str], tuple[int, ...] | None],
    ) -> None:
        self.versions = dict(versions)
        self.place = place
        self.functions = functions
        self.declared = declared
        """The shape that the file says of a tensor, at the sizes of the import."""
        self.steps: list[Step] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        """The shape of each tensor of the spec, by its name there."""
        self.names: set[str] = set()
        self.first = ""
        self.last = ""
        self.owners: dict[str, str] = {}
        """The step that has each initializer as a weight."""
        self.conditions: set[tuple[str, str, str]] = set()
        self.depth = 0
        self._bodies: dict[str, Kind] = {}
        self._evaluator = Evaluator()
        self._kept: list[Kind] = []

    # ---- names

    def unique(self, title: str) -> str:
        """Return a name for the spec that no step has yet: dots for slashes, a number where taken."""
        parts = (re.sub(r"\W", "_", part, flags=re.ASCII) for part in re.split(r"[/.]|::", title))
        name = ".".join([part for part in parts if part])[:150] or "node"
        taken, number = name, 1
        while taken in self.names:
            number += 1
            taken = f"{name}_{number}"
        self.names.add(taken)
        return taken

    # ---- tensors

    def add_input(self, name: str, operand: Operand) -> None:
        """Make an input known."""
        self.shapes[name] = operand.shape
        self.first = self.first or name
        self.last = self.last or name

    def initializer(self, tensor: TensorProto) -> Operand:
        """Return the operand of an initializer or of a constant."""
        return Operand(tensor.name, tensor.data_type, tuple(tensor.dims), weight=tensor)

    def known(self, value: Any, title: str = "") -> Operand:
        """Return the operand of an array of numbers."""
        array = np.asarray(value, dtype=object)
        dtype = (
            TensorProto.FLOAT if any(isinstance(each, float) for each in array.flat) else TensorProto.INT64
        )
        return Operand(title, dtype, array.shape, value=array)

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
        return operand.dtype in _WHOLE or self.is_constant(operand)

    def is_constant(self, operand: Operand) -> bool:
        """Say whether a tensor is a number that nothing learns: known, or a single one without a name."""
        if operand.weight is None:
            return operand.value is not None
        return operand.numel <= 1 and (not operand.title or _COMPUTED.match(operand.title) is not None)

    def source(self, operand: Operand) -> str:
        """Return the name of a tensor in the spec; a weight or a known value becomes a step."""
        if operand.step is None:
            is_weight = operand.weight is not None and operand.dtype not in _WHOLE and operand.numel
            is_learned = is_weight and not self.is_constant(operand)
            is_first = is_learned and operand.title not in self.owners
            shape = [size or 1 for size in operand.shape]
            layer = layers.Parameter(shape=shape) if is_first else layers.Constant(shape=shape)
            result = self.append(layer, (), self.unique(operand.title or layer.kind))[0]
            for axis in (axis for axis, size in enumerate(operand.shape) if not size):
                name = self.unique(f"{result.step}_empty")
                result = self.append(layers.EmptySlice(dim=axis), (result,), name)[0]
            if is_first:
                self.owners[operand.title] = result.step or ""
            operand.step = result.step
        assert operand.step is not None
        return operand.step

    # ---- nodes

    def run(
        self, nodes: Iterable[NodeProto], tensors: Tensors, prefix: str = "", attributes: Attributes = NONE
    ) -> None:
        """Make steps of nodes, whose results become known among the tensors.

        `prefix` is put before their names; `attributes` are those of the function that they are the body of.
        """
        for proto in nodes:
            title = proto.name or next(filter(None, proto.output), "") or proto.op_type
            name = self.unique(f"{prefix}{title}")
            unknown = next((each for each in proto.input if each and each not in tensors), None)
            if unknown is not None:
                message = f"{proto.op_type} reads {quote(unknown)}, which nothing before it makes"
                raise SpecError(message, place=self.place, path=name)
            operands = [tensors[each] if each else None for each in proto.input]
            own = {each.name: attributes.get(each.ref_attr_name, each) for each in proto.attribute}
            own = {key: each for key, each in own.items() if not each.ref_attr_name}
            node = Node(self, proto, operands, name, own, tensors)
            self._convert(node)
            for output, operand in zip(proto.output, node.results, strict=False):
                if output:
                    tensors[output] = operand

    def _convert(self, node: Node) -> None:
        """Do what the rule of a node says; without one, it is opaque."""
        fold = fold_of(node.domain, node.op)
        if fold is not None and all(map(self.is_known, node.all_operands)):
            result = fold(node, *[None if each is None else self.value_of(each) for each in node.operands])
            if result is not None:
                node.fold(*result) if isinstance(result, tuple) else node.fold(result)
                return
        function = self.functions.get((node.domain, node.op))
        rule = rule_of(node.domain, node.op)
        if function is not None:
            self._inline(node, function)
        elif rule is not None:
            rule(node)
        else:
            self.append_opaque(node)

    def _inline(self, node: Node, function: FunctionProto) -> None:
        """Run the body of a local function, in a scope of its own."""
        inside: Tensors = {
            title: each for title, each in zip(function.input, node.operands, strict=False) if each
        }
        attributes = {each.name: each for each in function.attribute_proto} | dict(node.attributes)
        outer = self.versions
        self.versions = outer | {domain_of(each.domain): each.version for each in function.opset_import}
        self.depth += 1
        if self.depth > DEEPEST:
            raise node.error(f"functions are nested more than {DEEPEST} deep")
        self.run(function.node, inside, f"{node.name}.", attributes)
        self.depth -= 1
        self.versions = outer
        missing = next((title for title in function.output if title not in inside), None)
        if missing is not None:
            raise node.error(f"the function {function.name} makes no {quote(missing)}")
        node.results = [inside[title] for title in function.output]

    def append_opaque(self, node: Node) -> None:
        """Append an operation without a rule: at other sizes it is Undecided, and its cost is not known."""
        declared = [self.declared(title) for title in node.proto.output if title]
        shapes = [shape for shape in declared if shape is not None]
        if not shapes or len(shapes) < len(declared):
            title = ".".join(filter(None, (node.domain, node.op)))
            raise node.error(f"{quote(title)} has no rule, and the file does not say the shape of its result")
        operands = [each for each in node.all_operands if each.step is not None or each.numel]
        layer = layers.Opaque(
            function=re.sub(r"\W", "_", node.op).lstrip("_0123456789") or "operator",
            takes=[self.shapes[self.source(each)] for each in operands] or [self.shapes[self.first]],
            gives=shapes,
        )
        results = iter(self.append(layer, operands, node.name))
        node.results = [next(results) if title else self.known([]) for title in node.proto.output]

    # ---- steps

    def append(
        self, layer: Kind, operands: Sequence[Operand], name: str, share: str | None = None
    ) -> list[Operand]:
        """Append a step of this name and return its results; `share` is a step whose weights it has."""
        sources = [self.source(operand) for operand in operands] or [self.first]
        data: dict[str, Any] = {"name": name, "place": self.place}
        if sources != [self.last] or isinstance(layer, Merge):
            data["from"] = tuple(sources)
        self.steps.append(Step(layer, **data) if share is None else Step(share=share, **data))
        self._bodies[name] = layer
        self.last = name
        shapes = self._inferred(layer, sources)
        dtype = operands[0].dtype if operands else TensorProto.FLOAT
        titles = [name] if len(shapes) == 1 else [f"{name}.{number}" for number in range(len(shapes))]
        self.shapes.update(zip(titles, shapes, strict=True))
        return [Operand(title, dtype, shape, title) for title, shape in zip(titles, shapes, strict=True)]

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
        """Record what holds at the sizes of the import and was decided by: other sizes are refused."""
        if (left, relation, right) in self.conditions:
            return
        self.conditions.add((left, relation, right))
        layer = layers.Require(left=left, relation=relation, right=right)
        name = self.unique(layer.kind)
        self.steps.append(Step(layer, name=name, place=self.place))
        self.shapes[name] = self.shapes[self.last]
        self.last = name
