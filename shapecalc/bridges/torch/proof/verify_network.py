"""The network at once: our closed form of its outputs against torch's, for the layers composed.

Where every layer's rule is torch's for all sizes, so is the network's; a run in letters needs no such
argument, but holds only under the guards of that run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from shapecalc.algebra import Dim, Expr
from shapecalc.bridges.torch.build import numbers, run_steps, shapes_before
from shapecalc.bridges.torch.proof.cells import Every
from shapecalc.bridges.torch.proof.prove import Question, prove
from shapecalc.bridges.torch.proof.symbolic_shapes import Answer, answer
from shapecalc.bridges.torch.proof.verdict import Verdict
from shapecalc.bridges.torch.proof.verify_layer import quiet, shapes_of
from shapecalc.bridges.torch.twins.torch_names import Sizes
from shapecalc.bridges.torch.twins.twin import build_layer, twin_of
from shapecalc.engine.graph import Graph
from shapecalc.engine.graph_cache import reinfer
from shapecalc.engine.parameters import BATCH
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.base import Shapes
from shapecalc.model import Model
from shapecalc.report.report import Report


def verify_network(model: Model, numeric: Report, shape: Any, values: Mapping[str, Any]) -> Verdict:
    """Return whether our closed form of the outputs is what torch gives for the composed network."""
    if why := next((why for node in numeric.nodes if (why := twin_of(node.layer).uncovered(node.layer))), ""):
        return Verdict("uncovered", why=why)
    try:
        report = with_free_sizes(model, shape, values)
    except ShapecalcError:
        report = None
    if report is None:
        return Verdict("uncovered", why="its input's sizes cannot be left free")
    for node in report.nodes:
        if any(isinstance(dim, Expr) for shape in node.weights.values() for dim in shape):
            return Verdict("uncovered", why=f"the weights of {node.path} depend on the size of the input")
    return prove(network_question(report, free_sizes(report, numeric)), most_runs=1, most_tried=1)


def with_free_sizes(model: Model, shape: Any, values: Mapping[str, Any]) -> Report | None:
    """Return the report with the batch free and what is named in the inputs, or None where nothing is."""
    free = [name for name in model.free_names() if shape is None and name not in values]
    return model.analyze(symbolic=[*free, *([BATCH] if model.batched else [])], **values) if free else None


def free_sizes(report: Report, numeric: Report) -> dict[str, int]:
    """Return the free sizes of the inputs of a report as they are in another."""
    sizes: dict[str, int] = {}
    for name, shape in report.inputs.items():
        for dim, number in zip(shape, numeric.inputs[name], strict=True):
            if isinstance(dim, Expr) and isinstance(number, int):
                sizes.setdefault(str(dim), number)
    return sizes


def network_question(report: Report, sizes: dict[str, int]) -> Question:
    """Return the question whether the outputs of a report are those of its layers composed."""
    graph, letters = report.graph, tuple(report.inputs.values())
    refused = "a layer refuses its input"

    def inferred(point: Mapping[str, int]) -> list[Sizes] | None:
        """Return the shape of every tensor at some sizes; None where a layer refuses its input."""
        inference = reinfer(graph, [at_point(shape, point) for shape in letters])
        return None if inference is None else [at_point(shape or (), {}) for shape in inference.shapes]

    def ours(point: Mapping[str, int]) -> Shapes | str:
        shapes = inferred(point)
        return refused if shapes is None else tuple(shapes[slot] for slot in graph.outputs.values())

    def theirs(point: Mapping[str, int]) -> Shapes | str:
        shapes = inferred(point)
        if shapes is None:
            return refused
        with quiet(), torch.device("meta"):
            return shapes_of(
                _composed(graph, shapes)(*(torch.empty(at_point(shape, point)) for shape in letters))
            )

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


def at_point(shape: tuple[Dim, ...], point: Mapping[str, int]) -> Sizes:
    """Return a shape in numbers."""
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
