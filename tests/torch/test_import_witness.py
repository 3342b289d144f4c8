"""An import answers for other sizes only after its module has run there, and what differs is refused."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from shapecalc import Model, Undecided, from_torch
from tests.support.broken_tracer import MODULES, Forward, break_tracer


def imported(name: str) -> Model:
    return from_torch(MODULES[name](), input=(3, 12, 12))


@pytest.mark.parametrize("name", MODULES)
def test_an_honest_import_is_confirmed(name: str) -> None:
    report = imported(name).analyze(symbolic=True)
    assert report.inference.unconfirmed == ""
    assert imported(name).sizes().unconfirmed == ""


REFUTED = {
    "sizes as constants": "Forward gives 3x3x25x26 for an input of 3x3x25x26, and its import 3x3x12x12",
    "a branch": "Forward gives 3x3x25x13 for an input of 3x3x25x26",
    "a refusal": "Forward raises an error for an input of 3x3x25x26, which its import accepts: AssertionError",
    "a layer": "pool gives 3x3x12x13 for an input of 3x3x25x26, and its import 3x3x13x13",
    "a function": "Forward gives 3x3x26x25 for an input of 3x3x25x26, and its import 3x3x25x26",
}


@pytest.mark.parametrize("name", MODULES)
def test_a_wrong_import_is_refused_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_tracer(name, monkeypatch)
    model = imported(name)
    assert model.analyze().inputs == {"input": (1, 3, 12, 12)}
    questions: list[Callable[[], object]] = [
        lambda: model.analyze(symbolic=True),
        lambda: model.analyze(input=(3, 11, 15)),
        model.sizes,
        lambda: model.agreement(from_torch(nn.ReLU(), input=(3, 12, 12))),
    ]
    for question in questions:
        with pytest.raises(Undecided) as caught:
            question()
        assert str(caught.value).startswith(REFUTED[name])
        assert "the import holds for the traced sizes only" in str(caught.value)


def test_a_batch_alone_is_another_size(monkeypatch: pytest.MonkeyPatch) -> None:
    break_tracer("sizes as constants", monkeypatch)
    model = from_torch(Forward(lambda _, x: (x.relu(), torch.zeros(x.shape[0], 5))), input=(3, 4))
    with pytest.raises(Undecided, match="the traced sizes only"):
        model.analyze(batch=4)


def counting(runs: list[tuple[int, ...]], most: int = 10**6) -> nn.Module:
    """Return a module that says when it runs, and runs only so many times."""

    def forward(module: nn.Module, x: Tensor) -> Tensor:
        runs.append(tuple(int(size) for size in x.size()))
        if len(runs) > most:
            raise RuntimeError("once was enough")
        y: Tensor = module.get_submodule("conv")(x)
        return y

    return Forward(forward, conv=nn.Conv2d(3, 8, 3))


def test_it_runs_when_it_is_needed_and_once() -> None:
    runs: list[tuple[int, ...]] = []
    model = from_torch(counting(runs), input=(3, 12, 12))
    model.analyze()
    model.analyze(input=(3, 12, 12), batch=1)
    assert len(runs) == 1
    model.analyze(symbolic=True)
    model.sizes()
    assert [shape[0] for shape in runs] == [runs[0][0], 3, 1]


def test_what_does_not_run_again_is_not_confirmed() -> None:
    model = from_torch(counting([], most=1), input=(3, 12, 12))
    assert "not confirmed" not in str(model.analyze())
    why = "Forward does not run again without memory: RuntimeError: once was enough"
    report = model.analyze(symbolic=True)
    assert report.to_dict()["unconfirmed"] == why
    assert f"As traced, not confirmed at other sizes: {why}" in str(report)
    sizes = model.sizes()
    assert str(sizes).endswith(f"As traced, not confirmed at other sizes: {why}")
    assert sizes.to_dict()["unconfirmed"] == (sizes & sizes).unconfirmed.partition("; ")[0] == why


def test_where_no_other_size_is_known_it_says_so() -> None:
    model = from_torch(nn.Sequential(nn.Flatten(), nn.Linear(108, 4)), input=(3, 6, 6))
    why = "no other size is known that it accepts for H, W"
    assert model.analyze(symbolic=True).inference.unconfirmed == why


def test_sizes_that_must_be_even_or_equal_are_confirmed() -> None:
    halves = Forward(lambda _, x: x + functional.interpolate(functional.max_pool2d(x, 32), scale_factor=32))
    assert from_torch(halves, input=(3, 64, 64)).sizes().unconfirmed == ""
    squares = Forward(lambda _, x: x @ x)
    assert from_torch(squares, input=(3, 6, 6)).sizes().unconfirmed == ""


def test_kept_tensors_and_captured_modules_are_run_as_recorded() -> None:
    linear, table = nn.Linear(4, 4), torch.ones(4)
    model = from_torch(Forward(lambda _, x: linear(x) + table), input=(6, 4))
    assert model.analyze(symbolic=True).inference.unconfirmed == ""


class Remembering(nn.Module):
    """A module that keeps what it made in the first forward."""

    mask: Tensor | None = None

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, Tensor] = {}
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        if self.mask is None:
            self.mask = torch.ones(x.shape[-1])
        made = self.made.setdefault(0, torch.ones(x.shape[-1]))
        y: Tensor = self.norm(x) * self.mask * made
        return y


def test_every_run_begins_with_the_module_as_it_was() -> None:
    module = Remembering().train()
    torch.manual_seed(3)
    random.seed(3)
    before = torch.get_rng_state(), random.getstate()
    model = from_torch(module, input=(4, 6))
    assert model.analyze(symbolic=True).output[1:] == (4, model.analyze(symbolic=True).input[-1])
    assert (module.mask, module.made, module.training) == (None, {}, True)
    assert module.norm.num_batches_tracked == 0
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()


def test_a_model_is_stored_without_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    break_tracer("a function", monkeypatch)
    model = imported("a function")
    with pytest.raises(Undecided):
        model.model_copy(update={"name": "other"}).analyze(symbolic=True)
    stored: Model = pickle.loads(pickle.dumps(model))
    assert stored.analyze(symbolic=True).output == stored.analyze(symbolic=True).input
    changed = model.model_copy(update={"layers": from_torch(nn.ReLU(), input=(3, 12, 12)).layers})
    assert changed.graphs.witness is None
