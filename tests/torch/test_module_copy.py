"""A module is copied as `deepcopy` copies it, whatever its class says of copying, and stays as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import shapecalc
from shapecalc import SpecError
from shapecalc.bridges.torch.tracer.module_copy import copied, on_meta


class _Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.again = self.layer
        self.sizes = (4, [2, 2])
        self.table: dict[str, Any] = {}
        self.other = self.table
        self.scale = torch.ones(4)
        self.kept = {"layers": [self.layer]}

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.again(self.layer(x))
        return result


class _CopiesItself(_Plain):
    def __deepcopy__(self, memo: dict[int, Any]) -> _CopiesItself:
        twin = _CopiesItself()
        twin.layer = twin.again = deepcopy(self.layer, memo)
        twin.sizes = (5, [])
        return twin


class _KeepsLess(_Plain):
    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "sizes": (0, [])}


class _Restores(_Plain):
    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.sizes = (self.layer.in_features, [])


class _Slotted(_Plain):
    __slots__ = ("width",)

    def __init__(self) -> None:
        super().__init__()
        self.width = 4


@pytest.mark.parametrize("cls", [_Plain, _CopiesItself, _KeepsLess, _Restores, _Slotted])
def test_a_copy_is_that_of_deepcopy(cls: type[_Plain]) -> None:
    first = cls()
    module = nn.Sequential(first, nn.Sequential(cls()))
    before = [vars(part).copy() for part in module.modules()]
    copy, copies = copied(module, on_meta)
    wanted = deepcopy(module).eval()
    assert [*map(type, copy.modules())] == [*map(type, wanted.modules())]
    for part, right in zip(copy.modules(), wanted.modules(), strict=True):
        assert vars(part).keys() == vars(right).keys()
        assert part.training is right.training
        if isinstance(part, _Plain) and isinstance(right, _Plain):
            assert part.sizes == right.sizes
            assert part.again is part.layer
            assert (part.other is part.table) is (right.other is right.table)
            assert part.kept["layers"][0] is part.layer or cls is _CopiesItself
    assert all(tensor.is_meta for tensor in copy.parameters())
    assert [vars(part) for part in module.modules()] == before
    assert cls is _CopiesItself or copies[id(first)] is next(copy.children())
    assert shapecalc.from_torch(module, input=(4,)).analyze().params == 40


QUANTIZED: Any = torch.ao.nn.quantized


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: QUANTIZED.dynamic.Linear(4, 4), (4,)),
        (lambda: QUANTIZED.dynamic.LSTM(4, 4), (5, 4)),
        (lambda: QUANTIZED.dynamic.GRUCell(4, 4), (4,)),
        (lambda: QUANTIZED.Conv2d(3, 4, 1), (3, 8, 8)),
        (lambda: QUANTIZED.Embedding(10, 4), (5,)),
    ],
)
def test_converted_layers_are_refused(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    converted = nn.Sequential(make(), nn.ReLU())
    name = type(converted[0]).__name__
    with pytest.raises(SpecError, match=f"{name} is a quantized layer, whose packed weights") as error:
        shapecalc.from_torch(converted, input=shape)
    assert error.value.path == "0"
    assert "before its conversion" in error.value.hint


@pytest.mark.ci
@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large", "shufflenet_v2_x1_0", "googlenet"])
def test_quantizable_networks_are_read_as_floats(name: str) -> None:
    from torchvision.models import quantization

    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    net = getattr(quantization, name)(weights=None, quantize=False, **options).eval()
    model = shapecalc.from_torch(net, input=(3, 64, 64))
    for side in (64, 97):
        with FlopCounterMode(display=False) as counter:
            output = net(torch.zeros(1, 3, side, side))
        report = model.analyze(input=(3, side, side))
        assert (report.output, report.macs * 2) == (tuple(output.shape), counter.get_total_flops())
        assert report.params == sum(parameter.numel() for parameter in net.parameters())


PROGRAM = """
import os, sys
from torch import nn
import shapecalc
report = shapecalc.from_torch(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), input=(3, 8, 8)).analyze()
print(report.params, "PYDANTIC_DISABLE_PLUGINS" in os.environ, "shapecalc.spec.yaml_text" in sys.modules)
shapecalc.load("lenet5")
print("shapecalc.spec.yaml_text" in sys.modules)
"""


def test_an_import_reads_no_yaml_and_leaves_the_environment() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYDANTIC")}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment
    )
    assert result.stdout.split() == ["112", "False", "False", "True"]
