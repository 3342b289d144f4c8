"""What imports read of values: buffers, arguments in containers, tensors without elements, decisions by numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import shapecalc


class Holder(nn.Module):
    """A forward over parts and buffers that are attributes."""

    def __init__(self, forward: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            if type(part) is Tensor:
                self.register_buffer(name, part, persistent=name != "passing")
            else:
                setattr(self, name, part)
        self.does = forward

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.does(self, *args, **kwargs)


class Normalized(nn.BatchNorm2d):
    """A normalization whose forward is its own."""

    def forward(self, x: Tensor) -> Any:
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)


TABLE = torch.zeros(2, 16, 8)
BUFFERS: dict[str, nn.Module] = {
    "used": Holder(lambda net, x: x - net.mean, mean=torch.zeros(1, 3, 1, 1)),
    "sliced": Holder(lambda net, x: x + net.table[0, : x.shape[2], :8], table=TABLE),
    "not persistent": Holder(lambda net, x: x * net.passing, passing=torch.ones(8)),
    "not used": Holder(lambda net, x: net.norm(x), anchors=torch.zeros(9, 4), norm=nn.BatchNorm2d(3)),
    "all unused": Holder(lambda net, x: x.relu(), anchors=torch.zeros(9, 4), steps=torch.tensor(0)),
    "of two modules": Holder(
        lambda net, x: net.first(net.second(x)),
        first=Holder(lambda net, x: x + net.table[0, :8], table=TABLE),
        second=Holder(lambda net, x: x * net.table[1, :8], table=TABLE),
    ),
    "statistics twice": Holder(lambda net, x: net.norm(net.norm(x)), norm=nn.BatchNorm2d(3)),
    "statistics by a function": Holder(lambda net, x: net.norm(x), norm=Normalized(3)),
    "without statistics": Holder(
        lambda net, x: net.norm(x), norm=nn.BatchNorm2d(3, track_running_stats=False)
    ),
    "spectral": nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
}


@pytest.mark.parametrize("name", BUFFERS)
def test_buffers_are_counted_once(name: str) -> None:
    net = BUFFERS[name].eval()
    report = shapecalc.from_torch(net, input=(3, 8, 8)).analyze()
    assert report.buffer_count == sum(buffer.numel() for buffer in net.buffers())
    assert report.params == sum(parameter.numel() for parameter in net.parameters())
    assert report.output == tuple(net(torch.zeros(1, 3, 8, 8)).shape)
