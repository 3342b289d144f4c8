"""Modules that torch exports to ONNX with sizes left open: what their files hold is compared with ours."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Hourglass(nn.Module):
    """A pooling that rounds up, a transposed convolution, and a join of what comes of both."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, 2, 1)
        self.grouped = nn.Conv2d(8, 16, 3, padding=1, groups=2)
        self.pool = nn.MaxPool2d(3, 2, 1, ceil_mode=True)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.head = nn.Conv2d(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = torch.relu(self.first(x))
        up = self.up(self.pool(self.grouped(skip)))
        joined = torch.cat([skip, up[:, :, : skip.shape[2], : skip.shape[3]]], 1)
        return functional.avg_pool2d(self.head(joined), 2).flatten(1)


class Patches(nn.Module):
    """A convolution into patches, attention over them, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, activation="gelu")
        self.scale = nn.Parameter(torch.ones(()))
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patch(x).flatten(2).transpose(1, 2)
        result: Tensor = self.head(self.block(tokens * self.scale).mean(1))
        return result


class Words(nn.Module):
    """Embeddings of words and positions, a causal mask, and the table again as the last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(100, 16)
        self.places = nn.Embedding(64, 16)
        self.q, self.k, self.v = (nn.Linear(16, 16, bias=False) for _ in range(3))
        self.norm = nn.LayerNorm(16)

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        x = self.words(ids) + self.places(torch.arange(length))
        q, k, v = (layer(x).view(-1, length, 4, 4).transpose(1, 2) for layer in (self.q, self.k, self.v))
        mask = torch.tril(torch.ones(length, length))
        weights = (q @ k.transpose(2, 3) / 2).masked_fill(mask == 0, -1e9).softmax(-1)
        x = self.norm(x + (weights @ v).transpose(1, 2).reshape(-1, length, 16))
        scores: Tensor = x @ self.words.weight.t()
        return scores


class Sound(nn.Module):
    """Convolutions over one axis with group normalization, and a mean of what is left."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv1d(1, 8, 10, 5), nn.Conv1d(8, 16, 8, 4, dilation=2)
        self.norm = nn.GroupNorm(4, 8)
        self.head = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.gelu(self.norm(self.a(x)))
        result: Tensor = self.head(functional.leaky_relu(self.b(x)).mean(2))
        return result


class Wider(nn.Module):
    """Sizes multiplied, padded and cut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        up = functional.interpolate(self.conv(x), scale_factor=2.0)
        padded = functional.pad(up, (1, 2, 0, 3))
        return padded[:, :, 1:-1, ::2].permute(0, 2, 3, 1)


MODULES: dict[str, tuple[type[nn.Module], tuple[int, ...]]] = {
    "hourglass": (Hourglass, (3, 33, 49)),
    "patches": (Patches, (3, 32, 44)),
    "words": (Words, (13,)),
    "sound": (Sound, (1, 401)),
    "wider": (Wider, (3, 21, 34)),
}
"""Modules with the shape that they are exported at, without the batch."""
FREE = {"hourglass": (1, 2), "patches": (1, 2), "words": (0,), "sound": (1,), "wider": (1, 2)}
"""The axes that are left open."""
