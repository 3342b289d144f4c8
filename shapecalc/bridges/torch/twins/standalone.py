"""Small modules that torch has no class for: `build` makes them, and an export takes their text along.

So each needs torch alone, is named as its kind, keeps its settings under the names of the kind's fields, and
every statement of it fits into 88 columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ClassToken(nn.Module):
    """A learned vector in front of every sequence."""

    def __init__(self, embed_dim: int) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.weight = nn.Parameter(torch.zeros(1, 1, embed_dim))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.weight.expand(x.shape[0], -1, -1), x], dim=1)


class PositionEmbedding(nn.Module):
    """A learned vector for every position, added."""

    def __init__(self, length: int, embed_dim: int) -> None:
        super().__init__()
        self.length = length
        self.embed_dim = embed_dim
        self.weight = nn.Parameter(torch.zeros(1, length, embed_dim))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


class LayerScale(nn.Module):
    """A learned factor for every channel; the channels are on an axis from the end."""

    def __init__(self, channels: int, dim: int = -1, init: float = 1e-06) -> None:
        super().__init__()
        self.channels = channels
        self.dim = dim
        self.init = init
        self.weight = nn.Parameter(torch.full((channels, *(1,) * (-dim - 1)), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


class SelfAttention(nn.MultiheadAttention):
    """Attention of a sequence to itself, without the weights that nobody looks at."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, x, x, need_weights=False)[0]


class FlatLSTM(nn.LSTM):
    """An LSTM that takes and returns its two states beside the sequence, not as a pair."""

    def forward(  # type: ignore[override]
        self, x: Tensor, hidden: Tensor | None = None, cell: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        states = None if hidden is None or cell is None else (hidden, cell)
        x, (hidden, cell) = super().forward(x, states)
        return x, hidden, cell


class FlatLSTMCell(nn.LSTMCell):
    """A cell that takes its two states beside the input, not as a pair."""

    def forward(  # type: ignore[override]
        self, x: Tensor, hidden: Tensor | None = None, cell: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        states = None if hidden is None or cell is None else (hidden, cell)
        return super().forward(x, states)


class StochasticDepth(nn.Module):
    """Leaves out samples, or the complete batch, by chance while training."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        if not 0 <= p <= 1 or mode not in ("row", "batch"):
            raise ValueError("p is a probability and mode is row or batch")
        self.p = p
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        drawn = x.shape[0] if self.mode == "row" else 1
        kept = x.new_empty(drawn, *(1,) * (x.dim() - 1)).bernoulli_(1 - self.p)
        return x * kept if self.p == 1 else x * kept.div_(1 - self.p)


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

    def __init__(
        self,
        channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        sums = nn.functional.lp_pool2d(x, 1, self.kernel_size, self.stride)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class PartialConv2d(nn.Module):
    """One convolution per output channel, over the input channels it is connected to."""

    def __init__(
        self,
        connections: tuple[tuple[int, ...], ...],
        kernel_size: tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.connections = connections
        self.kernel_size = kernel_size
        self.stride, self.padding, self.dilation = stride, padding, dilation
        total = sum(len(channels) for channels in connections)
        self.weight = nn.Parameter(torch.randn(total, *kernel_size) / total)
        self.bias = nn.Parameter(torch.zeros(len(connections))) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        windows = (self.stride, self.padding, self.dilation)
        planes, first = [], 0
        for number, channels in enumerate(self.connections):
            kernel = self.weight[first : first + len(channels)][None]
            first += len(channels)
            bias = None if self.bias is None else self.bias[number : number + 1]
            seen = torch.stack([x[..., channel, :, :] for channel in channels], dim=-3)
            planes.append(nn.functional.conv2d(seen, kernel, bias, *windows))
        return torch.cat(planes, dim=-3)


class RBF(nn.Module):
    """The squared distance to centres that are drawn by hand."""

    centers: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.register_buffer("centers", torch.zeros(out_features, in_features))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] != self.in_features:
            raise ValueError(f"{self.in_features} features, not {x.shape[-1]}")
        return (x[..., None, :] - self.centers).square().sum(-1)
