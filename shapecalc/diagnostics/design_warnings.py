"""What looks like a mistake although it runs: layers, outputs and parts of the spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from shapecalc.algebra.formula import Formula
from shapecalc.diagnostics.violation import Violation, of_layer
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import Place
from shapecalc.layers.family import Family
from shapecalc.layers.linear import Dense
from shapecalc.layers.reshape import Permute, Transpose
from shapecalc.layers.spatial import Spatial
from shapecalc.layers.traced import Require, Tensor, Unused
from shapecalc.report.report import Report
from shapecalc.spec.tree import Call, Spec

_RECORDS = (Require, Tensor, Unused)
"""Layers that compute nothing: conditions, and tensors of which a forward may read the shape only."""


def linear_on_map(spec: Spec, report: Report) -> Iterator[Violation]:
    """Find linear layers that read a map: a flatten is missing.

    In torch it mixes along the width, in Keras the channels of each position. Only where the map comes
    from a layer that keeps the channels where they are; after a permutation the last axis may well be
    meant.
    """
    if spec.framework == "torch":
        template = "{kind} mixes the last axis of the map {input}, its width of {last}, at every position of "
        template += "every channel"
    else:
        template = (
            "{kind} mixes the {last} channels of the map {input} at each of its {positions} positions, "
        )
        template += "so that its result is a map too"
    maps: set[int] = set()
    by_path = {node.path: node for node in report.nodes}
    for graph_node in report.graph.nodes:
        node, layer = by_path.get(graph_node.path), graph_node.layer
        if node is None or len(node.output) < 4:
            continue
        from_map = not maps.isdisjoint(graph_node.sources)
        if isinstance(layer, Spatial) or (from_map and not isinstance(layer, (Permute, Transpose))):
            maps.add(graph_node.first_slot)
        if from_map and isinstance(layer, Dense):
            x, hint = node.inputs[0], "put a flatten before it"
            yield of_layer("linear-on-map", node, template, hint=hint, input=x, last=x[-1], positions=x[1:-1])


def heads_disagree(spec: Spec, report: Report) -> Iterator[Violation]:
    """Find auxiliary heads with other classes than the main output, or a map where that is a vector.

    Auxiliary heads are those of `side`, and outputs whose name begins with `aux`; others, such as boxes
    beside classes, serve purposes of their own.
    """
    outputs = [*report.outputs.items()]
    auxiliary = [item for item in outputs[1:] if spec.outputs is None or item[0].startswith("aux")]
    for name, mine in auxiliary:
        main, theirs = outputs[0]
        facts: dict[str, Any] = {"name": name, "main": main, "mine": mine, "theirs": theirs}
        if len(mine) != len(theirs):
            facts |= {"axes": len(mine), "main_axes": len(theirs)}
            template = (
                "the output {name} is {mine}, with {axes} axes, but {main} is {theirs}, with {main_axes}"
            )
        elif len(mine) == 2 and mine[-1] != theirs[-1]:
            facts |= {"classes": mine[-1], "main_classes": theirs[-1]}
            template = "the output {name} has {classes} classes, but {main} has {main_classes}"
        else:
            continue
        place = _last_weights(spec, report, name)
        yield Violation("heads-disagree", template, facts, place, (name,), needs_all=True)


def _last_weights(spec: Spec, report: Report, output: str) -> Place:
    """Return where the last layer with weights before an output is written."""
    weighty = {node.path for node in report.nodes if node.weights}
    node = report.graph.producer(report.graph.outputs[output])
    while node is not None and node.path not in weighty:
        node = report.graph.producer(node.sources[0]) if node.sources else None
    return node.place.of(node.layer.kind) if node is not None else spec.place


def unused_result(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find results that nothing reads and that are no output of the model."""
    read = {slot for node in report.graph.nodes for slot in node.sources}
    read |= set(report.graph.outputs.values())
    template = "{kind} is computed, but nothing reads its result and it is no output"
    for node in report.graph.nodes:
        if not (read.intersection(node.slots) or isinstance(node.layer, _RECORDS)):
            yield of_layer("unused-result", node, template, needs_all=True)


def bias_before_norm(_spec: Spec, report: Report) -> Iterator[Violation]:
    """Find a bias that the batch normalization after it cancels."""
    template = "{kind} adds a bias that the {norm} after it cancels"
    readers: dict[int, list[GraphNode]] = {}
    for graph_node in report.graph.nodes:
        for slot in () if isinstance(graph_node.layer, _RECORDS) else graph_node.sources:
            readers.setdefault(slot, []).append(graph_node)
    slots = {graph_node.path: graph_node.first_slot for graph_node in report.graph.nodes}
    for node in report.nodes:
        after = [reader.layer for reader in readers.get(slots[node.path], [])]
        is_norm = len(after) == 1 and after[0].family is Family.BATCH_NORM
        has_bias = "bias" in {name.rpartition(".")[2] for name in node.weights}
        if is_norm and has_bias and node.kind != after[0].kind:
            yield of_layer(
                "bias-before-norm", node, template, severity="note", hint="bias: false", norm=after[0].kind
            )


def unused_block(spec: Spec, _report: Report) -> Iterator[Violation]:
    """Find blocks that no step uses."""
    for name in _unused(spec, spec.blocks):
        facts, place = {"name": name}, spec.place.of("blocks", name)
        yield Violation("unused-block", "nothing uses the block {name}", facts, place)


def unused_parameter(spec: Spec, _report: Report) -> Iterator[Violation]:
    """Find parameters that nothing reads."""
    for name in _unused(spec, spec.parameters):
        facts, place = {"name": name}, spec.place.of("parameters", name)
        yield Violation("unused-parameter", "nothing uses the parameter {name}", facts, place)


def _unused(spec: Spec, names: Mapping[str, Any]) -> list[str]:
    if spec.is_member:
        return []  # what it leaves unused is for another member of its family
    budgets = [spec.budget, *(variant.budget for variant in spec.variants.values())]
    used = set(_words((spec.layers, spec.blocks, spec.parameters, spec.input, budgets)))
    return [name for name in names if name not in used]


def _words(value: Any) -> Iterator[str]:
    """Yield every name that a part of the tree reads or calls."""
    if isinstance(value, Formula):
        yield from value.names
    elif isinstance(value, Call):
        yield value.callee
        yield from _words(value.arguments)
    elif isinstance(value, BaseModel):
        for _, field in value:
            yield from _words(field)
    elif isinstance(value, Mapping):
        yield from _words(tuple(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _words(item)
