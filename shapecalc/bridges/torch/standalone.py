"""Small modules that torch has no class for; an export takes them along as they stand here.

So each needs torch alone, and every statement of it fits into 88 columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ClassToken(nn.Module):
    """A learned vector in front of every sequence."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, 1, embed_dim))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.weight.expand(x.shape[0], -1, -1), x], dim=1)


class PositionEmbedding(nn.Module):
    """A learned vector for every position, added."""

    def __init__(self, length: int, embed_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, length, embed_dim))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


class LayerScale(nn.Module):
    """A learned factor for every channel; `following` axes come after theirs."""

    def __init__(self, channels: int, following: int, init: float = 1e-06) -> None:
        super().__init__()
        shape = (channels, *(1,) * following)
        self.weight = nn.Parameter(torch.full(shape, init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class SelfAttention(nn.MultiheadAttention):
    """Attention of a sequence to itself, without the weights that nobody looks at."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, x, x, need_weights=False)[0]


class StochasticDepth(nn.Module):
    """Leaves out whole samples, or the whole batch, by chance while training."""

    def __init__(self, p: float = 0.5, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        drawn = x.shape[0] if self.mode == "row" else 1
        kept = torch.empty(drawn, *(1,) * (x.dim() - 1), dtype=x.dtype, device=x.device)
        kept = kept.bernoulli_(1 - self.p)
        return x * kept if self.p == 1 else x * kept / (1 - self.p)


class Divisible(nn.Module):
    """Hands on its input if the divisor divides its sizes on these axes."""

    def __init__(self, divisor: int, dim: tuple[int, ...] = (-2, -1)) -> None:
        super().__init__()
        self.divisor = divisor
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        for axis in self.dim:
            if x.shape[axis] % self.divisor != 0:
                raise ValueError(f"{self.divisor} does not divide {x.shape[axis]}")
        return x


class Subsample2d(nn.Module):
    """The sum over windows, times a factor per channel, plus a bias per channel."""

    def __init__(self, channels: int, kernel_size: int, stride: int = 2) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.sum = nn.LPPool2d(1, kernel_size, stride)

    def forward(self, x: Tensor) -> Tensor:
        sums: Tensor = self.sum(x)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class PartialConv2d(nn.Module):
    """One convolution per output channel, over the input channels it is connected to."""

    def __init__(
        self,
        connections: tuple[tuple[int, ...], ...],
        kernel_size: tuple[int, int],
        bias: bool = True,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__()
        self.connections = connections
        self.stride, self.padding, self.dilation = stride, padding, dilation
        total = sum(len(channels) for channels in connections)
        self.weight = nn.Parameter(torch.randn(total, *kernel_size) / total)
        self.bias = nn.Parameter(torch.zeros(len(connections))) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        planes, first = [], 0
        for number, channels in enumerate(self.connections):
            kernel = self.weight[first : first + len(channels)][None]
            first += len(channels)
            bias = None if self.bias is None else self.bias[number : number + 1]
            part = x[..., list(channels), :, :]
            windows = (self.stride, self.padding, self.dilation)
            planes.append(nn.functional.conv2d(part, kernel, bias, *windows))
        return torch.cat(planes, dim=-3)


class Rbf(nn.Module):
    """The squared distance to centres that are drawn by hand."""

    centers: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(out_features, in_features))

    def forward(self, x: Tensor) -> Tensor:
        return (x[..., None, :] - self.centers).square().sum(-1)
