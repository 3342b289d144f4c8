"""Tensors with memory in a trace: kept by modules unregistered, of globals, or made of numpy's arrays.

In a call each is replaced by its twin, which has the same shape and dtype and no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.tensor_values import Values
from shapecalc.bridges.torch.tracer.traced_number import mapped, tensors_in

OF_EVERY_MODULE = frozenset(vars(nn.Module()))
"""Registered tensors and modules, hooks and flags."""
PLAIN = frozenset({bool, int, float, str, type(None)})
_empty_like = torch.empty_like


def kept_tensors(parts: Iterable[nn.Module]) -> Iterator[Tensor]:
    """Yield the tensors that the parts of a module keep without registering them."""
    for part in parts:
        for value in [value for name, value in vars(part).items() if name not in OF_EVERY_MODULE]:
            if type(value) in PLAIN:
                continue
            if isinstance(value, (tuple, list, dict)):
                if type(value) is not tuple or not PLAIN.issuperset(map(type, value)):
                    yield from tensors_in(value)
            elif isinstance(value, Tensor):
                yield value


class MetaTwins:
    """The tensors with memory in calls, each with its twin, by identity."""

    def __init__(self, literals: dict[int, Tensor], values: Values) -> None:
        self.literals = literals
        self.values = values
        self.twins: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, tensor: Tensor) -> Tensor:
        """Return the twin of a tensor; a single number needs none, since torch takes it on any device."""
        if tensor.is_meta or not tensor.dim():
            return tensor
        if id(tensor) not in self.twins:
            twin = _empty_like(tensor, device="meta")
            self.twins[id(tensor)] = tensor, twin
            self.literals[id(twin)] = twin
            self.values.keep(twin, tensor)
        return self.twins[id(tensor)][1]

    def without_memory(self, value: Any) -> Any:
        """Return nested arguments with twins, and Python's integers for numpy's."""
        return mapped(self._without_memory, value)

    def _without_memory(self, leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return self.of(leaf)
        is_scalar = type(leaf).__module__ == "numpy" and getattr(leaf, "ndim", 1) == 0
        return leaf.item() if is_scalar else leaf
