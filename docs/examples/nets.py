"""The modules of the README: one that does not fit, and the same repaired."""

import torch
from torch import Tensor, nn


class Net(nn.Module):
    """A small classifier whose last layer was written for another image size."""

    features_of_the_map = 1024

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Linear(self.features_of_the_map, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return ten scores for an image."""
        x = torch.flatten(self.features(x), 1)
        scores: Tensor = self.classifier(x)
        return scores


class Repaired(Net):
    """The same with the number that `shapecalc check` proposes."""

    features_of_the_map = 800
