"""The published networks that torchvision does not hold, written in torch directly from their papers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tests.support import (
    paper_generative,
    paper_inceptions,
    paper_others,
    paper_residuals,
    paper_vision,
    published_transformers,
)


def lenet5() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )


class Subsampling(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        total = 4 * nn.functional.avg_pool2d(x, 2)
        return total * self.weight[:, None, None] + self.bias[:, None, None]


TABLE_1 = """
    X . . . X X X . . X X X X . X X
    X X . . . X X X . . X X X X . X
    X X X . . . X X X . . X . X X X
    . X X X . . X X X X . . X . X X
    . . X X X . . X X X X . X X . X
    . . . X X X . . X X X X . X X X
"""
"""Columns are the maps of C3, rows the maps of S2 that they see."""


class PartialConvolution(nn.Module):
    """One small convolution per output map, over the maps that it is connected to."""

    def __init__(self) -> None:
        super().__init__()
        rows = [row.split() for row in TABLE_1.split("\n") if row.strip()]
        self.seen = [
            [index for index, cross in enumerate(map_) if cross == "X"] for map_ in zip(*rows, strict=True)
        ]
        self.maps = nn.ModuleList(nn.Conv2d(len(channels), 1, 5) for channels in self.seen)

    def forward(self, x: Tensor) -> Tensor:
        pairs = zip(self.maps, self.seen, strict=True)
        return torch.cat([convolution(x[:, channels]) for convolution, channels in pairs], dim=1)


class Distances(nn.Module):
    centers: Tensor

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("centers", torch.zeros(classes, features))

    def forward(self, x: Tensor) -> Tensor:
        return ((x[:, None] - self.centers) ** 2).sum(-1)


def lenet5_1998() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        Subsampling(6),
        nn.Tanh(),
        PartialConvolution(),
        nn.Tanh(),
        Subsampling(16),
        nn.Tanh(),
        nn.Conv2d(16, 120, 5),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(120, 84),
        nn.Tanh(),
        Distances(84, 10),
    )


def alexnet_2012() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4),
        nn.ReLU(),
        nn.LocalResponseNorm(5, k=2),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(96, 256, 5, padding=2, groups=2),
        nn.ReLU(),
        nn.LocalResponseNorm(5, k=2),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(256, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Linear(9216, 4096),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(4096, 1000),
    )


def nin() -> nn.Module:
    def mlpconv(channels: int, kernel: int, *widths: int) -> list[nn.Module]:
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Conv2d(channels, width, kernel, padding=kernel // 2), nn.ReLU()]
            channels, kernel = width, 1
        return layers

    return nn.Sequential(
        *mlpconv(3, 5, 192, 160, 96),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Dropout(),
        *mlpconv(96, 5, 192, 192, 192),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Dropout(),
        *mlpconv(192, 3, 192, 192, 10),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


def _conv(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, width, kernel, stride, kernel // 2), nn.ReLU())


class Inception(nn.Module):
    def __init__(self, channels: int, n1: int, r3: int, n3: int, r5: int, n5: int, projection: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                _conv(channels, n1, 1),
                nn.Sequential(_conv(channels, r3, 1), _conv(r3, n3, 3)),
                nn.Sequential(_conv(channels, r5, 1), _conv(r5, n5, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), _conv(channels, projection, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def _head(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.AvgPool2d(5, 3),
        _conv(channels, 128, 1),
        nn.Flatten(),
        nn.Linear(2048, 1024),
        nn.ReLU(),
        nn.Dropout(0.7),
        nn.Linear(1024, 1000),
    )


class GoogLeNet(nn.Module):
    def __init__(self, *, aux: bool) -> None:
        super().__init__()
        halve, norm = nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5)
        self.to_4a = nn.Sequential(
            _conv(3, 64, 7, 2),
            halve,
            norm,
            _conv(64, 64, 1),
            _conv(64, 192, 3),
            norm,
            halve,
            Inception(192, 64, 96, 128, 16, 32, 32),
            Inception(256, 128, 128, 192, 32, 96, 64),
            halve,
            Inception(480, 192, 96, 208, 16, 48, 64),
        )
        self.aux1 = _head(512) if aux else None
        self.to_4d = nn.Sequential(
            Inception(512, 160, 112, 224, 24, 64, 64),
            Inception(512, 128, 128, 256, 24, 64, 64),
            Inception(512, 112, 144, 288, 32, 64, 64),
        )
        self.aux2 = _head(528) if aux else None
        self.to_the_end = nn.Sequential(
            Inception(528, 256, 160, 320, 32, 128, 128),
            halve,
            Inception(832, 256, 160, 320, 32, 128, 128),
            Inception(832, 384, 192, 384, 48, 128, 128),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(0.4),
            nn.Linear(1024, 1000),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.to_4a(x)
        sides = [] if self.aux1 is None else [self.aux1(x)]
        x = self.to_4d(x)
        sides += [] if self.aux2 is None else [self.aux2(x)]
        return self.to_the_end(x), *sides


class UNet(nn.Module):
    """With padding, or without and with every copy cropped to what it is joined with."""

    def __init__(self, *, padding: int) -> None:
        super().__init__()

        def twice(channels: int, width: int) -> nn.Module:
            return nn.Sequential(
                nn.Conv2d(channels, width, 3, padding=padding),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=padding),
                nn.ReLU(),
            )

        widths = [64, 128, 256, 512, 1024]
        self.down = nn.ModuleList(
            twice(before, after) for before, after in zip([1, *widths], widths, strict=False)
        )
        upward = widths[-2::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, 2) for width in upward)
        self.joined = nn.ModuleList(twice(2 * width, width) for width in upward)
        self.last = nn.Conv2d(64, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        copies = []
        for level, convolutions in enumerate(self.down):
            x = convolutions(nn.functional.max_pool2d(x, 2) if level else x)
            copies.append(x)
        copies.pop()
        for upward, convolutions in zip(self.up, self.joined, strict=True):
            x, copy = upward(x), copies.pop()
            top, left = ((copy.shape[axis] - x.shape[axis]) // 2 for axis in (2, 3))
            copy = copy[:, :, top : copy.shape[2] - top, left : copy.shape[3] - left]
            x = convolutions(torch.cat([copy, x], dim=1))
        out: Tensor = self.last(x)
        return out


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lenet5": lenet5,
    "lenet5_1998": lenet5_1998,
    "alexnet_2012": alexnet_2012,
    "nin": nin,
    "googlenet": lambda: GoogLeNet(aux=True),
    "unet": lambda: UNet(padding=0),
    "unet_padded": lambda: UNet(padding=1),
    **paper_inceptions.NETWORKS,
    **paper_residuals.NETWORKS,
    **paper_others.NETWORKS,
    **paper_vision.NETWORKS,
    **paper_generative.NETWORKS,
    **published_transformers.NETWORKS,
}
