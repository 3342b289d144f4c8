"""What `in_features` of a linear layer must be, and how the number comes about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from shapecalc.algebra import Dim, product
from shapecalc.algebra.expr import Expr
from shapecalc.algebra.expr_text import grouped
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import Failure, SpecError, Undecided, nearest, quote
from shapecalc.layers.linear import Dense
from shapecalc.layers.requirement import Shape, shown
from shapecalc.render.lines import LONGEST_LIST, IndentedLine, Listing
from shapecalc.render.piece import Inline, Line, plain, sizes
from shapecalc.report.paths import is_under, unknown_path
from shapecalc.sizes.question import Question


@dataclass(frozen=True, slots=True)
class Feature:
    """The `in_features` of one linear layer."""

    path: str
    in_features: int
    shape: Shape
    """The input of the layer, the batch in front."""
    flattened: Shape | None
    """The sizes that a flatten before it multiplied, or None where there is none."""
    declared: Dim | None
    formula: Dim | None = None
    """The number in closed form where sizes are free; None where it has none."""

    @property
    def is_right(self) -> bool:
        """Whether the declared number, if there is one, is the needed number."""
        return self.declared is None or self.declared == self.in_features

    @property
    def arithmetic(self) -> str:
        """How the number comes about, as 512·7·7 = 25,088."""
        if self.flattened is not None:
            return f"{'·'.join(map(str, self.flattened))} = {grouped(self.in_features)}"
        if len(self.shape) == 2:
            return grouped(self.in_features)
        return f"{grouped(self.in_features)}, the last axis of {shown(self.shape[1:])}"

    def to_dict(self) -> dict[str, Any]:
        """Return the number and its derivation as plain data for JSON."""
        return {
            "path": self.path,
            "in_features": self.in_features,
            "arrives": [*self.shape[1:]],
            "flattened": None if self.flattened is None else [*self.flattened],
            "declared": self.declared,
            "right": self.is_right,
            "formula": None if self.formula is None else str(self.formula),
        }

    @property
    def line(self) -> Line:
        """The number, how it comes about, and whether the spec says another."""
        parts: list[Inline] = [f"{self.path}: in_features = {self.arithmetic}"]
        if isinstance(self.formula, Expr):
            parts += ["; for any size ", sizes((self.formula,))]
        if not self.is_right:
            parts.append(f"; the spec says {self.declared}, which is wrong")
        return tuple(parts)

    def __str__(self) -> str:
        return plain(self.line)


@dataclass(frozen=True, slots=True)
class Features(Listing[Feature]):
    """The `in_features` of the linear layers that were requested, by position or by path."""

    title: str
    inputs: dict[str, Shape]
    entries: tuple[Feature, ...]

    def __getitem__(self, layer: int | str) -> Feature:
        if isinstance(layer, int):
            return self.entries[layer]
        known = {feature.path: feature for feature in self.entries}
        if layer not in known:
            raise unknown_path("this answer", known, layer)
        return known[layer]

    def to_dict(self) -> dict[str, Any]:
        inputs = {name: [*shape[1:]] for name, shape in self.inputs.items()}
        layers = [feature.to_dict() for feature in self.entries]
        return {"name": self.title, "inputs": inputs, "layers": layers}

    def lines(self, limit: int | None = LONGEST_LIST) -> Iterator[IndentedLine]:
        shapes = ", ".join(shown(shape[1:]) for shape in self.inputs.values())
        yield 0, (f"{self.title} on {shapes}",)
        yield from ((1, feature.line) for feature in self.entries)


def solve_features(question: Question, layer: str | None = None) -> Features:
    """Return the `in_features` of every linear layer, or of one, or of those in a part of the network.

    Inference goes on behind a layer that declares a wrong number, for that is what the question is about.
    Raises `SpecError` for a layer that is not linear, and the failure before it where its input is unknown.
    """
    spec, inference = question.spec, question.infer_built()
    nodes = inference.graph.nodes
    linear = [node for node in nodes if isinstance(node.layer, Dense)]
    chosen = [node for node in linear if layer is None or is_under(node.path, layer)]
    if not chosen:
        known = [node.path for node in linear]
        if not known and inference.failures:
            raise inference.failures[0].error(tuple(inference.failures))
        if layer is None or not known:
            raise SpecError(f"{spec.name} has no linear layer")
        wrong = "is not linear" if any(is_under(node.path, layer) for node in nodes) else "is not there"
        raise SpecError(
            f"{spec.name}: the layer {quote(layer)} {wrong}{nearest(layer, known)}",
            hint=f"linear layers: {', '.join(known[:20])}",
        )
    formulas, causes = _formulas(question), _causes(inference)
    features: list[Feature] = []
    for node in chosen:
        if node.path in causes:
            raise causes[node.path].error(tuple(inference.failures))
        feature = _feature(inference, node, formulas.get(node.path))
        if feature is None:
            raise SpecError(f"{spec.name}: the input of {quote(node.path)} is not known")
        features.append(feature)
    return Features(question.title, question.built_inputs, tuple(features))


def _causes(inference: Inference) -> dict[str, Failure]:
    """Return the layers downstream of a failing layer, each with that failure: their inputs are assumed.

    A linear layer that declares a wrong number makes what it would make of the right one.
    """
    linear = {node.path for node in inference.graph.nodes if isinstance(node.layer, Dense)}
    failed = {
        failure.path: failure
        for failure in inference.failures
        if not (failure.code == "channels" and failure.path in linear)
    }
    behind: dict[int, Failure] = {}
    causes: dict[str, Failure] = {}
    for node in inference.graph.nodes:
        before = [behind[slot] for slot in node.sources if slot in behind]
        if before:
            causes[node.path] = before[0]
        if cause := (*before, failed.get(node.path))[0]:
            behind |= dict.fromkeys(node.slots, cause)
    return causes


def _formulas(question: Question) -> dict[str, Dim]:
    """Return the in_features of each linear layer with the input sizes free, where that has a closed form."""
    try:
        inference, _ = replace(question, rebuild=True).infer_at({})
    except (SpecError, Undecided):
        return {}
    shapes = {
        node.path: inference.shapes[node.sources[0]]
        for node in inference.graph.nodes
        if isinstance(node.layer, Dense)
    }
    return {path: shape[-1] for path, shape in shapes.items() if shape}


def _feature(inference: Inference, node: GraphNode, formula: Dim | None) -> Feature | None:
    """Return what a linear layer needs, or None where its input is not known."""
    assert isinstance(node.layer, Dense)
    shape = inference.shapes[node.sources[0]]
    if not shape or not isinstance(shape[-1], int):
        return None
    needed, declared = shape[-1], node.layer.in_features
    node.layer.model_copy(update={"in_features": needed}).apply((shape,))  # refused if it were wrong
    return Feature(node.path, needed, shape, _flattened(inference, node.sources[0]), declared, formula)


def _flattened(inference: Inference, slot: int) -> Shape | None:
    """Return the sizes whose product the last axis is, looking back over layers that keep the shape."""
    shape = inference.shapes[slot]
    while (producer := inference.graph.producer(slot)) is not None and len(producer.sources) == 1:
        slot = producer.sources[0]
        before = inference.shapes[slot]
        if before is None or shape is None:
            return None
        if before == shape:
            continue
        kept = len(shape) - 1
        merged = before[kept:]
        is_product = before[:kept] == shape[:-1] and len(merged) > 1 and product(merged) == shape[-1]
        return merged if is_product else None
    return None
