"""The torch counterpart of one of our layers, built for the shapes that arrive.

Nearly every kind names its counterpart in `cls.torch` and spells its fields as torch does: that
is one generic path. What torch has no single module for is composed here, in `BUILDERS`, out of
torch's own modules, with parameter names as ours.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.layers.base import Kind
from tests.strategies import Fields, Sizes

torch.set_num_threads(1)

Shapes = tuple[Sizes, ...]
Builder = Callable[[type[Kind], Fields, Shapes], nn.Module]

REJECTIONS = (
    RuntimeError,
    ValueError,
    IndexError,
    NotImplementedError,
    AssertionError,
    TypeError,
    ZeroDivisionError,
    OverflowError,
)
"""What torch raises, depending on where it notices, for a layer or an input that is not legal."""


class Function(nn.Module):
    """A function of tensors as a module without weights."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)


class Chain(nn.Module):
    """Named modules one after another; names become the prefix of their weights."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Any:
        for module in self.children():
            x = module(x)
        return x


def build(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a kind with these fields, or raise what torch raises."""
    fields = {name: plain(value) for name, value in fields.items()}
    builder = BUILDERS.get(cls.kind, generic)
    return builder(cls, fields, shapes).eval()


def twin(layer: Kind, shapes: Shapes) -> nn.Module:
    """Return the counterpart of a layer that exists."""
    return build(type(layer), layer.fields_set(), shapes)


def arguments(kind: str, shapes: Shapes, device: str) -> list[Tensor]:
    """Return the tensors to call a counterpart with."""
    make = TENSORS.get(kind, torch.zeros if device == "meta" else torch.rand)
    return [make(shape, device=device) for shape in shapes]


def _indices(shape: Sizes, device: str) -> Tensor:
    return torch.zeros(shape, dtype=torch.long, device=device)


TENSORS: dict[str, Callable[..., Tensor]] = {"embedding": _indices}
"""Kinds that do not take floating point numbers."""


def plain(value: Any) -> Any:
    """Return a field's value as torch takes it: fractions as floats."""
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value


def generic(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Call what `cls.torch` names with our fields under the same names."""
    assert cls.torch is not None, f"{cls.kind} names no counterpart in torch and has no builder"
    target = named(cls.torch)
    if not inspect.isclass(target):
        return Function(lambda *inputs: target(*inputs, **fields))
    wanted = inspect.signature(target).parameters
    missing = {
        name: inferred(cls, name, shapes[0])
        for name in ("in_channels", "in_features", "num_features", "num_channels")
        if name in wanted and fields.get(name) is None
    }
    module: nn.Module = target(**{**fields, **missing})
    return module


def named(path: str) -> Any:
    """Return what a dotted name stands for."""
    module, _, attribute = path.rpartition(".")
    return getattr(import_module(module), attribute)


def inferred(cls: type[Kind], name: str, x: Sizes) -> int:
    """Return the size that torch must be told and that we infer from what arrives."""
    if name == "in_features":
        return x[-1]
    rank = getattr(cls, "rank", None)
    axis = 1 if rank is None else len(x) - rank - 1
    return x[axis] if 0 <= axis < len(x) else 1


# ---- convolutions


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


# ---- several tensors


def _folded(operation: Callable[[Tensor, Tensor], Tensor]) -> Builder:
    def merge(*inputs: Tensor) -> Tensor:
        total = inputs[0]
        for tensor in inputs[1:]:
            total = operation(total, tensor)
        return total

    return lambda cls, fields, shapes: Function(merge)


def concat(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Join along an axis."""
    axis = fields.get("dim", fields.get("axis", cls.model_fields["dim"].default))
    return Function(lambda *inputs: torch.cat(inputs, dim=axis))


BUILDERS: dict[str, Builder] = {
    **{f"conv{rank}d": convolution for rank in (1, 2, 3)},
    **{f"depthwise_conv{rank}d": depthwise for rank in (1, 2, 3)},
    **{f"separable_conv{rank}d": separable for rank in (1, 2)},
    "add": _folded(torch.add),
    "multiply": _folded(torch.mul),
    "concat": concat,
}
"""Kinds that are not one torch module with the same fields."""
