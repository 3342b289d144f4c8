"""A complete model against torch: every layer for all sizes, its weights and cost, and the network at once.

Proofs compose: where every layer's rule is torch's for all sizes, so is the network's. The network is run
in letters as well, once, which needs no such argument but holds only under the guards of that run; and it is
built and run at its own sizes, every layer watched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from shapecalc.algebra import Dim, Expr
from shapecalc.bridges.torch.build import numbers, run_steps, shapes_before
from shapecalc.bridges.torch.proof.cells import Every
from shapecalc.bridges.torch.proof.free_sizes import lettered
from shapecalc.bridges.torch.proof.prove import Question, prove
from shapecalc.bridges.torch.proof.run_network import Forward, forward
from shapecalc.bridges.torch.proof.symbolic_shapes import Answer, answer
from shapecalc.bridges.torch.proof.verdict import OUTCOMES, Outcome, Verdict
from shapecalc.bridges.torch.proof.verify_layer import question_of, quiet, shapes_of, structure
from shapecalc.bridges.torch.twins.torch_names import Sizes
from shapecalc.bridges.torch.twins.twin import build_layer, twin_of
from shapecalc.engine.graph import Graph
from shapecalc.engine.graph_cache import reinfer
from shapecalc.engine.parameters import BATCH
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.base import Kind, Shapes
from shapecalc.model import Model
from shapecalc.report.node import Node
from shapecalc.report.report import Report

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """One layer, what is proved of it, and how it differs at the sizes of the model, if it does."""

    path: str
    kind: str
    inputs: Shapes
    verdict: Verdict
    difference: str = ""
    ran: str = ""
    """How it differs in the forward of the built network, if it does."""

    @property
    def is_refuted(self) -> bool:
        """Whether our layer is not torch's."""
        return self.verdict.outcome == "refuted" or bool(self.difference or self.ran)

    def __str__(self) -> str:
        differences = dict.fromkeys(filter(None, (self.difference, self.ran)))
        return "; refuted: ".join([str(self.verdict), *differences])

    def to_dict(self) -> dict[str, Any]:
        """Return the layer as plain data."""
        layer = {"path": self.path, "kind": self.kind, "inputs": [list(shape) for shape in self.inputs]}
        return layer | self.verdict.to_dict() | {"difference": self.difference, "forward": self.ran}


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of `verify`: a verdict a layer, and one for the complete network."""

    name: str
    layers: tuple[Checked, ...]
    network: Verdict
    forward: Forward
    """How the built network ran."""
    proofs: int
    """How many different proofs the layers came to."""

    @property
    def is_refuted(self) -> bool:
        """Whether anything is not as torch has it."""
        is_refuted = self.network.outcome == "refuted" or self.forward.is_refuted
        return is_refuted or any(layer.is_refuted for layer in self.layers)

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many layers came to each outcome."""
        count = Counter("refuted" if layer.is_refuted else layer.verdict.outcome for layer in self.layers)
        return {outcome: count[outcome] for outcome in OUTCOMES if count[outcome]}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "name": self.name,
            "refuted": self.is_refuted,
            "counts": self.counts,
            "proofs": self.proofs,
            "network": self.network.to_dict(),
            "forward": self.forward.to_dict(),
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def __str__(self) -> str:
        return text(self)


def verify(
    model: Model,
    shape: Any = None,
    values: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, of: None,
) -> Verification:
    """Return the verification of a model; equal layers are proved once.

    `shape` and `values` are the input and the parameters as for `Model.analyze`; `progress` receives how
    many layers of how many are done.

    >>> from shapecalc import load
    >>> verify(load("lenet5")).counts
    {'proved': 12}
    """
    values = values or {}
    report = model.analyze(input=shape, **values)
    proofs: dict[tuple[Kind, Shapes], Verdict] = {}
    differences: dict[tuple[Kind, Shapes], str] = {}
    layers: list[Checked] = []
    for number, node in enumerate(report.nodes):
        progress(number, len(report.nodes))
        checked = _checked(node, proofs, differences)
        layers.append(Checked(node.path, node.kind, node.inputs, *checked))
    network = _network(model, report, shape, values)
    ran = forward(model, report, shape, values)
    layers = [replace(layer, ran=ran.differences.get(layer.path, "")) for layer in layers]
    progress(len(report.nodes), len(report.nodes))
    return Verification(model.name, tuple(layers), network, ran, len(proofs))


def _checked(
    node: Node, proofs: dict[tuple[Kind, Shapes], Verdict], differences: dict[tuple[Kind, Shapes], str]
) -> tuple[Verdict, str]:
    """Return the proof of a node's layer and how it differs in numbers, remembered for equal layers."""
    layer, shapes = node.layer, tuple(map(numbers, node.inputs))
    why = twin_of(layer).uncovered(layer)
    if why:
        return Verdict("uncovered", why=why), ""
    letters = lettered(layer, shapes).proved
    if (layer, letters) not in proofs:
        proofs[layer, letters] = prove(question_of(layer, shapes))
    if (layer, shapes) not in differences:
        differences[layer, shapes] = structure(layer, shapes, node.weights, node.buffers, node.macs)
    return proofs[layer, letters], differences[layer, shapes]


