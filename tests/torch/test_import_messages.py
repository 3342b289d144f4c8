"""What is said about an imported module: findings of `check`, membership of sizes, outputs, and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  (as everybody writes it)
from torch import Tensor, nn

from shapecalc import from_torch


class Net(nn.Module):
    """A module of some layers, and a forward."""

    def __init__(self, forward: Callable[[Any, Tensor], Any], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.does = forward

    def forward(self, x: Tensor) -> Any:
        return self.does(self, x)


def padded(net: Any, x: Tensor) -> Tensor:
    assert x.shape[1] == 3
    assert x.shape[-1] >= 8
    odd = x.shape[-1] % 2
    result: Tensor = net.conv(F.pad(x, (0, 1)) if odd else x)
    return result


def with_shape_of_weight(net: Any, x: Tensor) -> Tensor:
    return x.reshape(x.shape[0], net.conv.weight.shape[1], -1)


@pytest.mark.parametrize("forward", [padded, with_shape_of_weight])
def test_check_reports_no_record_of_the_import_as_an_unused_result(forward: Any) -> None:
    model = from_torch(Net(forward, conv=nn.Conv1d(3, 8, 3)), input=(3, 32))
    assert not [str(each) for each in model.check() if each.severity == "warning"]


def test_check_sees_a_cancelled_bias_beside_a_condition() -> None:
    def forward(net: Any, x: Tensor) -> Any:
        y = net.conv(x)
        return net.norm(y) if y.shape[2] > 4 else y

    net = Net(forward, conv=nn.Conv2d(3, 8, 3), norm=nn.BatchNorm2d(8))
    assert [each.code for each in from_torch(net, input=(3, 16, 16)).check()] == ["bias-before-norm"]


def test_a_size_at_which_a_window_is_empty_is_not_legal() -> None:
    def forward(net: Any, x: Tensor) -> Tensor:
        y = net.conv(x)
        window = (y.size(2) // 3, y.size(3) // 5)
        return F.max_pool2d(y, window, window)

    net = Net(forward, conv=nn.Conv2d(3, 4, 3, stride=4, padding=1)).eval()
    sizes = from_torch(net, input=(3, 96, 96)).sizes()
    for height in (1, 7, 8, 9, 12, 40):
        for width in (3, 16, 17, 20, 33):
            try:
                net(torch.zeros(1, 3, height, width))
            except RuntimeError:
                assert (height, width) not in sizes
            else:
                assert (height, width) in sizes
