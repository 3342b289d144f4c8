"""Kinds that Keras alone has, or with several tensors, against runs of the real layers on torch's meta device."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from pydantic import ValidationError
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import SpecError
from shapecalc.bridges.keras.keras_layer import Operand
from shapecalc.bridges.keras.keras_twins import called, layer_of, results_of, twin_of
from shapecalc.bridges.keras.live_layer import described
from shapecalc.layers import (
    KerasAttention,
    KerasBidirectional,
    KerasConvLSTM2d,
    KerasDot,
    KerasEinsumDense,
    KerasGRU,
    KerasLSTM,
    KerasMultiheadAttention,
    KerasReversibleEmbedding,
    KerasRNN,
    KerasRNNOfCells,
    KerasTimeDistributed,
)
from shapecalc.layers.base import Effect, Kind
from shapecalc.layers.keras_attention import KerasAttending
from shapecalc.layers.keras_cells import KerasCell
from shapecalc.layers.not_kinds import NOT_KINDS_OF_KERAS
from shapecalc.layers.requirement import Refused
from tests.support.keras_strategies import KERAS_INPUTS
from tests.support.keras_twin import REJECTIONS, keras, keras_cases
from tests.support.strategies import Case
from tools.catalogue import OF_KERAS, counterparts_of_keras, document_of_keras

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


@pytest.mark.sample(6)
@pytest.mark.parametrize("kind", sorted(KERAS_INPUTS))
def test_every_kind_is_that_of_keras(kind: str) -> None:
    draws = settings(max_examples=min(settings().max_examples, 25))  # each builds a layer and runs it
    draws(given(keras_cases(kind))(compare))()


# ---- the catalogue

CLASSES = {
    name: found
    for name, found in vars(keras.layers).items()
    if inspect.isclass(found) and (found.__name__ == name or not hasattr(keras.layers, found.__name__))
}
"""Every class of keras.layers, under its own name where it has several."""


def test_every_class_of_keras_is_a_kind_or_has_a_reason() -> None:
    assert len(CLASSES) > 140
    kinds = counterparts_of_keras()
    assert [name for name in CLASSES if name not in kinds and name not in NOT_KINDS_OF_KERAS] == []
    assert {*kinds} & {*NOT_KINDS_OF_KERAS} == set()
    assert {*kinds, *NOT_KINDS_OF_KERAS} <= {*CLASSES}


def test_the_page_is_up_to_date() -> None:
    assert OF_KERAS.read_text("utf-8") == document_of_keras()


def test_an_error_has_the_reason_why_there_is_no_such_kind() -> None:
    with pytest.raises(SpecError, match="unknown kind 'stacked_rnn_cells'") as caught:
        shapecalc.loads("{framework: keras, input: [3, 8], layers: [stacked_rnn_cells]}").analyze()
    assert "rnn_of_cells takes a list of them" in (caught.value.hint or "")


# ---- the comparison itself can fail


def test_a_broken_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(KerasLSTM, {"hidden_size": 3}, ((2, 4, 5),))
    compare(case)
    for rule, broken in (
        ("step_output", lambda self, inputs: (inputs[0][0], 4)),
        ("weights", lambda self, inputs: {"kernel": (12, 5), "recurrent_kernel": (3, 12), "bias": (12,)}),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(KerasLSTM, rule, broken)
            with pytest.raises(AssertionError):
                compare(case)


# ---- what it costs


COSTED: list[tuple[Kind, tuple[tuple[int, ...], ...]]] = [
    (KerasLSTM(hidden_size=3), ((2, 4, 5),)),
    (KerasGRU(hidden_size=3), ((2, 4, 5),)),
    (KerasGRU(hidden_size=3, reset_after=False), ((2, 4, 5),)),
    (KerasRNN(hidden_size=3, bidirectional=True, return_sequences=True), ((2, 4, 5),)),
    (
        KerasRNNOfCells(cells=[{"lstm_cell": {"hidden_size": 3}}, {"rnn_cell": {"hidden_size": 2}}]),
        ((2, 4, 5),),
    ),
    (KerasConvLSTM2d(out_channels=2, kernel_size=3, padding="same"), ((2, 3, 5, 5, 3),)),
    (KerasTimeDistributed(layer={"conv1d": {"out_channels": 3, "kernel_size": 2}}), ((2, 3, 6, 4),)),
    (KerasBidirectional(layer={"lstm": {"hidden_size": 3}}, merge_mode="sum"), ((2, 4, 5),)),
    (KerasMultiheadAttention(num_heads=2, key_dim=3, value_dim=4), ((2, 5, 6), (2, 7, 4))),
    (KerasMultiheadAttention(num_heads=2, key_dim=3, use_gate=True), ((2, 3, 5, 6),)),
    (KerasAttention(), ((2, 5, 6), (2, 7, 3), (2, 7, 6))),
    (KerasEinsumDense(equation="abc,cde->abde", output_shape=[None, 2, 3], bias_axes="de"), ((2, 5, 6),)),
    (KerasEinsumDense(equation="abcd,cde->abe", output_shape=[None, 7]), ((2, 5, 3, 2),)),
    (KerasDot(dim=[2, 1]), ((2, 5, 6), (2, 6, 7))),
    (KerasReversibleEmbedding(num_embeddings=9, embedding_dim=4, reverse=True), ((2, 5, 4),)),
]
"""Layers that multiply, and what they take."""


LOOPS = {"gru": 1, "rnn": 1, "rnn_of_cells": 2, "conv_lstm2d": 1}
"""How often Keras' loop runs a step more, to see what it returns; several cells once more, for their dropout."""


