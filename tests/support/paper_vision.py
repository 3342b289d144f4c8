"""Mixer, UNet++, HRNet and the networks of readers and detectors, written in torch from papers or built by torchvision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torchvision.models.detection import retinanet_resnet50_fpn
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from tests.support.paper_inceptions import Residual
from tests.support.paper_residuals import conv_bn


class Perceptron(nn.Module):
    """Two layers on an axis of the patches and features, behind a normalisation, added to their input."""

    def __init__(self, size: int, hidden: int, features: int, *, over_patches: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features, eps=1e-6)
        self.layers = nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size))
        self.over_patches = over_patches

    def forward(self, x: Tensor) -> Tensor:
        inside = self.norm(x)
        mixed = self.layers(inside.mT).mT if self.over_patches else self.layers(inside)
        return x + torch.as_tensor(mixed)


class Mixer(nn.Module):
    def __init__(self, side: int = 224) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 768, 16, 16)
        patches = (side // 16) ** 2
        layers: list[nn.Module] = []
        for _ in range(12):
            layers.append(Perceptron(patches, 384, 768, over_patches=True))
            layers.append(Perceptron(768, 3072, 768, over_patches=False))
        self.layers = nn.Sequential(*layers, nn.LayerNorm(768, eps=1e-6))
        self.head = nn.Linear(768, 1000)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.layers(self.stem(x).flatten(2).mT).mean(1))
        return scores


def _twice(channels: int, width: int) -> nn.Module:
    layers: list[nn.Module] = []
    for before in (channels, width):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(), nn.Dropout()]
    return nn.Sequential(*layers)


class UNetPlusPlus(nn.Module):
    """Maps by their column and level; those of the first column are the encoder's."""

    def __init__(self) -> None:
        super().__init__()
        widths = (32, 64, 128, 256, 512)
        self.raise_, self.units = nn.ModuleDict(), nn.ModuleDict()
        for column in range(5):
            for level in range(5 - column):
                width, below = widths[level], widths[min(level + 1, 4)]
                channels = (column + 1) * width if column else (1, *widths)[level]
                if column:
                    self.raise_[f"{column}{level}"] = nn.ConvTranspose2d(below, width, 2, 2)
                self.units[f"{column}{level}"] = _twice(channels, width)
        self.scores = nn.Conv2d(32, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        levels: list[list[Tensor]] = [[] for _ in range(5)]
        for name, unit in self.units.items():
            column, level = map(int, name)
            if column:
                raised = self.raise_[name](levels[level + 1][column - 1])
                x = torch.cat([*levels[level], raised], 1)
            elif level:
                x = nn.functional.max_pool2d(levels[level - 1][0], 2)
            levels[level].append(unit(x))
        return torch.sigmoid(self.scores(levels[0][-1]))


class Added(nn.Module):
    """A residual block of HRNet: two 3x3 convolutions, or a bottleneck."""

    def __init__(self, channels: int, width: int, *, narrow: int = 0) -> None:
        super().__init__()
        if narrow:
            parts = [conv_bn(channels, narrow, 1), nn.ReLU(), conv_bn(narrow, narrow, 3), nn.ReLU()]
            self.main = nn.Sequential(*parts, conv_bn(narrow, width, 1))
        else:
            self.main = nn.Sequential(conv_bn(channels, width, 3), nn.ReLU(), conv_bn(width, width, 3))
        self.shortcut = nn.Identity() if channels == width else conv_bn(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.main(x) + self.shortcut(x))


class Exchange(nn.Module):
    """Four blocks on every map, then to every map the sum of all."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        widths = [32 * 2**level for level in range(maps)]
        self.branches = nn.ModuleList(
            nn.Sequential(*(Added(width, width) for _ in range(4))) for width in widths
        )
        self.fuse = nn.ModuleList(nn.ModuleList(self.resized(i, j) for i in range(maps)) for j in range(maps))

    @staticmethod
    def resized(i: int, j: int) -> nn.Module:
        width = 32 * 2**i
        if j < i:
            return nn.Sequential(conv_bn(width, 32 * 2**j, 1), nn.Upsample(scale_factor=2 ** (i - j)))
        parts: list[nn.Module] = []
        for step in range(i + 1, j + 1):
            parts.append(conv_bn(width, 32 * 2**j if step == j else width, 3, 2))
            parts += [] if step == j else [nn.ReLU()]
        return nn.Sequential(*parts)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        maps = [branch(x) for branch, x in zip(self.branches, maps, strict=True)]
        results: list[Tensor] = []
        for row in self.fuse:
            assert isinstance(row, nn.ModuleList)
            terms = [resized(x) for resized, x in zip(row, maps, strict=True)]
            results.append(torch.relu(torch.stack(terms).sum(0)))
        return results


class HRNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()

        def coarser(channels: int, width: int) -> nn.Module:
            return nn.Sequential(conv_bn(channels, width, 3, 2), nn.ReLU())

        blocks = [Added(256 if index else 64, 256, narrow=64) for index in range(4)]
        self.stage1 = nn.Sequential(coarser(3, 64), coarser(64, 64), *blocks)
        self.first = nn.Sequential(conv_bn(256, 32, 3), nn.ReLU())
        self.new = nn.ModuleList([coarser(256, 64), coarser(64, 128), coarser(128, 256)])
        self.stages = nn.ModuleList(
            nn.Sequential(*(Exchange(maps) for _ in range(modules)))
            for maps, modules in ((2, 1), (3, 4), (4, 3))
        )
        narrow = (32, 64, 128, 256)
        self.widened = nn.ModuleList(Added(width, 4 * width, narrow=width) for width in narrow)
        self.joined = nn.ModuleList(
            nn.Sequential(nn.Conv2d(4 * width, 8 * width, 3, 2, 1), nn.BatchNorm2d(8 * width), nn.ReLU())
            for width in narrow[:-1]
        )
        last = [nn.Conv2d(1024, 2048, 1), nn.BatchNorm2d(2048), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
        self.last = nn.Sequential(*last, nn.Flatten(), nn.Linear(2048, 1000))

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage1(x)
        maps = [self.first(x)]
        for new, stage in zip(self.new, self.stages, strict=True):
            maps.append(new(x if len(maps) == 1 else maps[-1]))
            maps = stage(maps)
        wide = [widened(x) for widened, x in zip(self.widened, maps, strict=True)]
        x = wide[0]
        for joined, other in zip(self.joined, wide[1:], strict=True):
            x = joined(x) + other
        scores: Tensor = self.last(x)
        return scores


class RecurrentLayer(nn.Module):
    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, 256, bidirectional=True, batch_first=True)
        self.linear = nn.Linear(512, features)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(self.lstm(x)[0])
        return result


class CRNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        pools: dict[int, nn.Module] = dict.fromkeys((0, 1), nn.MaxPool2d(2))
        pools |= dict.fromkeys((3, 5), nn.MaxPool2d(2, (2, 1), (0, 1)))
        for index, width in enumerate((64, 128, 256, 256, 512, 512, 512)):
            layers.append(nn.Conv2d(channels, width, 2 if index == 6 else 3, padding=int(index < 6)))
            layers += [nn.BatchNorm2d(width)] if index in (2, 4, 6) else []
            layers += [nn.ReLU(), *([pools[index]] if index in pools else [])]
            channels = width
        self.convolutions = nn.Sequential(*layers)
        self.recurrent = nn.Sequential(RecurrentLayer(512, 256), RecurrentLayer(256, 37))

    def forward(self, x: Tensor) -> Tensor:
        columns: Tensor = self.convolutions(x)
        assert columns.shape[2] == 1
        scores: Tensor = self.recurrent(columns.squeeze(2).mT)
        return scores


def _dark(channels: int, width: int, kernel: int, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.LeakyReLU(0.1))


class YOLOv3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stages, self.features, self.detect, self.narrow = (nn.ModuleList() for _ in range(4))
        for width, depth in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
            blocks = [
                Residual(nn.Sequential(_dark(width, width // 2, 1), _dark(width // 2, width, 3)))
                for _ in range(depth)
            ]
            self.stages.append(nn.Sequential(_dark(width // 2, width, 3, 2), *blocks))
        for width, channels in ((512, 1024), (256, 768), (128, 384)):
            five = [_dark(width if index else channels, width, 1) for index in range(3)]
            wide = [_dark(width, 2 * width, 3) for _ in range(2)]
            five[1:] = [_dark(2 * width, width, 1) for _ in range(2)]
            self.features.append(nn.Sequential(five[0], wide[0], five[1], wide[1], five[2]))
            self.detect.append(nn.Sequential(_dark(width, 2 * width, 3), nn.Conv2d(2 * width, 255, 1)))
            self.narrow.append(nn.Sequential(_dark(width, width // 2, 1), nn.Upsample(scale_factor=2)))
        del self.narrow[2]
        self.stem = _dark(3, 32, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(x)
        earlier = []
        for stage in self.stages:
            x = stage(x)
            earlier.append(x)
        boxes = []
        for level, (features, detect) in enumerate(zip(self.features, self.detect, strict=True)):
            if level:
                x = torch.cat([self.narrow[level - 1](x), earlier[-1 - level]], 1)
            x = features(x)
            boxes.append(detect(x))
        return tuple(reversed(boxes))


class RetinaNet(nn.Module):
    """torchvision's, without the steps that choose and clip boxes; its normalisations as they are when it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.network = retinanet_resnet50_fpn(weights=None, weights_backbone=None)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        results: dict[str, Tensor] = self.network.head([*self.network.backbone(x).values()])
        return results


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mixer_b_16": Mixer,
    "unet_plus_plus": UNetPlusPlus,
    "hrnet_w32": HRNet,
    "crnn": CRNN,
    "yolov3": YOLOv3,
    "retinanet": RetinaNet,
    "mask_rcnn_backbone": lambda: resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=nn.BatchNorm2d
    ),
}
