"""Keras: the counterpart of a layer built, and a live Keras layer read as a layer of ours. Internal.

Keras takes its backend from the environment when it is first imported. Where none is named, and its default,
TensorFlow, is not installed, it runs on torch here.
"""

import os
from importlib.util import find_spec

if find_spec("tensorflow") is None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
