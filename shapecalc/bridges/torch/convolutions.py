"""The convolutions that torch has no class for: padded per side, depthwise, separable, partly connected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.modules import Chain, Fields, Shapes, Sizes, inferred
from shapecalc.layers.base import Kind


def convolution(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a convolution; padding per side is a pad in front of it."""
    fields = dict(fields)
    rank: int = cls.rank  # type: ignore[attr-defined]
    if fields.get("in_channels") is None:
        fields["in_channels"] = inferred(cls, "in_channels", shapes[0])
    module_type = getattr(nn, f"Conv{rank}d")
    padding = fields.get("padding", 0)
    if not (isinstance(padding, tuple) and any(isinstance(side, tuple) for side in padding)):
        made: nn.Module = module_type(**fields)
        return made
    sides = [side if isinstance(side, tuple) else (side, side) for side in padding]
    if len(sides) != rank or any(len(side) != 2 or min(side) < 0 for side in sides):
        raise ValueError("per-side padding has one non-negative pair per axis")
    flat = [number for side in reversed(sides) for number in side]
    mode = fields.pop("padding_mode", "zeros")
    fields["padding"] = 0
    made = module_type(**fields)
    made.register_forward_pre_hook(
        lambda _module, args: (nn.functional.pad(args[0], flat, "constant" if mode == "zeros" else mode),)
    )
    return made


def depthwise(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a convolution with a group for every channel."""
    fields = dict(fields)
    channels = fields.pop("in_channels", None) or inferred(cls, "in_channels", shapes[0])
    multiplier = fields.pop("depth_multiplier", 1)
    sizes = {"in_channels": channels, "out_channels": channels * multiplier, "groups": channels}
    return convolution(cls, {**fields, **sizes}, shapes)


def separable(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a depthwise convolution without bias, then a pointwise one."""
    fields = dict(fields)
    channels = fields.get("in_channels") or inferred(cls, "in_channels", shapes[0])
    out, bias = fields.pop("out_channels"), fields.pop("bias", True)
    middle = channels * fields.get("depth_multiplier", 1)
    first = depthwise(cls, {**fields, "bias": False}, shapes)
    rank: int = cls.rank  # type: ignore[attr-defined]
    second = getattr(nn, f"Conv{rank}d")(middle, out, 1, bias=bias)
    return Chain(depthwise=first, pointwise=second)


class PartlyConnected(nn.Module):
    """One convolution per output channel, over the input channels it is connected to."""

    def __init__(self, connections: Any, kernel: Sizes, bias: bool, convolve: Callable[..., Tensor]) -> None:
        super().__init__()
        self.connections = connections
        self.weight = nn.Parameter(torch.zeros(sum(map(len, connections)), *kernel))
        self.bias = nn.Parameter(torch.zeros(len(connections))) if bias else None
        self.convolve = convolve

    def forward(self, x: Tensor) -> Tensor:
        planes, first = [], 0
        for number, channels in enumerate(self.connections):
            kernels = self.weight[first : first + len(channels)][None]
            first += len(channels)
            bias = None if self.bias is None else self.bias[number : number + 1]
            planes.append(self.convolve(torch.stack([x[..., c, :, :] for c in channels], -3), kernels, bias))
        return torch.cat(planes, -3)


def partly_connected(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Convolve group by group with torch's own convolution, its padding rules included."""
    fields = dict(fields)
    connections, bias = fields.pop("connections"), fields.pop("bias", True)
    if len(shapes[0]) not in (3, 4) or not connections or any(len(set(c)) < len(c) for c in connections):
        raise ValueError("an image, and no connection twice")
    kernel = (
        fields["kernel_size"] if isinstance(fields["kernel_size"], tuple) else (fields["kernel_size"],) * 2
    )

    def convolve(x: Tensor, weight: Tensor, offset: Tensor | None) -> Tensor:
        one = {**fields, "in_channels": weight.shape[1], "out_channels": 1, "bias": offset is not None}
        module = convolution(cls, one, shapes)
        given = {"weight": weight} | ({} if offset is None else {"bias": offset})
        found: Tensor = torch.func.functional_call(module, given, (x,))
        return found

    return PartlyConnected(connections, kernel, bias, convolve)
