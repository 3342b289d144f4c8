"""Peaks of torchvision's networks, to the byte; `benchmarks/memory.py` has all of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision import models

import shapecalc
from shapecalc.memory.measure_memory import memory_use
from shapecalc.memory.memory_use import Setting
from tests.support.live_bytes import inference_peak, training_peak

NETWORKS = ("alexnet", "squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5", "resnet18")


@pytest.mark.ci
@pytest.mark.parametrize("name", NETWORKS)
def test_peaks(name: str) -> None:
    module = models.get_model(name, weights=None).to("meta")
    model = shapecalc.from_torch(module, input=(3, 96, 96))
    x = torch.empty(4, 3, 96, 96, device="meta")
    assert model.memory(batch=4).peak == inference_peak(module, x)
    witness: Any = model.graphs.witness
    spec = witness.in_training
    inference, inputs = spec.infer_at(None, 4, symbolic=False, values={})
    setting = Setting("float32", training=True, optimizer="momentum")
    lives = spec.graphs.witness.lifetimes
    use = memory_use("", "", inference, inputs, setting, lives, in_place=False)
    assert use.complete
    assert use.peak == training_peak(module, x, optimizer="momentum")
