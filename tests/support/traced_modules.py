"""Small torch modules as people write them, each with the input that it takes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (as everybody writes it)
from torch import Tensor, nn


class Functional(nn.Module):
    """LeNet in the style of the first tutorials: functions in the forward, a view over the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x: Tensor) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return F.log_softmax(self.fc2(F.dropout(F.relu(self.fc1(x)), training=self.training)), dim=1)


class FlatFeatures(nn.Module):
    """A number of features counted in Python, and the batch as the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4 * 8 * 8, 5)

    def num_flat_features(self, x: Tensor) -> int:
        count = 1
        for size in x.size()[1:]:
            count *= size
        return count

    def forward(self, x: Tensor) -> Any:
        x = self.conv(x).relu()
        return self.fc(x.view(-1, self.num_flat_features(x)))


class Residual(nn.Module):
    """A sum in place, with one ReLU used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Any:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


class Nested(nn.Module):
    """Modules in lists in lists, in a dict, and a stem whose results are all put together."""

    def __init__(self, depth: int = 2, width: int = 4) -> None:
        super().__init__()
        self.stem = nn.ModuleDict({"conv": nn.Conv2d(3, width, 3, padding=1), "act": nn.GELU()})
        self.stages = nn.ModuleList(
            nn.ModuleList(
                nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()) for _ in range(depth)
            )
            for _ in range(2)
        )

    def forward(self, x: Tensor) -> Any:
        x = self.stem["act"](self.stem["conv"](x))
        found = [x]
        for stage in self.stages:
            assert isinstance(stage, nn.ModuleList)
            for block in stage:
                x = block(x)
            found.append(x)
        return torch.cat(found, dim=1)


class TwoHeads(nn.Module):
    """A dict of results, one of them nested."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.boxes = nn.Conv2d(8, 4, 1)
        self.scores = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> dict[str, Any]:
        x = self.body(x).relu_()
        return OrderedDict(boxes=self.boxes(x), more={"scores": self.scores(x).sigmoid()})


class Pair(nn.Module):
    """A tuple of results."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(x)
        return x, x.mean(dim=(2, 3))


class Siamese(nn.Module):
    """Two inputs through the same weights, compared."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(4, 1)

    def forward(self, left: Tensor, right: Tensor) -> Any:
        return torch.sigmoid(self.head((self.tower(left) - self.tower(right)).abs()))


class ByKeyword(nn.Module):
    """Keyword arguments on the way, with a scale that is a number."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 3, 1)

    def forward(self, image: Tensor, scale: float = 2.0) -> Any:
        up = F.interpolate(input=self.inner(input=image), scale_factor=scale, mode="nearest")
        return torch.mul(input=up, other=0.5)


class UpTo(nn.Module):
    """A map resized to the size of the input, as segmentation heads do."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=4, padding=1)

    def forward(self, x: Tensor) -> Any:
        h, w = x.shape[-2:]
        return F.interpolate(self.down(x), size=(h, w), mode="bilinear", align_corners=False)


class PadToFit(nn.Module):
    """Padding computed from the size, so that every size is a multiple of four."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 8, 4, stride=4)

    def forward(self, x: Tensor) -> Any:
        _, _, h, w = x.shape
        return self.patch(F.pad(x, (0, (4 - w % 4) % 4, 0, (4 - h % 4) % 4)))


class Switches(nn.Module):
    """Control flow on constants."""

    def __init__(self, norm: bool = False, blocks: int = 3) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(4) if norm else None
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.blocks = blocks

    def forward(self, x: Tensor) -> Any:
        for number in range(self.blocks):
            x = self.conv(x) if number % 2 == 0 else F.relu(x)
        return x if self.norm is None else self.norm(x)


class Strict(nn.Module):
    """A size that is asked for, and refused otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 2, stride=2)

    def forward(self, x: Tensor) -> Any:
        if x.shape[2] % 8 != 0:
            raise ValueError("the height must be a multiple of 8")
        return self.conv(x)


class Tied(nn.Module):
    """A language model whose last layer is its table of words."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 16)
        self.norm = nn.LayerNorm(16)
        self.out = nn.Linear(16, 50, bias=False)
        self.out.weight = self.words.weight

    def forward(self, tokens: Tensor) -> Any:
        return self.out(self.norm(self.words(tokens)))


