"""Tensors with memory in a trace: kept by modules unregistered, of globals, or made of numpy's arrays.

They do not depend on the input, so that operations among them run on their values. Together with a tensor
without memory each is replaced by its twin, which has the same shape and dtype and no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.traced_number import mapped, tensors_in

_REGISTERED = ("_parameters", "_buffers", "_modules")
_empty_like = torch.empty_like


def kept_tensors(module: nn.Module) -> Iterator[Tensor]:
    """Yield the tensors that the parts of a module keep without registering them."""
    for part in module.modules():
        for name, value in vars(part).items():
            if isinstance(value, (tuple, list, dict)):
                if value and name not in _REGISTERED:
                    yield from tensors_in(value)
            elif isinstance(value, Tensor):
                yield value


class MetaTwins:
    """The tensors with memory that met one without, each with its twin, by identity."""

    def __init__(self, literals: dict[int, Tensor]) -> None:
        self.literals = literals
        self.twins: dict[int, tuple[Tensor, Tensor]] = {}
        self.overwritten: set[int] = set()
        """The tensors whose values are no longer those of the forward."""

    def of(self, tensor: Tensor) -> Tensor:
        """Return the twin of a tensor; a single number needs none, since torch takes it on any device."""
        if tensor.is_meta or not tensor.dim():
            return tensor
        if id(tensor) not in self.twins:
            twin = _empty_like(tensor, device="meta")
            self.twins[id(tensor)] = tensor, twin
            self.literals[id(twin)] = twin
        return self.twins[id(tensor)][1]

    def together(self, args: Any, kwargs: Any, *, overwrites: bool = False) -> tuple[Any, Any]:
        """Return the arguments of a call on one device; `overwrites` is of calls that change their first."""
        tensors = tensors_in((args, kwargs))
        with_memory = [tensor for tensor in tensors if not tensor.is_meta and tensor.dim()]
        if not with_memory:
            return args, kwargs
        if len(with_memory) < len(tensors) and any(tensor.is_meta for tensor in tensors):
            if overwrites and tensors[0] is with_memory[0]:
                self.overwritten.add(id(tensors[0]))
        elif not any(id(tensor) in self.overwritten for tensor in with_memory):
            return args, kwargs
        return self.without_memory(args), self.without_memory(kwargs)

    def without_memory(self, value: Any) -> Any:
        """Return nested arguments with twins."""
        return mapped(lambda leaf: self.of(leaf) if isinstance(leaf, Tensor) else leaf, value)
