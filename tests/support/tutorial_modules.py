"""The tutorials' PyTorch networks that run, as somebody else would write them: the same layers, other code.

Each has the bundled spec that says what the printed one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  (as everybody writes it)
from torch import Tensor, nn


class TanhLeNet(nn.Module):
    """Three convolutions and two linear layers, one pooling module between them, all through tanh."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = nn.ModuleList([nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)])
        self.halve = nn.AvgPool2d(2)
        self.hidden, self.digits = nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, image: Tensor) -> Any:
        x = image
        for number, window in enumerate(self.windows):
            x = torch.tanh(window(self.halve(x) if number else x))
        return self.digits(torch.tanh(self.hidden(x.view(len(x), -1)))).softmax(dim=1)


class UnpaddedAlexNet(nn.Module):
    """AlexNet whose first convolution does not pad, its settings in a table."""

    SETTINGS = (
        (3, 96, 11, 4, 0),
        (96, 256, 5, 1, 2),
        (256, 384, 3, 1, 1),
        (384, 384, 3, 1, 1),
        (384, 256, 3, 1, 1),
    )
    POOLED = (0, 1, 4)

    def __init__(self) -> None:
        super().__init__()
        for number, (inward, outward, kernel, stride, padding) in enumerate(self.SETTINGS):
            self.add_module(f"filters{number}", nn.Conv2d(inward, outward, kernel, stride, padding))
        self.answers = nn.ModuleList([nn.Linear(6400, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 1000)])

    def forward(self, x: Tensor) -> Any:
        for number in range(len(self.SETTINGS)):
            x = F.relu(getattr(self, f"filters{number}")(x))
            if number in self.POOLED:
                x = F.max_pool2d(x, kernel_size=3, stride=2)
        x = torch.flatten(x, start_dim=1)
        *hidden, last = self.answers
        for layer in hidden:
            x = F.dropout(F.relu(layer(x)), p=0.5, training=self.training)
        return torch.softmax(last(x), 1)


class RepeatedVgg(nn.Module):
    """A VGG by a plan: which convolution stands where, some of them several times with the same weights."""

    def __init__(self, widths: Sequence[int], plan: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.filters = nn.ModuleList(nn.Conv2d(*pair, 3, padding=1) for pair in pairwise(widths))
        self.plan = plan
        self.pooled = nn.MaxPool2d(2, 2)
        self.head = nn.ModuleDict(
            {"first": nn.Linear(25088, 4096), "second": nn.Linear(4096, 4096), "last": nn.Linear(4096, 1000)}
        )

    def forward(self, x: Tensor) -> Any:
        for stage in self.plan:
            for number in stage:
                x = self.filters[number](x).relu()
            x = self.pooled(x)
        x = x.reshape(x.shape[0], -1)
        for name, layer in self.head.items():
            x = layer(x) if name == "last" else F.relu(layer(x), inplace=True)
        return F.softmax(x, dim=-1)


class Rectified(nn.Conv2d):
    """A convolution and its ReLU in one class, by inheritance."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


class FourWays(nn.Module):
    """Inception's block: four ways side by side, what they take and give in six numbers."""

    def __init__(
        self, inward: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int
    ) -> None:
        super().__init__()
        self.straight = Rectified(inward, one, 1)
        self.by_three = nn.Sequential(Rectified(inward, three[0], 1), Rectified(*three, 3, padding=1))
        self.by_five = nn.Sequential(Rectified(inward, five[0], 1), Rectified(*five, 5, padding=2))
        self.largest = Rectified(inward, pooled, 1)

    def forward(self, x: Tensor) -> Any:
        around = F.max_pool2d(x, 3, stride=1, padding=1)
        return torch.cat((self.straight(x), self.by_three(x), self.by_five(x), self.largest(around)), dim=1)


class LuckyGoogLeNet(nn.Module):
    """GoogLeNet with training heads that lack a flatten: what they find is computed and thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.begin = nn.ModuleList(
            [Rectified(3, 64, 7, 2, 3), Rectified(64, 64, 1), Rectified(64, 192, 3, 1, 1)]
        )
        self.early = nn.Sequential(
            FourWays(192, 64, (96, 128), (16, 32), 32), FourWays(256, 128, (128, 192), (32, 96), 64)
        )
        self.middle = FourWays(480, 192, (96, 208), (16, 48), 64)
        self.late = nn.Sequential(
            FourWays(512, 160, (112, 224), (24, 64), 64),
            FourWays(512, 128, (128, 256), (24, 64), 64),
            FourWays(512, 112, (144, 288), (32, 64), 64),
        )
        self.wide = FourWays(528, 256, (160, 320), (32, 128), 128)
        self.end = nn.Sequential(
            FourWays(832, 256, (160, 320), (32, 128), 128), FourWays(832, 384, (192, 384), (48, 128), 128)
        )
        self.aside = nn.ModuleList([self.head(512, 0), self.head(528, 1)])
        self.guess, self.again = nn.Linear(1024, 1000), nn.Linear(1000, 1000)

    @staticmethod
    def head(inward: int, padding: int) -> nn.Sequential:
        return nn.Sequential(
            nn.AvgPool2d(5, 3, padding),
            Rectified(inward, 128, 1),
            nn.Linear(4, 1024),
            nn.ReLU(),
            nn.Linear(1024, 1000),
            nn.Softmax(dim=1),
        )

    @staticmethod
    def halved(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2, 1)

    def forward(self, x: Tensor) -> Any:
        first, second, third = self.begin
        x = self.halved(third(second(self.halved(first(x)))))
        x = self.middle(self.halved(self.early(x)))
        _ = self.aside[0](x)
        x = self.late(x)
        _ = self.aside[1](x)
        x = F.avg_pool2d(self.end(self.halved(self.wide(x))), (7, 7), stride=1).flatten(1)
        x = nn.Dropout(0.4)(self.guess(x).relu_())
        return self.again(x).softmax(1)


class GreyAlexNet(nn.Module):
    """torchvision's AlexNet on one channel, in one chain."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.see = nn.Sequential(*self.windows())
        self.say = nn.Sequential(
            nn.Dropout(),
            nn.Linear(9216, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, classes),
        )

    @staticmethod
    def windows() -> Iterator[nn.Module]:
        yield from (nn.Conv2d(1, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2))
        yield from (nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2))
        for inward, outward in ((192, 384), (384, 256), (256, 256)):
            yield from (nn.Conv2d(inward, outward, 3, padding="same"), nn.ReLU())
        yield nn.MaxPool2d(3, 2)

    def forward(self, x: Tensor) -> Any:
        x = F.adaptive_avg_pool2d(self.see(x), 6)
        return self.say(x.view(x.size(0), x.size(1) * 36))


