"""SE-ResNet, LinkNet, and ResNets and DenseNets for CIFAR, written in torch directly from their papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from tests.support.paper_inceptions import Residual


def conv_bn(channels: int, width: int, kernel: int, stride: int = 1, *, bias: bool = False) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=bias), nn.BatchNorm2d(width)
    )


def classifier(channels: int, classes: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]


class SqueezeExcite(nn.Module):
    """A factor for every channel, from the means of all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, channels // 16, 1)
        self.expand = nn.Conv2d(channels // 16, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.reduce(x.mean((2, 3), keepdim=True)).relu()
        out: Tensor = x * self.expand(squeezed).sigmoid()
        return out


def se_resnet(depths: list[int], *, bottleneck: bool, stride_on_3x3: bool = False) -> nn.Module:
    def block(channels: int, width: int, stride: int) -> nn.Module:
        after = 4 * width if bottleneck else width
        if bottleneck:
            first, second = (1, stride) if stride_on_3x3 else (stride, 1)
            middle = [
                conv_bn(channels, width, 1, first),
                nn.ReLU(),
                conv_bn(width, width, 3, second),
                nn.ReLU(),
            ]
            main = [*middle, conv_bn(width, after, 1)]
        else:
            main = [conv_bn(channels, width, 3, stride), nn.ReLU(), conv_bn(width, width, 3)]
        shortcut = conv_bn(channels, after, 1, stride) if (channels, stride) != (after, 1) else None
        return nn.Sequential(Residual(nn.Sequential(*main, SqueezeExcite(after)), shortcut), nn.ReLU())

    layers: list[nn.Module] = [conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
    channels = 64
    for stage, depth in enumerate(depths):
        width = 64 << stage
        for index in range(depth):
            layers.append(block(channels, width, 2 if stage and not index else 1))
            channels = 4 * width if bottleneck else width
    return nn.Sequential(*layers, *classifier(channels, 1000))


class LinkNet(nn.Module):
    """An encoder whose every level is added to the decoder's."""

    def __init__(self, classes: int) -> None:
        super().__init__()

        def basic(channels: int, width: int, stride: int) -> nn.Module:
            main = nn.Sequential(conv_bn(channels, width, 3, stride), nn.ReLU(), conv_bn(width, width, 3))
            shortcut = conv_bn(channels, width, 1, stride) if stride != 1 else None
            return nn.Sequential(Residual(main, shortcut), nn.ReLU())

        def decoder(channels: int, width: int, stride: int) -> nn.Module:
            narrow = channels // 4
            return nn.Sequential(
                *(conv_bn(channels, narrow, 1), nn.ReLU()),
                nn.ConvTranspose2d(narrow, narrow, 3, stride, 1, stride - 1, bias=False),
                *(nn.BatchNorm2d(narrow), nn.ReLU()),
                *(conv_bn(narrow, width, 1), nn.ReLU()),
            )

        self.initial = nn.Sequential(conv_bn(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        levels = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        self.encoders = nn.ModuleList(
            nn.Sequential(basic(channels, width, stride), basic(width, width, 1))
            for channels, width, stride in levels
        )
        self.decoders = nn.ModuleList(
            decoder(width, channels, stride) for channels, width, stride in reversed(levels)
        )
        self.final = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 3, 2, 1, 1),
            *(nn.BatchNorm2d(32), nn.ReLU()),
            *(conv_bn(32, 32, 3, bias=True), nn.ReLU()),
            nn.ConvTranspose2d(32, classes, 2, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.initial(x)
        links = []
        for encoder in self.encoders:
            links.append(x)
            x = encoder(x)
        for decoder in self.decoders:
            x = decoder(x) + links.pop()
        out: Tensor = self.final(x)
        return out


class ThinOut(nn.Module):
    """Every second pixel, and channels of zeros around those that there are."""

    def __init__(self, new: int) -> None:
        super().__init__()
        self.new = new

    def forward(self, x: Tensor) -> Tensor:
        half = self.new // 2
        return nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))


def resnet_cifar(n: int) -> nn.Module:
    def block(channels: int, width: int, stride: int) -> nn.Module:
        main = nn.Sequential(conv_bn(channels, width, 3, stride), nn.ReLU(), conv_bn(width, width, 3))
        shortcut = ThinOut(width - channels) if stride != 1 else None
        return nn.Sequential(Residual(main, shortcut), nn.ReLU())

    layers: list[nn.Module] = [conv_bn(3, 16, 3), nn.ReLU()]
    channels = 16
    for width in (16, 32, 64):
        for _ in range(n):
            layers.append(block(channels, width, 1 if channels == width else 2))
            channels = width
    return nn.Sequential(*layers, *classifier(64, 10))


def wide_resnet_cifar(depth: int, k: int) -> nn.Module:
    def conv(channels: int, width: int, stride: int = 1) -> nn.Module:
        return nn.Conv2d(channels, width, 3, stride, 1, bias=False)

    def active(channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels), nn.ReLU()]

    def block(channels: int, width: int, stride: int) -> list[nn.Module]:
        main = [conv(channels, width, stride), *active(width), nn.Dropout(0.3), conv(width, width)]
        if channels == width:
            return [Residual(nn.Sequential(*active(channels), *main))]
        return [
            *active(channels),
            Residual(nn.Sequential(*main), nn.Conv2d(channels, width, 1, stride, bias=False)),
        ]

    layers, channels = [conv(3, 16)], 16
    for stride, width in ((1, 16 * k), (2, 32 * k), (2, 64 * k)):
        for index in range((depth - 4) // 6):
            layers += block(channels, width, 1 if index else stride)
            channels = width
    return nn.Sequential(*layers, *active(channels), *classifier(channels, 10))


class DenseLayer(nn.Module):
    def __init__(self, channels: int, growth: int, *, bottleneck: bool) -> None:
        super().__init__()
        narrow = [*normed(channels, 4 * growth, 1)] if bottleneck else []
        self.new = nn.Sequential(*narrow, *normed(4 * growth if bottleneck else channels, growth, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], dim=1)


def normed(channels: int, width: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False)
    return [nn.BatchNorm2d(channels), nn.ReLU(), convolution]


def densenet_cifar(depth: int, growth: int, *, bc: bool) -> nn.Module:
    channels = 2 * growth if bc else 16
    layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1, bias=False)]
    for block in range(3):
        for _ in range((depth - 4) // (6 if bc else 3)):
            layers.append(DenseLayer(channels, growth, bottleneck=bc))
            channels += growth
        if block < 2:
            kept = channels // 2 if bc else channels
            layers += [*normed(channels, kept, 1), nn.AvgPool2d(2)]
            channels = kept
    return nn.Sequential(*layers, nn.BatchNorm2d(channels), nn.ReLU(), *classifier(channels, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "se_resnet18": partial(se_resnet, [2, 2, 2, 2], bottleneck=False),
    "se_resnet34": partial(se_resnet, [3, 4, 6, 3], bottleneck=False),
    "se_resnet50": partial(se_resnet, [3, 4, 6, 3], bottleneck=True),
    "se_resnet101": partial(se_resnet, [3, 4, 23, 3], bottleneck=True),
    "se_resnet152": partial(se_resnet, [3, 8, 36, 3], bottleneck=True),
    "linknet": partial(LinkNet, 19),
    **{f"resnet{6 * n + 2}_cifar": partial(resnet_cifar, n) for n in (3, 5, 7, 9, 18)},
    "wide_resnet40_4_cifar": partial(wide_resnet_cifar, 40, 4),
    "wide_resnet16_8_cifar": partial(wide_resnet_cifar, 16, 8),
    "wide_resnet28_10_cifar": partial(wide_resnet_cifar, 28, 10),
    "densenet40_cifar": partial(densenet_cifar, 40, 12, bc=False),
    "densenet100_cifar": partial(densenet_cifar, 100, 12, bc=False),
    "densenet_bc100_cifar": partial(densenet_cifar, 100, 12, bc=True),
    "densenet_bc190_cifar": partial(densenet_cifar, 190, 40, bc=True),
}
