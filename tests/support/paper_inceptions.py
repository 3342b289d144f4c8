"""Inception-v4, Inception-ResNet-v2, Xception and MobileNet, written in torch directly from their papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn


class Fork(nn.Module):
    """Branches over one tensor, joined along the channels."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Residual(nn.Module):
    """The sum of what a shortcut and a main path make of one tensor."""

    def __init__(self, main: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.main = main
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.main(x) + self.shortcut(x)
        return total


class ScaledResidual(Residual):
    """Inception-ResNet's sum, of which the main path gives a fraction."""

    def __init__(self, scale: float, main: nn.Module) -> None:
        super().__init__(main)
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = x + self.scale * self.main(x)
        return total


def conv(
    channels: int, width: int, height: int, across: int, stride: int = 1, *, same: bool = False
) -> nn.Module:
    padding = (height // 2, across // 2) if same else 0
    return nn.Sequential(
        nn.Conv2d(channels, width, (height, across), stride, padding, bias=False),
        nn.BatchNorm2d(width, eps=0.001),
        nn.ReLU(),
    )


def path(channels: int, *steps: tuple[int, ...]) -> nn.Module:
    """Return convolutions `(width, height, across)` that keep the size, or with a fourth number stride."""
    layers = []
    for width, height, across, *stride in steps:
        layers.append(conv(channels, width, height, across, *stride, same=not stride))
        channels = width
    return nn.Sequential(*layers)


def averaged(channels: int, width: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), conv(channels, width, 1, 1))


def classifier(channels: int, *, dropout: bool) -> list[nn.Module]:
    dropped = [nn.Dropout(0.2)] if dropout else []
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *dropped, nn.Linear(channels, 1000)]


