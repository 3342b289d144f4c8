"""What an analysis found, as plain data: per node, per part and in total."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapecalc.algebra import Dim, Expr
from shapecalc.engine.graph import Graph, GraphNode, Group, Walk
from shapecalc.errors import Place
from shapecalc.layers.base import Effect, Kind, Named, Shapes, Window, count
from shapecalc.layers.requirement import Requirement, Shape

if TYPE_CHECKING:
    from shapecalc.report.derivation import Derivation

DTYPES = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "float8": 1,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
}
"""Bytes per number."""


class Node:
    """One layer of the network with what arrives, what leaves, and what it costs.

    Shapes have the batch in front. `params` counts the weights that belong to this node, as torch or
    Keras counts them: a node that shares another's weights counts none, and `shares` names that other
    node. `macs` is None
    when the kind cannot count them. `bytes` is the memory of its results.
    """

    __slots__ = ("_effect", "_gathered", "_graph_node", "_moved", "inputs", "itemsize", "shares")

    def __init__(
        self,
        graph_node: GraphNode,
        effect: Effect,
        inputs: Shapes,
        itemsize: int,
        shares: str | None,
        counting: str = "torch",
    ) -> None:
        self._gathered: Dim = 0  # the statistics that are held among the weights
        self._moved: Dim = 0  # those that are counted as parameters and held elsewhere, or the reverse
        if statistics := graph_node.layer.statistics:
            self._gathered = _held(effect.weights, statistics)
            self._moved = _held(effect.buffers, statistics) if counting == "keras" else -self._gathered
        self._graph_node = graph_node
        self._effect = effect
        self.inputs = inputs
        self.itemsize = itemsize
        self.shares = shares

    @property
    def path(self) -> str:
        """The unique dotted name, such as `stage2.0.conv1`."""
        return self._graph_node.path

    @property
    def kind(self) -> str:
        """The kind's name, such as `conv2d`."""
        return self._graph_node.layer.kind

    @property
    def layer(self) -> Kind:
        """The layer with every number in place."""
        return self._graph_node.layer

    @property
    def place(self) -> Place:
        """Where the layer is written."""
        return self._graph_node.place

    @property
    def lines(self) -> tuple[int, ...]:
        """The line where the layer is written, then those of the calls that lead there, innermost first."""
        places = (self._graph_node.place, *reversed(self._graph_node.calls))
        return tuple(place.line for place in places if place.line is not None)

    @property
    def output(self) -> Shape:
        """The shape of the (first) result."""
        return self._effect.outputs[0]

    @property
    def outputs(self) -> Shapes:
        """The shapes of all results."""
        return self._effect.outputs

    @property
    def weights(self) -> Named:
        """The learned tensors by torch's names."""
        return self._effect.weights

    @property
    def buffers(self) -> Named:
        """The tensors that are kept but not learned."""
        return self._effect.buffers

    @property
    def window(self) -> Window | None:
        """The window that slides over the input, or None."""
        return self._effect.window

    @property
    def params(self) -> Dim:
        """How many learned numbers belong to this node."""
        return self._effect.params + self._moved if self.shares is None else 0

    @property
    def trainable_params(self) -> Dim:
        """How many of them are trained."""
        trained = self._graph_node.trainable and self.shares is None
        return self._effect.params - self._gathered if trained else 0

    @property
    def buffer_count(self) -> Dim:
        """How many numbers the buffers hold."""
        return self._effect.buffer_count - self._moved if self.shares is None else 0

    @property
    def macs(self) -> Dim | None:
        """Multiply-accumulates of convolutions, linear layers and matrix products."""
        return self._effect.macs

    @property
    def bytes(self) -> Dim:
        """Memory of the results."""
        return self._effect.elements * self.itemsize

    @property
    def conditions(self) -> tuple[Requirement, ...]:
        """What must hold for this node's shapes to be true, where sizes were left free."""
        return self._effect.conditions

    def to_dict(self) -> dict[str, Any]:
        """Return the node as plain data for JSON."""
        return {
            "path": self.path,
            "kind": self.kind,
            "inputs": [_plain(shape) for shape in self.inputs],
            "output": _plain(self.output),
            "outputs": [_plain(shape) for shape in self.outputs],
            "weights": {name: _plain(shape) for name, shape in self.weights.items()},
            "buffers": {name: _plain(shape) for name, shape in self.buffers.items()},
            "params": _number(self.params),
            "trainable_params": _number(self.trainable_params),
            "macs": None if self.macs is None else _number(self.macs),
            "bytes": _number(self.bytes),
            "shares": self.shares,
        }

    def __repr__(self) -> str:
        return f"<{self.path}: {self.kind} {self.output}>"


@dataclass(frozen=True, slots=True)
class Condition:
    """A relation that must hold for a symbolic report to be true, and the layer that needs it."""

    path: str
    requirement: Requirement

    def __str__(self) -> str:
        return f"{self.requirement} ({self.path})"


