"""How the modules of `standalone` are built: checked as torch would check them, sized by what arrives."""

from __future__ import annotations

import torch
from torch import nn

from shapecalc.bridges.torch.twins import standalone
from shapecalc.bridges.torch.twins.generic_modules import Fields, Shapes, Sizes
from shapecalc.layers.base import Kind


def _a_sequence(fields: Fields, x: Sizes) -> None:
    if len(x) != 3 or fields.get("embed_dim") not in (None, x[2]) or fields.get("length") not in (None, x[1]):
        raise ValueError("a batch of sequences, as long and as wide as declared")


def class_token(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Put the token in front, as torchvision's VisionTransformer does."""
    _a_sequence(fields, shapes[0])
    return standalone.ClassToken(shapes[0][2])


def position_embedding(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Add the embedding, as torchvision's Encoder does."""
    _a_sequence(fields, shapes[0])
    return standalone.PositionEmbedding(*shapes[0][1:])


def layer_scale(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Count the axis from the end, so that the factors need no batch."""
    dim, rank = fields.get("dim", 1), len(shapes[0])
    torch.zeros(shapes[0], device="meta").movedim(dim, 0)  # which refuses an axis that is not there
    axis = range(rank)[dim]
    return standalone.LayerScale(shapes[0][axis], axis - rank, float(fields.get("init", 1e-6)))


def divisible(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Assert what the kind requires."""
    dim = fields.get("dim", (-2, -1))
    axes = dim if isinstance(dim, tuple) else (dim,)
    if fields["divisor"] < 1 or len({axis % len(shapes[0]) for axis in axes}) < len(axes):
        raise ValueError("a divisor of at least 1, and no axis twice")
    return standalone.Divisible(fields["divisor"], axes)


def stochastic_depth(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Leave out samples as torchvision's class does, without needing torchvision."""
    return standalone.StochasticDepth(**fields)


# ---- the LeNet-5 of 1998, whose layers torch lacks


def subsample(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Sum over windows, with one coefficient and one bias a channel."""
    if len(shapes[0]) not in (3, 4):
        raise ValueError("a batched or unbatched image")
    return standalone.Subsample2d(shapes[0][-3], **fields)


def rbf(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Measure the distance to centres for as many features as arrive."""
    return standalone.RBF(fields.get("in_features") or shapes[0][-1], fields["out_features"])
