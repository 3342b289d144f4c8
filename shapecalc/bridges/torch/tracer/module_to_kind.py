"""Modules of torch as layers: a kind that names the class as its counterpart, with the module's settings."""

from __future__ import annotations

import inspect
import sys
from functools import lru_cache

from pydantic import ValidationError
from torch import nn

from shapecalc.bridges.canonical import canonical as made
from shapecalc.bridges.torch.twins.torch_names import named
from shapecalc.bridges.torch.twins.twin import kind_of_own, twin_of
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.layers.index import BEYOND_NN, KINDS


@lru_cache(maxsize=2)
def classes_with_kinds(*, with_torchvision: bool) -> dict[type[nn.Module], str]:
    """Return the kind of each class, torchvision's among them or not."""
    found: dict[type[nn.Module], str] = {}
    for kind, place in KINDS.items():
        name = place.partition(":")[2]
        home = BEYOND_NN.get(name, "torch.nn")
        if not with_torchvision and home.startswith("torchvision"):
            continue
        try:
            target = named(f"{home}.{name}")
        except ImportError:  # torch has no such class, or torch or torchvision is too old for it
            continue
        if inspect.isclass(target) and issubclass(target, nn.Module):
            found[target] = kind
    return found


def leaf_classes() -> dict[type[nn.Module], str]:
    """Return the kind of each of torch's module classes that has one.

    torchvision's are among them where something has imported it: else there is no module of its classes.
    """
    return classes_with_kinds(with_torchvision="torchvision.ops" in sys.modules)


def kind_of(module: nn.Module) -> type[Kind] | None:
    """Return the kind of a module: of its class, or of a base whose forward it leaves as it is."""
    kinds = leaf_classes()
    for base in type(module).__mro__:
        kind = registry.get(kinds[base]) if base in kinds else kind_of_own(base)
        if kind is not None:
            return kind if type(module).forward is getattr(base, "forward", None) else None
    return None


def as_layer(module: nn.Module) -> Kind | None:
    """Return the layer that a module is, with every setting that is not the default; None without a kind."""
    cls = kind_of(module)
    fields = None if cls is None or _is_hooked(module) else twin_of(cls).from_module(module)
    if cls is None or fields is None:
        return None
    try:
        return made(cls, fields)
    except ValidationError:
        return None


def _is_hooked(module: nn.Module) -> bool:
    """Say whether something else happens before or after the module's own forward."""
    return bool(module._forward_pre_hooks or module._forward_hooks)  # noqa: SLF001  (torch has no question)


__all__ = ["as_layer", "classes_with_kinds", "kind_of", "made"]
