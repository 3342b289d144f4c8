"""Modules of torch as layers: of the kind that names their class as its counterpart, with their settings."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any

from pydantic import ValidationError
from torch import nn

from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.traced_number import traced_in
from shapecalc.bridges.torch.twins.torch_names import named
from shapecalc.bridges.torch.twins.twin import Twin, twin_of
from shapecalc.layers import normed_weight, registry
from shapecalc.layers.base import Kind
from shapecalc.layers.index import BEYOND_NN, KINDS


@lru_cache(maxsize=2)
def classes_with_kinds(*, with_torchvision: bool) -> dict[type[nn.Module], str]:
    """Return the kind of each of torch's classes that has one; torchvision's may be among them."""
    kinds: dict[type[nn.Module], str] = {}
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
            kinds[target] = kind
    return kinds


def kind_of(module: nn.Module) -> type[Kind] | None:
    """Return the kind of a module: of its class, or of a base whose forward it leaves as it is.

    Neither the class nor the module may replace the forward or a method that it calls.
    """
    kinds = classes_with_kinds(with_torchvision="torchvision.ops" in sys.modules)  # else it has no modules
    for base in type(module).__mro__:
        kind = registry.get(kinds[base]) if base in kinds else Twin.kind_of_own(base)
        if kind is not None:
            return None if _is_replaced(module, base) else kind
    return None


def _is_replaced(module: nn.Module, base: Any) -> bool:
    """Return whether a module replaces methods of a base class, or a user the forward of that class."""
    home = next((cls for cls in base.__mro__ if "forward" in vars(cls)), base)
    forward = vars(home).get("forward")
    if not isinstance(forward, FunctionType) or _package(forward.__module__) != _package(home.__module__):
        return True
    own, cls = vars(module), type(module)
    names = _methods(base)
    return not names.isdisjoint(own) or (
        cls is not base and any(getattr(cls, name, None) is not getattr(base, name) for name in names)
    )


def _package(name: str) -> str:
    return name.partition(".")[0]


@lru_cache(maxsize=512)
def _methods(base: Any) -> frozenset[str]:
    """Return the names of the methods that the forward of a class runs, itself among them."""
    names: set[str] = set()
    open_names = {"forward"}
    while open_names:
        name = open_names.pop()
        method = getattr(base, name, None)
        if isinstance(method, FunctionType):
            names.add(name)
            open_names |= {*method.__code__.co_names} - names
    return frozenset(names)


def as_layer(module: nn.Module) -> Kind | None:
    """Return the layer that a module is, with every setting that is not the default; None without a kind.

    None too where a forward made the module with sizes: these are traced through the module's own forward.
    """
    kind = kind_of(module)
    has_hooks = bool(vars(module)["_forward_hooks"])  # torch has no question
    fields = None if kind is None or has_hooks else twin_of(kind).from_module(module)
    if kind is None or fields is None or traced_in(fields):
        return None
    try:
        return _wrapped(module, canonical(kind, fields))
    except ValidationError:
        return None


def _wrapped(module: nn.Module, layer: Kind) -> Kind | None:
    """Return a layer with what torch has put around a weight of it; None where that has no kind.

    It is a parametrization, or in the older way a hook in front of the forward.
    """
    chains: Mapping[str, Iterable[object]] = getattr(module, "parametrizations", {})
    around = [(name, item) for name, chain in chains.items() for item in chain]
    hooks = vars(module)["_forward_pre_hooks"].values()
    around += [(getattr(hook, "name", ""), hook) for hook in hooks]
    if not around:
        return layer
    name, item = around[0]
    cls = vars(normed_weight).get(type(item).__name__.removeprefix("_"))
    if cls is None or len(around) > 1 or not type(item).__module__.startswith("torch.nn.utils."):
        return None
    fields = {field: value for field, value in vars(item).items() if field in cls.model_fields}
    made: Kind = canonical(cls, {**fields, "layer": layer, "name": name, "legacy": bool(hooks)})
    return made
