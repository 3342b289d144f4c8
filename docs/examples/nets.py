"""The modules of the documents: one that does not fit, the same repaired, and one exported to ONNX."""

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


class Skip(nn.Module):
    """A pooling that rounds up, a transposed convolution, and a skip connection: skip.onnx is its file."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, padding=1)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.inner = nn.Conv2d(8, 16, 3, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, 2)
        self.out = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return four scores for each pixel."""
        skip = torch.relu(self.down(x))
        inner = torch.relu(self.inner(self.pool(skip)))
        result: Tensor = self.out(torch.cat([skip, self.up(inner)], 1))
        return result
