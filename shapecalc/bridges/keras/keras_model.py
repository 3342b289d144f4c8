"""From the calls of a Keras model to a `Model`: the names and defaults of its free sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeAlias

from shapecalc.bridges.keras.keras_graph import KerasGraph
from shapecalc.bridges.keras.keras_layer import OpenShape
from shapecalc.bridges.keras.keras_steps import Steps
from shapecalc.errors import ShapecalcError, SpecError, quote
from shapecalc.layers.axis_names import spatial_letters
from shapecalc.model import Model

Shapes: TypeAlias = dict[str, tuple[int, ...]]

_BATCHES = (11, 13, 17, 19, 23, 29, 31, 37)
_SIZES = {1: (128, 512, 1024, 16000), 2: (224, 256, 299, 331, 64, 32, 512, 96), 3: (64, 32, 112, 128)}
"""What a size that is not fixed is at first, by the number of spatial axes; the first that is accepted."""


def model_of(graph: KerasGraph, opened: Mapping[str, OpenShape], shapes: Shapes, batch: int) -> Model:
    """Return the model of a graph at these shapes of its inputs; what is open in `opened` has a name."""
    steps = Steps(graph, shapes, batch)
    parameters: dict[str, int] = {}
    inputs: dict[str, list[Any]] = {}
    for number, (name, shape) in enumerate(shapes.items(), 1):
        inputs[name] = [*shape]
        is_index = name in graph.of_integers
        letters = free_axes(opened[name], channels_first=graph.channels_first, is_index=is_index)
        for axis, letter in letters.items():
            is_known = parameters.get(letter, shape[axis]) == shape[axis]
            chosen = letter if is_known else f"{letter}{number}"
            inputs[name][axis], parameters[chosen] = chosen, shape[axis]
    outputs = {word(name): steps.reference(operand) for name, operand in graph.outputs.items()}
    data: dict[str, Any] = {"outputs": outputs} if [*outputs.values()] != [steps.last] else {}
    return Model(
        name=word(graph.name),
        framework="keras",
        parameters=parameters,
        input=inputs,
        layers=steps.steps,
        **data,
    )


def word(name: str) -> str:
    """Return a name of letters, digits and underscores."""
    return re.sub(r"\W", "_", name, flags=re.ASCII) or "model"


def free_axes(shape: OpenShape, *, channels_first: bool, is_index: bool) -> dict[int, str]:
    """Return the axes that are free, behind the batch, each with its letter: all but that of the channels.

    >>> free_axes((224, 224, 3), channels_first=False, is_index=False)
    {0: 'H', 1: 'W'}
    >>> [free_axes(shape, channels_first=False, is_index=False) for shape in ((None,), (8,))]
    [{0: 'L'}, {}]
    """
    if len(shape) == 1 and (is_index or shape[0] is None):
        return {0: "L"}
    named = dict(enumerate(spatial_letters(len(shape) - 1), int(channels_first)))
    opened = (axis for axis, size in enumerate(shape) if size is None and axis not in named)
    return named | {axis: f"C{axis}" if named else f"n{axis}" for axis in opened}


def candidates(opened: Mapping[str, OpenShape]) -> Iterator[Shapes]:
    """Yield shapes with numbers for the sizes that are not fixed, the likely ones first."""
    most = max(len(_SIZES[_axes(shape)]) for shape in opened.values())
    for number in range(most):
        choices = {name: _SIZES[_axes(shape)] for name, shape in opened.items()}
        yield {
            name: tuple(
                [choices[name][min(number, len(choices[name]) - 1)] if n is None else n for n in shape]
            )
            for name, shape in opened.items()
        }
        if not any(None in shape for shape in opened.values()):
            return


def _axes(shape: OpenShape) -> int:
    return min(max(len(shape) - 1, 1), 3)


def batch_for(shapes: Shapes) -> int:
    """Return a batch that is none of the sizes."""
    taken = {*chain.from_iterable(shapes.values())}
    return next(batch for batch in _BATCHES if batch not in taken)


def with_input(opened: Mapping[str, OpenShape], given: Any) -> dict[str, OpenShape]:
    """Return the shapes of the inputs, those that are given instead of their own."""
    if given is None:
        return dict(opened)
    if not isinstance(given, Mapping):
        if len(opened) != 1:
            raise SpecError(
                f"the model has several inputs, {', '.join(opened)}: give a shape for each by name"
            )
        given = {next(iter(opened)): given}
    for name in given:
        if name not in opened:
            raise SpecError(f"the model has no input {quote(name)}; its inputs are {', '.join(opened)}")
    return {name: tuple(given.get(name, shape)) for name, shape in opened.items()}


def first_accepted(
    opened: Mapping[str, OpenShape], graph_at: Callable[[Shapes, int], KerasGraph]
) -> tuple[Model, Shapes]:
    """Return the model at the first sizes that it accepts, and the shapes of its inputs."""
    refusal: Exception | None = None
    for shapes in candidates(opened):
        batch = batch_for(shapes)
        try:
            model = model_of(graph_at(shapes, batch), opened, shapes, batch)
            model.analyze()
        except ShapecalcError as error:
            refusal = refusal or error
            continue
        return model, shapes
    assert refusal is not None
    raise refusal
