"""A live Keras layer, and a call of it, as data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras.src.models.functional import Functional

from shapecalc.bridges.keras.keras_layer import KerasLayer


def described(
    operation: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
) -> KerasLayer:
    """Return a layer or an operation with one call of it."""
    own = type(operation)
    module = "keras.layers" if is_exported(own) else own.__module__
    try:
        with warnings.catch_warnings(action="ignore"):  # a lambda among the settings is not loaded again
            config = operation.get_config()
    except NotImplementedError:  # a class of the user's own that does not say how it is made
        config = {"name": operation.name}
    return KerasLayer(own.__name__, config, tuple(args), dict(kwargs or {}), module)


def is_own(operation: Any) -> bool:
    """Say whether a class is one of Keras' layers or operations, whose call is Keras' own."""
    own = type(operation)
    return is_exported(own) or own.__module__.startswith("keras.src.ops.")


def is_exported(own: type) -> bool:
    """Say whether a class is among Keras' layers, one of which has another name there."""
    return any(each is own for each in vars(keras.layers).values())


def is_functional(operation: Any) -> bool:
    """Say whether a model is run by its graph: made of inputs and outputs, without a call of its own."""
    if isinstance(operation, keras.Sequential):
        return type(operation).call is keras.Sequential.call and operation.built
    return isinstance(operation, Functional) and type(operation).call is Functional.call


def weight_name(weight: Any, layer: Any) -> str:
    """Return the name of a weight below its layer: `query.kernel` of `model/attention/query/kernel`."""
    parts = weight.path.split("/")
    behind = len(parts) - parts[::-1].index(layer.name) if layer.name in parts else len(parts) - 1
    return ".".join(parts[behind:]) or weight.name
