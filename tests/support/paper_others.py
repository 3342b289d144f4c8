"""LeNet-300-100, ZFNet, FCN, the 3D U-Net, DCGAN and others, written in torch directly from their papers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from tests.support.paper_inceptions import Residual


def lenet_300_100() -> nn.Module:
    hidden = [nn.Linear(784, 300), nn.Tanh(), nn.Linear(300, 100), nn.Tanh()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(100, 10))


def zfnet() -> nn.Module:
    def conv(
        channels: int, width: int, kernel: int = 3, stride: int = 1, padding: int = 1
    ) -> list[nn.Module]:
        return [nn.Conv2d(channels, width, kernel, stride, padding), nn.ReLU()]

    pool, norm = nn.MaxPool2d(3, 2, ceil_mode=True), nn.LocalResponseNorm(5, k=2)
    return nn.Sequential(
        *(*conv(3, 96, 7, 2), pool, norm),
        *(*conv(96, 256, 5, 2, 0), pool, norm),
        *(*conv(256, 384), *conv(384, 384), *conv(384, 256), pool, nn.Flatten()),
        *(nn.Linear(9216, 4096), nn.ReLU(), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout()),
        nn.Linear(4096, 1000),
    )


class FCN(nn.Module):
    """Coarse scores, made finer by those of pool4 and pool3; every crop begins where the authors' does."""

    def __init__(self, stride: int) -> None:
        super().__init__()

        def convolutions(channels: int, width: int, times: int, padding: int = 1) -> nn.Module:
            layers: list[nn.Module] = []
            for index in range(times):
                layers += [nn.Conv2d(width if index else channels, width, 3, padding=padding), nn.ReLU()]
                padding = 1
            return nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True))

        self.stages = nn.ModuleList(
            [
                convolutions(3, 64, 2, padding=100),
                convolutions(64, 128, 2),
                convolutions(128, 256, 3),
                convolutions(256, 512, 3),
                convolutions(512, 512, 3),
            ]
        )
        self.head = nn.Sequential(
            *(nn.Conv2d(512, 4096, 7), nn.ReLU(), nn.Dropout2d()),
            *(nn.Conv2d(4096, 4096, 1), nn.ReLU(), nn.Dropout2d()),
            nn.Conv2d(4096, 21, 1),
        )
        self.fusions = nn.ModuleList()
        for channels in [512, 256][: {32: 0, 16: 1, 8: 2}[stride]]:
            self.fusions += [nn.ConvTranspose2d(21, 21, 4, 2, bias=False), nn.Conv2d(channels, 21, 1)]
        self.last = nn.ConvTranspose2d(21, 21, 2 * stride, stride, bias=False)
        self.offset = {32: 19, 16: 27, 8: 31}[stride]

    def forward(self, image: Tensor) -> Tensor:
        def cropped(x: Tensor, offset: int, like: Tensor) -> Tensor:
            height, width = like.shape[2:]
            return x[:, :, offset : offset + height, offset : offset + width]

        x, pools = image, []
        for stage in self.stages:
            x = stage(x)
            pools.append(x)
        x = self.head(x)
        pairs = zip(self.fusions[::2], self.fusions[1::2], pools[3:1:-1], (5, 9), strict=False)
        for upscore, score, finer, offset in pairs:
            x = upscore(x)
            x = x + cropped(score(finer), offset, x)
        return cropped(self.last(x), self.offset, image)


def preact_resnet_cifar(n: int) -> nn.Module:
    def active(channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels), nn.ReLU()]

    def conv(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Module:
        return nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)

    def block(channels: int, width: int, stride: int) -> list[nn.Module]:
        main = [conv(channels, width, 1, stride), *active(width), conv(width, width, 3), *active(width)]
        main.append(conv(width, 4 * width, 1))
        if channels == 4 * width:
            return [Residual(nn.Sequential(*active(channels), *main))]
        shortcut = conv(channels, 4 * width, 1, stride)
        return [*active(channels), Residual(nn.Sequential(*main), shortcut)]

    layers, channels = [conv(3, 16, 3)], 16
    for stride, width in ((1, 16), (2, 32), (2, 64)):
        for index in range(n):
            layers += block(channels, width, 1 if index else stride)
            channels = 4 * width
    ending = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10)]
    return nn.Sequential(*layers, *active(256), *ending)


class UNet3d(nn.Module):
    """Every copy is cropped to what it is joined with, and stands in front of it."""

    def __init__(self) -> None:
        super().__init__()

        def twice(channels: int, first: int, second: int) -> nn.Module:
            return nn.Sequential(
                *(nn.Conv3d(channels, first, 3), nn.BatchNorm3d(first, affine=False), nn.ReLU()),
                *(nn.Conv3d(first, second, 3), nn.BatchNorm3d(second, affine=False), nn.ReLU()),
            )

        widths = [64, 128, 256, 512]
        befores = [3, *widths]
        self.down = nn.ModuleList(twice(befores[i], width // 2, width) for i, width in enumerate(widths))
        self.up = nn.ModuleList()
        for width in (256, 128, 64):
            self.up += [
                nn.ConvTranspose3d(2 * width, 2 * width, 2, 2, bias=False),
                twice(3 * width, width, width),
            ]
        self.last = nn.Conv3d(64, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        copies = []
        for level, convolutions in enumerate(self.down):
            x = convolutions(nn.functional.max_pool3d(x, 2) if level else x)
            copies.append(x)
        copies.pop()
        for upward, convolutions in zip(self.up[::2], self.up[1::2], strict=True):
            x, copy = upward(x), copies.pop()
            for axis in (2, 3, 4):
                copy = copy.narrow(axis, (copy.shape[axis] - x.shape[axis]) // 2, x.shape[axis])
            x = convolutions(torch.cat([copy, x], dim=1))
        out: Tensor = self.last(x)
        return out


def dcgan_generator() -> nn.Module:
    layers: list[nn.Module] = [nn.ConvTranspose2d(100, 512, 4, bias=False)]
    for channels in (512, 256, 128, 64):
        after = channels // 2 if channels > 64 else 3
        layers += [
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.ConvTranspose2d(channels, after, 4, 2, 1, bias=False),
        ]
    return nn.Sequential(*layers, nn.Tanh())


def dcgan_discriminator() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for channels in (64, 128, 256):
        after = 2 * channels
        layers += [nn.Conv2d(channels, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(512, 1, 4, bias=False), nn.Sigmoid())


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lenet_300_100": lenet_300_100,
    "zfnet": zfnet,
    "fcn32s_vgg16": partial(FCN, 32),
    "fcn16s_vgg16": partial(FCN, 16),
    "fcn8s_vgg16": partial(FCN, 8),
    "preact_resnet164_cifar": partial(preact_resnet_cifar, 18),
    "unet3d": UNet3d,
    "dcgan_generator": dcgan_generator,
    "dcgan_discriminator": dcgan_discriminator,
}
