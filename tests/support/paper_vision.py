"""Mixer, detectors' backbones, HRNet, UNet++ and others, written in torch directly from their papers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


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


NETWORKS: dict[str, Callable[[], nn.Module]] = {"mixer_b_16": Mixer}
