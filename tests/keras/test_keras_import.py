"""Keras models imported: every layer's result and parameters, costs and other sizes, against Keras and torch."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import pytest

import shapecalc
from shapecalc import ShapeError, SpecError, Undecided, from_keras
from tests.support.keras_models import MODELS, built, differences, layers, macs, ops, trained
from tests.support.keras_twin import keras

every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_every_layer_is_that_of_keras(name: str) -> None:
    network = built(name)
    report = from_keras(network).analyze()
    assert differences(network, report) == []
    assert report.complete
    assert (report.params, report.trainable_params) == (network.count_params(), trained(network))
    assert report.macs == macs(network, report)
    shapes = sorted(tuple(tensor.shape)[1:] for tensor in network.outputs)
    assert sorted(shape[1:] for shape in report.outputs.values()) == shapes


@pytest.mark.sample(2)
@every_model
def test_the_model_is_not_changed(name: str) -> None:
    network = built(name)

    def state() -> list[Any]:
        nodes = [len(part._inbound_nodes) for part in network._flatten_layers()]
        return [*nodes, *(tuple(weight.shape) for weight in network.weights)]

    before = state()
    from_keras(network)
    assert state() == before


@pytest.mark.sample(2)
@every_model
def test_the_import_is_a_spec(name: str) -> None:
    model = from_keras(built(name))
    assert model.framework == "keras"
    assert shapecalc.loads(model.to_yaml()) == model


REBUILT = ("plain", "first_axis", "nested", "mixed", "masked")
"""Those that take other sizes with the same weights."""


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", REBUILT)
@pytest.mark.parametrize("size", [13, 21, 40])
def test_other_sizes_are_those_of_the_network_built_for_them(name: str, size: int) -> None:
    model = from_keras(built(name))
    other = built(name, size)
    sizes: dict[str, Any] = dict.fromkeys(model.free_names(), size)
    report = model.analyze(**sizes)
    assert report.macs == macs(other, report)
    rebuilt = from_keras(other).analyze()
    assert [(node.path, node.output) for node in report] == [(node.path, node.output) for node in rebuilt]


def test_a_model_inside_is_a_group_and_its_weights_are_counted_once() -> None:
    report = from_keras(built("nested")).analyze()
    paths = {node.path: node.params for node in report}
    assert paths["encoder.conv2d"] == 112
    assert sum(node.params for node in report) == report.params == 112 + 25
    assert [*report.inputs] == ["left", "right"]


def test_sizes_that_are_not_fixed() -> None:
    image = keras.Input((None, None, 3), name="image")
    x = layers.Conv2D(4, 3, strides=2)(image)
    model = from_keras(keras.Model(image, layers.MaxPooling2D(4)(x)))
    report = model.analyze(symbolic=True)
    assert str(report.output) == "(1, ⌈H/8⌉ - 1, ⌈W/8⌉ - 1, 4)"
    assert model.sizes().imposed
    sequence = keras.Sequential([keras.Input((None,), dtype="int32"), layers.Embedding(9, 4)])
    assert [str(size) for size in from_keras(sequence).analyze(symbolic=True).output] == ["1", "L", "4"]
    assert from_keras(sequence, input=(33,)).analyze().output == (1, 33, 4)


# ---- what has no rule


class ByTorch(keras.layers.Layer):  # type: ignore[misc]
    """A layer whose call needs tensors of torch."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")
        self.shift = self.add_weight(shape=(shape[-1],), name="shift", trainable=False)

    def call(self, x: Any) -> Any:
        return x.flip(1) * self.scale.value + self.shift.value

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


def test_a_layer_that_cannot_be_traced_is_known_by_its_shapes() -> None:
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(5, 3, name="before")(image)
    network = keras.Model(image, layers.Conv2D(2, 1, name="after")(ByTorch(name="by_torch")(x)))
    model = from_keras(network)
    report = model.analyze()
    assert (report.params, report.trainable_params) == (network.count_params(), trained(network))
    assert differences(network, report) == []
    assert not report.complete
    assert "Not counted: by_torch (opaque)" in str(report)
    with pytest.raises(Undecided, match="ByTorch has no rule"):
        model.analyze(H=9)
    assert model.analyze(batch=3).output == (3, 6, 6, 2)


