"""Keras models of every form, and what Keras and torch say of them."""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import Report
from tests.support.keras_twin import keras

layers, ops = keras.layers, keras.ops


def differences(network: Any, report: Report[int]) -> list[str]:
    """Return the layers whose result or parameters are not those of Keras; a layer may be several steps."""
    found: list[str] = []
    outputs: dict[str, Any] = {}
    params: dict[str, int] = {}
    names = [layer.name for layer in network.layers]
    for node in report:
        path = node.path.split(".")[0]
        layer = max(
            (name for name in names if path == name or path.startswith(f"{name}_")), key=len, default=path
        )
        outputs[layer] = node.output  # the first, where there are several
        params[layer] = params.get(layer, 0) + node.params
    for layer in network.layers:
        if isinstance(layer, layers.InputLayer):
            continue
        sizes = tuple(keras.tree.flatten(layer.output)[0].shape)[1:]
        ours = outputs.get(layer.name, ())[1:]
        if len(ours) != len(sizes) or any(size not in (None, n) for n, size in zip(ours, sizes, strict=True)):
            found.append(f"{layer.name}: {ours} is not {sizes}")
        elif params[layer.name] != layer.count_params():
            found.append(f"{layer.name}: {params[layer.name]} parameters, not {layer.count_params()}")
    return found


def trained(network: Any) -> int:
    """Return the number of trained parameters."""
    return sum(prod(weight.shape) for weight in network.trainable_weights)


def macs(network: Any, report: Report[int]) -> int:
    """Return the multiply-accumulates that torch counts in a run without numbers."""
    dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in network.inputs]
    with keras.device("meta"):
        inputs = [
            torch.empty(shape, device="meta", dtype=getattr(torch, dtype))
            for shape, dtype in zip(report.inputs.values(), dtypes, strict=True)
        ]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(inputs[0] if len(inputs) == 1 else inputs, training=False)
    return int(counter.get_total_flops()) // 2


def plain(side: int = 28) -> Any:
    return keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.BatchNormalization(),
            layers.Conv2D(8, 3, activation=layers.LeakyReLU(negative_slope=0.1)),
            layers.GlobalMaxPooling2D(),
            layers.Dense(10, activation="softmax"),
        ],
        name="plain",
    )


def first_axis(side: int = 30) -> Any:
    """The channels are the first axis."""
    layout = {"data_format": "channels_first"}
    image = keras.Input((3, side, side))
    x = layers.Conv2D(8, 3, strides=2, activation="relu", **layout)(image)
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.DepthwiseConv2D(3, padding="same", **layout)(x)
    x = layers.MaxPooling2D(2, **layout)(x)
    x = layers.ZeroPadding2D(1, **layout)(x)
    return keras.Model(image, layers.Dense(4)(layers.GlobalAveragePooling2D(**layout)(x)), name="first_axis")


def nested(side: int = 16) -> Any:
    """A model inside a model, called twice, and a layer that is called twice."""
    encoder = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(4, 3, activation="relu"), layers.GlobalMaxPooling2D()],
        name="encoder",
    )
    left, right = keras.Input((side, side, 3), name="left"), keras.Input((side, side, 3), name="right")
    head = layers.Dense(5, name="head")
    one, two = head(encoder(left)), head(encoder(right))
    return keras.Model([left, right], {"same": layers.Add()([one, two]), "both": ops.concatenate([one, two])})


def operations(side: int = 12) -> Any:
    """Operations of keras.ops between layers."""
    image = keras.Input((side, side, 4))
    x = layers.Conv2D(6, 1)(image) * 2.0 - image[..., :1]
    x = ops.maximum(ops.exp(x), 0.5) + ops.ones((1, 1, 1, 6))
    y = ops.reshape(x, (-1, side * side, 6))
    scores = ops.softmax(ops.matmul(y, ops.transpose(y, (0, 2, 1))))
    y = ops.einsum("bij,bjc->bic", scores, y)
    y = ops.stack([y, ops.relu(y)], axis=1)
    y = ops.squeeze(ops.mean(y, axis=1, keepdims=True), axis=1)
    y = ops.swapaxes(y, 1, 2)[:, 1:-1, ::2]
    y = ops.expand_dims(ops.moveaxis(y, 1, -1), -1)
    return keras.Model(image, ops.sum(ops.cast(y, "float32"), axis=(1, 3)), name="operations")


