"""Layers that were changed after their construction: the import has what their forward reads, not what it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import shapecalc


def _changed(layer: nn.Module, **attributes: Any) -> nn.Module:
    for name, value in attributes.items():
        setattr(layer, name, value)
    return layer


def _weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape))


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "reflected padding": (
        lambda: _changed(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), padding=(2, 2)),
        (3, 8, 9),
    ),
    "same padding, dilation": (
        lambda: _changed(nn.Conv2d(3, 4, 3, padding="same", padding_mode="circular"), dilation=(2, 2)),
        (3, 8, 9),
    ),
    "same padding, even kernel": (
        lambda: _changed(nn.Conv1d(3, 4, 4, padding="same", padding_mode="replicate"), dilation=(3,)),
        (3, 12),
    ),
    "padding of zeros": (lambda: _changed(nn.Conv2d(3, 4, 3), stride=(2, 2), padding=(1, 0)), (3, 8, 9)),
    "kernel": (lambda: _changed(nn.Conv2d(3, 4, 3), weight=_weight(4, 3, 5, 5)), (3, 8, 9)),
    "input channels": (lambda: _changed(nn.Conv2d(3, 4, 3), weight=_weight(4, 1, 3, 3)), (1, 8, 9)),
    "groups": (
        lambda: _changed(nn.Conv2d(4, 4, 3, groups=2), groups=4, weight=_weight(4, 1, 3, 3)),
        (4, 8, 9),
    ),
    "classes": (lambda: _changed(nn.Linear(8, 9), weight=_weight(5, 8), bias=_weight(5)), (8,)),
    "bias": (lambda: _changed(nn.Conv2d(3, 4, 3), bias=None), (3, 8, 9)),
    "affine": (lambda: _changed(nn.BatchNorm2d(3), weight=None), (3, 8, 9)),
    "normalized shape": (
        lambda: _changed(nn.LayerNorm(8), normalized_shape=(4, 8), weight=None, bias=None),
        (4, 8),
    ),
    "norm groups": (lambda: _changed(nn.GroupNorm(2, 4), num_groups=4), (4, 8, 9)),
    "pool": (lambda: _changed(nn.MaxPool2d(2), kernel_size=3), (3, 8, 9)),
    "output size": (lambda: _changed(nn.AdaptiveAvgPool2d(3), output_size=1), (3, 8, 9)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_read_as_it_is(name: str) -> None:
    make, shape = LAYERS[name]
    layer = make()
    model = shapecalc.from_torch(nn.Sequential(layer, nn.ReLU()), input=shape)
    assert model.analyze().params == sum(weight.numel() for weight in layer.parameters())
    for batch, more in ((1, 0), (3, 5)):
        sizes = (*shape[:1], *(size + more for size in shape[1:])) if len(shape) > 2 else shape
        output = layer.eval()(torch.zeros(batch, *sizes)).shape
        assert model.analyze(input=sizes, batch=batch).output == tuple(output)
