"""Keras: the counterpart of a layer built, and Keras models, live or in a file, read as ours. Internal.

Keras takes its backend from the environment when it is first imported. Where none is named, and its default,
TensorFlow, is not installed, it runs on torch here.
"""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any

if find_spec("tensorflow") is None:
    os.environ.setdefault("KERAS_BACKEND", "torch")


def is_keras(value: object) -> bool:
    """Say whether an object is a Keras model or layer; on torch such an object is a torch module too."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(value, keras.layers.Layer)


def keras_on(device: str) -> AbstractContextManager[Any]:
    """Return the context in which a Keras that is loaded, and runs on torch, makes weights on a device."""
    keras = sys.modules.get("keras")
    on_torch = keras is not None and keras.backend.backend() == "torch"
    return keras.device(device) if keras is not None and on_torch else nullcontext()
