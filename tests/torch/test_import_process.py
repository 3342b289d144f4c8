"""What imports read of a module and of the process around it: kept tensors, frozen parameters, threads."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from functools import cache
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import shapecalc
from shapecalc import SpecError
from shapecalc.bridges.torch.tracer.size_conversions import functions_in


class _Kept(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(8, 8)
        self.embedding = nn.Embedding(5, 8)
        self.scales = [torch.ones(8), torch.full((1, 8), 2.0)]
        self.by_name = {"mask": torch.ones(5, 8, dtype=torch.bool)}
        self.ids = torch.arange(5)
        self.steps = torch.tensor([2, 3])
        self.cache = torch.zeros(2, 5, 8)


class _Lists(_Kept):
    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(x) * self.scales[0] + self.scales[1]
        return x.masked_fill(self.by_name["mask"], 0.0)


class _Ids(_Kept):
    def forward(self, x: Tensor) -> Any:
        return self.mix(x) + self.embedding(self.ids)


class _Values(_Kept):
    def forward(self, x: Tensor) -> Tensor:
        parts = [self.mix(x) for _ in range(int(self.steps[1]))]
        return torch.cat([*parts, x * self.scales[0]], -1).repeat(1, 1, self.steps.tolist()[0])


class _Overwritten(_Kept):
    def forward(self, x: Tensor) -> Tensor:
        self.cache[: len(x)] = self.mix(x)
        return self.cache[: len(x)].sum(0) + self.scales[0]


class _OfNumpy(_Kept):
    def forward(self, x: Tensor) -> Any:
        mask = torch.from_numpy(np.triu(np.ones((1, x.shape[1], x.shape[1])), k=1)) == 0
        return (self.mix(x) @ x.transpose(1, 2)).masked_fill(~mask, -1e9) + torch.FloatTensor([1] * 5)


_NETS = (_Lists, _Ids, _Values, _Overwritten, _OfNumpy)


@pytest.mark.parametrize("cls", _NETS)
def test_tensors_with_memory_meet_those_without(cls: type[_Kept]) -> None:
    net = cls().eval()
    report = shapecalc.from_torch(net, input=(5, 8)).analyze(batch=1)
    assert report.output == tuple(net(torch.zeros(1, 5, 8)).shape)
    assert report.params == sum(parameter.numel() for parameter in net.parameters())


def test_a_kept_tensor_limits_the_sizes() -> None:
    model = shapecalc.from_torch(_Lists().eval(), input=(5, 8))
    with pytest.raises(shapecalc.ShapecalcError):
        model.analyze(input=(7, 8))


class _Tuned(nn.Module):
    """A backbone, an embedding and positions, with parameters that the forward does not use."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 8), nn.Linear(8, 3)
        self.positions = nn.Parameter(torch.zeros(1, 5, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.auxiliary, self.other = nn.Linear(8, 2), nn.Linear(8, 7)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) + self.positions
        x = self.attention(x, x, x, need_weights=False)[0]
        return nn.functional.linear(x, self.head.weight, self.head.bias)


_PARTS = ("embedding", "head", "positions", "attention", "auxiliary", "other")


@pytest.mark.parametrize("part", [*_PARTS, ""])
def test_frozen_parameters_are_not_trained(part: str) -> None:
    net = _Tuned().eval()
    for name, parameter in net.named_parameters():
        parameter.requires_grad = not name.startswith(part)
    report = shapecalc.from_torch(net, input=(5,)).analyze()
    parameters = [*net.parameters()]
    assert report.params == sum(item.numel() for item in parameters)
    assert report.trainable_params == sum(item.numel() for item in parameters if item.requires_grad)


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (nn.Linear(8, 3), (8,)),
        (nn.Conv2d(3, 4, 3), (3, 8, 8)),
        (nn.LayerNorm(8), (8,)),
        (nn.LSTM(8, 4, batch_first=True), (5, 8)),
    ],
    ids=["linear", "conv2d", "layer_norm", "lstm"],
)
def test_a_layer_of_which_a_part_is_frozen_is_counted_by_its_parameters(
    net: nn.Module, shape: tuple[int, ...]
) -> None:
    parameters = [*net.eval().parameters()]
    parameters[0].requires_grad = False
    report = shapecalc.from_torch(net, input=shape).analyze()
    assert report.params == sum(item.numel() for item in parameters)
    assert report.trainable_params == sum(item.numel() for item in parameters[1:])


# ---- other threads


