"""From the steps of a trace to a `Model`: which sizes are free, and which arithmetic is just a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.numbers import Guard
from shapecalc.bridges.torch.trace import Trace
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind
from shapecalc.layers.traced import Require
from shapecalc.model import Model
from shapecalc.spec.tree import Step

_ON_FEATURES = ("linear", "layer_norm", "rms_norm", "multihead_attention")
"""Kinds whose features are the last axis, so that positions come before it."""


def settled(
    trace: Trace,
    shapes: Mapping[str, tuple[int, ...]],
    outputs: dict[str, str],
    name: str,
    axes: Mapping[int, tuple[str, ...]],
) -> Model:
    """Return the model of a trace."""
    parameters: dict[str, int] = {}
    inputs: dict[str, list[Any]] = {}
    for number, (title, shape) in enumerate(shapes.items()):
        inputs[title] = _free(trace, title, shape, axes, parameters, number)
    steps = _with_guards(trace)
    data: dict[str, Any] = {"name": _word(name), "parameters": parameters, "input": inputs}
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
    axes: Mapping[int, tuple[str, ...]],
    parameters: dict[str, int],
    number: int,
) -> list[Any]:
    """Return the sizes of an input, its sides by name; equal names of several inputs are numbered."""
    found: list[Any] = [*shape]
    names = axes.get(len(shape), ())
    first = 0 if len(shape) == 2 and _starts_on_features(trace, title) else len(shape) - len(names)
    for place, letter in enumerate(names, first):
        key = (
            letter
            if letter not in parameters or parameters[letter] == shape[place]
            else f"{letter}{number + 1}"
        )
        parameters[key] = shape[place]
        found[place] = key
    return found


def _starts_on_features(trace: Trace, title: str) -> bool:
    readers = (one for one in trace.steps if one.source is None or title in one.source)
    return getattr(next(readers, None), "body", None) is not None and any(
        isinstance(one.body, Kind) and one.body.kind in _ON_FEATURES for one in trace.steps[:2]
    )


def _with_guards(trace: Trace) -> list[Step]:
    """Return the steps, with what was decided by sizes put where it was decided."""
    by_place: dict[int, list[Guard]] = {}
    for guard, place in trace.guards.items():
        by_place.setdefault(place, []).append(guard)
    steps: list[Step] = []
    last = trace.inputs[0]
    for place in range(len(trace.steps) + 1):
        for left, relation, right in by_place.get(place, ()):
            try:
                layer = Require(left=left, relation=relation, right=right)
            except ValidationError:
                continue  # arithmetic that is too long to be written
            steps.append(Step(layer, name=trace.unique("require"), **{"from": last}))
        if place < len(trace.steps):
            step = trace.steps[place]
            if step.source is None and steps and steps[-1].name != last:
                step = step.model_copy(update={"source": (last,)})
            steps.append(step)
            last = step.name or last
    return steps


def _simplified(model: Model, data: dict[str, Any], steps: list[Step]) -> Model:
    """Return the model with numbers where arithmetic comes to the same number whatever is left free."""
    if not any(isinstance(step.body, Kind) and _formulas(step.body) for step in steps):
        return model
    try:
        walk = model._walk(None, 1, symbolic=True, values={})[0]  # noqa: SLF001
    except ShapecalcError:
        return model
    if walk.failures or len(walk.graph.nodes) != len(steps):
        return model
    kept: list[Step] = []
    for step, node in zip(steps, walk.graph.nodes, strict=True):
        body = step.body
        if isinstance(body, Kind) and _formulas(body):
            layer = node.layer
            values = {key: _number(value, getattr(layer, key)) for key, value in body.fields_set().items()}
            if isinstance(body, Require) and not any(
                _is_open(one) for one in (values["left"], values["right"])
            ):
                continue
            step = step.model_copy(update={"body": type(body)(**values)})  # noqa: PLW2901
        kept.append(step)
    return Model(layers=kept, **data)


def _is_open(value: Any) -> bool:
    return isinstance(value, str) and not _is_about_batch(Formula.parse(value))


def _formulas(layer: Kind) -> bool:
    return any(_holds_formula(value) for value in layer.fields_set().values())


def _holds_formula(value: Any) -> bool:
    return isinstance(value, Formula) or (isinstance(value, tuple) and any(map(_holds_formula, value)))


def _number(value: Any, resolved: Any) -> Any:
    """Return the number that a formula comes to, if it depends on nothing; else the formula."""
    if isinstance(value, tuple):
        return tuple(_number(one, other) for one, other in zip(value, resolved, strict=True))
    if isinstance(value, Formula) and isinstance(resolved, int) and not _is_about_batch(value):
        return resolved
    return value.text if isinstance(value, Formula) else value


def _is_about_batch(formula: Formula) -> bool:
    return ", 0)" in formula.text
