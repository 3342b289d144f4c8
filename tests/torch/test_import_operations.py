"""Operations of imported forwards: their shapes at other sizes and batches are those of real runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from shapecalc import ShapecalcError, from_torch


class Of(nn.Module):
    """A forward that is one function of the module and its input."""

    def __init__(self, function: Callable[[Any, Tensor], Any], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


def shapes(value: Any) -> list[tuple[int, ...]]:
    if isinstance(value, Tensor):
        return [tuple(value.shape)]
    return [shape for item in value for shape in shapes(item)]


def assert_agrees(net: nn.Module, traced: tuple[int, ...], *others: tuple[int, ...]) -> None:
    """Check an import against real runs, at the sizes of the trace and at others, of two batches."""
    net = net.eval()
    model = from_torch(net, input=traced)
    for size in (traced, *others):
        for batch in (1, 3):
            with torch.no_grad():
                expected = shapes(net(torch.zeros(batch, *size)))
            report = model.analyze(input=size, batch=batch)
            assert [*map(tuple, report.outputs.values())] == expected, (size, batch)
            assert report.complete


# ---- recurrent layers that begin with a state


def _decoder(net: Any, x: Tensor) -> Any:
    outputs, state = net.first(x)
    return net.second(outputs, state)


def _cells(net: Any, x: Tensor) -> Tensor:
    h = c = x.new_zeros(x.size(0), 6)
    for position in range(3):
        h, c = net.cell(x[:, position], (h, c))
    return h


RECURRENT = {
    "the last states of another": Of(
        _decoder, first=nn.LSTM(8, 6, 2, batch_first=True), second=nn.LSTM(6, 6, 2, batch_first=True)
    ),
    "both directions": Of(
        lambda net, x: net.rnn(x, x.new_zeros(2, len(x), 5)),
        rnn=nn.RNN(8, 5, batch_first=True, bidirectional=True),
    ),
    "a projection": Of(
        lambda net, x: net.lstm(x, (torch.zeros(1, x.size(0), 3), torch.zeros(1, x.size(0), 6))),
        lstm=nn.LSTM(8, 6, batch_first=True, proj_size=3),
    ),
    "a state by its name": Of(
        lambda net, x: net.gru(x, hx=torch.zeros(1, x.shape[0], 4))[1], gru=nn.GRU(8, 4, batch_first=True)
    ),
    "no state": Of(lambda net, x: net.gru(x, None)[0], gru=nn.GRU(8, 4, batch_first=True)),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers_take_initial_states(name: str) -> None:
    assert_agrees(RECURRENT[name], (10, 8), (1, 8), (17, 8))


def test_a_state_of_cells_goes_from_step_to_step() -> None:
    net = Of(_cells, cell=nn.LSTMCell(8, 6))
    assert_agrees(net, (3, 8))
    report = from_torch(net, input=(3, 8)).analyze()
    assert report.params == sum(item.numel() for item in net.parameters())
    assert report.macs == 3 * 24 * (8 + 6)


# ---- reductions

REDUCTIONS: dict[str, Callable[[Any, Tensor], Any]] = {
    "a Euclidean norm": lambda net, x: x / x.norm(dim=1, keepdim=True),
    "a norm of rows": lambda net, x: torch.linalg.vector_norm(x, 1, dim=-1),
    "an infinite norm": lambda net, x: torch.linalg.norm(x, float("inf"), 2),
    "a norm of third powers": lambda net, x: torch.norm(x, 3, -1, keepdim=True),
    "logsumexp": lambda net, x: x.logsumexp((1, 2)),
    "the greatest and its place": lambda net, x: x.max(2),
    "the least with the axis kept": lambda net, x: x.min(-1, keepdim=True)[1].float(),
    "the greatest of all": lambda net, x: x - x.max(),
    "a place": lambda net, x: x.argmax(1),
    "a place in all": lambda net, x: x.flatten(1).argmin(1) + x.argmax(),
    "a product": lambda net, x: x.prod(2, keepdim=True) + x.prod(),
    "any and all": lambda net, x: ((x > 0).any(1), (x > 0).all(-1, keepdim=True)),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_leave_sizes_free(name: str) -> None:
    net = Of(REDUCTIONS[name])
    assert_agrees(net, (3, 16, 12), (3, 9, 7), (3, 1, 5))


# ---- normalization with weights of one's own


class Scaled(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.weight, self.bias = nn.Parameter(torch.ones(6)), nn.Parameter(torch.zeros(6))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


NORMS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "a layer norm of a parameter's shape": lambda net, x: (
        functional.layer_norm(x.transpose(1, 2), net.weight.shape, net.weight) + net.bias
    ),
    "a group norm without a bias": lambda net, x: functional.group_norm(x, 2, net.weight) + net.bias[:, None],
    "a batch norm without a bias": lambda net, x: (
        functional.batch_norm(x, torch.zeros(6), torch.ones(6), net.weight) + net.bias[:, None]
    ),
    "a shift alone": lambda net, x: functional.layer_norm(x.mT, (6,), None, net.bias) * net.weight,
    "computed weights": lambda net, x: functional.group_norm(x, 3, net.weight + 1, net.bias * 2),
    "a computed layer norm": lambda net, x: functional.layer_norm(
        x.mT, (len(net.weight),), net.weight.exp(), net.bias
    ),
    "a size that is merely read": lambda net, x: functional.group_norm(
        x * net.weight.shape[0] ** 0.5, 2, net.weight, net.bias
    ),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms_take_weights_of_any_origin(name: str) -> None:
    net = Scaled(NORMS[name])
    assert_agrees(net, (6, 16), (6, 9))
    assert from_torch(net, input=(6, 16)).analyze().params == 12


# ---- places in lists and tensors


class Indexed(nn.Module):
    def __init__(self, function: Callable[[Any, Tensor], Any]) -> None:
        super().__init__()
        self.function = function
        self.register_buffer("places", torch.zeros(5, dtype=torch.long))
        self.register_buffer("map", torch.zeros(64, 64, dtype=torch.long))
        self.table = nn.Parameter(torch.zeros(9, 2))

    def forward(self, x: Tensor) -> Any:
        return self.function(self, x)


PLACES: dict[str, Callable[[Any, Tensor], Any]] = {
    "channels in another order": lambda net, x: x[:, [2, 1, 0]],
    "a single place in a list": lambda net, x: x[..., [1]],
    "a tensor of places": lambda net, x: x[:, :, net.places],
    "a map into a table": lambda net, x: net.table[net.map[: x.size(1), : x.size(2)]],
    "a row of each sample": lambda net, x: x[torch.arange(x.size(0)), x.sum((1, 2)).long()],
    "index_select": lambda net, x: x.index_select(1, net.places) + torch.index_select(x, -2, net.places),
    "places of places": lambda net, x: x[:, net.places[:, None], net.places],
    "pooling and its inverse": lambda net, x: functional.max_unpool1d(
        *functional.max_pool1d(x, 2, return_indices=True), [2]
    ),
    "an inverse to a shape": lambda net, x: functional.max_unpool1d(
        *functional.max_pool1d(x, 2, return_indices=True), [2], output_size=x.shape
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_places_leave_other_sizes_free(name: str) -> None:
    assert_agrees(Indexed(PLACES[name]), (6, 16), (6, 9), (6, 24))


# ---- slices by differences of sizes


def _crop(net: Any, x: Tensor) -> Tensor:
    y = net.conv(x)
    cut = (x.size(2) - y.size(2)) // 2
    return torch.cat([x[:, :, cut : x.size(2) - cut], y], dim=1)


def test_crops_by_differences_of_sizes_leave_them_free() -> None:
    net = Of(_crop, conv=nn.Conv1d(3, 3, 5))
    assert_agrees(net, (3, 16), (3, 9), (3, 5))
    assert 5 in from_torch(net, input=(3, 16)).sizes()


def test_a_slice_holds_on_the_side_from_which_it_was_counted() -> None:
    model = from_torch(Of(lambda net, x: x[:, :, : x.size(2) - 4]), input=(3, 16))
    assert model.analyze(input=(3, 7)).output == (1, 3, 3)
    with pytest.raises(ShapecalcError):
        model.analyze(input=(3, 3))  # where torch takes the last size from the end


# ---- the length of a sequence

READERS: dict[str, Callable[[Any, Tensor], Any]] = {
    "a convolution behind a transposition": lambda net, x: net.conv(x.mT),
    "a linear layer behind arithmetic": lambda net, x: net.conv(net.linear(2 * x + 1).mT),
    "a linear layer behind others": lambda net, x: net.conv(net.linear(functional.dropout(x).exp()).mT),
}


@pytest.mark.parametrize("name", READERS)
def test_the_length_is_free_where_features_are_last(name: str) -> None:
    net = Of(READERS[name], conv=nn.Conv1d(8, 4, 3), linear=nn.Linear(8, 8))
    assert_agrees(net, (12, 8), (7, 8), (20, 8))
    assert from_torch(net, input=(12, 8)).parameters == {"L": 12}


def test_the_length_is_free_where_channels_come_first() -> None:
    model = from_torch(Of(lambda net, x: net.conv(x), conv=nn.Conv1d(8, 4, 3)), input=(8, 12))
    assert model.analyze(L=20).output == (1, 4, 18)
