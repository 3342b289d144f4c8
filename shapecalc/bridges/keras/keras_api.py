"""The public functions of the Keras bridge; Keras is imported only when they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapecalc.bridges import need

if TYPE_CHECKING:
    from shapecalc.model import Model


def from_keras(model: Any, input: Any = None, *, name: str | None = None) -> Model:  # noqa: A002  (as in `from_torch`)
    """Read a Keras model: layer names become paths, every size of the input but the channels is free.

    Functional and sequential models are read from their graph, models inside them too. A subclassed model
    or layer is run once on tensors without numbers, as far as its call uses layers and `keras.ops`; a layer
    whose call does not, a `Lambda` and a layer without a rule become `opaque`: the shapes are those that
    Keras computes, and totals are "at least". `input` is a shape without the batch, or shapes by name, for a
    subclassed model or in place of sizes that are not fixed.

    Raises `SpecError` where the model cannot be read, `NotInstalled` without Keras.

    >>> import keras
    >>> net = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(6, 5, activation="relu")])
    >>> report = from_keras(net).analyze()
    >>> report.params, report.nodes[0].output
    (156, (1, 24, 24, 6))
    """
    need("keras")
    from shapecalc.bridges.keras.live_model import imported

    return imported(model, input, name)


def export_keras(model: Model, *, input: Any = None, **parameters: Any) -> str:  # noqa: A002  (as in `export`)
    """Return a model in the rules of Keras as source of a functional model, which imports only Keras.

    `model()` in it builds the network; its layers have the names of the report, with `_` for a dot, and its
    weights those of the layers. `input` and `parameters` are those of `Model.analyze`.

    Raises `ShapeError` where the model does not hold, `SpecError` for a spec of torch and for a layer that
    Keras has no counterpart of, `NotInstalled` without Keras.

    >>> from shapecalc import load
    >>> print(export_keras(load("tutorials/keras_lenet5")).splitlines()[-1].strip())
    return keras.Model([input], softmax, name="keras_lenet5")
    """
    need("keras")
    from shapecalc.bridges.keras.keras_source import source

    return source(model, input, parameters)
