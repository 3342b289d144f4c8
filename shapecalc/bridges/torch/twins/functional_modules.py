"""Counterparts of what a traced network holds beside layers, written with torch's own functions."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins.generic_modules import Builder, Fields, Function, Shapes
from shapecalc.bridges.torch.twins.pointwise_calls import of_each
from shapecalc.bridges.torch.twins.rearranging_modules import folded
from shapecalc.layers.base import Kind


class Weights(nn.Module):
    """Tensors by their names, learned, and what is done beside them."""

    def __init__(self, tensors: dict[str, tuple[int, ...]], does: Callable[..., Any]) -> None:
        super().__init__()
        for name, shape in tensors.items():
            *above, last = name.split(".")
            holder: nn.Module = self
            for word in above:
                if word not in dict(holder.named_children()):
                    holder.add_module(word, nn.Module())
                holder = holder.get_submodule(word)
            holder.register_parameter(last, nn.Parameter(torch.zeros(shape)))
        self.does = does

    def forward(self, *inputs: Tensor) -> Any:
        return self.does(self, *inputs)


def _one(function: Callable[[Tensor, Fields], Any]) -> Builder:
    """Take exactly one tensor and the fields."""
    return lambda cls, fields, shapes: Function(lambda x: function(x, fields))


def parameter(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Hold a learned tensor and return it."""
    if len(shapes) != 1 or min(fields["shape"], default=1) < 1:
        raise ValueError("one tensor, and sizes of at least 1")
    return Weights({"weight": fields["shape"]}, lambda module, x: module.weight * 1)


def unused(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Hold learned tensors and return the input."""
    return Weights(fields["tensors"], lambda module, x: x)


def opaque(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Return tensors of the shapes that were seen."""

    def seen(module: nn.Module, *inputs: Tensor) -> Any:
        pairs = zip(inputs, fields["takes"], strict=True)
        batch = [x.shape[0] for x, shape in pairs if shape[:1] == (-1,)]
        found = tuple(
            inputs[0].new_zeros([batch[0] if size == -1 else size for size in shape])
            for shape in fields["gives"]
        )
        return found if len(found) > 1 else found[0]

    return Weights(fields.get("tensors", {}), seen)


def _required(x: Tensor, fields: Fields) -> Tensor:
    signs = {
        "equal": operator.eq,
        "unequal": operator.ne,
        "less": operator.lt,
        "at_most": operator.le,
        "more": operator.gt,
        "at_least": operator.ge,
    }
    if not signs[fields["relation"]](fields["left"], fields["right"]):
        raise ValueError("the condition does not hold")
    return x


def _reduced(x: Tensor, fields: Fields) -> Any:
    function = getattr(torch, fields["function"])
    return function(x, dim=fields["dim"], keepdim=fields.get("keepdim", False))


COUNTERPARTS: dict[str, Builder] = {
    "parameter": parameter,
    "constant": _one(lambda x, fields: x.new_zeros(fields["shape"])),
    "unused": unused,
    "opaque": opaque,
    "require": _one(_required),
    "broadcast_to": _one(lambda x, fields: x.expand(fields["shape"])),
    "reduce": _one(_reduced),
    "elementwise": _one(lambda x, fields: of_each(fields["function"], x)),
    "combine": lambda cls, fields, shapes: folded(getattr(torch, fields["function"]))(cls, fields, shapes),
    "einsum": lambda cls, fields, shapes: Function(lambda *inputs: torch.einsum(fields["equation"], *inputs)),
}
"""By kind."""
