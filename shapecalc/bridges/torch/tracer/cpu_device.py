"""Tensors without memory that say they are on the CPU, as those of the user would be.

A forward may decide by the device, as in `if x.is_cuda`, and make tensors on that of others.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._device import DeviceContext

_META = torch.device("meta")
_OF_CPU: dict[str, Any] = {"device": torch.device("cpu"), "is_cpu": True, "is_meta": False}


class ActingAsCpu(DeviceContext):
    """What `torch.device("meta")` does, and devices that a forward reads are the CPU."""

    def __init__(self) -> None:
        super().__init__(_META)

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(function, "__name__", "")
        if name == "__get__" and (attribute := function.__self__.__name__) in _OF_CPU:
            return _OF_CPU[attribute]
        if name in ("cpu", "cuda"):
            return args[0]
        if name == "type" and len(args) > 1:  # classes such as torch.FloatTensor are of the CPU
            kind = args[1]
            kind = getattr(torch, kind.removeprefix("torch."), None) if isinstance(kind, str) else kind
            args = (args[0], getattr(kind, "dtype", args[1]))
        if any(isinstance(value, torch.device) for value in args):
            args = tuple(_META if isinstance(value, torch.device) else value for value in args)
        elif name == "to" and len(args) > 1 and isinstance(args[1], str):
            args = (args[0], _META, *args[2:])
        if kwargs and kwargs.get("device") is not None:
            kwargs = {**kwargs, "device": _META}
        call: Any = super().__torch_function__
        return call(function, types, args, kwargs)
