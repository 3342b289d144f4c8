"""Kinds that Keras alone has, or with several tensors, against runs of the real layers on torch's meta device."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from pydantic import ValidationError

from shapecalc.bridges.keras.keras_layer import Operand
from shapecalc.bridges.keras.keras_twins import called, layer_of, results_of, twin_of
from shapecalc.bridges.keras.live_layer import described
from shapecalc.layers.base import Effect, Kind
from shapecalc.layers.keras_attention import KerasAttending
from shapecalc.layers.keras_cells import KerasCell, KerasRNNOfCells
from shapecalc.layers.requirement import Refused
from tests.support.keras_strategies import KERAS_INPUTS
from tests.support.keras_twin import REJECTIONS, keras, keras_cases
from tests.support.strategies import Case

ON_CPU = {"grouped_query_attention", "repeat_vector", "augmentation", "random_crop"}
"""Kinds whose layers do not run on the meta device: they repeat tensors, or draw numbers."""


def real_run(case: Case) -> tuple[Any, tuple[tuple[int, ...], ...]] | str:
    """Return Keras' layer and the shapes of its results, or why it refuses."""
    device = "cpu" if case.cls.kind in ON_CPU else "meta"
    try:
        with warnings.catch_warnings(), keras.device(device):
            warnings.simplefilter("ignore")  # of a softmax over one number
            layer = twin_of(case.cls).layer(case.fields, case.inputs)
            tensors = [torch.zeros(x, device=device) for x in case.inputs]
            return layer, results_of(layer, tensors, twin_of(case.cls).call_settings(case.fields))
    except (*REJECTIONS, RuntimeError, AttributeError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"


def ours(case: Case) -> tuple[Kind, Effect] | str:
    """Return our layer and its effect, or why we refuse."""
    try:
        layer = case.cls.model_validate(case.fields)
        return layer, layer.apply(case.inputs)
    except (ValidationError, Refused) as error:
        return str(error)


def stricter(case: Case, mine: str) -> bool:
    """Say whether we refuse what Keras takes, because it makes no sense.

    States that are stretched, more axes than a cell's, all of which Keras multiplies with its kernel, and
    probabilities that are none, which it brings to 0 or 1.
    """
    if issubclass(case.cls, (KerasCell, KerasRNNOfCells, KerasAttending)) and "dimensions" in mine:
        return True
    if issubclass(case.cls, KerasAttending):
        return any(1 in x for x in case.inputs)
    if mine.startswith("1 validation error"):
        return any("dropout" in name and not 0 <= value <= 1 for name, value in case.fields.items())
    return " must be " in mine and any(1 in x or len(x) == 1 for x in case.inputs)


def compare(case: Case) -> None:
    """Assert that we and Keras agree: results, weights in order, which are trained; or that both refuse."""
    real, answer = real_run(case), ours(case)
    if isinstance(answer, str):
        assert isinstance(real, str) or stricter(case, answer), f"{case}: {real} is refused: {answer}"
        return
    layer, mine = answer
    assert not isinstance(real, str), f"{case}: Keras refuses it ({real}); we return {mine.outputs}"
    live, results = real
    assert mine.outputs == results, case
    own = [(name.rpartition(".")[2], shape) for name, shape in mine.weights.items()]
    assert own == [(weight.name, tuple(weight.shape)) for weight in live.weights], case
    assert mine.params == live.count_params()
    trained = [name not in layer.gathered for name in mine.weights]
    assert trained == [weight.trainable for weight in live.weights], case
    read_back(case, layer, live)


def read_back(case: Case, layer: Kind, live: Any) -> None:
    """Assert that the live layer, with its call, is read as the layer that it was made of."""
    args, named = called(live, [Operand(x) for x in case.inputs])
    again = layer_of(described(live, args, named | twin_of(case.cls).call_settings(case.fields)))
    assert again is not None, case
    assert again.apply(case.inputs) == layer.apply(case.inputs)
    assert again.operations_on(case.inputs) == layer.operations_on(case.inputs)


@pytest.mark.sample(12)
@pytest.mark.parametrize("kind", sorted(KERAS_INPUTS))
def test_every_kind_is_that_of_keras(kind: str) -> None:
    draws = settings(max_examples=min(settings.default.max_examples, 40))  # each builds a layer and runs it
    draws(given(keras_cases(kind))(compare))()
