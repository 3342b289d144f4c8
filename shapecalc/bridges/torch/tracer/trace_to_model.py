"""From the steps of a trace to a `Model`: free sizes, guards as steps, and arithmetic that is constant."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from itertools import chain, count
from typing import Any

from pydantic import ValidationError

from shapecalc.bridges.constant_arithmetic import simplified
from shapecalc.bridges.torch.tracer.integer_inputs import is_of_integers
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import Guard
from shapecalc.errors import Place, ShapecalcError
from shapecalc.layers.axis_names import spatial_letters
from shapecalc.layers.effect import replaced
from shapecalc.layers.traced import Require
from shapecalc.model import Model
from shapecalc.spec.tree import Step


def model_of(
    trace: Trace, shapes: Mapping[str, tuple[int, ...]], outputs: Mapping[str, str], name: str
) -> Model:
    """Return the model of a trace with inputs of these shapes."""
    parameters: dict[str, int] = {}
    inputs = {
        title: _named_sizes(trace, shapes, title, parameters, number)
        for number, title in enumerate(shapes, 1)
    }
    steps = _with_guards(trace)
    data: dict[str, Any] = {"name": _word(name), "parameters": parameters, "input": inputs}
    if not trace.has_batch:
        data["batched"] = False
    if outputs != {"output": steps[-1].name}:
        data["outputs"] = outputs
    return simplified(Model(layers=steps, **data), data, steps)


def _word(name: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else "_" for c in name) or "model"


def output_name(path: Iterable[str], taken: Container[str]) -> str:
    """Return the name of an output by its keys, with a number behind it where the name is taken.

    >>> output_name(("a", "b"), []), output_name(["a-b"], ["a_b"]), output_name((), [])
    ('a_b', 'a_b_2', 'output')
    """
    name = _word("_".join(path) or "output")
    numbered = (f"{name}_{number}" for number in count(2))
    return next(title for title in chain([name], numbered) if title not in taken)


# ---- free sizes


def _named_sizes(
    trace: Trace, shapes: Mapping[str, tuple[int, ...]], title: str, parameters: dict[str, int], number: int
) -> list[Any]:
    """Return the sizes of an input, those that are free by name; a name of another size gets a number."""
    shape = shapes[title]
    sizes: list[Any] = [*shape]
    for axis, letter in _free_axes(trace, shapes, title, len(shape)).items():
        is_known = parameters.get(letter, shape[axis]) == shape[axis]
        sizes[axis] = letter if is_known else f"{letter}{number}"
        parameters[sizes[axis]] = shape[axis]
    return sizes


def _free_axes(trace: Trace, shapes: Mapping[str, tuple[int, ...]], title: str, rank: int) -> dict[int, str]:
    """Return the axes of an input that are free, each with its letter."""
    windows = next((n for step in trace.steps if (n := getattr(step.body, "rank", 0))), 0)
    has_first = not trace.has_batch and rank > 1 and rank != windows + 1
    front = 1 if has_first else 0
    behind = rank - front
    letters = ("L",) if behind == 1 and is_of_integers(trace, title) else spatial_letters(behind - 1)
    is_sequence = behind == 2 and (
        windows != 1
        or (_can_change(trace, shapes, title, front) and not _can_change(trace, shapes, title, rank - 1))
    )
    first = front if is_sequence else rank - len(letters)
    return ({0: "N"} if has_first else {}) | dict(enumerate(letters, first))


def _can_change(trace: Trace, shapes: Mapping[str, tuple[int, ...]], title: str, axis: int) -> bool:
    """Return whether the layers take twice the size of an axis."""
    inputs = {**shapes, title: replaced(shapes[title], axis, 2 * shapes[title][axis])}
    try:
        Model(layers=trace.steps, input=inputs, batched=trace.has_batch).analyze()
    except ShapecalcError:
        return False
    return True


# ---- guards


def _with_guards(trace: Trace) -> list[Step]:
    """Return the steps, with a `require` wherever Python decided by sizes."""
    by_position: dict[int, list[Guard]] = {0: _as_traced(trace)} if trace.pinned else {}
    for guard, position in trace.guards.items():
        by_position.setdefault(position, []).append(guard)
    steps: list[Step] = []
    last = trace.inputs[0]
    for position in range(len(trace.steps) + 1):
        for guard in by_position.get(position, ()):
            place = trace.tests.places.get(guard, Place())
            data = {"from": last, "place": place}
            layers = _requirements(trace, guard)
            added = [Step(layer, name=trace.unique("require"), **data) for layer in layers]
            steps += added
            trace.tests.bind(guard, [step.name or "" for step in added])
        if position < len(trace.steps):
            step = trace.steps[position]
            if step.source is None and steps and steps[-1].name != last:
                step = step.model_copy(update={"source": (last,)})
            steps.append(step)
            last = step.name or last
    return steps


def _requirements(trace: Trace, *guards: Guard) -> list[Require]:
    """Return guards as layers; where their arithmetic is too long for a spec, the sizes of the trace."""
    try:
        return [Require(left=left, relation=relation, right=right) for left, relation, right in guards]
    except ValidationError:
        return _requirements(trace, *_as_traced(trace))


def _as_traced(trace: Trace) -> list[Guard]:
    """Return guards that hold for the inputs of the trace only."""
    inputs = {name: tensor.shape for tensor, name in trace.tensors.values() if name in trace.inputs}
    return [
        (f"size({name!r}, {axis})", "equal", str(size))
        for name, shape in inputs.items()
        for axis, size in enumerate(shape)
    ]
