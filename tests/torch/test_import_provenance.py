"""Every tensor of a traced forward has an origin; where none was seen, the model holds for the traced sizes only."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import shapecalc
from shapecalc import ShapecalcError, Undecided
from tests.support.broken_tracer import Forward


def real(net: nn.Module, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # an LSTM on the CPU
        result = net(torch.zeros(shape))
    tensors = [result] if isinstance(result, Tensor) else [*result]
    return [tuple(tensor.shape) for tensor in tensors]


RIGHT: dict[str, tuple[nn.Module, tuple[int, ...], list[tuple[int, ...]]]] = {
    "states of two directions": (
        Forward(lambda net, x: net.rnn(x)[1].flatten(0, 1), rnn=nn.RNN(6, 5, 2, bidirectional=True)),
        (7, 6),
        [(3, 9, 6), (1, 4, 6)],
    ),
    "cells of a projecting lstm": (
        Forward(lambda net, x: net.lstm(x)[1], lstm=nn.LSTM(6, 5, proj_size=2, batch_first=True)),
        (7, 6),
        [(3, 9, 6), (1, 4, 6)],
    ),
    "weights of every head": (
        Forward(
            lambda net, x: net.mha(x, x, x, average_attn_weights=False)[1],
            mha=nn.MultiheadAttention(6, 3, batch_first=True),
        ),
        (7, 6),
        [(3, 9, 6), (1, 4, 6)],
    ),
    "strides": (Forward(lambda net, x: x.reshape(-1, x.stride(0))), (3, 8, 8), [(2, 3, 5, 7), (1, 3, 4, 4)]),
    "bytes": (Forward(lambda net, x: x.reshape(x.nbytes // 4)), (3, 8), [(2, 3, 5), (1, 3, 4)]),
    "a scale of all digits": (nn.Upsample(scale_factor=5 / 3), (3, 30, 30), [(1, 3, 9, 6), (2, 3, 12, 33)]),
    "a scale made of sizes": (
        Forward(
            lambda net, x: functional.interpolate(x, scale_factor=(7 / x.shape[2], x.shape[2] / x.shape[3]))
        ),
        (3, 14, 28),
        [(1, 3, 9, 6), (2, 3, 35, 11)],
    ),
    "a literal": (Forward(lambda net, x: x + torch.ones(8)), (3, 8), [(2, 3, 8), (5, 4, 8)]),
}


@pytest.mark.parametrize("case", RIGHT)
def test_other_sizes_are_those_of_torch(case: str) -> None:
    net, traced, shapes = RIGHT[case]
    model = shapecalc.from_torch(net.eval(), input=traced)
    for batch, *shape in shapes:
        report = model.analyze(input=tuple(shape), batch=batch)
        assert [*report.outputs.values()] == real(net, (batch, *shape)), (batch, shape)


def unseen(net: nn.Module, x: Tensor) -> Tensor:
    with torch._C.DisableTorchFunction():
        made = torch.empty_like(x)[..., ::2]
    return torch.relu(made)


@pytest.mark.parametrize("forward", [unseen, lambda net, x: x[:, : x.untyped_storage().nbytes() // 48]])
def test_what_has_no_origin_holds_for_the_traced_sizes_only(forward: Callable[..., Tensor]) -> None:
    net = Forward(forward).eval()
    model = shapecalc.from_torch(net, input=(12,))
    assert [model.analyze(batch=1).output] == real(net, (1, 12))
    for shape, batch in (((12,), 3), ((16,), 1)):
        with pytest.raises(ShapecalcError):
            model.analyze(input=shape, batch=batch)


@pytest.mark.parametrize(
    "forward",
    [
        lambda net, x: torch.vstack([x, x]),
        lambda net, x: torch.outer(x.flatten(), x.flatten()[:3]),
        lambda net, x: torch.cdist(x.flatten(0, 1), x.flatten(0, 1)),
        lambda net, x: torch.kron(x, torch.ones(2, 1, 1)),
    ],
)
def test_the_batch_of_the_trace_is_in_no_answer(forward: Callable[..., Tensor]) -> None:
    net = Forward(forward).eval()
    model = shapecalc.from_torch(net, input=(4, 6))
    for batch in (1, 3):
        try:
            output = model.analyze(batch=batch).output
        except ShapecalcError:
            continue  # nothing is said of another batch than that of the trace
        else:
            assert [output] == real(net, (batch, 4, 6))


@pytest.mark.parametrize("rows", [2, 3, 11, 13])
def test_a_size_that_is_like_a_batch_is_no_batch(rows: int) -> None:
    net = Forward(lambda net, x: x.median(0).values).eval()
    model = shapecalc.from_torch(net, input=(rows, 5))
    assert [model.analyze().output] == real(net, (1, rows, 5))
    for batch in (2, 3, 11):
        with suppress(ShapecalcError):
            assert [model.analyze(batch=batch).output] == real(net, (batch, rows, 5))


def test_a_forward_for_one_batch_only_holds_for_it() -> None:
    net = Forward(lambda net, x: x.reshape(4, 6) * 2).eval()
    model = shapecalc.from_torch(net, input=(4, 6))
    assert model.analyze().output == (4, 6)
    with pytest.raises(ShapecalcError):
        model.analyze(batch=2)


def test_sizes_that_are_not_decided_are_not_called_any() -> None:
    def forward(_: nn.Module, x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, (x.shape[2] // 3, x.shape[3] // 3))

    sizes = shapecalc.from_torch(Forward(forward), input=(3, 12, 12)).sizes()
    assert [(n, n) in sizes for n in (2, 3, 12, 13)] == [False, True, True, True]
    assert [(n, n) in sizes.lossless for n in (3, 12, 13)] == [True, True, False]
    assert "all sides equal: not decided" in str(sizes)
    with pytest.raises(Undecided):
        _ = sizes.square


TEN = nn.Parameter(torch.zeros(10, 1))
SIX = nn.Parameter(torch.zeros(6))
PAIR = nn.Parameter(torch.zeros(2, 6))


@pytest.mark.parametrize(
    ("forward", "parts", "shapes"),
    [
        (lambda net, x: x.new_tensor(x * 1), {}, [(1, 10, 6), (3, 5, 7)]),
        (
            lambda net, x: x + net.t if (x + net.t).shape == x.shape else x,
            {"t": TEN},
            [(2, 10, 6), (2, 1, 6)],
        ),
        (
            lambda net, x: x + net.t if (x + net.t).shape == x.shape else x,
            {"t": SIX},
            [(2, 10, 6), (2, 10, 1)],
        ),
        (lambda net, x: (x * 1).reshape(-1, x.transpose(1, 2).stride(1)), {}, [(2, 10, 6), (3, 10, 5)]),
        (lambda net, x: torch.zeros(x[:, :, :6].stride(1)), {}, [(2, 10, 6), (2, 10, 9)]),
        (
            lambda net, x: torch.searchsorted(net.t, x[:, 0]),
            {"t": PAIR},
            [(2, 10, 6), (1, 10, 6), (3, 10, 6)],
        ),
        (lambda net, x: x if x.shape[2] != 6 else x.sum(2), {}, [(2, 10, 6), (2, 10, 1), (2, 10, 12)]),
    ],
    ids=[
        "new tensor",
        "stretched",
        "stretched features",
        "strides",
        "strides of a slice",
        "batch of a parameter",
        "features",
    ],
)
def test_other_sizes_are_right_or_refused(
    forward: Callable[..., Tensor], parts: dict[str, nn.Parameter], shapes: list[tuple[int, ...]]
) -> None:
    net = Forward(forward, **parts).eval()
    model = shapecalc.from_torch(net, input=(10, 6))
    for batch, *shape in shapes:
        try:
            truth = real(net, (batch, *shape))
        except RuntimeError:
            truth = []
        with suppress(ShapecalcError):
            assert [*model.analyze(input=tuple(shape), batch=batch).outputs.values()] == truth, (batch, shape)


class Closure(nn.Module):
    """A forward that reaches its parts through a lambda, which a copy of the module shares."""

    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(5)
        self.weight = nn.Parameter(torch.zeros(5, 8))
        self.register_buffer("scale", torch.ones(5))
        self.run: Callable[[Tensor], Any] = lambda x: self.norm(
            functional.linear(x, self.weight) * self.scale
        )

    def forward(self, x: Tensor) -> Any:
        return self.run(x)


def test_parts_in_a_closure_are_counted_once() -> None:
    net = Closure().eval()
    report = shapecalc.from_torch(net, input=(8,)).analyze()
    assert report.params == sum(parameter.numel() for parameter in net.parameters()) == 50
    assert next(net.parameters()).device.type == "cpu"


def test_computed_weights_are_no_layers_own() -> None:
    def forward(net: nn.Module, x: Tensor) -> Any:
        assert isinstance(net.fc, nn.Linear)
        weights = {"weight": functional.normalize(net.fc.weight), "bias": net.fc.bias}
        return torch.func.functional_call(net.fc, weights, (x,))

    net = Forward(forward, fc=nn.Linear(8, 5)).eval()
    report = shapecalc.from_torch(net, input=(8,)).analyze(batch=3)
    assert report.params == 45
    assert report.output == (3, 5)