def test_what_another_thread_runs_is_no_part_of_the_model() -> None:
    net = nn.Sequential(*(nn.Linear(8, 8) for _ in range(20))).eval()
    other, stop, errors = nn.Sequential(nn.Embedding(9, 5), nn.LSTM(5, 3)).eval(), threading.Event(), []

    def work() -> None:
        while not stop.is_set():
            try:
                assert other(torch.ones(4, dtype=torch.long))[0].device.type == "cpu"
                shapecalc.from_torch(other[0], input=(4,))
            except Exception as error:  # noqa: BLE001  (whatever it is, the test has to report it)
                errors.append(error)

    call = nn.Module.__call__
    thread = threading.Thread(target=work)
    thread.start()
    try:
        reports = [shapecalc.from_torch(net, input=(8,)).analyze() for _ in range(10)]
    finally:
        stop.set()
        thread.join()
    assert {(report.params, report.macs, len(report.nodes)) for report in reports} == {(1440, 1280, 20)}
    assert not errors
    assert nn.Module.__call__ is call


class _WithAnotherThread(nn.Linear):
    """A forward beside which another thread makes tensors."""

    def forward(self, x: Tensor) -> Tensor:
        thread = threading.Thread(target=self.work)
        thread.start()
        thread.join()
        return super().forward(x)

    def work(self) -> None:
        x: Any = torch.zeros(2)
        made.append([tuple(x.new(sizes).shape) for sizes in (x.size(), torch.Size([2, 3]), (2, 3), 4)])
        made.append(tuple(torch.autograd.Variable(x, requires_grad=True).new_zeros(torch.Size([3])).shape))


made: list[Any] = []


def test_another_thread_makes_the_tensors_that_it_makes_otherwise() -> None:
    net = _WithAnotherThread(8, 8)
    net.work()
    expected = made[:]
    made.clear()
    shapecalc.from_torch(net, input=(8,))
    assert made[:2] == expected
    assert expected == [[(2,), (2, 3), (2,), (4,)], (3,)]


# ---- replaced forwards


class _Halved(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)[..., ::2]


class _Same(nn.ConvTranspose2d):
    def _output_padding(self, *args: object, **kwargs: object) -> list[int]:
        return [1, 1]


def _with_method() -> nn.Module:
    norm = nn.BatchNorm2d(3)
    vars(norm)["forward"] = MethodType(lambda self, x: nn.BatchNorm2d.forward(self, x).mean(1), norm)
    return norm


def _with_function() -> nn.Module:
    pool = nn.MaxPool2d(2)
    vars(pool)["forward"] = lambda x: nn.functional.max_pool2d(x, 3)
    return pool


_REPLACED = (_Halved(12, 8), _Same(3, 4, 3, stride=2), _with_method(), _with_function())


@pytest.mark.parametrize("net", _REPLACED, ids=lambda net: type(net).__name__)
def test_replaced_methods_are_run(net: nn.Module) -> None:
    net.eval()
    report = shapecalc.from_torch(nn.Sequential(net), input=(3, 12, 12)).analyze(batch=2)
    assert report.output == tuple(net(torch.zeros(2, 3, 12, 12)).shape)


def test_a_forward_that_was_replaced_in_a_class_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    original = nn.ReLU.forward
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: original(self, x).sum(-1))
    assert shapecalc.from_torch(nn.ReLU(), input=(4, 8)).analyze(batch=2).output == (2, 4)


# ---- caches

_ROWS: dict[object, Tensor] = {}
_LAST: list[Tensor] = []
_MASK: Tensor | None = None


@cache
def _ramp(length: int) -> Tensor:
    return torch.arange(length).float()


class _Caching(nn.Module):
    table: dict[int, Tensor] = {}  # noqa: RUF012  (as users write it)

    @cache  # noqa: B019  (as users write it)
    def columns(self, width: int) -> Tensor:
        return torch.ones(width)

    def forward(self, x: Tensor) -> Tensor:
        global _MASK  # noqa: PLW0603  (as users write it)
        length, width = x.shape[1:]
        if (length, width) not in _ROWS:
            _ROWS[length, width] = torch.zeros(length, width)
        self.table.setdefault(width, torch.ones(width))
        if _MASK is None:
            _MASK = torch.ones(length, width)
        _LAST.append(x)
        x = x + _ramp(length)[:, None] * self.columns(width) * self.table[width]
        return x * _MASK + _ROWS[length, width]


