"""How a layer is called: counting tools see modules of torch, and some functions by name."""

from __future__ import annotations

from typing import Any

from torch import nn

from shapecalc.layers.base import Caller, Kind


def is_of_torch(module: type[nn.Module]) -> bool:
    """Return whether a class of modules is torch's own: tools go by the exact class."""
    return module.__module__.startswith("torch.nn.modules.")


def caller_of_function(function: Any) -> Caller:
    """Return how a function of torch is called: tools replace those of torch.nn.functional by their names.

    Fused attention is none of them, since nothing sees the products and the softmax inside it.
    """
    name = getattr(function, "__name__", "")
    is_functional = getattr(nn.functional, name, None) is function and not name.endswith("_")
    fused = nn.functional.scaled_dot_product_attention
    return "function" if is_functional and function is not fused else "method"


def caller_in_module(caller: Caller, layer: Kind, running: type[nn.Module]) -> Caller:
    """Return what calls a layer in a module of this class that is running."""
    is_counted = (layer.torch or "").startswith("torch.nn.") and not layer.family.moves_values
    if caller == "module" or not is_counted:
        return "module"
    if caller == "custom" or not is_of_torch(running):
        return caller
    return "module" if layer.torch == f"torch.nn.{running.__name__}" else "method"
