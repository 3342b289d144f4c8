"""Branches for what does not divide: one recording of a forward for sizes that take them and for others.

A forward that pads where `h % 4` is not 0 was traced on one side of that decision. A recording of the branch
serves the other side too if the padding that it computes is 0 there. So the conditions on remainders are left
out of a recording, of the traced sizes or of others near by, if recordings on both sides have the same steps
but for padding and cropping that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, repeat
from typing import TypeAlias

from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.tracer.module_run import Run, outcome
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import Guard
from shapecalc.engine.graph import Inference
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.layers.requirement import Shape
from shapecalc.layers.select import Slice
from shapecalc.layers.traced import Require
from shapecalc.model import Model

Shapes: TypeAlias = "dict[str, tuple[int, ...]]"
Record: TypeAlias = Callable[[Run, Shapes, Callable[[Trace], None]], Model]
"""Records a run at inputs of some shapes without the batch, after a change of the trace."""

_NEAR_BY = (0, 1, 2, 6)
"""How far from the traced sizes a recording is tried in which all branches are taken."""
_MOVES = ((1, 1), (0, 0), (0, 1), (2, 3))
"""How far from the traced sizes other recordings are compared: on both sides of decisions by divisors."""


def joined(model: Model, run: Run, record: Record) -> Model:
    """Return a model that holds on both sides of the decisions by remainders, or the model itself."""
    if run.pinned or not any(_is_of_remainder(step.body) for step in model.layers):
        return model
    sizes = {name: size for name in model.free_names() if isinstance(size := model.parameters[name], int)}

    def recorded(steps: Iterable[int]) -> Model | None:
        point = {name: size + step for (name, size), step in zip(sizes.items(), steps, strict=False)}
        shapes = {
            title: tuple(point.get(str(size), size) for size in shape) for title, shape in model.input.items()
        }
        recording = outcome(partial(record, run, shapes, _open))
        if isinstance(recording, Exception) or recording.parameters.keys() != model.parameters.keys():
            return None
        return recording

    for step in _NEAR_BY:
        candidate = recorded(repeat(step))
        others = (recorded(cycle(move)) for move in _MOVES)
        if candidate is not None and all(other is not None and _serves(candidate, other) for other in others):
            return candidate.model_copy(update={"parameters": model.parameters})
    return model


def _serves(candidate: Model, other: Model) -> bool:
    """Return whether a recording holds at the sizes of another, of which it has every step.

    What it has beside them changes no shape there.
    """
    batch = 3 if candidate.batched else 1
    models = (each.model_copy(update={"layers": each.layers}) for each in (candidate, other))  # no witness
    try:
        ours, theirs = (
            each.infer_at(None, batch, symbolic=False, values=other.parameters)[0] for each in models
        )
    except ShapecalcError:
        return False
    if ours.failures or theirs.failures or not _conditions(other) <= _conditions(candidate):
        return False
    steps = iter(_steps(theirs))
    expected = next(steps, None)
    for step in _steps(ours):
        if step == expected:
            expected = next(steps, None)
        elif not (step.is_cut and step.inputs == step.outputs):
            return False
    return expected is None


@dataclass(frozen=True)
class _Step:
    """A layer as it is compared: its kind, the shapes of its inputs and outputs, whether it pads or crops."""

    kind: str
    inputs: list[Shape | None]
    outputs: list[Shape | None]
    is_cut: bool


def _steps(inference: Inference) -> Iterator[_Step]:
    for node in inference.graph.nodes:
        if not isinstance(node.layer, Require):
            is_cut = isinstance(node.layer, Slice) or node.layer.family is Family.PADDING
            inputs, outputs = (
                [inference.shapes[slot] for slot in slots] for slots in (node.sources, node.slots)
            )
            yield _Step(node.layer.kind, inputs, outputs, is_cut)


def _conditions(model: Model) -> set[str]:
    """Return the conditions of a model, whichever steps they are on."""
    layers = [step.body for step in model.layers if isinstance(step.body, Require)]
    return {re.sub(r"size\([^)]*, ", "size(", f"{each.left} {each.relation} {each.right}") for each in layers}


def _is_of_remainder(layer: object) -> bool:
    if not isinstance(layer, Require):
        return False
    sides = (side.text if isinstance(side, Formula) else str(side) for side in (layer.left, layer.right))
    left, right = sides
    return _decides_by_remainder((left, layer.relation, right))


def _decides_by_remainder(guard: Guard) -> bool:
    """Return whether a decision is whether a remainder is 0."""
    left, relation, right = guard
    is_of_two = "% 2)" in left and right == "1"
    return "%" in left and (is_of_two or right == "0") and relation in ("equal", "unequal", "more", "at_most")


def _open(trace: Trace) -> None:
    """Drop the decisions by remainders of a trace, and complete what its steps compute with them.

    A number of rows that is padded right after a decision is none where the remainder is 0.
    """
    dropped = {guard: at for guard, at in trace.guards.items() if _decides_by_remainder(guard)}
    trace.guards = {guard: at for guard, at in trace.guards.items() if guard not in dropped}
    remainders = {at: guard[0] for guard, at in dropped.items() if guard[1] in ("unequal", "more", "equal")}
    trace.steps = [
        step.model_copy(update={"body": _completed(step.body, remainders.get(number, ""))})
        if isinstance(step.body, Kind)
        else step
        for number, step in enumerate(trace.steps)
    ]


def _completed(layer: Kind, remainder: str) -> Kind:
    is_padding = remainder and layer.family is Family.PADDING

    def changed(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(map(changed, value))
        if isinstance(value, int) and value and is_padding:
            return f"({value} * min({remainder}, 1))"
        return complete_remainders(value.text) if isinstance(value, Formula) else value

    fields = layer.fields_set()
    values = {name: changed(value) for name, value in fields.items()}
    return layer if values == fields else type(layer)(**values)


def complete_remainders(text: str) -> str:
    """Return arithmetic in which what is missing to a multiple is 0 for a multiple.

    Where p does not divide n, p - n % p is (p - n % p) % p.

    >>> complete_remainders("(4 - (size('x', 1) % 4))")
    "((4 - (size('x', 1) % 4)) % 4)"
    """
    for match in reversed([*re.finditer(r"\((\d+) - \(", text)]):
        divisor, start, depth = match[1], match.end(), 1
        end = start
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        if text[start : end - 1].endswith(f" % {divisor}") and text[end] == ")":
            whole = text[match.start() : end + 1]
            text = f"{text[: match.start()]}({whole} % {divisor}){text[end + 1 :]}"
    return text
