"""`verify` of a torch module runs the module itself: it notices what the tracer reads wrongly."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from shapecalc import SpecError, from_torch, load, verify
from shapecalc.bridges.torch.proof.verification import Verification
from shapecalc.bridges.torch.tracer import importing
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.cli import main
from shapecalc.layers import Conv2d, Linear
from tests.support.broken_tracer import MODULES, Forward, break_tracer


def verified(module: nn.Module) -> Verification:
    return verify(module, input=(3, 12, 12))


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", MODULES)
def test_an_honest_import_is_proved(name: str) -> None:
    result = verified(MODULES[name]())
    assert not result.is_refuted
    guarded = "proved for batch ≥ 2, H ≥ 2, 2 ≤ W ≤ 20 or"
    assert str(result.network).startswith(guarded if name == "a branch" else "proved for all batch, H, W")
    of = "Forward ran on numbers: its outputs, layers, parameters, buffers and MACs are those of the report"
    assert str(result.forward) == of


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", MODULES)
def test_a_wrong_import_is_refuted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_tracer(name, monkeypatch)
    result = verified(MODULES[name]())
    assert result.network.outcome == "refuted"
    assert "module: refuted: " in str(result)
    assert "for an input of 3x3x25x26, and its import 3x3" in str(result) or "AssertionError" in str(result)


def test_a_difference_at_one_size_is_found_by_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trace, "guard", lambda *_: None)
    module = Forward(lambda _, x: x.repeat(1, 1, 1, 2) if x.shape[-1] == 19 else x.relu())
    assert from_torch(module, input=(3, 12, 12)).sizes().unconfirmed == ""
    network = verified(module).network
    assert str(network) == (
        "refuted: smallest counter-example batch = 1, H = 1, W = 19: ours 1x3x1x19, torch's 1x3x1x38"
    )


def test_a_wrong_cost_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Linear(12, 4)
    assert not verified(net).is_refuted
    monkeypatch.setattr(Linear, "macs", lambda self, x: 1)
    result = verified(net)
    assert str(result.forward).endswith("refuted: 1,728 MACs, and 1 in the report")


def test_a_parameter_or_buffer_that_is_not_counted_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "_append_unused", lambda *_: None)
    module = Forward(lambda _, x: x.relu(), unused=nn.BatchNorm1d(5))
    assert str(verified(module).forward).endswith("refuted: 10 parameters, and 0 in the report")
    module = Forward(lambda _, x: x.relu(), unused=nn.BatchNorm1d(5, affine=False))
    assert str(verified(module).forward).endswith("refuted: 11 numbers in buffers, and 0 in the report")


def test_without_symbolic_shapes_it_is_compared_at_sizes() -> None:
    network = verified(nn.Sequential(nn.Upsample(scale_factor=4 / 3), nn.ReLU())).network
    assert network.outcome == "sampled"
    assert str(network).startswith("agrees at the sizes tried (4): ")
    fixed = verify(nn.Bilinear(2, 3, 4), args=(torch.ones(5, 2), torch.ones(5, 3))).network
    assert fixed.outcome in ("sampled", "proved", "guarded")


def test_what_does_not_run_again_is_not_covered() -> None:
    runs: list[int] = []

    def once(_: nn.Module, x: Tensor) -> Tensor:
        runs.append(1)
        if len(runs) > 1:
            raise RuntimeError("once was enough")
        return x.relu()

    result = verified(Forward(once))
    why = "Forward does not run again without memory: RuntimeError: once was enough"
    assert str(result.network) == f"not covered: {why}"
    assert str(result.forward) == f"not run: {why}"
    assert not result.is_refuted


class Deciding(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if (x == 0).any():
            print("a zero")
        result: Tensor = self.second(x)
        return result


def test_of_a_run_that_torch_alone_does_not_end_the_cost_is_not_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = verify(Deciding(), input=(8,))
    assert str(result.forward).endswith("MACs are those of the report")
    assert not result.is_refuted
    assert not capsys.readouterr().out


def test_tensors_and_modules_of_a_closure_take_part() -> None:
    linear, table = nn.Linear(4, 4), torch.ones(4)
    result = verify(Forward(lambda _, x: linear(x) + table), input=(6, 4))
    assert not result.is_refuted
    assert result.network.outcome in ("proved", "sampled")


def test_the_users_process_stays_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Dropout()).train()
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    states = torch.get_rng_state(), random.getstate()
    assert not verified(module).is_refuted
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert module.training
    assert all(part.training for part in module)
    assert all(torch.equal(value, weights[name]) for name, value in module.state_dict().items())
    assert not any(part._forward_hooks for part in module.modules())


def test_a_spec_is_built_and_an_import_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = load({"input": [3, 12], "layers": ["relu"]})
    assert str(verify(spec)).splitlines()[-4].startswith("network: ")
    model = from_torch(nn.ReLU(), input=(3, 12, 12))
    assert str(verify(model)).splitlines()[-4].startswith("module: ")
    assert verify(model).to_dict()["module"] is True
    written = model.model_copy(update={"layers": model.layers})
    assert verify(written).to_dict()["module"] is False
    with pytest.raises(SpecError, match="are for torch modules"):
        verify(model, args=(torch.ones(3),))


NETS = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
    def forward(self, x):
        return self.conv(x).relu().mean((2, 3))
"""


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: Callable[[str, str], None]
) -> None:
    (tmp_path / "nets_to_verify.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    arguments = ["verify", "nets_to_verify:Net", "--input", "3x12x12"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0
    golden("cli/verify_module.txt", done.output)
    honest = Conv2d.output
    monkeypatch.setattr(
        Conv2d, "output", lambda self, x: (*honest(self, x)[:-1], honest(self, x)[-1] + x[-1] - 12)
    )
    done = CliRunner().invoke(main, [*arguments, "--format", "json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["network"]["outcome"] == "refuted"
