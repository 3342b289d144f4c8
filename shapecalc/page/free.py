"""What a page may leave free: every parameter and axis whose closed forms hold for all of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapecalc.algebra import Dim, symbol
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
    """The input and the axis, batch not counted, of what is no parameter."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A parameter that the page cannot move, its value, and why it cannot."""

    name: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class Freedom:
    """A network with everything free that can be: what is free, what is not, and the closed forms."""

    model: Model
    settled: Mapping[str, Any]
    controls: tuple[Control, ...]
    fixed: tuple[Fixed, ...]
    report: Report


def begun(model: Model, given: Any, settled: Mapping[str, Any]) -> Model:
    """Return a model as if its spec gave other input shapes, so that a page opens with them.

    >>> from shapecalc.model import load
    >>> begun(load("lenet5"), (1, 28, 40), {}).analyze().inputs
    {'input': (1, 1, 28, 40)}

    Raises `SpecError` where a size that the spec computes from others is given as another.
    """
    if given is None:
        return model
    parameters, shapes = dict(model.parameters), dict(model.input)
    wanted = model.analyze(input=given, **settled).inputs
    for name, shape in wanted.items():
        sizes = shape[model.front :]
        declared = shapes[name] if len(shapes[name]) == len(sizes) else sizes
        for one, n in zip(declared, sizes, strict=True):
            if isinstance(one, Formula) and one.text in parameters:
                parameters[one.text] = n
        shapes[name] = tuple(
            one if isinstance(one, Formula) else n for one, n in zip(declared, sizes, strict=True)
        )
    found = model.model_copy(update={"parameters": parameters, "input": shapes})
    if found.analyze(**settled).inputs != wanted:
        raise SpecError(f"{model.name} computes a size of its input, and the given shape has another there")
    return found


def freed(model: Model, settled: Mapping[str, Any]) -> Freedom:
    """Return a network with as much free as has closed forms; raise what `analyze` raises without any."""
    values = Parameters(model, settled)
    plain = model.analyze(**settled)
    sides = [name for name in model.free_names() if name not in settled]
    free: list[str] = []
    fixed: list[Fixed] = []
    report = plain
    wanted = [
        *sides,
        BATCH,
        *(name for name in model.parameters if name not in settled and name not in sides),
    ]
    for name in wanted:
        default = 1 if name == BATCH else values[name]
        if not isinstance(default, int) or isinstance(default, bool):
            fixed.append(Fixed(name, _told(default), "it is not one whole number"))
            continue
        found = _tried(model, settled, [*free, name], {})
        if isinstance(found, Report):
            free.append(name)
            report = found
        else:
            fixed.append(Fixed(name, str(default), found))
    fixed += [Fixed(name, _told(values[name]), "it was set") for name in settled]
    given: dict[str, tuple[Dim, ...]] = {name: shape[model.front :] for name, shape in report.inputs.items()}
    axes: list[Control] = []
    for control in _unnamed(model, plain):
        assert control.axis is not None
        name, axis = control.axis
        shape = given[name]
        shape = (*shape[:axis], symbol(control.name), *shape[axis + 1 :])
        found = _tried(model, settled, free, {**given, name: shape})
        if isinstance(found, Report):
            given[name] = shape
            report = found
            axes.append(control)
    parameters = [_control(name, values, plain, model) for name in free]
    return Freedom(model, settled, (*parameters, *axes), tuple(fixed), report)


def _tried(
    model: Model, settled: Mapping[str, Any], free: list[str], given: Mapping[str, Shape]
) -> Report | str:
    """Return the report with this much free, or why there is none."""
    try:
        report = model.analyze(input=given or None, symbolic=free, **settled)
    except ShapecalcError as error:
        return error.message if isinstance(error, Located) else str(error)
    return STRUCTURE if report.graph.loops else report


def _control(name: str, values: Parameters, plain: Report, model: Model) -> Control:
    if name == BATCH:
        return Control(name, 1, 1, "batch")
    default = values[name]
    assert isinstance(default, int)
    shapes = [(declared, plain.inputs[key]) for key, declared in model.input.items()]
    is_side = False
    for declared, shape in shapes:
        channels = plain.graph.channel_axis % len(shape) - model.front
        is_side |= any(str(size) == name and axis != channels for axis, size in enumerate(declared))
    return Control(name, default, 0 if default == 0 else 1, "size" if is_side else "parameter")


def _unnamed(model: Model, plain: Report) -> list[Control]:
    """Return the axes of the inputs that are written as numbers."""
    found: list[Control] = []
    for name, declared in model.input.items():
        channels = plain.graph.channel_axis % (len(declared) + model.front) - model.front
        for axis, size in enumerate(declared):
            if not isinstance(size, int):
                continue
            is_channels = axis == channels and len(declared) > 1
            word = "channels" if is_channels else f"axis{axis}"
            word = f"{name}_{word}" if len(model.input) > 1 else word
            if word in model.parameters:
                word = f"input_{word}"
            found.append(Control(word, size, 1, "channels" if is_channels else "size", (name, axis)))
    return found


def _told(value: Any) -> str:
    return str(value) if isinstance(value, str) else quote(value)
