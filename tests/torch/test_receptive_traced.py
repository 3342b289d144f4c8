"""Receptive fields of networks that come from torch: against the gradients of the module itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
import torchvision
from torch import Tensor, nn

from shapecalc import Model, from_torch
from shapecalc.engine.receptive import receptive
from shapecalc.layers import Conv1d
from shapecalc.report.report import Report
from tests.support.seen_by_torch import check_part

torch.set_num_threads(1)


class Branches(nn.Module):
    """A dilated branch beside a short one, joined; functional calls and operators in between."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3, stride=2, padding=1)
        self.far = nn.Conv2d(2, 2, 3, padding=4, dilation=4)
        self.near = nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        return nn.functional.avg_pool2d(torch.cat([self.far(x), torch.exp(-self.near(x))], 1), 3, 2)


class Shifted(nn.Module):
    """A tensor padded at one side and cut at the other, and a learned tensor in between."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, (5, 3), padding=(2, 1))
        self.scale = nn.Parameter(torch.ones(1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        moved = nn.functional.pad(x, (3, 0, 0, 0))[..., : x.shape[-1]]
        found: Tensor = self.conv(moved * self.scale) + 2 * x
        return found


class UpAndDown(nn.Module):
    """An hourglass with a transposed convolution, whose windows differ from position to position."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 2, 4, stride=4)
        self.up = nn.ConvTranspose2d(2, 1, 6, stride=4, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.up(self.down(x))
        return found


class Attending(nn.Module):
    """Patches as words, attention between them, a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 4, stride=4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        words = self.patches(x).flatten(2).transpose(1, 2)
        found: Tensor = words + self.attention(words, words, words, need_weights=False)[0]
        return found


class Weighed(nn.Module):
    """Squeeze and excite: a branch that sees all of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.weigh = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * torch.sigmoid(self.weigh(x.mean((2, 3))))[:, :, None, None]


def positive(module: nn.Module) -> nn.Module:
    """Give a module weights that cancel nothing out."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            fan_in = parameter[0].numel() if parameter.dim() > 1 else 1
            parameter.copy_((torch.rand(parameter.shape) + 0.5) / fan_in)
    return module.double().eval()


@pytest.mark.parametrize("make", [Branches, Shifted, UpAndDown, Attending, Weighed])
def test_fields_of_traced_modules_are_the_support_of_their_gradients(make: Callable[[], nn.Module]) -> None:
    report = from_torch(make(), input=(1, 36, 28)).analyze()
    x = (torch.rand(1, 1, 36, 28, dtype=torch.float64) + 0.5).requires_grad_()
    y = positive(make())(x)
    seen = receptive(report.inference, [*report.inputs.values()], 1)[report.nodes[-1]._graph_node.first_slot]
    assert [*seen] == [(0, 2), (0, 3)]
    for (_, axis), parts in seen.items():
        assert parts is not None
        assert len(parts) == 1
        assert check_part(parts[0], y, x, axis)


@pytest.mark.parametrize("name", ["regnet_x_400mf", "resnet18", "mobilenet_v2"])
def test_the_beginning_of_a_network_of_torchvision(name: str) -> None:
    """RegNet's builder asks tensors for their numbers, so that it has to be built with memory."""
    whole = torchvision.models.get_model(name, weights=None)
    parts = {
        "regnet_x_400mf": lambda: [whole.stem, whole.trunk_output.block1],
        "resnet18": lambda: [whole.conv1, whole.bn1, whole.relu, whole.maxpool, whole.layer1],
        "mobilenet_v2": lambda: [*whole.features[:4]],
    }
    module = nn.Sequential(*parts[name]())
    report = from_torch(module, input=(3, 72, 64)).analyze()
    x = (torch.rand(1, 3, 72, 64, dtype=torch.float64) + 0.5).requires_grad_()
    y = positive(module)(x)
    seen = receptive(report.inference, [*report.inputs.values()], 1)[report.nodes[-1]._graph_node.first_slot]
    for (_, axis), found in seen.items():
        assert found is not None
        assert len(found) == 1
        assert check_part(found[0], y, x, axis)


def test_shifted_branches_are_flagged() -> None:
    node = from_torch(Shifted(), input=(1, 36, 28)).analyze().nodes[-1]
    assert node.field is not None
    assert str(node.field) == "5x5 s1 @-2x-4 misaligned"


def last_place(report: Report) -> str:
    """Return the field of the last layer in front of what sees the whole input."""
    told = [str(node.field) for node in report.nodes if node.field is not None]
    return [one for one in told if one != "whole input" and " s" in one][-1]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("resnet50", "427x427 s32 @-213 > input"),
        pytest.param("densenet121", "2,071x2,071 s32 @-1021 > input", marks=pytest.mark.ci),
        ("mobilenet_v2", "491x491 s32 @-245 > input"),
    ],
)
def test_torchvision(name: str, field: str) -> None:
    """427 is what Araujo's code gives for torchvision's ResNet-50; the others are those of a chain of windows."""
    with torch.device("meta"):
        module = torchvision.models.get_model(name, weights=None).eval()
    report = from_torch(module, input=(3, 224, 224)).analyze()
    assert report.fields_unknown == []
    assert last_place(report) == field
    free = from_torch(module, input=(3, 224, 224)).analyze(symbolic=("H", "W"))
    assert last_place(free) == field.removesuffix(" > input")


class Rolled(nn.Module):
    """Positions moved around, which no rule tells."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(torch.roll(x, 2, -1))
        return found


def test_what_moves_elements_is_not_taken_for_a_function_of_each() -> None:
    report = from_torch(Rolled(), input=(1, 36, 28)).analyze()
    assert report.nodes[-1].field is None
    assert report.fields_unknown == ["roll (elementwise)", "conv (conv2d)"]


class Placed(nn.Module):
    """A learned tensor that is computed with before it meets the input."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.zeros(1, 36, 28))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.tanh(self.places)


def test_a_learned_tensor_sees_nothing() -> None:
    report = from_torch(Placed(), input=(1, 36, 28)).analyze()
    told = {node.kind: str(node.field) for node in report.nodes}
    assert told["parameter"] == told["tanh"] == "nothing"
    assert told["add"] == "1x1 s1 @0"
    assert report.fields_unknown == []
    assert report.layer("places").to_dict(receptive_fields=True)["field"]["nothing"] is True


def seconds(layers: int) -> float:
    report = Model(
        name="chain", input=(1, 64), layers=[Conv1d(out_channels=1, kernel_size=3, padding=1)] * layers
    )
    nodes = report.analyze().nodes
    start = time.process_time()
    assert nodes[-1].field is not None
    assert nodes[-1].field.size == (2 * layers + 1,)
    return time.process_time() - start


def test_the_cost_is_linear_in_the_network() -> None:
    """Five times the layers take about five times as long; a rule with a square would take 25 times."""
    few, many = min(seconds(2_000) for _ in range(3)), min(seconds(10_000) for _ in range(2))
    assert many < 12 * few