class Report:
    """The result of `Model.analyze`: shapes, parameters, cost and memory of every layer.

    Sizes are `int`, or expressions where something was left free. `macs` counts multiply-accumulates of
    convolutions, linear layers and matrix products, biases not counted; `flops` is twice that.
    When `complete` is false, `macs` and `flops` are lower bounds and `not_counted` names the layers
    that they leave out.
    """

    def __init__(
        self,
        name: str,
        title: str | None,
        walk: Walk,
        inputs: Mapping[str, Shape],
        dtype: str = "float32",
        counting: str = "torch",
    ) -> None:
        self.name = name
        self.title = title
        self.inputs = dict(inputs)
        self.dtype = dtype
        self.counting = counting
        self.walk = walk
        self.graph: Graph = walk.graph
        self.unbatched = not walk.graph.batched
        shapes, graph_nodes = walk.shapes, walk.graph.nodes
        self.itemsize = itemsize = DTYPES[dtype]
        self.nodes: list[Node] = [
            Node(
                node,
                effect,
                tuple([shapes[slot] for slot in node.sources]),  # type: ignore[misc]
                itemsize,
                None if node.owner is None else graph_nodes[node.owner].path,
                counting,
            )
            for node, effect in zip(graph_nodes, walk.effects, strict=True)
            if effect is not None
        ]
        self.outputs: dict[str, Shape] = {
            output: shape
            for output, slot in walk.graph.outputs.items()
            if (shape := shapes[slot]) is not None
        }

    @property
    def input(self) -> Shape:
        """The shape of the first input."""
        return next(iter(self.inputs.values()))

    @property
    def output(self) -> Shape:
        """The shape of the first output."""
        return next(iter(self.outputs.values()))

    @property
    def groups(self) -> list[Group]:
        """The blocks, branches and repeats, as ranges of nodes."""
        return self.graph.groups

    @property
    def params(self) -> Dim:
        """Learned numbers, those that are shared counted once."""
        return total(node.params for node in self.nodes)

    @property
    def trainable_params(self) -> Dim:
        """Learned numbers that are trained."""
        return total(node.trainable_params for node in self.nodes)

    @property
    def buffer_count(self) -> Dim:
        """Numbers in buffers."""
        return total(node.buffer_count for node in self.nodes)

    @property
    def macs(self) -> Dim:
        """Multiply-accumulates, weights that are shared counted each time they are used."""
        return total(node.macs for node in self.nodes if node.macs is not None)

    @property
    def flops(self) -> Dim:
        """Twice the multiply-accumulates: one multiplication and one addition each."""
        return 2 * self.macs

    @property
    def bytes(self) -> Dim:
        """Memory of all results, each kept, as in training."""
        return total(node.bytes for node in self.nodes)

    @property
    def not_counted(self) -> list[str]:
        """The layers whose multiply-accumulates are not known."""
        return [f"{node.path} ({node.kind})" for node in self.nodes if node.macs is None]

    @property
    def complete(self) -> bool:
        """Whether every layer could be counted."""
        return all(node.macs is not None for node in self.nodes)

    @property
    def conditions(self) -> list[Condition]:
        """What must hold for the shapes to be true, each relation once, at the first that needs it."""
        found: dict[str, Condition] = {}
        for node in self.nodes:
            for requirement in node.conditions:
                found.setdefault(str(requirement), Condition(node.path, requirement))
        return list(found.values())

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, path: str) -> Node:
        for node in self.nodes:
            if node.path == path:
                return node
        raise KeyError(path)

    @property
    def needs_counting(self) -> bool:
        """Whether a number of parameters needs the word how it was counted: not torch's own way."""
        return self.counting != "torch" or any(node.layer.framework == "keras" for node in self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON; symbolic sizes become text.

        `counting` is there only where parameters may be counted as in another framework than torch.
        """
        return {
            "name": self.name,
            "input": _plain(self.input)
            if len(self.inputs) == 1
            else {name: _plain(shape) for name, shape in self.inputs.items()},
            "output": _plain(self.output),
            "outputs": {name: _plain(shape) for name, shape in self.outputs.items()},
            "params": _number(self.params),
            "trainable_params": _number(self.trainable_params),
            "buffers": _number(self.buffer_count),
            **({"counting": self.counting} if self.needs_counting else {}),
            "macs": _number(self.macs),
            "flops": _number(self.flops),
            "bytes": _number(self.bytes),
            "complete": self.complete,
            "not_counted": self.not_counted,
            "nodes": [node.to_dict() for node in self.nodes],
        }

    def derive(self, *layers: str, batch: bool | None = None) -> Derivation:
        """Return how every number came about: formula, numbers put in, result; of all layers or some.

        `layers` are paths of layers or of the blocks that hold them. `batch` gives the batch a letter
        in the formulas; left out, it has one where it is not 1. Raises `SpecError` for an unknown path.
        """
        from shapecalc.report.derive import derive

        return derive(self, *layers, batch=batch)

    def __str__(self) -> str:
        from shapecalc.report.table import table

        return table(self)

    def __repr__(self) -> str:
        return f"<Report of {self.name}: {len(self.nodes)} layers, output {self.output}>"


def total(dims: Iterable[Dim]) -> Dim:
    """Return the sum of sizes."""
    result: Dim = 0
    for dim in dims:
        result = result + dim
    return result


def _held(tensors: Named, names: frozenset[str]) -> Dim:
    return count({name: shape for name, shape in tensors.items() if name in names})


def _number(value: Dim) -> int | str:
    return str(value) if isinstance(value, Expr) else value


def _plain(shape: Shape) -> list[int | str]:
    return [_number(size) for size in shape]