def grey_vgg11() -> nn.Sequential:
    """Return a VGG of five blocks as a function makes it, for ten classes."""
    layers: list[nn.Module] = []
    inward = 1
    for count, outward in ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)):
        for _ in range(count):
            layers += [nn.Conv2d(inward, outward, 3, padding=1), nn.ReLU()]
            inward = outward
        layers.append(nn.MaxPool2d(2))
    sizes = (inward * 7 * 7, 4096, 4096, 10)
    layers.append(nn.Flatten())
    for index in range(3):
        layers.append(nn.Linear(sizes[index], sizes[index + 1]))
        layers += [nn.ReLU(), nn.Dropout()] if index < 2 else []
    return nn.Sequential(*layers)


class GreyNin(nn.Module):
    """Network in network: every window followed by two of size one, and the largest answer of each map."""

    def __init__(self) -> None:
        super().__init__()
        windows = ((1, 96, 11, 4, 0), (96, 256, 5, 1, 2), (256, 384, 3, 1, 1), (384, 10, 3, 1, 1))
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(*window), *(nn.Conv2d(window[1], window[1], 1) for _ in range(2))])
            for window in windows
        )

    def forward(self, x: Tensor) -> Any:
        for number, block in enumerate(self.blocks):
            assert isinstance(block, nn.ModuleList)
            for window in block:
                x = F.relu(window(x))
            if number < 3:
                x = F.max_pool2d(x, 3, stride=2)
            if number == 2:
                x = F.dropout2d(x, training=self.training)
        return x.amax(dim=(2, 3))


class FourWaysLate(nn.Module):
    """The same block with its ReLUs in the forward."""

    def __init__(
        self, inward: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int
    ) -> None:
        super().__init__()
        self.small = nn.ModuleList(nn.Conv2d(inward, width, 1) for width in (one, three[0], five[0], pooled))
        self.large = nn.ModuleList([nn.Conv2d(*three, 3, padding=1), nn.Conv2d(*five, 5, padding=2)])
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Any:
        one, three, five = (torch.relu(conv(x)) for conv in [*self.small][:3])
        wide = [torch.relu(conv(narrow)) for conv, narrow in zip(self.large, (three, five), strict=True)]
        return torch.cat([one, *wide, torch.relu(self.small[3](self.pool(x)))], 1)


