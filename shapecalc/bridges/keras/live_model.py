"""`from_keras`: a live Keras model as a `Model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from shapecalc.bridges.keras.keras_graph import KerasGraph
from shapecalc.bridges.keras.keras_layer import OpenShape
from shapecalc.bridges.keras.keras_model import Shapes, first_accepted, model_of, with_input
from shapecalc.bridges.keras.keras_witness import CallWitness
from shapecalc.bridges.keras.live_graph import LiveGraph
from shapecalc.bridges.keras.live_layer import is_functional
from shapecalc.errors import SpecError, quote
from shapecalc.model import Model


def imported(model: Any, given: Any, name: str | None) -> Model:
    """Do what `from_keras` says."""
    if not isinstance(model, keras.layers.Layer):
        raise SpecError(f"{quote(type(model).__name__)} is not a Keras model")
    if isinstance(model, keras.Sequential) and not model.built and given is not None:
        model.build((None, *given))
    opened, dtypes = inputs_of(model, given)

    is_traced = False

    def graph_at(shapes: Shapes, batch: int) -> KerasGraph:
        nonlocal is_traced
        inputs = {title: ((batch, *shape), dtypes[title]) for title, shape in shapes.items()}
        run = LiveGraph(model)
        try:
            graph = run.run(inputs)
        except (ValueError, TypeError, ArithmeticError, RuntimeError) as error:
            text = str(error).strip().partition("\n")[0]
            raise SpecError(f"{model.name} does not take inputs of these sizes: {text}") from error
        is_traced |= run.is_traced
        return graph

    opened = with_input(opened, given)
    result, shapes = first_accepted(opened, graph_at)
    if is_traced and result.free_names():
        result.graphs.witness = CallWitness(
            result,
            shapes,
            lambda shapes, batch: model_of(graph_at(shapes, batch), opened, shapes, batch),
        )
    return result if name is None else result.model_copy(update={"name": name})


def inputs_of(model: Any, given: Any) -> tuple[dict[str, OpenShape], dict[str, str]]:
    """Return the shapes of the inputs without the batch, and their dtypes, by name."""
    if is_functional(model):
        tensors = {tensor._keras_history.operation.name: tensor for tensor in model.inputs}
        shapes = {name: tuple(tensor.shape)[1:] for name, tensor in tensors.items()}
        return shapes, {name: keras.backend.standardize_dtype(each.dtype) for name, each in tensors.items()}
    if given is None:
        config = model.get_build_config() or {}
        given = config.get("input_shape")
        if not given or not isinstance(given[0], (int, type(None))):
            raise SpecError(
                f"{type(model).__name__} is a subclassed model, which does not say what it takes",
                hint="give the shape of its input without the batch: input=(224, 224, 3)",
            )
        given = given[1:]
    opened = dict(given) if isinstance(given, Mapping) else {"input": given}
    return {name: tuple(shape) for name, shape in opened.items()}, dict.fromkeys(opened, "float32")
