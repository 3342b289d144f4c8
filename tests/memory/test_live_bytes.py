"""Live bytes of modules, to the byte, beside what eager torch has alive on the meta device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, gelu, relu, silu

import shapecalc
from shapecalc.algebra import Expr
from shapecalc.memory.measure_memory import memory_use
from shapecalc.memory.memory_use import MemoryUse, Setting
from shapecalc.model import Model
from tests.support.live_bytes import OPTIMIZERS, inference_peak, training_peak


class Residual(nn.Module):
    """A sum, written over its first operand, with a projection beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True)
        )
        self.last = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
        self.beside = nn.Conv2d(4, 8, 1, stride=2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        identity = self.beside(x)
        out = self.last(self.body(x))
        out += identity
        result: Tensor = self.relu(out)
        return result


class Dense(nn.Module):
    """Every result is kept in a list until the end."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(4 + 3 * n), nn.ReLU(), nn.Conv2d(4 + 3 * n, 3, 3, padding=1))
            for n in range(3)
        )

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        return torch.cat(features, 1)


class KeptByACaller(nn.Module):
    """The input of a stage is a variable of its caller, which lives while all of the stage runs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(4, 16, 3, padding=1)
        self.stage = nn.Sequential(*[nn.Conv2d(16, 16, 3, padding=1) for _ in range(3)])

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.stage(torch.sigmoid(self.stem(x)))
        return result


class Views(nn.Module):
    """Views make no storage, a copy of one does; and a variable lives on."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 8, 3, padding=1)
        self.last = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x).flatten(2).transpose(1, 2)
        z = y.contiguous()
        result: Tensor = self.last(torch.tanh(z)) * 2 + y[..., :5]
        return result


class Squeeze(nn.Module):
    """A scale per channel is multiplied by what it was computed from."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 8, 3, padding=1)
        self.scale = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = silu(self.first(x))
        return x * torch.sigmoid(self.scale(adaptive_avg_pool2d(x, 1)))


class Shared(nn.Module):
    """One layer runs twice: its gradients are added up."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.GroupNorm(2, 4)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layer(self.norm(gelu(self.layer(x))))
        return result


class TwoOutputs(nn.Module):
    """Both outputs are in the loss; what is beside them is never used."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Conv2d(4, 8, 3, padding=1)
        self.one = nn.Conv2d(8, 2, 1)
        self.two = nn.Linear(8, 3)
        self.unused = nn.Linear(7, 7)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = relu(self.trunk(x))
        return {"one": self.one(x), "two": self.two(x.mean((2, 3)))}


class Frozen(nn.Module):
    """The first layer does not learn, so that nothing is saved for it."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(4, 16, 3, padding=1).requires_grad_(requires_grad=False)
        self.last = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(), nn.Conv2d(16, 4, 3))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.last(self.first(x))
        return result


class OnlyInTraining(nn.Module):
    """Its forward is another in training."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Conv2d(4, 8, 3)
        self.beside = nn.Conv2d(8, 32, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.trunk(x))
        return x + self.beside(x)[:, :8] if self.training else x


MODULES = (Residual, Dense, KeptByACaller, Views, Squeeze, Shared, TwoOutputs, Frozen, OnlyInTraining)
modules = pytest.mark.parametrize("cls", MODULES, ids=lambda cls: cls.__name__)
SHAPE = (4, 12, 12)


def imported(cls: type[nn.Module]) -> tuple[nn.Module, Model]:
    module = cls().to("meta")
    return module, shapecalc.from_torch(module, input=SHAPE)


def under_a_mode(model: Model, batch: int, optimizer: str) -> MemoryUse:
    """Return the memory of training where gradients are added up out of place."""
    witness = model.graphs.witness
    assert witness is not None
    spec: Any = witness.in_training
    inference, inputs = spec.infer_at(None, batch, symbolic=False, values={})
    setting = Setting("float32", training=True, optimizer=optimizer)
    return memory_use("", "", inference, inputs, setting, spec.graphs.witness.lifetimes, in_place=False)


@pytest.mark.sample(4)
@modules
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_inference(cls: type[nn.Module], batch: int) -> None:
    module, model = imported(cls)
    use = model.memory(batch=batch)
    assert use.complete
    assert use.is_recorded
    assert use.peak == inference_peak(module, torch.empty(batch, *SHAPE, device="meta"))


@pytest.mark.sample(3)
@modules
@pytest.mark.parametrize("optimizer", ["adamw", "momentum"])
def test_training(cls: type[nn.Module], optimizer: str) -> None:
    module, model = imported(cls)
    for batch in (2, 7):
        truth = training_peak(module, torch.empty(batch, *SHAPE, device="meta"), optimizer=optimizer)
        assert under_a_mode(model, batch, optimizer).peak == truth
        usual = model.memory(batch=batch, optimizer=optimizer).peak
        assert isinstance(usual, int)
        assert usual <= truth


@pytest.mark.sample(2)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers(optimizer: str) -> None:
    """The weights are so large that the step of the optimizer has the peak."""
    module = nn.Sequential(nn.Linear(40, 300), nn.ReLU(), nn.Linear(300, 500), nn.Linear(500, 2)).to("meta")
    use = shapecalc.from_torch(module, input=(40,)).memory(batch=2, optimizer=optimizer)
    assert use.peak == training_peak(module, torch.empty(2, 40, device="meta"), optimizer=optimizer)
    assert use.at.phase == ("backward" if optimizer in ("sgd", "momentum") else "optimizer")


@pytest.mark.sample(2)
@modules
def test_closed_forms_are_the_numbers(cls: type[nn.Module]) -> None:
    _, model = imported(cls)
    for optimizer in (None, "adamw"):
        peak = model.memory(symbolic="batch", optimizer=optimizer).peak
        numbers = {n: model.memory(batch=n, optimizer=optimizer).peak for n in (2, 3, 9)}
        assert isinstance(peak, Expr)
        assert {n: peak.subs("batch", n) for n in numbers} == numbers


class NumberOfTensors(nn.Module):
    """A single number that was computed of a tensor: the import has it in no step that reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 12)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layer(x)
        return x / y.sum()


def test_a_gradient_that_is_not_followed_is_said() -> None:
    _, model = imported(NumberOfTensors)
    assert model.memory().complete
    assert model.memory(training=True).unknown == ["div (elementwise)"]


class Attention(nn.Module):
    """The scores are large, and its scaled query lives beside them and their softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return result + x


def test_attention_in_inference() -> None:
    module = Attention().to("meta")
    model = shapecalc.from_torch(module, input=(70, 16))
    assert model.memory(batch=3).peak == inference_peak(module, torch.empty(3, 70, 16, device="meta"))