def test_the_caches_of_the_user_are_as_before() -> None:
    net = _Caching()
    for length in (10, 6):
        report = shapecalc.from_torch(net, input=(length, 8)).analyze(batch=1)
        assert report.output == (1, length, 8)
    assert not _ROWS
    assert not _LAST
    assert _MASK is None
    assert not net.table
    assert net(torch.zeros(1, 10, 8)).device.type == "cpu"
    assert _ramp(10).device.type == "cpu"
    assert shapecalc.from_torch(net, input=(10, 8)).analyze(batch=1).output == (1, 10, 8)
    assert _ROWS[10, 8].device.type == "cpu"


def _cached_within(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    cached = cache(function)

    def call(*args: Any) -> Tensor:
        return cached(*args)

    return call


@_cached_within
def _slope(length: int) -> Tensor:
    return torch.arange(length).float()


class _CachingWithin(nn.Module):
    @staticmethod
    @_cached_within
    def rows(shape: torch.Size) -> Tensor:
        return torch.ones(shape)

    @staticmethod
    @cache
    def columns(width: int) -> Tensor:
        return torch.ones(width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x * self.rows(x.shape) * self.columns(x.shape[2])
        return y + _slope(x.shape[1])[:, None]


def test_caches_within_decorators_and_static_methods_pin_nothing_and_are_as_before() -> None:
    net = _CachingWithin()
    model = shapecalc.from_torch(net, input=(10, 8))
    assert model.analyze(input=(7, 8), batch=3).output == (3, 7, 8)
    for _ in range(2):
        assert net(torch.zeros(2, 10, 8)).device.type == "cpu"
        assert shapecalc.from_torch(net, input=(10, 8)).analyze(input=(6, 8)).output == (1, 6, 8)


def test_functions_are_found_once_in_containers_that_hold_each_other() -> None:
    def first(*_: object) -> None: ...

    def second() -> object:
        return values

    values: dict[str, Any] = {"first": first, "second": [second, first]}
    for name in "abcdefgh":
        values[name] = [values, property(first)] * 40
    assert [*functions_in(values)] == [first, second]


class _Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.lin(x)
        return y[:, y[0, :, 0] > 0]


def test_a_mask_of_truth_values_as_index_is_refused() -> None:
    """Indexing by integers would run, but the mask is no input: another run with integers cannot help."""
    with pytest.raises(SpecError, match=r"values of the input \(getitem reads them"):
        shapecalc.from_torch(_Masked(), input=(6, 8))


_BY_WIDTH: dict[str, dict[int, Tensor]] = {"tables": {}}


class _Store:
    def __init__(self) -> None:
        self.table: Tensor | None = None


_STORE = _Store()


def _default(width: int, known: dict[int, Tensor] = {}) -> Tensor:  # noqa: B006  (as users write it)
    return known.setdefault(width, torch.ones(width))


class _CachingDeeper(nn.Module):
    mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[-1]
        if _CachingDeeper.mask is None:
            _CachingDeeper.mask = torch.ones(width)
        if _STORE.table is None:
            _STORE.table = torch.ones(width)
        table = _BY_WIDTH["tables"].setdefault(width, torch.ones(width))
        return x * _CachingDeeper.mask * table * _STORE.table * _default(width)


def test_caches_in_classes_objects_containers_and_defaults_are_as_before() -> None:
    net = _CachingDeeper()
    shapecalc.from_torch(net, input=(10, 8)).analyze(batch=1)
    assert _CachingDeeper.mask is None
    assert _STORE.table is None
    assert _BY_WIDTH == {"tables": {}}
    assert _default.__defaults__ == ({},)
    assert net(torch.zeros(1, 10, 8)).device.type == "cpu"


class _Seeding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(9, 4)

    def forward(self, x: Tensor) -> Tensor:
        torch.manual_seed(0)
        random.seed(0)
        print("here", end="")
        result: Tensor = self.second(self.first(x))
        return result


def test_a_failed_import_draws_nothing_and_prints_no_repairs(capsys: pytest.CaptureFixture[str]) -> None:
    net = _Seeding()
    states = torch.get_rng_state(), random.getstate()
    with pytest.raises(SpecError):
        shapecalc.from_torch(net, input=(8,))
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert capsys.readouterr().out.count("here") <= 6  # the attempts with floats and with integers


class _CopiedAsItself(nn.Module):
    def __deepcopy__(self, memo: dict[int, Any]) -> _CopiedAsItself:
        return self

    def forward(self, x: Tensor) -> Tensor:
        return x * 2


def test_a_module_that_is_its_own_copy_is_refused_and_stays_in_training() -> None:
    net = nn.Sequential(_CopiedAsItself())
    with pytest.raises(SpecError, match="cannot be copied: a part of it is its own copy"):
        shapecalc.from_torch(net, input=(3,))
    assert net[0].training
