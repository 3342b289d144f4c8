"""What the nodes of an ONNX graph become: by their rules, by the bodies of functions, or without a rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import TypeAlias

from onnx import AttributeProto, FunctionProto, NodeProto
from pydantic import ValidationError

from shapecalc import layers
from shapecalc.bridges.onnx.function_bodies import standard_function
from shapecalc.bridges.onnx.imported_steps import ImportedSteps
from shapecalc.bridges.onnx.onnx_node import Node, Operand
from shapecalc.bridges.onnx.operators import fold_of, rule_of
from shapecalc.errors import Place, ShapecalcError, SpecError, quote

Tensors: TypeAlias = "MutableMapping[str, Operand]"
"""The tensors that a graph can read, by the names in the file."""
Attributes: TypeAlias = "Mapping[str, AttributeProto]"
NONE: Attributes = {}

DEEPEST = 40
"""Functions and subgraphs are nested no deeper."""


def domain_of(domain: str) -> str:
    """Return a domain by one name: ONNX's own has two."""
    return "" if domain == "ai.onnx" else domain


def all_text(names: Iterable[object]) -> None:
    """Refuse names that are no text, as those of a file that is broken."""
    for name in names:
        if not isinstance(name, str):
            raise SpecError(f"the name {quote(str(name))} is not UTF-8")


def _text(error: Exception) -> str:
    """Return what is wrong in one line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return ": ".join([*map(str, first["loc"]), first["msg"]])
    return f"{type(error).__name__}: {error}".partition("\n")[0][:200]


class HasBatch(ShapecalcError):
    """An operation without a rule may depend on the batch: it is imported with a batch of 1."""


class GraphImport(ImportedSteps):
    """Makes steps of the nodes of graphs and functions."""

    def __init__(
        self,
        versions: Mapping[str, int],
        place: Place,
        functions: Mapping[tuple[str, str], FunctionProto],
        batch: int,
        declared: Callable[[str], tuple[int, ...] | None],
    ) -> None:
        super().__init__(place)
        self.versions = dict(versions)
        self.functions = functions
        self.batch = batch
        """The batch of the import; 0 where there is none, or where it is any other size."""
        self.declared = declared
        """The shape that the file says of a tensor, at the sizes of the import."""
        self._depth = 0

    def run(
        self, nodes: Iterable[NodeProto], tensors: Tensors, prefix: str = "", attributes: Attributes = NONE
    ) -> None:
        """Make steps of nodes, whose results become known among the tensors.

        `prefix` is put before their names; `attributes` are those of the function that they are the body of.
        """
        for proto in nodes:
            all_text([proto.op_type, proto.domain, proto.name, *proto.input, *proto.output])
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
            try:
                self._convert(node)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                message = f"{node.op} does not fit its operands and attributes: {_text(error)}"
                raise node.error(message) from error
            for output, operand in zip(proto.output, node.results, strict=False):
                if output:
                    tensors[output] = operand

    def _convert(self, node: Node) -> None:
        """Do what the rule of a node says; without one, read its body; without that, it is opaque."""
        fold = fold_of(node.domain, node.op)
        if fold is not None and self.are_known(node.all_operands):
            result = fold(node, *[None if each is None else self.value_of(each) for each in node.operands])
            if result is not None:
                node.fold(*result) if isinstance(result, tuple) else node.fold(result)
                return
        rule = None if (node.domain, node.op) in self.functions else rule_of(node.domain, node.op)
        if rule is not None:
            rule(node)
        elif (function := self.functions.get((node.domain, node.op)) or standard_function(node)) is not None:
            self._inline(node, function)
        else:
            self.append_opaque(node)

    def _inline(self, node: Node, function: FunctionProto) -> None:
        """Run the body of a function, in a scope of its own."""
        pairs = zip(function.input, node.operands, strict=False)
        inside: Tensors = {title: each for title, each in pairs if each is not None}
        attributes = {each.name: each for each in function.attribute_proto} | dict(node.attributes)
        outer = self.versions
        self.versions = outer | {domain_of(each.domain): each.version for each in function.opset_import}
        self.run_inside(node, function.node, inside, attributes)
        self.versions = outer
        node.results = self.results(node, inside, function.output)

    def run_inside(
        self, node: Node, nodes: Iterable[NodeProto], tensors: Tensors, attributes: Attributes = NONE
    ) -> None:
        """Run the nodes of a function or of a subgraph."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise node.error(f"functions and subgraphs are nested more than {DEEPEST} deep")
        self.run(nodes, tensors, f"{node.name}.", attributes)
        self._depth -= 1

    @staticmethod
    def results(node: Node, tensors: Tensors, titles: Iterable[str]) -> list[Operand]:
        """Return tensors by their names, which a function or a subgraph says are its results."""
        names = [*titles]
        missing = next((title for title in names if title not in tensors), None)
        if missing is not None:
            raise node.error(f"nothing in {node.op} makes its result {quote(missing)}")
        return [tensors[title] for title in names]

    def append_opaque(self, node: Node) -> None:
        """Append an operation without a rule: at other sizes it is Undecided, and its cost is not known.

        Its batch may be another, as long as the batch is the first size of what it takes and gives.
        """
        declared = [self.declared(title) for title in node.proto.output if title]
        shapes = [shape for shape in declared if shape is not None]
        if not shapes or len(shapes) < len(declared):
            title = ".".join(filter(None, (node.domain, node.op)))
            raise node.error(f"{quote(title)} has no rule, and the file does not say the shape of its result")
        operands = [each for each in node.all_operands if each.step is not None or each.numel]
        takes = [self.shapes[self.source(each)] for each in operands] or [self.shapes[self.first]]
        if any(self.batch in shape[1:] for shape in (*takes, *shapes)):
            raise HasBatch
        layer = layers.Opaque(
            function=re.sub(r"\W", "_", node.op).lstrip("_0123456789") or "operator",
            takes=[self._with_any_batch(shape) for shape in takes],
            gives=[self._with_any_batch(shape) for shape in shapes],
        )
        results = iter(self.append(layer, operands, node.name))
        node.results = [next(results) if title else Operand("", 0, ()) for title in node.proto.output]

    def _with_any_batch(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (-1, *shape[1:]) if shape[:1] == (self.batch,) else shape