def inception_v4() -> nn.Module:
    def inception_a() -> nn.Module:
        return Fork(
            path(384, (96, 1, 1)),
            path(384, (64, 1, 1), (96, 3, 3)),
            path(384, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
            averaged(384, 96),
        )

    def inception_b() -> nn.Module:
        return Fork(
            path(1024, (384, 1, 1)),
            path(1024, (192, 1, 1), (224, 1, 7), (256, 7, 1)),
            path(1024, (192, 1, 1), (192, 7, 1), (224, 1, 7), (224, 7, 1), (256, 1, 7)),
            averaged(1024, 128),
        )

    def inception_c() -> nn.Module:
        def fork(channels: int) -> nn.Module:
            return Fork(path(channels, (256, 1, 3)), path(channels, (256, 3, 1)))

        return Fork(
            path(1536, (256, 1, 1)),
            nn.Sequential(path(1536, (384, 1, 1)), fork(384)),
            nn.Sequential(path(1536, (384, 1, 1), (448, 3, 1), (512, 1, 3)), fork(512)),
            averaged(1536, 256),
        )

    return nn.Sequential(
        conv(3, 32, 3, 3, 2),
        conv(32, 32, 3, 3),
        conv(32, 64, 3, 3, same=True),
        Fork(nn.MaxPool2d(3, 2), conv(64, 96, 3, 3, 2)),
        Fork(
            nn.Sequential(path(160, (64, 1, 1)), conv(64, 96, 3, 3)),
            nn.Sequential(path(160, (64, 1, 1), (64, 1, 7), (64, 7, 1)), conv(64, 96, 3, 3)),
        ),
        Fork(conv(192, 192, 3, 3, 2), nn.MaxPool2d(3, 2)),
        *(inception_a() for _ in range(4)),
        Fork(
            path(384, (384, 3, 3, 2)),
            path(384, (192, 1, 1), (224, 3, 3), (256, 3, 3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        *(inception_b() for _ in range(7)),
        Fork(
            path(1024, (192, 1, 1), (192, 3, 3, 2)),
            path(1024, (256, 1, 1), (256, 1, 7), (320, 7, 1), (320, 3, 3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        *(inception_c() for _ in range(3)),
        *classifier(1536, dropout=True),
    )


def inception_resnet_v2() -> nn.Module:
    def block35() -> nn.Module:
        branches = Fork(
            path(320, (32, 1, 1)),
            path(320, (32, 1, 1), (32, 3, 3)),
            path(320, (32, 1, 1), (48, 3, 3), (64, 3, 3)),
        )
        return nn.Sequential(ScaledResidual(0.17, nn.Sequential(branches, nn.Conv2d(128, 320, 1))), nn.ReLU())

    def block17() -> nn.Module:
        branches = Fork(path(1088, (192, 1, 1)), path(1088, (128, 1, 1), (160, 1, 7), (192, 7, 1)))
        return nn.Sequential(ScaledResidual(0.1, nn.Sequential(branches, nn.Conv2d(384, 1088, 1))), nn.ReLU())

    def block8(scale: float, last: nn.Module) -> nn.Module:
        branches = Fork(path(2080, (192, 1, 1)), path(2080, (192, 1, 1), (224, 1, 3), (256, 3, 1)))
        return nn.Sequential(ScaledResidual(scale, nn.Sequential(branches, nn.Conv2d(448, 2080, 1))), last)

    return nn.Sequential(
        conv(3, 32, 3, 3, 2),
        conv(32, 32, 3, 3),
        conv(32, 64, 3, 3, same=True),
        nn.MaxPool2d(3, 2),
        conv(64, 80, 1, 1),
        conv(80, 192, 3, 3),
        nn.MaxPool2d(3, 2),
        Fork(
            path(192, (96, 1, 1)),
            path(192, (48, 1, 1), (64, 5, 5)),
            path(192, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
            averaged(192, 64),
        ),
        *(block35() for _ in range(10)),
        Fork(
            path(320, (384, 3, 3, 2)),
            path(320, (256, 1, 1), (256, 3, 3), (384, 3, 3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        *(block17() for _ in range(20)),
        Fork(
            path(1088, (256, 1, 1), (384, 3, 3, 2)),
            path(1088, (256, 1, 1), (288, 3, 3, 2)),
            path(1088, (256, 1, 1), (288, 3, 3), (320, 3, 3, 2)),
            nn.MaxPool2d(3, 2),
        ),
        *(block8(0.2, nn.ReLU()) for _ in range(9)),
        block8(1, nn.Identity()),
        conv(2080, 1536, 1, 1),
        *classifier(1536, dropout=True),
    )


def xception() -> nn.Module:
    def separable(channels: int, width: int) -> list[nn.Module]:
        return [
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.Conv2d(channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
        ]

    def plain(channels: int, width: int, stride: int) -> list[nn.Module]:
        return [nn.Conv2d(channels, width, 3, stride, bias=False), nn.BatchNorm2d(width), nn.ReLU()]

    def halving(channels: int, between: int, width: int, *first: nn.Module) -> nn.Module:
        main = [*first, *separable(channels, between), nn.ReLU(), *separable(between, width)]
        shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, 2, bias=False), nn.BatchNorm2d(width))
        return Residual(nn.Sequential(*main, nn.MaxPool2d(3, 2, 1)), shortcut)

    def middle() -> nn.Module:
        return Residual(
            nn.Sequential(*(layer for _ in range(3) for layer in (nn.ReLU(), *separable(728, 728))))
        )

    return nn.Sequential(
        *plain(3, 32, 2),
        *plain(32, 64, 1),
        halving(64, 128, 128),
        halving(128, 256, 256, nn.ReLU()),
        halving(256, 728, 728, nn.ReLU()),
        *(middle() for _ in range(8)),
        halving(728, 728, 1024, nn.ReLU()),
        *separable(1024, 1536),
        nn.ReLU(),
        *separable(1536, 2048),
        nn.ReLU(),
        *classifier(2048, dropout=False),
    )


def mobilenet_v1(width: float) -> nn.Module:
    def pair(channels: int, after: int, stride: int) -> list[nn.Module]:
        return [
            nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, after, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        ]

    layers: list[nn.Module] = [nn.Conv2d(3, int(32 * width), 3, 2, 1, bias=False)]
    layers += [nn.BatchNorm2d(int(32 * width)), nn.ReLU()]
    channels, strided = 32, {2, 4, 6, 12}
    for number, after in enumerate([64, 128, 128, 256, 256, *[512] * 6, 1024, 1024], 1):
        layers += pair(int(channels * width), int(after * width), 2 if number in strided else 1)
        channels = after
    return nn.Sequential(*layers, *classifier(int(1024 * width), dropout=False))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "inception_v4": inception_v4,
    "inception_resnet_v2": inception_resnet_v2,
    "xception": xception,
    "mobilenet_v1_100": partial(mobilenet_v1, 1),
    "mobilenet_v1_075": partial(mobilenet_v1, 0.75),
    "mobilenet_v1_050": partial(mobilenet_v1, 0.5),
    "mobilenet_v1_025": partial(mobilenet_v1, 0.25),
}
