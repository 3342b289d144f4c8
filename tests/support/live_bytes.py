"""The live bytes of eager torch without memory: every storage on the meta device, from its making to its death.

A dispatch mode sees each tensor that an operation makes; a weak reference to its storage says when it dies.
While a mode is on, autograd adds up gradients out of place, which it does not otherwise: `memory_use` takes
`in_place=False` to be compared.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of the storages that are alive, and their peak."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)
        self.alive: dict[int, int] = {}
        self.now = self.peak = 0

    def watch(self, tensor: Tensor) -> None:
        """Count the storage of a tensor until it dies."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self.alive:
            self.alive[key] = storage.nbytes()
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._died, key)

    def _died(self, key: int) -> None:
        self.now -= self.alive.pop(key, 0)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self.watch(tensor)
        return result

    def watch_all(self, module: nn.Module, *inputs: Tensor) -> None:
        """Count what a module holds, and inputs."""
        for tensor in (*module.parameters(), *module.buffers(), *inputs):
            self.watch(tensor)


def inference_peak(module: nn.Module, *inputs: Tensor) -> int:
    """Return the most bytes alive during a forward in evaluation mode without gradients."""
    gc.collect()
    module.eval()
    live = LiveBytes()
    with torch.no_grad(), live:
        live.watch_all(module, *inputs)
        module(*inputs)
    return live.peak


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda weights: torch.optim.SGD(weights, foreach=False),
    "momentum": lambda weights: torch.optim.SGD(weights, momentum=0.9, foreach=False),
    "nesterov": lambda weights: torch.optim.SGD(weights, momentum=0.9, nesterov=True, foreach=False),
    "adam": lambda weights: torch.optim.Adam(weights, foreach=False),
    "adamw": lambda weights: torch.optim.AdamW(weights, foreach=False),
    "adamax": lambda weights: torch.optim.Adamax(weights, foreach=False),
    "nadam": lambda weights: torch.optim.NAdam(weights, foreach=False),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, foreach=False),
    "adagrad": lambda weights: torch.optim.Adagrad(weights, foreach=False),
}
"""torch's optimizers by the names that `Model.memory` takes."""


def training_peak(module: nn.Module, *inputs: Tensor, optimizer: str, steps: int = 2) -> int:
    """Return the most bytes alive during some steps of training, with the sum of all outputs for a loss."""
    gc.collect()
    module.train()
    live = LiveBytes()
    with live:
        live.watch_all(module, *inputs)
        chosen = OPTIMIZERS[optimizer]([weight for weight in module.parameters() if weight.requires_grad])
        for _ in range(steps):
            outputs = [each for each in tree_leaves(module(*inputs)) if isinstance(each, Tensor)]
            loss = sum((each.sum() for each in outputs[1:] if each.requires_grad), outputs[0].sum())
            torch.autograd.backward(loss)
            del outputs, loss
            chosen.step()
            chosen.zero_grad()
    return live.peak