def test_a_lambda_is_known_by_its_shape() -> None:
    network = keras.Sequential([keras.Input((6, 4)), layers.Lambda(lambda x: x[:, ::2]), layers.Dense(3)])
    report = from_keras(network).analyze()
    assert (report.output, report.params, report.complete) == ((1, 3, 3), 15, False)


def test_a_subclassed_model_is_traced() -> None:
    class Classifier(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.stem = layers.Conv2D(8, 3, activation="relu")
            self.head = layers.Dense(10)

        def call(self, x: Any, training: bool = False) -> Any:
            x = self.stem(x)
            return {"logits": self.head(ops.mean(x, axis=(1, 2))), "features": x}

    network = Classifier()
    with pytest.raises(SpecError, match="a subclassed model, which does not say what it takes"):
        from_keras(network)
    report = from_keras(network, input=(16, 16, 3)).analyze()
    assert report.outputs == {"logits": (1, 10), "features": (1, 14, 14, 8)}
    assert report.params == sum(prod(weight.shape) for weight in network.weights) == 8 * 28 + 90

    class Opaque(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x.numpy()

    with pytest.raises(SpecError, match=r"Opaque\.call cannot be run on tensors without numbers") as caught:
        from_keras(Opaque(), input=(4,))
    assert "layers and keras.ops only" in str(caught.value.hint)


def sized(places: str) -> Any:
    """Return a model whose own layer computes with the size of what it gets."""

    class Own(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            if places == "decides" and x.shape[1] > 20:
                return ops.concatenate([x, x], axis=1)
            return ops.reshape(x, (-1, x.shape[1] * 4)) if places == "computes" else ops.relu(x)

    rows = keras.Input((None, 4))
    return keras.Model(rows, Own()(layers.Conv1D(4, 3, padding="same")(rows)))


@pytest.mark.parametrize("places", ["decides", "computes"])
def test_code_that_depends_on_sizes_holds_for_the_traced_ones(places: str) -> None:
    model = from_keras(sized(places), input=(16, 4))
    assert model.analyze(batch=3).output == ((3, 64) if places == "computes" else (3, 16, 4))
    for question in (lambda: model.analyze(L=40), lambda: model.analyze(symbolic=True), model.sizes):
        with pytest.raises(Undecided, match="the calls of the model are others for L = "):
            question()


def test_code_that_does_not_holds_for_others() -> None:
    model = from_keras(sized("nowhere"), input=(16, 4))
    assert model.analyze(L=40).output == (1, 40, 4)
    assert [str(size) for size in model.analyze(symbolic=True).output] == ["1", "L", "4"]


@pytest.mark.parametrize("change", ["int8", "int4", "lora"])
def test_quantized_layers_are_counted_by_what_they_hold(change: str) -> None:
    tokens = keras.Input((6,), dtype="int32")
    x = layers.Embedding(12, 8)(tokens)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 16))(x)
    network = keras.Model(tokens, layers.Dense(4)(x))
    for layer in network.layers[1:]:
        if change == "lora":
            layer.enable_lora(2)
        else:
            with warnings.catch_warnings(action="ignore"):  # Keras converts in a way that numpy gives up
                layer.quantize(change)
    report = from_keras(network).analyze()
    assert differences(network, report) == []
    assert (report.params, report.trainable_params) == (network.count_params(), trained(network))
    assert not report.complete


def test_what_is_no_keras_model_is_refused() -> None:
    with pytest.raises(SpecError, match="'int' is not a Keras model"):
        from_keras(3)
    with pytest.raises(SpecError, match="the model has no input 'x'"):
        from_keras(built("nested"), input={"x": (16, 16, 3)})


def test_a_wrong_rule_is_noticed_and_becomes_opaque(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a twin reads is held to what Keras computes, call by call."""
    network = built("plain")
    monkeypatch.setattr("shapecalc.layers.keras_conv.KerasConvolution.swept", lambda self, x: (3, 3))
    report = from_keras(network).analyze()
    assert differences(network, report) == []
    assert not report.complete


def test_places_that_are_counted_by_numbers_hold_for_their_number() -> None:
    model = from_keras(built("of_ones_own", 20))
    with pytest.raises(ShapeError, match="10"):
        model.analyze(L=10)
