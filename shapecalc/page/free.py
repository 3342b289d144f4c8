"""The free sizes of a page: every parameter and axis whose closed forms hold for all of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapecalc.algebra import symbol
from shapecalc.algebra.formula import Formula
from shapecalc.engine.parameters import BATCH, Parameters
from shapecalc.errors import Located, ShapecalcError, SpecError, quote
from shapecalc.layers.requirement import Shape
from shapecalc.model import Model
from shapecalc.report.report import Report

STRUCTURE = "it decides which layers there are, or how many"


@dataclass(frozen=True, slots=True)
class Control:
    """One free number: a parameter of the spec, the batch, or an axis of an input that has no name."""

    name: str
    default: int
    least: int
    role: str
    """`size` for a side of an input, `batch`, `channels`, or `parameter`."""
    axis: tuple[str, int] | None = None
    """The input and the axis, without the batch, of a control that is no parameter."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A parameter that the page cannot change, its value, and the reason."""

    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class FreeModel:
    """A network with as much free as possible: the controls, the fixed parameters, the closed forms."""

    model: Model
    parameters: Mapping[str, Any]
    controls: tuple[Control, ...]
    fixed: tuple[Fixed, ...]
    report: Report


def at_input(model: Model, shapes: Any, parameters: Mapping[str, Any]) -> Model:
    """Return a model as if its spec had other input shapes, so that a page opens with them.

    >>> from shapecalc.model import load
    >>> at_input(load("lenet5"), (1, 28, 40), {}).analyze().inputs
    {'input': (1, 1, 28, 40)}

    Raises `SpecError` where the spec computes one of these sizes from others, with another value.
    """
    if shapes is None:
        return model
    defaults, inputs = dict(model.parameters), dict(model.input)
    wanted = model.analyze(input=shapes, **parameters).inputs
    for name, shape in wanted.items():
        sizes = shape[model.front :]
        declared = inputs[name] if len(inputs[name]) == len(sizes) else sizes
        pairs = [*zip(declared, sizes, strict=True)]
        defaults |= {size.text: n for size, n in pairs if isinstance(size, Formula) and size.text in defaults}
        inputs[name] = tuple(size if isinstance(size, Formula) else n for size, n in pairs)
    changed = model.model_copy(update={"parameters": defaults, "input": inputs})
    if changed.analyze(**parameters).inputs != wanted:
        raise SpecError(f"{model.name} computes a size of its input, and the given shape has another there")
    return changed


def freed(model: Model, parameters: Mapping[str, Any]) -> FreeModel:
    """Return a network with everything free that has closed forms; raise what `analyze` raises.

    `parameters` keep their values.
    """
    values = Parameters(model, parameters)
    numeric = report = model.analyze(**parameters)
    names = [name for name in (*model.free_names(), BATCH, *model.parameters) if name not in parameters]
    free: list[str] = []
    fixed: list[Fixed] = []
    for name in dict.fromkeys(names):
        default = 1 if name == BATCH else values[name]
        if not isinstance(default, int) or isinstance(default, bool):
            fixed.append(Fixed(name, _text(default), "it is not an integer"))
            continue
        attempt = _attempt(model, parameters, [*free, name], {})
        if isinstance(attempt, Report):
            free.append(name)
            report = attempt
        else:
            fixed.append(Fixed(name, str(default), attempt))
    fixed += [Fixed(name, _text(values[name]), "it was set") for name in parameters]
    inputs: dict[str, Shape] = {name: shape[model.front :] for name, shape in report.inputs.items()}
    axes: list[Control] = []
    for control in _unnamed(model, numeric):
        assert control.axis is not None
        name, axis = control.axis
        shape = (*inputs[name][:axis], symbol(control.name), *inputs[name][axis + 1 :])
        attempt = _attempt(model, parameters, free, {**inputs, name: shape})
        if isinstance(attempt, Report):
            inputs[name] = shape
            report = attempt
            axes.append(control)
    controls = (*(_control(name, values, numeric, model) for name in free), *axes)
    return FreeModel(model, parameters, controls, tuple(fixed), report)


def _attempt(
    model: Model, parameters: Mapping[str, Any], free: list[str], inputs: Mapping[str, Shape]
) -> Report | str:
    """Return the report with these free, or the reason why there is none."""
    try:
        report: Report = model.analyze(input=inputs or None, symbolic=free, **parameters)
    except ShapecalcError as error:
        return error.message if isinstance(error, Located) else str(error)
    return STRUCTURE if report.graph.loops else report


def _control(name: str, values: Parameters, numeric: Report, model: Model) -> Control:
    if name == BATCH:
        return Control(name, 1, 1, "batch")
    default = values[name]
    assert isinstance(default, int)
    is_side = False
    for key, declared in model.input.items():
        channels = numeric.graph.channel_axis % len(numeric.inputs[key]) - model.front
        is_side |= any(str(size) == name and axis != channels for axis, size in enumerate(declared))
    return Control(name, default, 0 if default == 0 else 1, "size" if is_side else "parameter")


def _unnamed(model: Model, numeric: Report) -> list[Control]:
    """Return the axes of the inputs that are written as numbers."""
    controls: list[Control] = []
    for name, declared in model.input.items():
        channels = numeric.graph.channel_axis % (len(declared) + model.front) - model.front
        for axis, size in enumerate(declared):
            if not isinstance(size, int):
                continue
            is_channels = axis == channels and len(declared) > 1
            word = "channels" if is_channels else f"axis{axis}"
            word = f"{name}_{word}" if len(model.input) > 1 else word
            if word in model.parameters:
                word = f"input_{word}"
            controls.append(Control(word, size, 1, "channels" if is_channels else "size", (name, axis)))
    return controls


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else quote(value)
