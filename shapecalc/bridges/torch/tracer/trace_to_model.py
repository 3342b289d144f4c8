"""From the steps of a trace to a `Model`: which sizes are free, and which arithmetic is just a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra import decide, symbol
from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.tracer.traced_sizes import Guard
from shapecalc.bridges.torch.tracer.tracing import Trace
from shapecalc.errors import ShapecalcError
from shapecalc.layers.axis_names import spatial_letters
from shapecalc.layers.base import Kind
from shapecalc.layers.linear import Embedding
from shapecalc.layers.roles import sizes_inferred
from shapecalc.layers.traced import SIGNS, Require
from shapecalc.model import Model
from shapecalc.spec.tree import Step


def settled(
    trace: Trace,
    shapes: Mapping[str, tuple[int, ...]],
    outputs: dict[str, str],
    name: str,
) -> Model:
    """Return the model of a trace."""
    parameters: dict[str, int] = {}
    inputs: dict[str, list[Any]] = {}
    for number, (title, shape) in enumerate(shapes.items()):
        inputs[title] = _free(trace, title, shape, parameters, number)
    steps = _with_guards(trace)
    data: dict[str, Any] = {"name": _word(name), "parameters": parameters, "input": inputs}
    if trace.whole:
        data["batched"] = False
    only = [*outputs.values()] == [steps[-1].name] and [*outputs] == ["output"]
    if not only:
        data["outputs"] = {_word(key): ref for key, ref in outputs.items()}
    model = Model(layers=steps, **data)
    return _simplified(model, data, steps)


def _word(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "model"


def _free(
    trace: Trace,
    title: str,
    shape: tuple[int, ...],
    parameters: dict[str, int],
    number: int,
) -> list[Any]:
    """Return the sizes of an input, its sides by name; equal names of several inputs are numbered."""
    found: list[Any] = [*shape]
    front = 1 if trace.whole and len(shape) > 1 and len(shape) != _spatial_rank(trace) + 1 else 0
    rank = len(shape) - front
    names = ("L",) if rank == 1 and _is_of_words(trace, title) else spatial_letters(rank - 1)
    last = rank == 2 and _spatial_rank(trace) == 1 and not _starts_on_features(trace, title)
    first = rank - len(names) if rank != 2 or last else 0
    letters = [*enumerate(names, first + front)]
    for place, letter in [(0, "N"), *letters] if front else letters:
        key = (
            letter
            if letter not in parameters or parameters[letter] == shape[place]
            else f"{letter}{number + 1}"
        )
        parameters[key] = shape[place]
        found[place] = key
    return found


def _is_of_words(trace: Trace, title: str) -> bool:
    """Whether an input goes into a table of words before anything else, so that its axis are positions."""
    readers = (one for one in trace.steps if one.source is None or title in one.source)
    return isinstance(getattr(next(readers, None), "body", None), Embedding)


def _spatial_rank(trace: Trace) -> int:
    """Return over how many axes the first window of a network slides; 0 without windows."""
    return next((rank for step in trace.steps if (rank := getattr(step.body, "rank", None))), 0)


def _starts_on_features(trace: Trace, title: str) -> bool:
    readers = (one for one in trace.steps if one.source is None or title in one.source)
    return getattr(next(readers, None), "body", None) is not None and any(
        isinstance(one.body, Kind) and _reads_features(one.body) for one in trace.steps[:2]
    )


def _reads_features(layer: Kind) -> bool:
    """Say whether a layer's features are the last axis, so that positions come before it."""
    return any(role.axis == -1 for role in sizes_inferred(type(layer)).values())


def _with_guards(trace: Trace) -> list[Step]:
    """Return the steps, with what was decided by sizes put where it was decided."""
    by_place: dict[int, list[Guard]] = {0: _as_traced(trace)} if trace.held else {}
    for guard, place in trace.guards.items():
        by_place.setdefault(place, []).append(guard)
    steps: list[Step] = []
    last = trace.inputs[0]
    for place in range(len(trace.steps) + 1):
        for left, relation, right in by_place.get(place, ()):
            try:
                found = [Require(left=left, relation=relation, right=right)]
            except ValidationError:  # arithmetic that is too long to be written
                found = [Require(left=one, relation=told, right=two) for one, told, two in _as_traced(trace)]
            steps.extend(Step(layer, name=trace.unique("require"), **{"from": last}) for layer in found)
        if place < len(trace.steps):
            step = trace.steps[place]
            if step.source is None and steps and steps[-1].name != last:
                step = step.model_copy(update={"source": (last,)})
            steps.append(step)
            last = step.name or last
    return steps


def _as_traced(trace: Trace) -> list[Guard]:
    """Return conditions that hold for the inputs of the trace only."""
    seen = {name: tensor for tensor, name in trace.refs.values() if name in trace.inputs}
    return [
        (f"size({name!r}, {axis})", "equal", str(size))
        for name, tensor in seen.items()
        for axis, size in enumerate(tensor.shape)
    ]


def _simplified(model: Model, data: dict[str, Any], steps: list[Step]) -> Model:
    """Return the model with numbers where arithmetic comes to the same number whatever is left free."""
    if not any(isinstance(step.body, Kind) and _formulas(step.body) for step in steps):
        return model
    try:
        batch = symbol("batch") if model.batched else None
        inference = model._infer(None, batch, symbolic=True, values={})[0]  # noqa: SLF001
    except ShapecalcError:
        return model
    if inference.failures or len(inference.graph.nodes) != len(steps):
        return model
    kept: list[Step] = []
    for step, node in zip(steps, inference.graph.nodes, strict=True):
        body = step.body
        if isinstance(body, Kind) and _formulas(body):
            layer = node.layer
            values = {key: _number(value, getattr(layer, key)) for key, value in body.fields_set().items()}
            if isinstance(layer, Require) and decide(layer.left, SIGNS[layer.relation], layer.right):
                continue
            step = step.model_copy(update={"body": type(body)(**values)})  # noqa: PLW2901
        kept.append(step)
    return Model(layers=kept, **data)


def _formulas(layer: Kind) -> bool:
    return any(_holds_formula(value) for value in layer.fields_set().values())


def _holds_formula(value: Any) -> bool:
    return isinstance(value, Formula) or (isinstance(value, tuple) and any(map(_holds_formula, value)))


def _number(value: Any, resolved: Any) -> Any:
    """Return the number that a formula comes to, if it depends on nothing; else the formula."""
    if isinstance(value, tuple):
        return tuple(_number(one, other) for one, other in zip(value, resolved, strict=True))
    if isinstance(value, Formula) and isinstance(resolved, int):
        return resolved
    return value.text if isinstance(value, Formula) else value
