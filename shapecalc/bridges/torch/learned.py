"""What torch has no class for and has weights: learned tensors, LeNet-5's layers of 1998."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.modules import Fields, Function, Shapes, Sizes, generic
from shapecalc.layers.base import Kind


class Joined(nn.Module):
    """A learned tensor of some shape, and how it joins the data."""

    def __init__(self, shape: Sizes, join: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.join = join

    def forward(self, x: Tensor) -> Tensor:
        return self.join(x, self.weight)


def _a_sequence(fields: Fields, x: Sizes) -> None:
    if len(x) != 3 or fields.get("embed_dim") not in (None, x[2]) or fields.get("length") not in (None, x[1]):
        raise ValueError("a batch of sequences, as long and as wide as declared")


def class_token(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Put the token in front, as torchvision's VisionTransformer does."""
    _a_sequence(fields, shapes[0])
    shape = (1, 1, shapes[0][2])
    return Joined(shape, lambda x, token: torch.cat([token.expand(x.shape[0], -1, -1), x], dim=1))


def position_embedding(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Add the embedding, as torchvision's Encoder does."""
    _a_sequence(fields, shapes[0])
    return Joined((1, *shapes[0][1:]), torch.add)


def layer_scale(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Multiply by a tensor that has the channels first and then as many axes as follow them."""
    following = torch.zeros(shapes[0], device="meta").movedim(fields.get("dim", 1), 0).dim() - 1
    axis = range(len(shapes[0]))[fields.get("dim", 1)]
    return Joined((shapes[0][axis], *(1,) * (following - axis)), torch.mul)


def divisible(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Assert what the kind requires."""
    dim = fields.get("dim", (-2, -1))
    axes = dim if isinstance(dim, tuple) else (dim,)
    if fields["divisor"] < 1 or len({axis % len(shapes[0]) for axis in axes}) < len(axes):
        raise ValueError("a divisor of at least 1, and no axis twice")

    def check(x: Tensor) -> Tensor:
        for axis in axes:
            if x.shape[axis] % fields["divisor"] != 0:
                raise ValueError("indivisible")
        return x

    return Function(check)


def stochastic_depth(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Name the mode, for which torchvision has no default."""
    return generic(cls, {"mode": "row", **fields}, shapes)


# ---- the LeNet-5 of 1998, whose layers torch lacks


class Subsampling(nn.Module):
    """The sum over windows, times a coefficient per channel, plus a bias per channel."""

    def __init__(self, channels: int, kernel: Any, stride: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.pool = nn.LPPool2d(1, kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        sums: Tensor = self.pool(x)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


def subsample(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Sum over windows, with one coefficient and one bias a channel."""
    if len(shapes[0]) not in (3, 4):
        raise ValueError("a batched or unbatched image")
    return Subsampling(shapes[0][-3], fields["kernel_size"], fields.get("stride"))


class Centers(nn.Module):
    """The squared distance to centres that are drawn by hand."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(outward, inward))

    def forward(self, x: Tensor) -> Tensor:
        centers = self.get_buffer("centers")
        if x.shape[-1] != centers.shape[-1]:
            raise ValueError("features differ")
        return (x[..., None, :] - centers).square().sum(-1)


def rbf(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Measure the distance to centres for as many features as arrive."""
    return Centers(fields.get("in_features") or shapes[0][-1], fields["out_features"])
