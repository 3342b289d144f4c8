"""The convolutions that torch has no class for: padded per side, depthwise, separable, partly connected."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.generic_modules import Chain, Fields, Shapes, inferred, rank_of
from shapecalc.bridges.torch.twins.rearranging_modules import per_side
from shapecalc.layers.base import Kind


def convolution(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Build a convolution; padding per side is a pad in front of it."""
    fields = dict(fields)
    rank = rank_of(cls)
    if fields.get("in_channels") is None:
        fields["in_channels"] = inferred(cls, "in_channels", shapes[0])
    module_type = getattr(nn, f"Conv{rank}d")
    around = sides(fields, rank)
    if around is None:
        made: nn.Module = module_type(**fields)
        return made
    mode = fields.pop("padding_mode", "zeros")
    fields["padding"] = 0
    return padded(module_type(**fields), around, mode)


def sides(fields: Fields, rank: int) -> list[int] | None:
    """Return in torch's flat order what is padded side by side, or None where torch takes it as it is."""
    padding = fields.get("padding", 0)
    if not (isinstance(padding, tuple) and any(isinstance(side, tuple) for side in padding)):
        return None
    flat = per_side(padding)
    if len(padding) != rank or min(flat) < 0:
        raise ValueError("per-side padding has one non-negative pair per axis")
    return [*flat]


def padded(module: nn.Module, around: Sequence[int], mode: str) -> nn.Module:
    """Pad in front of a module by a hook, which has no name."""
    flat, how = [*around], "constant" if mode == "zeros" else mode
    module.register_forward_pre_hook(lambda _module, args: (nn.functional.pad(args[0], flat, how),))
    return module


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
    rank = rank_of(cls)
    second = getattr(nn, f"Conv{rank}d")(middle, out, 1, bias=bias)
    return Chain(depthwise=first, pointwise=second)


def partly_connected(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Let torch's own convolution check the fields, and pad in front as it would."""
    fields = dict(fields)
    connections = fields.pop("connections")
    if len(shapes[0]) not in (3, 4) or not connections or any(len(set(c)) < len(c) for c in connections):
        raise ValueError("an image, and no connection twice")
    checked = convolution(cls, {**fields, "in_channels": 1, "out_channels": 1}, shapes)
    assert isinstance(checked, nn.Conv2d)
    kernel_size = checked.kernel_size
    given = {name: fields[name] for name in ("stride", "padding", "dilation", "bias") if name in fields}
    around, mode = sides(fields, 2), fields.get("padding_mode", "zeros")
    if around is None and (mode != "zeros" or fields.get("padding") == "same"):
        around = checked._reversed_padding_repeated_twice  # noqa: SLF001  (torch alone knows its odd side)
    if around is not None or given.get("padding") == "valid":
        given["padding"] = 0
    made = standalone.PartialConv2d(connections, (kernel_size[0], kernel_size[1]), **given)
    return made if around is None else padded(made, around, mode)