@pytest.mark.parametrize(("layer", "shapes"), COSTED, ids=lambda each: getattr(each, "kind", ""))
def test_macs_are_those_that_torch_counts(layer: Kind, shapes: tuple[tuple[int, ...], ...]) -> None:
    twin, fields = twin_of(layer), layer.fields_set()
    with keras.device("meta"):
        live = twin.layer(fields, shapes)
        tensors = [torch.zeros(x, device="meta") for x in shapes]
        results_of(live, tensors, twin.call_settings(fields))
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            results_of(live, tensors, twin.call_settings(fields))
    macs = layer.apply(shapes).macs
    assert isinstance(macs, int)
    steps = shapes[0][1]
    assert counter.get_total_flops() in (2 * macs, 2 * macs // steps * (steps + LOOPS.get(layer.kind, 0)))


# ---- in a spec, and in a model that is imported

SPEC = """
framework: keras
parameters: {L: 20, width: 16}
input: [L]
layers:
  - embedding: {num_embeddings: 1000, embedding_dim: width}
  - bidirectional: {layer: {lstm: {hidden_size: width, return_sequences: true}}, merge_mode: sum}
    name: both
  - multihead_attention: {num_heads: 2, key_dim: 8}
  - add: [[], both]
  - time_distributed: {layer: {linear: {out_features: 2*width}}, activation: relu}
  - rnn_of_cells: {cells: [{lstm_cell: {hidden_size: 8}}, {gru_cell: {hidden_size: 4}}]}
  - linear: {out_features: 1}
"""


def tagger() -> Any:
    """Return the network of the spec, in Keras."""
    layers = keras.layers
    source = keras.Input((20,))
    words = layers.Embedding(1000, 16, mask_zero=True)(source)
    both = layers.Bidirectional(layers.LSTM(16, return_sequences=True), merge_mode="sum")(words)
    added = layers.Add()([layers.MultiHeadAttention(2, 8)(both, both), both])
    each = layers.TimeDistributed(layers.Dense(32, activation="relu"))(added)
    last = layers.RNN([layers.LSTMCell(8), layers.GRUCell(4)])(each)
    return keras.Model(source, layers.Dense(1)(last))


def test_a_spec_is_the_model_that_is_imported() -> None:
    model, live = shapecalc.loads(SPEC), tagger()
    report, imported = model.analyze(), shapecalc.from_keras(live).analyze()
    assert shapecalc.loads(model.to_yaml()) == model
    assert report.params == imported.params == live.count_params() == 23_341
    assert report.macs == imported.macs == 153_924
    assert [node.kind for node in imported if node.kind == "opaque"] == []
    free = model.analyze(symbolic=("L", "width"))
    assert str(free.params) == "18·width^2 + 1,139·width + 509"


def test_states_are_passed_from_a_layer_to_the_next() -> None:
    source = keras.Input((20, 8))
    sequence, h, c = keras.layers.LSTM(8, return_state=True, return_sequences=True)(source)
    model = keras.Model(source, keras.layers.LSTM(8)(sequence, initial_state=[h, c]))
    report = shapecalc.from_keras(model).analyze()
    assert [node.kind for node in report] == ["lstm", "lstm"]
    assert (report.params, report.macs) == (model.count_params(), 2 * 20 * 4 * 8 * 16)
