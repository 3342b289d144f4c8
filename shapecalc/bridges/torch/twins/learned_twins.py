"""Twins of what torch has no class for: learned tensors, layers with a computed weight, traced operations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import utils

from shapecalc.algebra import decide
from shapecalc.bridges.torch.twins.source import Function
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes, Sizes
from shapecalc.bridges.torch.twins.twin import FunctionTwin, ModuleTwin, Twin, build_layer
from shapecalc.layers.base import Kind
from shapecalc.layers.divisible import Divisible
from shapecalc.layers.learned import ClassToken, LayerScale, PositionEmbedding
from shapecalc.layers.traced import (
    SIGNS,
    Buffer,
    Constant,
    Opaque,
    Parameter,
    Require,
    TracedFunction,
    Unused,
)
from shapecalc.layers.wrapper import Wrapper


class ClassTokenTwin(ModuleTwin[ClassToken]):
    """A vector in front of every sequence, as in torchvision's VisionTransformer."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return {"embed_dim": _sequence(fields, shapes[0])[2]}


class PositionEmbeddingTwin(ModuleTwin[PositionEmbedding]):
    """A vector for every position, as in torchvision's Encoder."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        _, length, embed_dim = _sequence(fields, shapes[0])
        return {"length": length, "embed_dim": embed_dim}


def _sequence(fields: Fields, x: Sizes) -> Sizes:
    """Return the shape of a batch of sequences; refuse any other, and sizes that are not as declared."""
    if len(x) != 3 or fields.get("embed_dim") not in (None, x[2]) or fields.get("length") not in (None, x[1]):
        raise ValueError("a batch of sequences, as long and as wide as declared")
    return x


class LayerScaleTwin(ModuleTwin[LayerScale]):
    """A factor for every channel, whose axis is counted from the end, so that the factors need no batch."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        x, dim = shapes[0], fields.get("dim", 1)
        torch.zeros(x, device="meta").movedim(dim, 0)  # which refuses an axis that is not there
        axis = range(len(x))[dim]
        return {"channels": x[axis], "dim": axis - len(x), "init": float(fields.get("init", 1e-6))}


class DivisibleTwin(ModuleTwin[Divisible]):
    """An assertion that a divisor divides sizes."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        dim = fields.get("dim", (-2, -1))
        axes = dim if isinstance(dim, tuple) else (dim,)
        if fields["divisor"] < 1 or len({axis % len(shapes[0]) for axis in axes}) < len(axes):
            raise ValueError("a divisor of at least 1, and no axis twice")
        return {"divisor": fields["divisor"], "dim": axes}


class WrapperTwin(ModuleTwin[Wrapper]):
    """A layer of which torch replaces a weight, in the newer way or the older."""

    never_written = "torch makes it out of a layer"

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        fields = dict(fields)
        layer, home = fields.pop("layer"), utils if fields.pop("legacy", False) else utils.parametrizations
        module = build_layer(layer, shapes)
        if fields.get("name", "weight") not in dict(module.named_parameters(recurse=False)):
            raise ValueError("no such weight")
        made: nn.Module = getattr(home, self.kind.kind)(module, **fields)
        return made


# ---- what a traced network holds beside layers


class Weights(Function):
    """A function of the module and its inputs; the module has learned tensors by their names."""

    def add(self, name: str, shape: Sizes, *, is_buffer: bool = False) -> None:
        *above, last = name.split(".")
        holder: nn.Module = self
        for word in above:
            if word not in dict(holder.named_children()):
                holder.add_module(word, nn.Module())
            holder = holder.get_submodule(word)
        if is_buffer:
            holder.register_buffer(last, torch.zeros(shape))
        else:
            holder.register_parameter(last, nn.Parameter(torch.zeros(shape)))

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


class ConstantTwin(FunctionTwin[Constant]):
    """A tensor that the forward makes."""

    never_written = "it notes what was seen of a forward, which is not its source"

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        module = Weights(partial(self.run, fields), self.kind.kind, fields)
        for name, shape in self.weights(fields).items():
            module.add(name, shape)
        for name, shape in self.buffers(fields).items():
            module.add(name, shape, is_buffer=True)
        return module

    def weights(self, fields: Fields) -> Mapping[str, Sizes]:
        """Return the learned tensors."""
        tensors: Mapping[str, Sizes] = fields.get("tensors", {})
        return tensors

    def buffers(self, fields: Fields) -> Mapping[str, Sizes]:
        """Return the tensors that are kept but not learned."""
        tensors: Mapping[str, Sizes] = fields.get("kept", {})
        return tensors

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        """Return the result; beside an input of ids, numbers as weights have them."""
        like = inputs[0] if inputs[0].is_floating_point() else torch.empty(0, device=inputs[0].device)
        return like.new_zeros(fields["shape"])


class ParameterTwin(ConstantTwin, Twin[Parameter]):
    """A learned tensor, returned."""

    def build(self, fields: Fields, shapes: Shapes) -> nn.Module:
        if len(shapes) != 1 or min(fields["shape"], default=1) < 1:
            raise ValueError("one tensor, and sizes of at least 1")
        return super().build(fields, shapes)

    def weights(self, fields: Fields) -> Mapping[str, Sizes]:
        return {"weight": fields["shape"]}

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        return module.get_parameter("weight") * 1


class BufferTwin(ConstantTwin, Twin[Buffer]):
    """A tensor that is kept, returned."""

    def buffers(self, fields: Fields) -> Mapping[str, Sizes]:
        return {"buffer": fields["shape"]}

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        return module.get_buffer("buffer") * 1


class UnusedTwin(ConstantTwin, Twin[Unused]):
    """Tensors that the forward does not use."""

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        return inputs[0]


class RequireTwin(ConstantTwin, Twin[Require]):
    """A condition between sizes."""

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        if not decide(fields["left"], SIGNS[fields["relation"]], fields["right"]):
            raise ValueError("the condition does not hold")
        return inputs[0]


class TracedFunctionTwin(ConstantTwin, Twin[TracedFunction]):
    """Tensors of the shape that a trace computed."""

    macs_not_counted = "what it computes is not in the layer"

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        results = tuple(inputs[0].new_zeros(fields["shape"]) for _ in range(fields.get("results", 1)))
        return results if len(results) > 1 else results[0]


class OpaqueTwin(ConstantTwin, Twin[Opaque]):
    """Tensors of the shapes that were recorded."""

    macs_not_counted = "what it costs is not known"

    def run(self, fields: Fields, module: nn.Module, *inputs: Tensor) -> Any:
        pairs = zip(inputs, fields["takes"], strict=True)
        batch = [n for x, shape in pairs for n, size in zip(x.shape, shape, strict=True) if size == -1]
        results = tuple(
            inputs[0].new_zeros([batch[0] if size == -1 else size for size in shape])
            for shape in fields["gives"]
        )
        return results if len(results) > 1 else results[0]

    def uncovered(self, layer: Kind | type[Kind]) -> str:
        return "nothing is known of it but the shapes that were seen"
