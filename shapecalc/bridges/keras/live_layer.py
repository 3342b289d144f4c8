"""A live Keras layer, and a call of it, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from shapecalc.bridges.keras.keras_layer import KerasLayer


def described(
    operation: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
) -> KerasLayer:
    """Return a layer or an operation with one call of it; without a call, as it was built."""
    own = type(operation)
    exported = any(each is own for each in vars(keras.layers).values())  # one class has another name there
    module = "keras.layers" if exported else own.__module__
    try:
        config = operation.get_config()
    except NotImplementedError:  # a class of the user's own that does not say how it is made
        config = {"name": operation.name}
    return KerasLayer(own.__name__, config, tuple(args), dict(kwargs or {}), module)
