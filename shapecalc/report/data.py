"""What an analysis found, as plain data: per node, per part and in total."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapecalc.algebra import Dim, Expr
from shapecalc.engine.graph import Graph, GraphNode, Group, Loop, Walk, over
from shapecalc.errors import Place, Undecided
from shapecalc.layers.base import Effect, Kind, Named, Shapes, Window, count
from shapecalc.layers.requirement import Requirement, Shape

if TYPE_CHECKING:
    from shapecalc.algebra.leading import Leading

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

    Where the number of passes of a repeat was left free, a node stands for the layer in every pass:
    `loops` says which passes, shapes are those of pass i, and counts are those of all passes together.
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
    def loops(self) -> tuple[Loop, ...]:
        """The repeats, from the outermost inwards, of which the node stands for every pass."""
        return self._graph_node.loops

    @property
    def times(self) -> Dim:
        """How many passes the node stands for."""
        return over(1, self.loops)

    @property
    def params(self) -> Dim:
        """How many learned numbers belong to this node."""
        return self.params_inside(0)

    @property
    def trainable_params(self) -> Dim:
        """How many of them are trained."""
        trained = self._graph_node.trainable and self.shares is None
        return over(self._effect.params - self._gathered, self.loops) if trained else 0

    @property
    def buffer_count(self) -> Dim:
        """How many numbers the buffers hold."""
        return over(self._effect.buffer_count - self._moved, self.loops) if self.shares is None else 0

    @property
    def macs(self) -> Dim | None:
        """Multiply-accumulates of convolutions, linear layers and matrix products."""
        return self.macs_inside(0)

    @property
    def bytes(self) -> Dim:
        """Memory of the results."""
        return over(self._effect.elements * self.itemsize, self.loops)

    def params_inside(self, depth: int) -> Dim:
        """Return the learned numbers in one pass of the outer `depth` loops, all of those inside them."""
        return over(self._effect.params + self._moved, self.loops[depth:]) if self.shares is None else 0

    def macs_inside(self, depth: int) -> Dim | None:
        """Return the multiply-accumulates in one pass of the outer `depth` loops."""
        return None if self._effect.macs is None else over(self._effect.macs, self.loops[depth:])

    def output_after(self, depth: int) -> Shape:
        """Return the shape of the result in the last pass of all but the outer `depth` loops."""
        shape = self.output
        for loop in reversed(self.loops[depth:]):
            shape = tuple(
                [size.subs(loop.index, loop.last) if isinstance(size, Expr) else size for size in shape]
            )
        return shape

    @property
    def conditions(self) -> tuple[Requirement, ...]:
        """What must hold for this node's shapes to be true, where sizes were left free."""
        return self._effect.conditions

    def to_dict(self) -> dict[str, Any]:
        """Return the node as plain data for JSON; `times` and `loops` only where passes were left free."""
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
            **(
                {"times": _number(self.times), "loops": [_told(one) for one in self.loops]}
                if self.loops
                else {}
            ),
        }

    def _repeated(self) -> dict[str, Any]:
        if not self.loops:
            return {}
        return {"times": _number(self.times), "loops": [_told(one) for one in self.loops]}

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

    Sizes are `int`, or expressions where something was left free; `sympy.sympify` takes both, so that nobody
    needs to ask which it is. `macs` counts multiply-accumulates of
    convolutions, linear layers and matrix products, biases not counted; `flops` is twice that.
    When `complete` is false, `macs` and `flops` are lower bounds and `not_counted` names the layers
    that they leave out.

    >>> import shapecalc, sympy
    >>> report = shapecalc.load("resnet20_cifar").analyze(symbolic="n")
    >>> sympy.diff(sympy.sympify(report.params), "n"), sympy.sympify(report.output[-1])
    (97216, 10)
    >>> sympy.lambdify("n", sympy.sympify(report.macs))(3)
    40551040
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
    def passes(self) -> dict[tuple[str, int, Dim], list[str]]:
        """The repeats with a free number of passes, by the index in their sizes, its first and last value."""
        found: dict[tuple[str, int, Dim], list[str]] = {}
        for loop in self.graph.loops:
            found.setdefault((loop.index, loop.first, loop.last), []).append(loop.path.rpartition(".")[0])
        return found

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
    def free_sizes(self) -> tuple[str, ...]:
        """The sizes of the inputs that were left free, batch and channels not among them."""
        sizes = [size for shape in self.inputs.values() for size in self.sides(shape)]
        return tuple(sorted({name for size in sizes if isinstance(size, Expr) for name in size.free_symbols}))

    def sides(self, shape: Shape) -> list[Dim]:
        """Return the sizes of an input, its batch and its channels left out; all that a vector has is one."""
        batch = 0 if self.unbatched else 1
        if len(shape) - batch < 2:
            return [*shape[batch:]]
        channels = self.graph.channel_axis % len(shape)
        return [size for axis, size in enumerate(shape) if axis >= batch and axis != channels]

    @property
    def leading_macs(self) -> Leading | None:
        """How the multiply-accumulates grow with large inputs; None where no size of an input is free.

        The terms of highest degree, every floor replaced by its quotient: exact rational coefficients, such
        as so many multiply-accumulates per pixel. Raises `Undecided` where there is no such polynomial.

        >>> import shapecalc
        >>> found = shapecalc.load("resnet50").analyze(symbolic=("H", "W")).leading_macs
        >>> print(found, found.at(H=1, W=1))
        81,456·H·W 81456
        """
        from shapecalc.algebra.leading import leading

        if not self.free_sizes or not isinstance(self.macs, Expr):
            return None
        found = leading(self.macs, self.free_sizes)
        return found if found.degree else None

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
        for path, requirement in self.graph.conditions:
            found.setdefault(str(requirement), Condition(path, requirement))
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

        `counting` is there only where parameters may be counted as in another framework than torch, and
        `leading_macs` only where sizes of the input are free and the costs grow as a polynomial in them.
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
            **self._growth(),
            "flops": _number(self.flops),
            "bytes": _number(self.bytes),
            "complete": self.complete,
            "not_counted": self.not_counted,
            "nodes": [node.to_dict() for node in self.nodes],
        }

    def _growth(self) -> dict[str, str]:
        try:
            found = self.leading_macs
        except Undecided:
            return {}
        return {} if found is None else {"leading_macs": str(found)}

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


def _told(loop: Loop) -> dict[str, int | str]:
    return {"path": loop.path, "index": loop.index, "first": loop.first, "last": _number(loop.last)}


def _plain(shape: Shape) -> list[int | str]:
    return [_number(size) for size in shape]
