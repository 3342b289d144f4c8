"""The layer kinds, one class each; a class is imported when it is first used.

from shapecalc.layers import Conv2d, MaxPool2d
"""

import warnings
from typing import TYPE_CHECKING, Any

from shapecalc.layers.index import KERAS, KINDS

if TYPE_CHECKING:
    from shapecalc.layers.index import *  # noqa: F403

_BY_CLASS = {
    target.partition(":")[2]: (kind, framework)
    for framework, index in (("torch", KINDS), ("keras", KERAS))
    for kind, target in index.items()
}
_FORMER = {"Expand": "BroadcastTo", "Function": "Elementwise", "PadAny": "Pad"}

__all__ = sorted(_BY_CLASS)  # noqa: PLE0605  (the index is the list)


def __getattr__(name: str) -> Any:
    if name in _FORMER:
        warnings.warn(f"{name} is called {_FORMER[name]} now", DeprecationWarning, stacklevel=2)
        name = _FORMER[name]
    if name not in _BY_CLASS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shapecalc.layers.registry import get

    return get(*_BY_CLASS[name])


def __dir__() -> list[str]:
    return __all__