class GreyGoogLeNet(nn.Module):
    """GoogLeNet for small grey pictures; a number in the list stands for a pooling."""

    ROWS: tuple[Any, ...] = (
        (192, 64, (96, 128), (16, 32), 32),
        (256, 128, (128, 192), (32, 96), 64),
        2,
        (480, 192, (96, 208), (16, 48), 64),
        (512, 160, (112, 224), (24, 64), 64),
        (512, 128, (128, 256), (24, 64), 64),
        (512, 112, (144, 288), (32, 64), 64),
        (528, 256, (160, 320), (32, 128), 128),
        2,
        (832, 256, (160, 320), (32, 128), 128),
        (832, 384, (192, 384), (48, 128), 128),
    )

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(1, 64, 7, 2, 3)
        self.point = nn.Conv2d(64, 64, 1)
        self.three = nn.Conv2d(64, 192, 3, padding=1)
        self.rows = nn.ModuleList(
            nn.MaxPool2d(3, row, padding=1) if isinstance(row, int) else FourWaysLate(*row)
            for row in self.ROWS
        )
        self.classes = nn.Linear(1024, 10)

    def forward(self, x: Tensor) -> Any:
        x = F.max_pool2d(self.wide(x).relu(), 3, 2, padding=1)
        x = F.max_pool2d(self.three(self.point(x).relu()), 3, 2, padding=1)
        for row in self.rows:
            x = row(x)
        return self.classes(F.adaptive_max_pool2d(x, 1)[:, :, 0, 0])


class Grown(nn.Module):
    """A block of DenseNet: what arrives with what four small layers find, each of all before it."""

    def __init__(self, inward: int, growth: int = 32, count: int = 4) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(inward + growth * one) for one in range(count))
        self.convs = nn.ModuleList(
            nn.Conv2d(inward + growth * one, growth, 3, padding=1) for one in range(count)
        )

    def forward(self, x: Tensor) -> Any:
        found = [x]
        for norm, conv in zip(self.norms, self.convs, strict=True):
            found.append(conv(F.relu(norm(torch.cat(found, dim=1)))))
        return torch.cat(found, dim=1)


class GreyDenseNet(nn.Module):
    """DenseNet for grey pictures of 96 pixels, which it brings into that shape itself."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        channels = 64
        stages: list[nn.Module] = []
        for number in range(4):
            stages.append(Grown(channels))
            channels += 4 * 32
            if number < 3:
                between = (
                    nn.BatchNorm2d(channels),
                    nn.ReLU(),
                    nn.Conv2d(channels, channels // 2, 1),
                    nn.AvgPool2d(2),
                )
                stages += between
                channels //= 2
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(channels)
        self.classes = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.stages(self.enter(x.view(-1, 1, *x.shape[2:])))
        return self.classes(torch.flatten(F.adaptive_max_pool2d(F.relu(self.norm(x)), (1, 1)), 1))


def normed_lenet() -> nn.Sequential:
    """Return LeNet with batch normalization and sigmoids, its halves named."""
    see = nn.Sequential()
    for number, (inward, outward) in enumerate(((1, 6), (6, 16))):
        see.add_module(f"filter{number}", nn.Conv2d(inward, outward, (5, 5)))
        see.add_module(f"norm{number}", nn.BatchNorm2d(outward))
        see.add_module(f"bend{number}", nn.Sigmoid())
        see.add_module(f"mean{number}", nn.AvgPool2d(2))
    say = nn.Sequential(
        *(nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.Sigmoid()) for a, b in ((256, 120), (120, 84)))
    )
    return nn.Sequential(see, nn.Flatten(), say, nn.Linear(84, 10))


def repeated_vgg16() -> nn.Module:
    """Return the first tutorial's VGG-16, where eight convolutions do the work of thirteen."""
    widths = (3, 64, 64, 128, 128, 256, 256, 512, 512)
    return RepeatedVgg(widths, ((0, 1), (2, 3), (4, 5, 5), (6, 7, 7), (7, 7, 7)))


def repeated_vgg19() -> nn.Module:
    """Return its VGG-19, where seven do."""
    widths = (3, 64, 128, 128, 256, 256, 512, 512)
    return RepeatedVgg(widths, ((0, 1), (2, 3), (4, 5), (6, 6, 6, 6), (6, 6, 6, 6)))


TUTORIALS: dict[str, Callable[[], nn.Module]] = {
    "torch_lenet5": TanhLeNet,
    "torch_alexnet": UnpaddedAlexNet,
    "torch_vgg16": repeated_vgg16,
    "torch_vgg19": repeated_vgg19,
    "torch_inception_v1": LuckyGoogLeNet,
    "fashion_alexnet": GreyAlexNet,
    "fashion_vgg11": grey_vgg11,
    "fashion_nin": GreyNin,
    "fashion_googlenet": GreyGoogLeNet,
    "fashion_densenet": GreyDenseNet,
    "fashion_lenet_bn": normed_lenet,
}
"""By the name of the bundled spec. The Inception-v3 of the first tutorial does not run, and its spec says where."""
