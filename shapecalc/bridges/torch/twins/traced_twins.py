"""Twins of what a traced network holds beside layers: constants, weights, conditions, unknown results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.algebra import decide
from shapecalc.bridges.torch.twins.operations import Function
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.bridges.torch.twins.twin import FunctionTwin, Twin
from shapecalc.layers.base import Kind
from shapecalc.layers.traced import SIGNS, Constant, Opaque, Parameter, Require, Unused


class Weights(nn.Module):
    """Learned tensors by their names, and a function of the module and its inputs."""

    def __init__(self, tensors: dict[str, tuple[int, ...]], function: Callable[..., Any]) -> None:
        super().__init__()
        for name, shape in tensors.items():
            *above, last = name.split(".")
            holder: nn.Module = self
            for word in above:
                if word not in dict(holder.named_children()):
                    holder.add_module(word, nn.Module())
                holder = holder.get_submodule(word)
            holder.register_parameter(last, nn.Parameter(torch.zeros(shape)))
        self.function = function

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


class ConstantTwin(FunctionTwin[Constant]):
    """A tensor that the forward makes."""

    never_written = "it notes what was seen of a forward, which is not its source"

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        return Function(lambda x: x.new_zeros(fields["shape"]), self.kind.kind, fields)


class ParameterTwin(ConstantTwin, Twin[Parameter]):
    """A learned tensor, returned."""

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        if len(shapes) != 1 or min(fields["shape"], default=1) < 1:
            raise ValueError("one tensor, and sizes of at least 1")
        return Weights({"weight": fields["shape"]}, lambda module, x: module.weight * 1)


class UnusedTwin(ConstantTwin, Twin[Unused]):
    """Learned tensors that the forward does not use."""

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        return Weights(fields["tensors"], lambda module, x: x)


class RequireTwin(ConstantTwin, Twin[Require]):
    """A condition between sizes."""

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        def required(x: Tensor) -> Tensor:
            if not decide(fields["left"], SIGNS[fields["relation"]], fields["right"]):
                raise ValueError("the condition does not hold")
            return x

        return Function(required, self.kind.kind, fields)


class OpaqueTwin(ConstantTwin, Twin[Opaque]):
    """Tensors of the shapes that were recorded."""

    macs_not_counted = "what it costs is not known"

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        def recorded(module: nn.Module, *inputs: Tensor) -> Any:
            pairs = zip(inputs, fields["takes"], strict=True)
            batch = [x.shape[0] for x, shape in pairs if shape[:1] == (-1,)]
            results = tuple(
                inputs[0].new_zeros([batch[0] if size == -1 else size for size in shape])
                for shape in fields["gives"]
            )
            return results if len(results) > 1 else results[0]

        return Weights(fields.get("tensors", {}), recorded)

    def uncovered(self, layer: Kind | type[Kind]) -> str:
        return "nothing is known of it but the shapes that were seen"
