"""Modules, and for each a fault of the tracer by which it would be read wrongly at other sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from shapecalc.bridges.torch.tracer import function_calls
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_sizes import Sizes
from shapecalc.layers import MaxPool2d


class Forward(nn.Module):
    """A module whose forward is a function."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def resized(_: nn.Module, x: Tensor) -> Tensor:
    return functional.interpolate(x[:, :, ::2, ::2], size=x.shape[2:])


def by_size(_: nn.Module, x: Tensor) -> Tensor:
    return x[..., ::2] if x.shape[-1] > 20 else x.relu()


def refusing(_: nn.Module, x: Tensor) -> Tensor:
    assert x.shape[-1] < 20, "too wide"
    return x.relu()


def pooled(module: nn.Module, x: Tensor) -> Tensor:
    y: Tensor = module.get_submodule("pool")(x)
    return y.mean((2, 3))


def flipped(_: nn.Module, x: Tensor) -> Tensor:
    return torch.rot90(x.relu(), 1, (2, 3))


MODULES: dict[str, Callable[[], nn.Module]] = {
    "sizes as constants": lambda: Forward(resized),
    "a branch": lambda: Forward(by_size),
    "a refusal": lambda: Forward(refusing),
    "a layer": lambda: Forward(pooled, pool=nn.MaxPool2d(2)),
    "a function": lambda: Forward(flipped),
}


def break_tracer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break what the tracer would get right of one of the modules."""
    if name == "sizes as constants":
        monkeypatch.setattr(Trace, "sizes", lambda _, tensor: Sizes(tensor.shape))
    elif name in ("a branch", "a refusal"):
        monkeypatch.setattr(Trace, "guard", lambda *_: None)
    elif name == "a layer":
        honest = MaxPool2d.output
        monkeypatch.setattr(
            MaxPool2d, "output", lambda self, x: honest(type(self)(kernel_size=2, ceil_mode=True), x)
        )
    else:
        monkeypatch.setattr(function_calls, "_ALIASES", function_calls._ALIASES | {"rot90"})
