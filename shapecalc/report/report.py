"""The result of an analysis as plain data: per node, per group and in total."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from shapecalc.algebra import Dim, Expr
from shapecalc.algebra.relation import combined
from shapecalc.conventions.by_tool import DEFAULT, convention
from shapecalc.engine.graph import Graph, Group, Inference
from shapecalc.errors import SpecError, Undecided, quote
from shapecalc.layers.registry import FRAMEWORKS
from shapecalc.layers.requirement import Requirement, Shape, shown
from shapecalc.record import record
from shapecalc.render.display import Shown
from shapecalc.report.node import D_co, Node, number, plain, renamed_flag
from shapecalc.report.outline import Item, lines, tree
from shapecalc.report.paths import is_under, unknown_path
from shapecalc.report.receptive_field import ReceptiveFields
from shapecalc.report.totals import Totals, item_bits

if TYPE_CHECKING:
    from shapecalc.algebra.leading import Leading
    from shapecalc.report.cost import Cost
    from shapecalc.report.derivation import Derivation


@record
class Condition:
    """A relation that must hold for a symbolic report to be true, and the layer that needs it."""

    path: str
    requirement: Requirement

    def __str__(self) -> str:
        return f"{self.requirement} ({self.path})"


class Report(Shown, Totals[D_co]):
    """The result of `Model.analyze`: shapes, parameters, cost and memory of every layer.

    Sizes are `int`, or expressions where something was left free; `sympy.sympify` takes both.
    `report["stem.conv2d"]` is a layer and `report["stem"]` the group of layers that the table prints.
    `macs` counts multiply-accumulates of convolutions, linear layers and matrix products, biases not
    counted; `flops` is twice that. When `complete` is false, `macs` and `flops` are lower bounds and
    `not_counted` names the layers that they leave out.

    >>> import shapecalc, sympy
    >>> report = shapecalc.load("resnet20_cifar").analyze(symbolic="n")
    >>> sympy.diff(sympy.sympify(report.params), "n"), sympy.sympify(report.output[-1])
    (97216, 10)
    >>> sympy.lambdify("n", sympy.sympify(report.macs))(3)
    40551040
    """

    _view: ClassVar[str] = "shapecalc.views.layer_table:notebook_page"

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
        self.inputs = cast("dict[str, tuple[D_co, ...]]", dict(inputs))
        self.dtype = dtype
        self.counting = counting
        if counting not in FRAMEWORKS:
            raise SpecError(f"parameters are counted as in {' or '.join(FRAMEWORKS)}, not {quote(counting)}")
        self.inference = inference
        self.graph: Graph = inference.graph
        self.unbatched = not inference.graph.batched
        shapes, graph_nodes = inference.shapes, inference.graph.nodes
        fields = ReceptiveFields(inference, [*inputs.values()], [*inputs])
        self.bits = bits = item_bits(dtype)
        self.nodes: list[Node[D_co]] = [
            Node(
                node,
                effect,
                tuple([shapes[slot] for slot in node.sources]),
                bits,
                None if node.owner is None else graph_nodes[node.owner].path,
                counting,
                fields,
            )
            for node, effect in zip(graph_nodes, inference.effects, strict=True)
            if effect is not None
        ]
        self.outputs = cast(
            "dict[str, tuple[D_co, ...]]",
            {
                output: shape
                for output, slot in inference.graph.outputs.items()
                if (shape := shapes[slot]) is not None
            },
        )

    # ---- shapes

    @property
    def input(self) -> tuple[D_co, ...]:
        """The shape of the first input."""
        return next(iter(self.inputs.values()))

    @property
    def output(self) -> tuple[D_co, ...]:
        """The shape of the first output."""
        return next(iter(self.outputs.values()))

    def heading(self, *, batch: bool = False) -> str:
        """Return which network this is, on which input."""
        return f"{self.title or self.name} ({self.name}) on {self.shape_text(self.input, batch=batch)}"

    def visible(self, shape: Shape, *, batch: bool = False) -> Shape:
        """Return what a reader sees of a shape: all but the batch axis, unless that is requested."""
        first = self.input[:1]
        if batch or not first or len(shape) < 2 or shape[:1] != first or self.unbatched:
            return shape
        return shape[1:]

    def shape_text(self, shape: Shape, *, batch: bool = False) -> str:
        """Return a shape for a reader, as `visible` does, as text."""
        return shown(self.visible(shape, batch=batch))

    # ---- layers and groups

    @property
    def groups(self) -> list[Group]:
        """The blocks, branches and repeats, as ranges of nodes."""
        return self.graph.groups

    def __iter__(self) -> Iterator[Node[D_co]]:
        return iter(self.nodes)

    @cached_property
    def _by_path(self) -> dict[str, Node[D_co]]:
        return {node.path: node for node in self.nodes}

    def __getitem__(self, path: str) -> Node[D_co] | Item[D_co]:
        """Return the layer with a path, or the group; raise `UnknownPath`, a `KeyError`, for another."""
        node = self._by_path.get(path)
        if node is not None:
            return node
        for item in lines(tree(self).children):
            if item.path == path and item.nodes:
                return item
        raise unknown_path(self.name, self._by_path, path)

    def layer(self, path: str) -> Node[D_co]:
        """Return the layer with a path; raise `UnknownPath` where there is none, `SpecError` for a group."""
        entry = self[path]
        if isinstance(entry, Item):
            raise SpecError(f"{quote(path)} is a group of {len(entry.nodes)} layers, not one layer")
        return entry

    def inside(self, *paths: str) -> list[Node[D_co]]:
        """Return the layers with these paths and those in the groups with them, in order of execution.

        Without a path, return all. Raise `UnknownPath` for a path of neither.
        """
        for path in paths:
            if not any(is_under(node.path, path) for node in self.nodes):
                raise unknown_path(self.name, self._by_path, path)
        return [node for node in self.nodes if not paths or any(is_under(node.path, path) for path in paths)]

    @property
    def passes(self) -> dict[tuple[str, int, Dim], list[str]]:
        """The repeats with a free number of passes, by the index in their sizes, its first and last value."""
        passes: dict[tuple[str, int, Dim], list[str]] = {}
        for loop in self.graph.loops:
            passes.setdefault((loop.index, loop.first, loop.last), []).append(loop.path.rpartition(".")[0])
        return passes

    # ---- costs

    def cost(self, by: str | None = None) -> Cost[D_co]:
        """Return the cost under a convention, by default the one that the report was made with.

        Conventions are `mac`, `flop_counter`, `torchvision`, `fvcore`, `ptflops`, `thop`, `torchinfo`,
        `calflops` and `exact`. Raises `SpecError` for another.

        >>> import shapecalc
        >>> cost = shapecalc.load("resnet50").analyze().cost("fvcore")
        >>> print(cost), cost["stem.conv2d"]
        4,111,512,576 flops (fvcore)
        (None, 118013952)
        """
        from shapecalc.report.cost import cost

        return cost(self.nodes, self.convention if by is None else convention(by))

    @property
    def is_symbolic(self) -> bool:
        """Whether a size of an input, or a parameter that the network reads, was left free."""
        sizes = [size for shape in self.inputs.values() for size in shape]
        return any(isinstance(size, Expr) for size in (*sizes, *self.graph.parameters_read.values()))

    @property
    def free_sizes(self) -> tuple[str, ...]:
        """The sizes of the inputs that were left free, batch and channels not among them."""
        sizes = [size for shape in self.inputs.values() for size in self.sides(shape)]
        return tuple(sorted({name for size in sizes if isinstance(size, Expr) for name in size.free_symbols}))

    def sides(self, shape: Shape) -> list[Dim]:
        """Return the sizes of an input without its batch and channels; of a vector, its length."""
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
        >>> growth = shapecalc.load("resnet50").analyze(symbolic=("H", "W")).leading_macs
        >>> print(growth, growth.at(H=1, W=1))
        81,456·H·W 81456
        """
        return self.leading(self.macs)

    def leading(self, costs: Dim) -> Leading | None:
        """Return how costs grow with large inputs, as `leading_macs` does of multiply-accumulates."""
        if not self.free_sizes or not isinstance(costs, Expr):
            return None
        from shapecalc.algebra.leading import leading

        growth = leading(costs, self.free_sizes)
        return growth if growth.degree else None

    # ---- what is known, and where it is true

    @property
    def fields_unknown(self) -> list[str]:
        """The layers whose receptive field is not known."""
        return [
            f"{node.path} ({node.kind})"
            for node in self.nodes
            if any(None in field.size for field in node.fields.values())
        ]

    @property
    def conditions(self) -> list[Condition]:
        """What must hold for the shapes to be true, each relation once, at the first that needs it."""
        conditions: dict[str, Condition] = {}
        for path, requirement in self.graph.conditions:
            conditions.setdefault(str(requirement), Condition(path, requirement))
        for node in self.nodes:
            for requirement in node.conditions:
                conditions.setdefault(str(requirement), Condition(node.path, requirement))
        return list(conditions.values())

    @property
    def validity(self) -> list[str]:
        """For which sizes a report is true: the conditions, solved where they have one unknown."""
        why, conditions = self.inference.unconfirmed, self.conditions
        unconfirmed = [f"As traced, not confirmed at other sizes: {why}"] if why else []
        solved, others = combined(condition.requirement.relation for condition in conditions)
        joined = "; ".join(solution.text(name) for name, solution in sorted(solved.items()))
        holds = [joined] * bool(joined) + [str(conditions[position]) for position in others]
        return [f"Holds where {each}" for each in holds] + unconfirmed

    @property
    def needs_counting(self) -> bool:
        """Whether a number of parameters needs the word how it was counted: not torch's own way."""
        return self.counting != "torch" or any(node.layer.framework == "keras" for node in self.nodes)

    # ---- views

    def derive(self, *layers: str, batch: bool | None = None) -> Derivation[D_co]:
        """Return how every number came about: formula, numbers put in, result; of all layers or some.

        `layers` are paths of layers or of the blocks that hold them. `batch` gives the batch a letter
        in the formulas; left out, it has one where it is not 1. Raises `SpecError` for an unknown path.
        """
        from shapecalc.report.derivation_builder import derive

        return derive(self, *layers, batch=batch)

    def to_dict(
        self, *, receptive_fields: bool = False, fields: bool | None = None, source: bool = False
    ) -> dict[str, Any]:
        """Return everything as plain data for JSON; symbolic sizes become text.

        With `receptive_fields`, formerly `fields`, every node has its receptive field, and `fields_unknown`
        names those without one; with `source`, every node has its file, line and column.
        `counting` is there only where parameters may be counted as in another framework than torch, `cost`
        only where a convention was requested, and `leading_macs` only where sizes of the input are free and
        the costs grow as a polynomial in them.
        """
        receptive_fields = renamed_flag(receptive_fields, fields)
        macs, not_counted = self.macs, self.not_counted
        inputs = {name: plain(shape) for name, shape in self.inputs.items()}
        outputs = {name: plain(shape) for name, shape in self.outputs.items()}
        return {
            "name": self.name,
            "input": inputs if len(inputs) != 1 else plain(self.input),
            "output": plain(self.output),
            "outputs": outputs,
            "params": number(self.params),
            "trainable_params": number(self.trainable_params),
            **({} if (active := self.active_params) is None else {"active_params": number(active)}),
            "buffers": number(self.buffer_count),
            **({"counting": self.counting} if self.needs_counting else {}),
            "macs": number(macs),
            **self._growth(macs),
            "flops": number(2 * macs),
            **({"cost": self.cost().to_dict()} if self.says_cost else {}),
            "complete": not not_counted,
            "not_counted": not_counted,
            **({"unconfirmed": self.inference.unconfirmed} if self.inference.unconfirmed else {}),
            **({"fields_unknown": self.fields_unknown} if receptive_fields else {}),
            "nodes": [*self._node_dicts(receptive_fields=receptive_fields, source=source)],
        }

    def _node_dicts(self, *, receptive_fields: bool, source: bool) -> Iterator[dict[str, Any]]:
        write = plain if self.is_symbolic else list
        for node in self.nodes:
            data = node.to_dict(receptive_fields=receptive_fields, plain=write)
            if self.says_cost:
                cost = node.cost(self.convention)
                data["cost"] = None if cost is None else number(cost)
            yield data | ({"source": node.place.to_dict()} if source else {})

    def _growth(self, macs: Dim) -> dict[str, str]:
        try:
            growth = self.leading(macs)
        except Undecided:
            return {}
        return {} if growth is None else {"leading_macs": str(growth)}

    def __str__(self) -> str:
        return self._plain()

    def __repr__(self) -> str:
        return f"<Report of {self.name}: {len(self.nodes)} layers, output {self.output}>"
