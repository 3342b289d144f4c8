"""A network with a mistake, for docs/torch.md."""

from torch import Tensor, nn


class Net(nn.Module):
    """Two parts, of which the second takes other features than the first gives."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(1440, 10))

    def forward(self, x: Tensor) -> Tensor:
        """Return the classes."""
        result: Tensor = self.classifier(self.features(x))
        return result