class Attention(nn.Module):
    """Attention by hand: chunks of one product, heads split and joined again."""

    def __init__(self, width: int = 32, heads: int = 4) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x: Tensor) -> Any:
        b, n, c = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (one.view(b, n, self.heads, c // self.heads).transpose(1, 2) for one in (q, k, v))
        weights = (q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5).softmax(dim=-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))


class Fused(Attention):
    """The same by torch's own function."""

    def forward(self, x: Tensor) -> Any:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class ByEquation(nn.Module):
    """Scores by einsum, against a learned set of queries."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.zeros(5, 16))

    def forward(self, x: Tensor) -> Any:
        scores = torch.einsum("bnd,qd->bqn", x, self.queries).softmax(-1)
        return torch.einsum("bqn,bnd->bqd", scores, x)


class Tokens(nn.Module):
    """Patches with a class token in front and a position added to each; the answer is read from the token."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 8, stride=8)
        self.cls = nn.Parameter(torch.zeros(1, 1, 16))
        self.position = nn.Parameter(torch.zeros(1, 17, 16))
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1) + self.position
        return self.head(self.layer(x)[:, 0])


class Shuffled(nn.Module):
    """ShuffleNet's shuffle, written out, and a unit that splits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, groups=4)

    def forward(self, x: Tensor) -> Any:
        left, right = x.chunk(2, dim=1)
        x = torch.cat((left, self.conv(right)), dim=1)
        batch, channels, height, width = x.size()
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return x.view(batch, channels, height, width)


class Excited(nn.Module):
    """Squeeze and excitation by indexing with None."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Linear(8, 2)
        self.up = nn.Linear(2, 8)

    def forward(self, x: Tensor) -> Any:
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean([-2, -1])))))
        return x * gate[:, :, None, None]


class UNetLike(nn.Module):
    """Down, up, and what is cut to fit put beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Conv2d(1, 4, 3)
        self.mid = nn.Conv2d(4, 8, 3)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.dec = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Any:
        skip = F.relu(self.enc(x))
        x = self.up(F.relu(self.mid(F.max_pool2d(skip, 2))))
        top, left = (skip.shape[2] - x.shape[2]) // 2, (skip.shape[3] - x.shape[3]) // 2
        skip = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
        return self.dec(torch.cat([x, skip], 1))


class Spare(nn.Module):
    """A head that is used in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3)
        self.aux = nn.Linear(4, 7)

    def forward(self, x: Tensor) -> Any:
        x = self.body(x)
        return (x, self.aux(x.mean((2, 3)))) if self.training else x


class Unknown(nn.Module):
    """An operation that has no rule."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Any:
        return torch.trapezoid(self.fc(x).unsqueeze(-1))


class Normed(nn.Module):
    """A weight that is computed from two others, as weight norm does."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = torch.nn.utils.parametrizations.weight_norm(nn.Linear(6, 4))

    def forward(self, x: Tensor) -> Any:
        return self.fc(x)


class Scaled(nn.Module):
    """A scale that is learned, and buffers that are not."""

    offset: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(8, 1, 1))
        self.register_buffer("offset", torch.zeros(1, 8, 1, 1))
        self.conv = nn.Conv2d(8, 8, 3, padding=1, groups=8)

    def forward(self, x: Tensor) -> Any:
        return x + self.gamma * self.conv(x - self.offset)


MODULES: dict[type[nn.Module], Any] = {
    Functional: (1, 32, 32),
    FlatFeatures: (3, 8, 8),
    Residual: (8, 14, 15),
    Nested: (3, 12, 10),
    TwoHeads: (3, 33, 32),
    Pair: (3, 9, 10),
    Siamese: {"left": (1, 12, 12), "right": (1, 12, 12)},
    ByKeyword: (3, 6, 5),
    UpTo: (3, 30, 45),
    PadToFit: (3, 30, 32),
    Switches: (4, 7, 7),
    Strict: (3, 16, 10),
    Tied: (12,),
    Attention: (10, 32),
    Fused: (10, 32),
    ByEquation: (9, 16),
    Tokens: (3, 32, 32),
    Shuffled: (8, 6, 6),
    Excited: (8, 5, 6),
    UNetLike: (1, 30, 33),
    Spare: (3, 8, 8),
    Normed: (6,),
    Scaled: (8, 6, 7),
}
