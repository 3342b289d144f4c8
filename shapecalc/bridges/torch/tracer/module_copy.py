"""Copies of a user's module without the numbers of its tensors, and what a run may have changed on one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.kept_tensors import OF_EVERY_MODULE, PLAIN, kept_tensors
from shapecalc.bridges.torch.tracer.module_parts import named_parts, registered
from shapecalc.bridges.torch.tracer.tensor_values import is_small
from shapecalc.errors import SpecError

_TABLES = (OrderedDict, dict, set)
_HOLDERS = {*_TABLES, list}
_REGISTERED = ("_parameters", "_buffers", "_modules")
_COPYING = ("__deepcopy__", "__getstate__", "__reduce_ex__", "__reduce__", "__new__", "__slots__")


def copied(module: nn.Module, numberless: Callable[[Tensor], Tensor]) -> tuple[nn.Module, Mapping[int, Any]]:
    """Return the module in evaluation mode with other tensors, and what was copied by identity."""
    try:
        copies: dict[int, Any] = {}
        parts = named_parts(module)
        computed = (tensor for tensor in kept_tensors(parts.values()) if tensor.grad_fn is not None)
        for tensor in (*registered(parts), *computed):  # `deepcopy` refuses the last
            bare = numberless(tensor)
            is_learned = isinstance(tensor, nn.Parameter)
            copies[id(tensor)] = nn.Parameter(bare, tensor.requires_grad) if is_learned else bare
        twins = [(part, _empty_twin(part, copies)) for part in parts.values()]
        for part, twin in reversed(twins):  # the parts of a module before itself
            if twin is not None:
                state = {
                    name: value if type(value) in PLAIN else _copied(name, value, copies)
                    for name, value in vars(part).items()
                }
                state.pop("_compiled_call_impl", None)  # as torch does
                twin.__setstate__(state)
        copy_of_it = deepcopy(module, copies)
        own = {*map(id, parts.values())}
        if any(id(part) in own for part in named_parts(copy_of_it).values()):
            raise TypeError("a part of it is its own copy, and would change")
        return copy_of_it.eval(), copies
    except Exception as error:  # whatever the user's own ways to copy raise
        raise SpecError(f"{type(module).__name__} cannot be copied: {error}") from error


def small_originals(module: nn.Module, copies: Mapping[int, Any]) -> dict[int, Tensor]:
    """Return the tensors of a module whose numbers its forward may read, by the identity of their copies."""
    parts = named_parts(module)
    tensors = (*registered(parts), *kept_tensors(parts.values()))
    return {id(copies[id(tensor)]): tensor for tensor in tensors if id(tensor) in copies and is_small(tensor)}


def _empty_twin(part: nn.Module, copies: dict[int, Any]) -> Any:
    """Return a module of the same class without attributes, None where its class has a copy of its own."""
    cls = type(part)
    if any(getattr(cls, name, None) is not getattr(nn.Module, name, None) for name in _COPYING):
        return None
    copies[id(part)] = twin = cls.__new__(cls)
    return twin


def _copied(name: str, value: Any, copies: dict[int, Any]) -> Any:
    """Return what `deepcopy` makes of an attribute; it is slow at tuples of plain values and at tables."""
    kind = type(value)
    if kind is tuple and PLAIN.issuperset(map(type, value)):
        return value
    if kind in _TABLES and not value:
        return kind() if name in OF_EVERY_MODULE else copies.setdefault(id(value), kind())
    if kind is dict and name in _REGISTERED and id(value) not in copies:
        table = {key: None if item is None else copies.get(id(item)) for key, item in value.items()}
        if all(table[key] is not None or value[key] is None for key in value):
            return copies.setdefault(id(value), table)
    return deepcopy(value, copies)


def on_meta(tensor: Tensor) -> Tensor:
    """Return a tensor like another without memory."""
    return torch.empty_like(tensor, device="meta")


class ModuleState:
    """The attributes of a module's parts, to be restored before it runs again.

    Containers among them are restored as well, a forward may keep in them what it has made.
    """

    def __init__(self, module: nn.Module) -> None:
        self.attributes = [(part, vars(part).copy()) for part in named_parts(module).values()]
        self.containers = [
            (value, copy(value) if value else ())
            for _, attributes in self.attributes
            for value in attributes.values()
            if type(value) in _HOLDERS
        ]

    def restore(self) -> None:
        """Give every part the attributes that it had."""
        for part, attributes in self.attributes:
            vars(part).clear()
            vars(part).update(attributes)
        for value, before in self.containers:
            if not value and not before:
                continue
            if isinstance(value, list):
                value[:] = before
            else:
                value.clear()
                value.update(before)
