"""What an analysis found, as plain data: per node, per part and in total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapecalc.algebra import Dim, Expr
from shapecalc.conventions.by_tool import DEFAULT, convention
from shapecalc.engine.graph import Graph, Group, Inference
from shapecalc.errors import Undecided
from shapecalc.layers.requirement import Requirement, Shape
from shapecalc.render.display import Shown
from shapecalc.report.node import Node, number, plain, total
from shapecalc.report.receptive_field import Fields

if TYPE_CHECKING:
    from shapecalc.algebra.leading import Leading
    from shapecalc.render.piece import Page
    from shapecalc.report.cost import Cost
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


@dataclass(frozen=True, slots=True)
class Condition:
    """A relation that must hold for a symbolic report to be true, and the layer that needs it."""

    path: str
    requirement: Requirement

    def __str__(self) -> str:
        return f"{self.requirement} ({self.path})"


class Report(Shown):
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
        inference: Inference,
        inputs: Mapping[str, Shape],
        dtype: str = "float32",
        counting: str = "torch",
        by: str | None = None,
    ) -> None:
        self.convention = convention(DEFAULT if by is None else by)
        self.says_cost = by is not None
        self.name = name
        self.title = title
        self.inputs = dict(inputs)
        self.dtype = dtype
        self.counting = counting
        self.inference = inference
        self.graph: Graph = inference.graph
        self.unbatched = not inference.graph.batched
        shapes, graph_nodes = inference.shapes, inference.graph.nodes
        fields = Fields(inference, [*self.inputs.values()], [*self.inputs])
        self.itemsize = itemsize = DTYPES[dtype]
        self.nodes: list[Node] = [
            Node(
                node,
                effect,
                tuple([shapes[slot] for slot in node.sources]),  # type: ignore[misc]
                itemsize,
                None if node.owner is None else graph_nodes[node.owner].path,
                counting,
                fields,
            )
            for node, effect in zip(graph_nodes, inference.effects, strict=True)
            if effect is not None
        ]
        self.outputs: dict[str, Shape] = {
            output: shape
            for output, slot in inference.graph.outputs.items()
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

    def cost(self, by: str | None = None) -> Cost:
        """Return the cost under a convention, by default the one that the report was made with.

        Conventions are `mac`, `flop_counter`, `torchvision`, `fvcore`, `ptflops`, `thop`, `torchinfo`,
        `calflops` and `exact`. Raises `SpecError` for another.

        >>> import shapecalc
        >>> found = shapecalc.load("resnet50").analyze().cost("fvcore")
        >>> print(found), found["stem.conv2d"]
        4,111,512,576 flops (fvcore)
        (None, 118013952)
        """
        from shapecalc.report.cost import cost

        return cost(self.nodes, self.convention if by is None else convention(by))

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
        return self.leading(self.macs)

    def leading(self, costs: Dim) -> Leading | None:
        """Return how costs grow with large inputs, as `leading_macs` does of multiply-accumulates."""
        from shapecalc.algebra.leading import leading

        if not self.free_sizes or not isinstance(costs, Expr):
            return None
        found = leading(costs, self.free_sizes)
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
    def fields_unknown(self) -> list[str]:
        """The layers whose receptive field is not known."""
        return [
            f"{node.path} ({node.kind})"
            for node in self.nodes
            if any(None in field.extents for field in node.fields.values())
        ]

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

    def to_dict(self, *, fields: bool = False) -> dict[str, Any]:
        """Return everything as plain data for JSON; symbolic sizes become text.

        With `fields`, every node has its receptive field, and `fields_unknown` names those without one.

        `counting` is there only where parameters may be counted as in another framework than torch, and
        `cost` only where a convention was asked for, and
        `leading_macs` only where sizes of the input are free and the costs grow as a polynomial in them.
        """
        return {
            "name": self.name,
            "input": plain(self.input)
            if len(self.inputs) == 1
            else {name: plain(shape) for name, shape in self.inputs.items()},
            "output": plain(self.output),
            "outputs": {name: plain(shape) for name, shape in self.outputs.items()},
            "params": number(self.params),
            "trainable_params": number(self.trainable_params),
            "buffers": number(self.buffer_count),
            **({"counting": self.counting} if self.needs_counting else {}),
            "macs": number(self.macs),
            **self._growth(),
            "flops": number(self.flops),
            **({"cost": self.cost().to_dict()} if self.says_cost else {}),
            "bytes": number(self.bytes),
            "complete": self.complete,
            "not_counted": self.not_counted,
            **({"fields_unknown": self.fields_unknown} if fields else {}),
            "nodes": [self._told(node, fields=fields) for node in self.nodes],
        }

    def _told(self, node: Node, *, fields: bool) -> dict[str, Any]:
        if not self.says_cost:
            return node.to_dict(fields=fields)
        cost = node.cost(self.convention)
        return node.to_dict(fields=fields) | {"cost": None if cost is None else number(cost)}

    def derive(self, *layers: str, batch: bool | None = None) -> Derivation:
        """Return how every number came about: formula, numbers put in, result; of all layers or some.

        `layers` are paths of layers or of the blocks that hold them. `batch` gives the batch a letter
        in the formulas; left out, it has one where it is not 1. Raises `SpecError` for an unknown path.
        """
        from shapecalc.report.derivation_builder import derive

        return derive(self, *layers, batch=batch)

    def _growth(self) -> dict[str, str]:
        try:
            found = self.leading_macs
        except Undecided:
            return {}
        return {} if found is None else {"leading_macs": str(found)}

    def __str__(self) -> str:
        from shapecalc.report.table import table

        return table(self)

    def _page(self) -> Page:
        from shapecalc.report.report_page import report_page

        return report_page(self)

    def _repr_markdown_(self) -> str:
        from shapecalc.report.markdown_table import markdown

        return markdown(self)

    def _repr_latex_(self) -> str:
        from shapecalc.report.latex_table import latex

        return latex(self)

    def __repr__(self) -> str:
        return f"<Report of {self.name}: {len(self.nodes)} layers, output {self.output}>"
