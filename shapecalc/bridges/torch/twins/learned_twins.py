"""Twins of learned tensors and of what torch has no class for, and of layers with a computed weight."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import utils

from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes, Sizes
from shapecalc.bridges.torch.twins.twin import ModuleTwin, build_layer
from shapecalc.layers.divisible import Divisible
from shapecalc.layers.learned import ClassToken, LayerScale, PositionEmbedding
from shapecalc.layers.stochastic import StochasticDepth
from shapecalc.layers.wrapper import Wrapper


class ClassTokenTwin(ModuleTwin[ClassToken]):
    """A vector in front of every sequence, as in torchvision's VisionTransformer."""

    own = standalone.ClassToken

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return {"embed_dim": _sequence(fields, shapes[0])[2]}


class PositionEmbeddingTwin(ModuleTwin[PositionEmbedding]):
    """A vector for every position, as in torchvision's Encoder."""

    own = standalone.PositionEmbedding

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        _, length, embed_dim = _sequence(fields, shapes[0])
        return {"length": length, "embed_dim": embed_dim}


def _sequence(fields: Fields, x: Sizes) -> Sizes:
    """Return the shape of a batch of sequences; refuse another, or one that is not as declared."""
    if len(x) != 3 or fields.get("embed_dim") not in (None, x[2]) or fields.get("length") not in (None, x[1]):
        raise ValueError("a batch of sequences, as long and as wide as declared")
    return x


class LayerScaleTwin(ModuleTwin[LayerScale]):
    """A factor for every channel, whose axis is counted from the end, so that the factors need no batch."""

    own = standalone.LayerScale

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        x, dim = shapes[0], fields.get("dim", 1)
        torch.zeros(x, device="meta").movedim(dim, 0)  # which refuses an axis that is not there
        axis = range(len(x))[dim]
        return {"channels": x[axis], "dim": axis - len(x), "init": float(fields.get("init", 1e-6))}


class DivisibleTwin(ModuleTwin[Divisible]):
    """An assertion that a divisor divides sizes."""

    own = standalone.Divisible

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        dim = fields.get("dim", (-2, -1))
        axes = dim if isinstance(dim, tuple) else (dim,)
        if fields["divisor"] < 1 or len({axis % len(shapes[0]) for axis in axes}) < len(axes):
            raise ValueError("a divisor of at least 1, and no axis twice")
        return {"divisor": fields["divisor"], "dim": axes}


class StochasticDepthTwin(ModuleTwin[StochasticDepth]):
    """torchvision's class, without needing torchvision."""

    own = standalone.StochasticDepth


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
