"""A module copied to the meta device: its structure and settings, none of its numbers.

`copy.deepcopy` walks through every attribute of every module; nearly all of them are settings that cannot
change and empty tables of hooks, so that those of an ordinary module are copied here, and only what is
anything else goes through `deepcopy`.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.errors import SpecError

_SETTINGS = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.Size)
"""What cannot change, so that a copy may hold it too."""


def without_numbers(module: nn.Module) -> nn.Module:
    """Return the module on the meta device, in evaluation mode, the original untouched."""
    memo: dict[int, Any] = {}
    try:
        for one in (*module.parameters(), *module.buffers()):
            memo[id(one)] = _bare(one)
        return _copied(module, memo).eval()
    except Exception as error:
        raise SpecError(f"{type(module).__name__} cannot be copied: {error}") from error


def _bare(one: Tensor) -> Tensor:
    bare = torch.empty_like(one, device="meta")
    return nn.Parameter(bare, one.requires_grad) if isinstance(one, nn.Parameter) else bare


def _copied(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    known: nn.Module | None = memo.get(id(module))
    if known is not None:
        return known
    if not _is_ordinary(type(module)):
        return deepcopy(module, memo)
    made: nn.Module = object.__new__(type(module))
    memo[id(module)] = made
    held = made.__dict__
    for name, value in vars(module).items():
        if name == "_modules":
            held[name] = type(value)(
                (key, None if one is None else _copied(one, memo)) for key, one in value.items()
            )
        elif name in ("_parameters", "_buffers"):
            held[name] = type(value)(
                (key, None if one is None else memo[id(one)]) for key, one in value.items()
            )
        else:
            held[name] = _setting(value, memo)
    return made


def _is_ordinary(cls: type[nn.Module]) -> bool:
    """Whether a module is its attributes and nothing else, and says nothing of its own about copying."""
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


def _setting(value: Any, memo: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in _SETTINGS or (kind is tuple and all(type(one) in _SETTINGS for one in value)):
        return value
    if kind in (dict, OrderedDict, set, list) and not value and id(value) not in memo:
        made = memo[id(value)] = kind()
        return made
    return deepcopy(value, memo)
