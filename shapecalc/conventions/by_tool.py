"""The conventions by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from shapecalc.errors import SpecError, nearest, quote

if TYPE_CHECKING:
    from shapecalc.conventions.convention import Convention

CONVENTIONS: dict[str, str] = {
    "mac": "by_definition:Mac",
    "flop_counter": "by_definition:FlopCounter",
    "torchvision": "by_definition:Torchvision",
    "fvcore": "fvcore:Fvcore",
    "ptflops": "ptflops:Ptflops",
    "thop": "thop:Thop",
    "torchinfo": "torchinfo:Torchinfo",
    "calflops": "calflops:Calflops",
    "exact": "by_definition:Exact",
}
"""Each name with the module here and the class in it."""

DEFAULT = "mac"


def convention(name: str = DEFAULT) -> Convention:
    """Return the convention of a name; raise `SpecError` with the nearest for an unknown one.

    >>> convention("fvcore").unit
    'flops'
    """
    if not isinstance(name, str) or name not in CONVENTIONS:
        hint = f"known: {', '.join(CONVENTIONS)}"
        raise SpecError(f"unknown convention {quote(name)}{nearest(str(name), [*CONVENTIONS])}", hint=hint)
    return _loaded(name)


@cache
def _loaded(name: str) -> Convention:
    module, cls = CONVENTIONS[name].split(":")
    loaded: type[Convention] = getattr(import_module(f"shapecalc.conventions.{module}"), cls)
    return loaded()
