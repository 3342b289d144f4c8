"""`shapecalc verify`: what it prints, its exit status, and what it says where torch is absent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from torch import nn

from shapecalc import Model, build, load, loads
from shapecalc.bridges.torch.proof import run_network as running
from shapecalc.bridges.torch.proof import verification
from shapecalc.cli import main
from shapecalc.errors import SpecError
from shapecalc.layers import Conv2d, Linear

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["verify", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_line_per_layer(golden: Callable[[str, str], None]) -> None:
    status, printed = run("lenet5")
    assert status == 0
    golden("cli/verify.txt", printed)


def test_json_holds_the_same() -> None:
    status, printed = run("lenet5", "--format", "json", "--set", "H=30")
    assert status == 0
    found = json.loads(printed)
    assert found["counts"] == {"proved": len(found["layers"])}
    assert found["layers"][0]["inputs"] == [[1, 1, 30, 32]]


def test_a_refutation_is_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Conv2d.output
    monkeypatch.setattr(Conv2d, "output", lambda self, x: (*honest(self, x)[:-1], honest(self, x)[-1] + 1))
    status, printed = run("lenet5", "--input", "1x33x33")
    assert status == 1
    assert "smallest counter-example" in printed


# ---- the forward of the built network


def test_a_large_network_runs_on_shapes_and_says_so() -> None:
    model = load("vgg11")
    found = running.forward(model, model.analyze(), None, {})
    assert not found.is_refuted
    assert str(found).startswith(
        "the built network ran on shapes alone, for it has 132,863,336 parameters: each of its 30 layers has"
    )


def test_what_torch_cannot_be_given_is_not_run() -> None:
    model = load("tutorials/keras_lenet5")
    found = running.forward(model, model.analyze(), None, {})
    assert str(found).startswith("not run: keras_lenet5 is written in the rules of Keras")
    assert not found.is_refuted


SEVERAL = """
input: {words: [7], mask: [7, 6], right: [7]}
layers:
  - embedding: {num_embeddings: 5, embedding_dim: 6}
    from: words
    name: embedded
  - lstm: {hidden_size: 4, batch_first: true}
    name: encoder
  - linear: {out_features: 3}
    name: scores
  - permute: {dims: [0, 2, 1]}
  - cross_entropy_loss: {}
    from: [permute, right]
    name: loss
  - multihead_attention: {num_heads: 2, kdim: 4, vdim: 4, batch_first: true}
    from: [mask, encoder, encoder]
    name: attention
outputs: {loss: loss, attention: attention, state: encoder.1}
"""


def test_layers_of_several_tensors_run_too() -> None:
    model = loads(SEVERAL)
    found = running.forward(model, model.analyze(), None, {})
    assert (found.layers, found.on_numbers, found.differences) == (6, True, {})


def _swapped(path: str, other: Callable[[], nn.Module], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another layer stand in the built network than the model has."""

    def built(model: Model, device: str, *given: Any) -> nn.Module:
        network = build(model, device=device)
        network.set_submodule(path, other().to(device))
        return network

    monkeypatch.setattr(running, "build", built)


@pytest.mark.parametrize(
    ("path", "other", "says"),
    [
        ("s2", lambda: nn.MaxPool2d(2, 1), "output: ours 1x6x14x14, in the forward 1x6x27x27"),
        ("c3", lambda: nn.Conv2d(6, 16, 5, bias=False), "weights: ours"),
        ("tanh", lambda: nn.BatchNorm2d(6, affine=False), "buffers: ours {}"),
        ("tanh_3", lambda: nn.Linear(120, 120), "weights"),
        ("f6", lambda: nn.Linear(121, 84), "torch refuses it"),
    ],
)
def test_a_network_that_is_built_wrong_is_refuted(
    path: str, other: Callable[[], nn.Module], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("lenet5")
    _swapped(path, other, monkeypatch)
    found = running.forward(model, model.analyze(), None, {})
    assert says in found.differences[path]


def test_a_network_that_is_built_wrong_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    path, model = "s2", load("lenet5")
    _swapped(path, lambda: nn.MaxPool2d(2, 1), monkeypatch)
    told = str(verification.verify(model))
    assert "the built network ran on numbers; refuted where it is said" in told
    line = next(line for line in told.splitlines() if line.startswith(f"{path} "))
    assert "; refuted: " in line


def test_costs_are_counted_in_the_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Linear, "macs", lambda self, x: 1)
    model = load("lenet5")
    assert running.forward(model, model.analyze(), None, {}).differences == {
        "c5": "MACs: ours 1, in the forward 48,000",
        "f6": "MACs: ours 1, in the forward 10,080",
        "output": "MACs: ours 1, in the forward 840",
    }


def test_a_model_that_does_not_hold_is_told_as_everywhere() -> None:
    assert run("lenet5", "--input", "1x8x8")[0] == 1
    assert run("no_such_model")[0] == 2


@pytest.mark.parametrize("arguments", [("verify", "lenet5"), ("verify", "lenet5", "--format", "json")])
def test_without_torch_it_says_what_to_install(arguments: tuple[str, ...]) -> None:
    code = f"""
import sys
sys.modules["torch"] = None
from shapecalc.cli import main
from shapecalc.errors import SpecError
main({list(arguments)!r}, prog_name="shapecalc")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert "python -m pip install torch (" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_report_reads_without_a_command() -> None:
    assert str(verification.verify(load("lenet5"))).endswith(
        "weights, buffers and MACs are torch's at these sizes"
    )


def test_the_work_of_a_run_is_bounded() -> None:
    """Layers of many inputs are not proved, thousands of different ones refused, large results without memory."""
    merged = loads(f"input: [8]\nlayers: [{{add: {[[]] * 101}}}]")
    verified = verification.verify(merged)
    assert verified.counts == {"uncovered": 1}
    assert "it has 101 inputs; layers of at most 100 are proved" in verification.text(verified)
    growing = f"input: [8]\nlayers: {[{'linear': 8 + n} for n in range(1001)]}"
    with pytest.raises(SpecError, match="1,001 different layers; at most 500 are proved"):
        verification.verify(loads(growing))
    wide = "input: [3, 64, 64]\nlayers: [{adaptive_avg_pool2d: {output_size: [199999991, 1]}}]"
    verified = verification.verify(loads(wide))
    assert verified.counts == {"proved": 1}
    assert not verified.forward.on_numbers