# ---- the network at once


def _network(model: Model, numeric: Report, shape: Any, values: Mapping[str, Any]) -> Verdict:
    """Return whether our closed form of the outputs is what torch gives for the composed network."""
    if why := next((why for node in numeric.nodes if (why := twin_of(node.layer).uncovered(node.layer))), ""):
        return Verdict("uncovered", why=why)
    free = [name for name in model.free_names() if shape is None and name not in values]
    try:
        report = model.analyze(symbolic=[*free, BATCH], **values) if free else None
    except ShapecalcError:
        report = None
    if report is None:
        return Verdict("uncovered", why="its input's sizes cannot be left free")
    for node in report.nodes:
        if any(isinstance(dim, Expr) for shape in node.weights.values() for dim in shape):
            return Verdict("uncovered", why=f"the weights of {node.path} depend on the size of the input")
    return prove(_question(report, _free_sizes(report, numeric)), most_runs=1, most_tried=1)


def _free_sizes(report: Report, numeric: Report) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, shape in report.inputs.items():
        for dim, number in zip(shape, numeric.inputs[name], strict=True):
            if isinstance(dim, Expr) and isinstance(number, int):
                sizes.setdefault(str(dim), number)
    return sizes


def _question(report: Report, sizes: dict[str, int]) -> Question:
    graph, letters = report.graph, tuple(report.inputs.values())
    refused = "a layer refuses its input"

    def inferred(point: Mapping[str, int]) -> list[Sizes] | None:
        """Return the shape of every tensor at some sizes; None where a layer refuses its input."""
        inference = reinfer(graph, [_at(shape, point) for shape in letters])
        return None if inference is None else [_at(shape or (), {}) for shape in inference.shapes]

    def ours(point: Mapping[str, int]) -> Shapes | str:
        shapes = inferred(point)
        return refused if shapes is None else tuple(shapes[slot] for slot in graph.outputs.values())

    def theirs(point: Mapping[str, int]) -> Shapes | str:
        shapes = inferred(point)
        if shapes is None:
            return refused
        with quiet(), torch.device("meta"):
            return shapes_of(_composed(graph, shapes)(*(torch.empty(_at(shape, point)) for shape in letters)))

    def symbolic(point: Mapping[str, int]) -> Answer:
        shapes = inferred(point)
        if shapes is None:
            raise Undecided(refused)
        return answer(lambda: _composed(graph, shapes), letters, point, (_dtype(graph),))

    return Question(
        sizes,
        {},
        tuple(report.outputs.values()),
        Every(tuple(condition.requirement.relation for condition in report.conditions)),
        symbolic,
        ours,
        theirs,
    )


def _at(shape: tuple[Dim, ...], point: Mapping[str, int]) -> Sizes:
    sizes = numbers(tuple(dim if isinstance(dim, int) else dim.subs(point) for dim in shape))
    assert len(sizes) == len(shape)
    return sizes


def _dtype(graph: Graph) -> torch.dtype:
    return twin_of(graph.nodes[0].layer).tensors(((1,),), "meta")[0].dtype if graph.nodes else torch.float32


def _composed(graph: Graph, shapes: list[Sizes]) -> Callable[..., tuple[Tensor, ...]]:
    """Return the counterparts of a graph's nodes, built for some shapes, as one function."""
    steps = [
        (build_layer(node.layer, shapes_before(node, shapes)), node.sources, node.first_slot)
        for node in graph.nodes
    ]

    def run(*inputs: Tensor) -> tuple[Tensor, ...]:
        slots = run_steps(steps, inputs)
        return tuple(slots[slot] for slot in graph.outputs.values())

    return run


# ---- for a reader


def text(result: Verification) -> str:
    """Return a line per layer, one for the network, and the counts."""
    layers = result.layers
    rows = [(layer.path, layer.kind, str(layer)) for layer in layers]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    lines = [f"{path:<{widths[0]}}  {kind:<{widths[1]}}  {verdict}".rstrip() for path, kind, verdict in rows]
    counts = ", ".join(f"{count} {OUTCOMES[outcome]}" for outcome, count in result.counts.items())
    of = f"{len(layers)} layers" if len(layers) != 1 else "1 layer"
    compared = [layer for layer in layers if layer.verdict.outcome != "uncovered"]
    whose = " of the layers that are covered" if len(compared) < len(layers) else ""
    summary = f"weights, buffers and MACs{whose} are torch's at these sizes"
    if any(layer.difference for layer in compared):
        summary = "weights, buffers or MACs differ where it is said"
    lines += [
        "",
        f"network: {result.network}",
        f"forward: {result.forward}",
        f"{of}, {result.proofs} different: {counts or 'nothing to prove'}",
    ]
    return "\n".join([*lines, *([summary] if compared else [])])
