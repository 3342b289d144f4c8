"""At sizes for which another branch of a forward runs, an import answers by a recording at these sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from shapecalc import ShapecalcError, ShapeError, from_torch
from shapecalc.bridges.torch.tracer import importing


class Net(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.linear, self.wide = nn.Linear(4, 4), nn.Linear(4, 6)
        self.positions, self.table = nn.Embedding(9, 4), nn.Parameter(torch.zeros(9, 4))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.function(self, x)
        return result


def _loop(net: Any, x: Tensor) -> Any:
    state = x[:, 0]
    for step in range(x.shape[1]):
        state = net.linear(state + x[:, step])
    return net.wide(state)


def _chosen(net: Any, x: Tensor) -> Any:
    return net.wide(net.linear(x)) if x.shape[1] > 6 else net.wide(x).transpose(1, 2)


def _list_of_padding(net: Any, x: Tensor) -> Any:
    pad = [0, 0, 0, 0]
    if x.shape[1] % 2:
        pad[3] = 1
    return net.linear(functional.pad(x, pad)[:, ::2] + functional.pad(x, pad)[:, 1::2])


def _batch(net: Any, x: Tensor) -> Any:
    return net.linear(x) if x.shape[0] > 2 else net.wide(x)


def _positions(net: Any, x: Tensor) -> Any:
    for _ in range(x.shape[1]):
        x = net.linear(x)
    return x + net.positions(torch.arange(x.shape[1]))


def _rows(net: Any, x: Tensor) -> Any:
    for _ in range(x.shape[1]):
        x = net.linear(x)
    return x + net.table[torch.arange(x.shape[1])]


def _asserted(net: Any, x: Tensor) -> Any:
    if x.shape[1] % 5 == 3:
        raise ValueError("not this one")
    return net.wide(x) if x.shape[1] % 2 else net.linear(x)


FORWARDS = (_loop, _chosen, _list_of_padding, _batch, _positions, _rows, _asserted)


@pytest.mark.recorded_anew
@pytest.mark.sample(4)
@pytest.mark.parametrize("forward", FORWARDS)
@pytest.mark.parametrize("traced", [4, 7])
def test_other_branches_are_answered_as_they_run(forward: Callable[[Any, Tensor], Any], traced: int) -> None:
    net = Net(forward).eval().requires_grad_(requires_grad=False)
    model = from_torch(net, input=(traced, 4))
    params = sum(item.numel() for item in net.parameters())
    for length, batch in ((3, 1), (4, 3), (6, 1), (7, 2), (9, 1), (12, 5), (13, 1)):
        try:
            with FlopCounterMode(display=False) as counter:
                true = tuple(net(torch.zeros(batch, length, 4)).shape)
        except (ValueError, IndexError):
            with pytest.raises(ShapeError):
                model.analyze(input=(length, 4), batch=batch)
            continue
        report = model.analyze(input=(length, 4), batch=batch)
        assert (report.output, report.params) == (true, params)
        assert report.macs == counter.get_total_flops() // 2


@pytest.mark.recorded_anew
def test_a_recording_that_another_run_contradicts_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    model = from_torch(Net(_chosen).eval(), input=(4, 4))
    assert model.analyze(input=(8, 4)).output == (1, 8, 6)
    recorded, runs = importing._traced, list[Any]()

    def wrong(*args: Any) -> Any:
        runs.append(args)
        return recorded(*args).model_copy(update={"outputs": {"output": "wide"}})

    model = from_torch(Net(_list_of_padding).eval(), input=(4, 4))
    monkeypatch.setattr(importing, "_traced", wrong)
    with pytest.raises(ShapecalcError):
        model.analyze(input=(7, 4))
    assert runs


@pytest.mark.recorded_anew
def test_closed_forms_and_legal_sizes_are_those_of_the_first_recording() -> None:
    model = from_torch(Net(_loop).eval(), input=(4, 4))
    assert model.analyze(L=9).macs == 9 * 16 + 24
    assert 9 not in model.sizes(free=["L"])
    assert model.analyze(symbolic=True).validity == ["Holds where L = 4"]


_TABLES: dict[str, Callable[[Any, Tensor], Any]] = {
    "positions of a range": lambda net, x: net.positions(torch.arange(x.shape[1])),
    "positions of numpy": lambda net, x: net.positions(torch.from_numpy(np.arange(x.shape[1]))),
    "rows of a range": lambda net, x: net.table[torch.arange(x.shape[1])],
    "rows of numpy": lambda net, x: net.table[torch.from_numpy(np.arange(x.shape[1]))],
    "positions of fixed numbers": lambda net, x: x + net.positions(torch.tensor([9])),
    "rows of fixed numbers": lambda net, x: x + net.table[torch.tensor([[9]])],
    "rows by a function": lambda net, x: torch.index_select(net.table, 0, torch.arange(x.shape[1])),
}


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", _TABLES)
def test_a_row_that_a_table_does_not_have_is_refused_at_the_traced_size(name: str) -> None:
    net = Net(_TABLES[name]).eval()
    with pytest.raises(IndexError):
        net(torch.zeros(1, 12, 4))
    with pytest.raises(ShapecalcError):
        from_torch(net, input=(12, 4))
