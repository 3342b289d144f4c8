"""Modules of torch as layers: a kind that names the class as its counterpart, with the module's settings."""

from __future__ import annotations

import inspect
import sys
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from torch import nn

from shapecalc.bridges.torch.twins.torch_names import named
from shapecalc.bridges.torch.twins.twin import kind_of_own, twin_of
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.layers.index import TORCH

_NOT_SAID = frozenset({"inplace", "branches"})
"""Fields that say nothing about a network once it is built."""


_PER_AXIS = frozenset(
    ["kernel_size", "stride", "padding", "dilation", "output_padding", "output_size", "size", "scale_factor"]
)
"""Fields for which one number means the same for every axis."""


@lru_cache(maxsize=2)
def classes_with_kinds(*, with_torchvision: bool) -> dict[type[nn.Module], str]:
    """Return the kind of each class, torchvision's among them or not."""
    found: dict[type[nn.Module], str] = {}
    for path, kind in TORCH.items():
        if not with_torchvision and path.startswith("torchvision."):
            continue
        try:
            target = named(path)
        except ImportError:  # what torch, or torchvision, is too old for
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


def made(cls: type[Kind], fields: dict[str, Any]) -> Kind:
    """Return a layer with the fields that say something: no defaults, and one number for equal ones."""
    told: dict[str, Any] = {}
    for name, value in fields.items():
        info = cls.model_fields.get(name)
        if info is None or name in _NOT_SAID:
            continue
        value = short(value) if name in _PER_AXIS else value  # noqa: PLW2901
        if info.is_required() or value != info.default:
            told[name] = value
    settings = tuple((name, _decimal(value)) for name, value in told.items())
    try:
        return _remembered(cls, settings, repr(settings))
    except TypeError:  # a setting that has no hash
        return cls(**dict(settings))


@lru_cache(maxsize=2048)
def _remembered(cls: type[Kind], settings: tuple[tuple[str, Any], ...], spelled: str) -> Kind:
    """Return a layer that networks hold over and over; `spelled` tells 1 from True and from 1.0."""
    return cls(**dict(settings))


def _decimal(value: Any) -> Any:
    """Return the decimal that is meant by a float that was computed, as 1 - 0.9997 was."""
    if isinstance(value, float) and len(repr(value)) > 17:
        return float(f"{value:.12g}")
    return value


def short(value: Any) -> Any:
    """Return one number for a list of equal ones."""
    if isinstance(value, (tuple, list)) and value and all(type(one) is type(value[0]) for one in value):
        if isinstance(value[0], (int, str)) and len({str(one) for one in value}) == 1:
            return value[0]
    return value


def _is_hooked(module: nn.Module) -> bool:
    """Say whether something else happens before or after the module's own forward."""
    return bool(module._forward_pre_hooks or module._forward_hooks)  # noqa: SLF001  (torch has no question)
