"""A module copied to the meta device: its structure and settings, none of its numbers.

`copy.deepcopy` walks through every attribute of every module. Nearly all of them are settings that cannot
change and empty tables of hooks, which are copied here; only the rest goes through `deepcopy`.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.errors import SpecError

_IMMUTABLE = frozenset(
    (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.Size, torch.device)
)
"""The types of what a copy may hold too."""
_CONTAINERS = frozenset((dict, OrderedDict, set, list))


def copied_to_meta(module: nn.Module) -> nn.Module:
    """Return the module on the meta device, in evaluation mode, the original untouched."""
    memo: dict[int, Any] = {}
    try:
        for tensor in (*module.parameters(), *module.buffers()):
            memo[id(tensor)] = _without_numbers(tensor)
        return _copied(module, memo).eval()
    except Exception as error:
        raise SpecError(f"{type(module).__name__} cannot be copied: {error}") from error


def _without_numbers(tensor: Tensor) -> Tensor:
    bare = torch.empty_like(tensor, device="meta")
    return nn.Parameter(bare, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else bare


def _copied(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    known: nn.Module | None = memo.get(id(module))
    if known is not None:
        return known
    if not _is_ordinary(type(module)):
        return deepcopy(module, memo)
    copy: nn.Module = object.__new__(type(module))
    memo[id(module)] = copy
    attributes = copy.__dict__
    for name, value in vars(module).items():
        if type(value) in _IMMUTABLE:
            attributes[name] = value
        elif name == "_modules":
            attributes[name] = type(value)(
                (key, None if item is None else _copied(item, memo)) for key, item in value.items()
            )
        elif name in ("_parameters", "_buffers"):
            attributes[name] = type(value)(
                (key, None if item is None else memo[id(item)]) for key, item in value.items()
            )
        else:
            attributes[name] = _setting(value, memo)
    return copy


def _setting(value: Any, memo: dict[int, Any]) -> Any:
    kind = type(value)
    if kind is tuple and all(type(item) in _IMMUTABLE for item in value):
        return value
    if kind in _CONTAINERS and not value and id(value) not in memo:
        copy = memo[id(value)] = kind()
        return copy
    return deepcopy(value, memo)


def _is_ordinary(cls: type[nn.Module]) -> bool:
    """Return whether a module is its attributes and nothing else, with no rules of its own for copies."""
    return (
        not hasattr(cls, "__deepcopy__")
        and cls.__reduce_ex__ is object.__reduce_ex__
        and cls.__reduce__ is object.__reduce__
        and not hasattr(cls, "__getnewargs_ex__")
        and not hasattr(cls, "__getnewargs__")
        and cls.__setstate__.__module__.startswith("torch.nn.modules.")  # for what older versions saved
        and cls.__getstate__ is nn.Module.__getstate__
        and not any("__slots__" in vars(base) for base in cls.__mro__ if base is not object)
    )
