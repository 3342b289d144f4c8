"""Branches of imported forwards for sizes that do not divide: what is answered at other sizes is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from shapecalc import ShapecalcError, from_torch


class Net(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.conv, self.mix = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def _windows(net: Any, x: Tensor) -> Any:
    """Patches, windows and pairs as in Swin, each padded where it has to be."""
    if x.shape[3] % 4 != 0:
        x = functional.pad(x, (0, 4 - x.shape[3] % 4))
    if x.shape[2] % 4 != 0:
        x = functional.pad(x, (0, 0, 0, 4 - x.shape[2] % 4))
    y = net.conv(x).permute(0, 2, 3, 1)
    b, h, w, c = y.shape
    below, right = (7 - h % 7) % 7, (7 - w % 7) % 7
    y = functional.pad(y, (0, 0, 0, right, 0, below))
    rows, columns = y.shape[1] // 7, y.shape[2] // 7
    y = net.mix(y.view(b, rows, 7, columns, 7, c).transpose(2, 3).reshape(-1, 49, c))
    y = y.view(b, rows, columns, 7, 7, c).transpose(2, 3).reshape(b, rows * 7, columns * 7, c)
    if below > 0 or right > 0:
        y = y[:, :h, :w, :].contiguous()
    if h % 2 == 1 or w % 2 == 1:
        y = functional.pad(y, (0, 0, 0, w % 2, 0, h % 2))
    return y[:, 0::2, 0::2] + y[:, 1::2, 1::2]


def _both_at_once(net: Any, x: Tensor) -> Any:
    if x.size(2) % 2 or x.size(3) % 2:
        x = functional.pad(x, (0, x.size(3) % 2, 0, x.size(2) % 2))
    return net.conv(x)


def _one_row(net: Any, x: Tensor) -> Any:
    if x.size(2) % 2:
        x = functional.pad(x, (0, 0, 0, 1), mode="replicate")
    return x[:, :, ::2] + x[:, :, 1::2]


def _multiple(net: Any, x: Tensor) -> Any:
    if (rest := x.size(3) % 4) > 0:
        x = functional.pad(x, (0, 4 - rest))
    return x.view(*x.shape[:3], -1, 4)


POINTS = [
    (1, 112, 112),
    (2, 83, 83),
    (1, 84, 83),
    (3, 85, 90),
    (1, 57, 64),
    (1, 58, 62),
    (2, 61, 59),
    (1, 96, 80),
]


def answers(net: nn.Module, base: int) -> tuple[list[Any], list[Any]]:
    """Return the shapes of an import at the points, None where it refuses, and those of real runs."""
    model = from_torch(net, input=(3, base, base))
    ours: list[Any] = []
    for batch, height, width in POINTS:
        try:
            ours.append(model.analyze(input=(3, height, width), batch=batch).output)
        except ShapecalcError:
            ours.append(None)
    return ours, [tuple(net(torch.zeros(batch, 3, *sides)).shape) for batch, *sides in POINTS]


def _cropped(net: Any, x: Tensor) -> Any:
    return net.conv(x[:, :, :-1] if x.size(2) % 2 else x)


def _too_much(net: Any, x: Tensor) -> Any:
    return net.conv(functional.pad(x, (0, 0, 0, 4 + x.size(2) % 4)) if x.size(2) % 4 else x)


def _another_layer(net: Any, x: Tensor) -> Any:
    return net.conv(x) if x.size(2) % 2 else x.relu()


def _of_three(net: Any, x: Tensor) -> Any:
    return net.conv(functional.pad(x, (0, 0, 1, 1)) if x.size(2) % 3 == 1 else x)


def _only_at_multiples(net: Any, x: Tensor) -> Any:
    return net.conv(functional.max_pool2d(x, 2) if x.size(2) % 16 == 0 else x)


def _both_divide(net: Any, x: Tensor) -> Any:
    """Each branch by itself changes nothing where its size divides; where both divide, another one does."""
    height = x.size(2)
    for divisor in (3, 7):
        if height % divisor:
            x = functional.pad(x, (0, 0, 0, divisor - height % divisor))
    return net.conv(functional.max_pool2d(x, 2) if height % 3 == 0 and height % 7 == 0 else x)


def _of_the_quotient(net: Any, x: Tensor) -> Any:
    if x.size(2) % 4:
        x = functional.pad(x, (0, 0, 0, 4 - x.size(2) % 4))
    return net.conv(x[:, :, 1:] if x.size(2) // 4 % 5 == 0 else x)


BRANCHES = {
    "windows": _windows,
    "both at once": _both_at_once,
    "one row": _one_row,
    "a multiple": _multiple,
    "cropped": _cropped,
    "too much": _too_much,
    "another layer": _another_layer,
    "of three": _of_three,
    "only at multiples": _only_at_multiples,
    "both divide": _both_divide,
    "of the quotient": _of_the_quotient,
}


@pytest.mark.sample(12)
@pytest.mark.parametrize("base", [112, 83])
@pytest.mark.parametrize("name", BRANCHES)
def test_what_is_answered_beyond_a_branch_is_right(name: str, base: int) -> None:
    """The traced side is answered; the other side is refused, as long as it is not proved to be the same."""
    ours, theirs = answers(Net(BRANCHES[name]).eval(), base)
    assert ours[base == 83] == theirs[base == 83]
    assert [answer for answer, true in zip(ours, theirs, strict=True) if answer not in (None, true)] == []