class Projected(keras.layers.Layer):  # type: ignore[misc]
    """A layer with a weight of its own and one inside."""

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units
        self.inside = layers.Dense(units, use_bias=False)

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(self.units, 3), name="kernel")
        self.inside.build(shape)

    def call(self, x: Any) -> Any:
        return ops.matmul(ops.gelu(self.inside(x)), self.kernel)


class Positions(keras.layers.Layer):  # type: ignore[misc]
    """The embeddings of tokens and of their places, which are counted by numbers."""

    def __init__(self, length: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.length = length
        self.tokens = layers.Embedding(50, 8)
        self.places = layers.Embedding(length, 8)

    def build(self, shape: Any) -> None:
        self.tokens.build(shape)
        self.places.build((self.length,))

    def call(self, x: Any) -> Any:
        return self.tokens(x) + self.places(ops.arange(self.length))


def of_ones_own(length: int = 20) -> Any:
    tokens = keras.Input((length,), dtype="int32")
    return keras.Model(tokens, Projected(6)(Positions(length)(tokens)), name="of_ones_own")


def frozen(side: int = 9) -> Any:
    image = keras.Input((side, side, 3))
    fixed = layers.Conv2D(4, 3, trainable=False, name="fixed")
    norm = layers.BatchNormalization(trainable=False)
    return keras.Model(image, layers.Dense(2)(layers.Flatten()(norm(fixed(image)))), name="frozen")


def mixed(side: int = 8) -> Any:
    """Computed in halves, with weights of full precision."""
    image = keras.Input((side, side, 3))
    x = layers.Conv2D(4, 3, dtype="mixed_float16")(image)
    return keras.Model(image, layers.Conv2DTranspose(5, 3, 2, dtype="mixed_float16")(x), name="mixed")


def masked(length: int = 7) -> Any:
    """A mask that Keras hands from layer to layer by itself."""
    tokens = keras.Input((length,), dtype="int32")
    x = layers.Embedding(20, 4, mask_zero=True)(tokens)
    return keras.Model(tokens, layers.GlobalAveragePooling1D()(layers.Dropout(0.1)(x)), name="masked")


def sequences(length: int = 20) -> Any:
    """Recurrent layers, in both directions, and with the states of another as the first.

    There is no mask: with one, Keras' loop on torch runs the first step twice, which the counter sees.
    """
    tokens = keras.Input((length,), dtype="int32")
    x = layers.Embedding(50, 8)(tokens)
    x = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(x)
    y, *states = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    y = layers.LSTM(4, return_sequences=True)(y, initial_state=states)
    y = layers.GRU(5, return_sequences=True)(y)
    return keras.Model(
        tokens, layers.TimeDistributed(layers.Dense(3, activation="relu"))(y), name="sequences"
    )


def attention(length: int = 10) -> Any:
    rows = keras.Input((length, 16))
    x = layers.MultiHeadAttention(2, 8)(rows, rows, use_causal_mask=True)
    x = layers.LayerNormalization()(x + rows)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(length, 12), bias_axes="d", activation="gelu")(x)
    return keras.Model(rows, layers.Attention()([x, x]), name="attention")


MODELS = {
    build.__name__: build
    for build in (
        plain,
        first_axis,
        nested,
        operations,
        of_ones_own,
        frozen,
        mixed,
        masked,
        sequences,
        attention,
    )
}
"""Builders of models whose every layer has a rule, by the side or length of their input."""


def built(name: str, *size: int) -> Any:
    """Return a model whose layers have the names that they have in a new session."""
    keras.utils.clear_session()
    return MODELS[name](*size)
