"""The layer kinds, one class each; a class is imported when it is first used.

from shapecalc.layers import Conv2d, MaxPool2d
"""

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from shapecalc.layers.index import KERAS, KINDS, ONNX

if TYPE_CHECKING:
    from shapecalc.layers.index import *  # noqa: F403

_FORMER = {"Expand": "BroadcastTo", "Function": "Elementwise", "PadAny": "Pad"}


@cache
def _by_class() -> dict[str, tuple[str, str]]:
    """Return the kind and the framework of every class."""
    frameworks = {"torch": KINDS, "keras": KERAS, "onnx": ONNX}
    return {
        target.partition(":")[2]: (kind, framework)
        for framework, index in frameworks.items()
        for kind, target in index.items()
    }


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    if name in _FORMER:
        warnings.warn(f"{name} is called {_FORMER[name]} now", DeprecationWarning, stacklevel=2)
        name = _FORMER[name]
    if name not in _by_class():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shapecalc.layers.registry import get

    return get(*_by_class()[name])


def __dir__() -> list[str]:
    return sorted(_by_class())
