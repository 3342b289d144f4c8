"""pix2pix, WaveNet and the U-Net of DDPM, written in torch directly from their papers and their authors' code."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class PatchGAN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(6, 64, 4, 2, 1), nn.LeakyReLU(0.2)]
        for channels, stride in ((64, 2), (128, 2), (256, 1)):
            layers.append(nn.Conv2d(channels, 2 * channels, 4, stride, 1, bias=False))
            layers += [nn.BatchNorm2d(2 * channels), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(512, 1, 4, 1, 1))

    def forward(self, condition: Tensor, image: Tensor) -> Tensor:
        scores: Tensor = self.layers(torch.cat([condition, image], 1))
        return scores


class Level(nn.Module):
    """A level of the generator: half the size, what is inside, twice the size; joined with its input but at the top."""

    def __init__(self, level: int, channels: int, width: int, inside: nn.Module | None) -> None:
        super().__init__()
        self.is_top = level == 0
        down: list[nn.Module] = [] if self.is_top else [nn.LeakyReLU(0.2)]
        down.append(nn.Conv2d(channels, width, 4, 2, 1, bias=False))
        down += [nn.BatchNorm2d(width)] if level and inside else []
        up: list[nn.Module] = [nn.ReLU()]
        joined = 2 * width if inside else width
        up.append(nn.ConvTranspose2d(joined, channels, 4, 2, 1, bias=self.is_top))
        up.append(nn.Tanh() if self.is_top else nn.BatchNorm2d(channels))
        if 3 < level < 7:
            up.append(nn.Dropout())
        self.layers = nn.Sequential(*down, *([inside] if inside else []), *up)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(x)
        return result if self.is_top else torch.cat([x, result], 1)


def pix2pix_generator() -> nn.Module:
    widths = (3, 64, 128, 256, 512, 512, 512, 512, 512)
    net: nn.Module | None = None
    for level in range(7, -1, -1):
        net = Level(level, widths[level], widths[level + 1], net)
    assert net is not None
    return net


class GatedLayer(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.pad = nn.ZeroPad1d((dilation, 0))
        self.filter, self.gate = (nn.Conv1d(32, 32, 2, dilation=dilation) for _ in range(2))
        self.skip, self.residual = nn.Conv1d(32, 512, 1), nn.Conv1d(32, 32, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        past = self.pad(x)
        gated = torch.tanh(self.filter(past)) * torch.sigmoid(self.gate(past))
        return self.skip(gated), x + self.residual(gated)


class WaveNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.ZeroPad1d((1, 0)), nn.Conv1d(256, 32, 2, bias=False))
        self.layers = nn.ModuleList(GatedLayer(2 ** (index % 10)) for index in range(50))
        self.last = nn.Sequential(nn.ReLU(), nn.Conv1d(512, 512, 1), nn.ReLU(), nn.Conv1d(512, 256, 1))

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.first(x), []
        for layer in self.layers:
            skip, x = layer(x)
            skips.append(skip)
        scores: Tensor = self.last(torch.stack(skips).sum(0))
        return scores


def _normed(channels: int, *, last: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.GroupNorm(32, channels, eps=1e-6), nn.SiLU(), last)


class TimedBlock(nn.Module):
    """A residual block that adds a vector made from the time, maybe with attention behind it."""

    def __init__(self, channels: int, width: int, *, attend: bool) -> None:
        super().__init__()
        self.before = _normed(channels, last=nn.Conv2d(channels, width, 3, padding=1))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(512, width))
        self.after = _normed(
            width, last=nn.Sequential(nn.Dropout(0.1), nn.Conv2d(width, width, 3, padding=1))
        )
        self.shortcut = nn.Identity() if channels == width else nn.Conv2d(channels, width, 1)
        self.norm = nn.GroupNorm(32, width, eps=1e-6) if attend else None
        self.query, self.key, self.value, self.out = (
            nn.Conv2d(width, width, 1) if attend else nn.Identity() for _ in range(4)
        )

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        inside = self.before(x) + self.time(time)[:, :, None, None]
        x = self.shortcut(x) + self.after(inside)
        if self.norm is None:
            return x
        normed = self.norm(x)
        query, key, value = (part(normed).flatten(2) for part in (self.query, self.key, self.value))
        weights = torch.softmax(query.mT @ key / x.shape[1] ** 0.5, -1)
        return x + torch.as_tensor(self.out((value @ weights.mT).unflatten(2, x.shape[2:])))


class DDPM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(128, 512), nn.SiLU(), nn.Linear(512, 512))
        self.first = nn.Conv2d(3, 128, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        channels, kept = 128, [128]
        for level, width in enumerate((128, 256, 256, 256)):
            for _ in range(2):
                self.down.append(TimedBlock(channels, width, attend=level == 1))
                channels = width
                kept.append(channels)
            if level < 3:
                self.down.append(nn.Conv2d(channels, channels, 3, 2, 1))
                kept.append(channels)
        self.middle = nn.ModuleList([TimedBlock(256, 256, attend=True), TimedBlock(256, 256, attend=False)])
        for level, width in ((3, 256), (2, 256), (1, 256), (0, 128)):
            for _ in range(3):
                self.up.append(TimedBlock(channels + kept.pop(), width, attend=level == 1))
                channels = width
            if level:
                enlarged = nn.Upsample(scale_factor=2)
                self.up.append(nn.Sequential(enlarged, nn.Conv2d(channels, channels, 3, padding=1)))
        self.last = _normed(128, last=nn.Conv2d(128, 3, 3, padding=1))

    def forward(self, image: Tensor, time: Tensor) -> Tensor:
        time, x = self.time(time), self.first(image)
        kept = [x]
        for part in self.down:
            x = part(x, time) if isinstance(part, TimedBlock) else part(x)
            kept.append(x)
        for part in self.middle:
            x = part(x, time)
        for part in self.up:
            x = part(torch.cat([x, kept.pop()], 1), time) if isinstance(part, TimedBlock) else part(x)
        result: Tensor = self.last(x)
        return result


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "pix2pix_discriminator": PatchGAN,
    "pix2pix_generator": pix2pix_generator,
    "wavenet": WaveNet,
    "ddpm_cifar10": DDPM,
}
