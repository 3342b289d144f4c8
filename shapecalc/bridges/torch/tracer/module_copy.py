"""Copies of a user's module without the numbers of its tensors, and what a run may have changed on one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.kept_tensors import kept_tensors
from shapecalc.errors import SpecError


def copied(module: nn.Module, numberless: Callable[[Tensor], Tensor]) -> tuple[nn.Module, Mapping[int, Any]]:
    """Return the module in evaluation mode with other tensors, and what was copied by identity.

    `deepcopy` is slow at the empty tables of hooks, of which every module has a dozen: it finds them copied.
    """
    try:
        copies: dict[int, Any] = {}
        computed = (tensor for tensor in kept_tensors(module) if tensor.grad_fn is not None)
        for tensor in (*module.parameters(), *module.buffers(), *computed):  # `deepcopy` refuses the last
            bare = numberless(tensor)
            is_learned = isinstance(tensor, nn.Parameter)
            copies[id(tensor)] = nn.Parameter(bare, tensor.requires_grad) if is_learned else bare
        for part in module.modules():
            tables = (value for value in vars(part).values() if type(value) in (OrderedDict, dict, set))
            copies |= {id(table): type(table)() for table in tables if not table}
        return deepcopy(module, copies).eval(), copies
    except Exception as error:
        raise SpecError(f"{type(module).__name__} cannot be copied: {error}") from error


def on_meta(tensor: Tensor) -> Tensor:
    """Return a tensor like another without memory."""
    return torch.empty_like(tensor, device="meta")


class ModuleState:
    """The attributes of a module's parts, to be restored before it runs again.

    Containers among them are restored as well, a forward may keep in them what it has made.
    """

    def __init__(self, module: nn.Module) -> None:
        self.attributes = [(part, vars(part).copy()) for part in module.modules()]
        self.containers = [
            (value, copy(value))
            for _, attributes in self.attributes
            for value in attributes.values()
            if type(value) in (OrderedDict, dict, set, list)
        ]

    def restore(self) -> None:
        """Give every part the attributes that it had."""
        for part, attributes in self.attributes:
            vars(part).clear()
            vars(part).update(attributes)
        for value, before in self.containers:
            if isinstance(value, list):
                value[:] = before
            else:
                value.clear()
                value.update(before)
