"""Peaks in closed form, what fits, budgets, and what an answer says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest
import torch
from click.testing import CliRunner
from torch import nn

import shapecalc
from shapecalc.algebra import Dim, Expr, symbol
from shapecalc.cli import main
from shapecalc.errors import SpecError, Undecided
from shapecalc.memory.ledger import Moment
from shapecalc.memory.peaks import peaks
from tests.support.live_bytes import inference_peak

FITS = """
name: small
input: [3, 32, 32]
layers:
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
  - relu
  - conv2d: {out_channels: 4, kernel_size: 3}
"""


def moment(size: Dim) -> Moment:
    return Moment("forward", str(size), size, 0)


@pytest.mark.parametrize("seed", range(8))
def test_the_peak_over_a_batch_is_that_of_every_batch(seed: int) -> None:
    random, batch = Random(seed), symbol("batch")
    lines = [(random.randrange(40), random.randrange(2000)) for _ in range(random.randrange(2, 30))]
    found = peaks([moment(slope * batch + constant) for slope, constant in lines])
    starts = [peak.start[1] for peak in found if peak.start is not None]
    assert starts == sorted(set(starts))
    assert starts[0] == 1
    for n in range(1, 400):
        current = [peak for peak in found if peak.start is not None and peak.start[1] <= n][-1].moment.bytes
        value = current.subs("batch", n) if isinstance(current, Expr) else current
        assert value == max(slope * n + constant for slope, constant in lines)


def test_sums_that_are_no_lines_are_kept_unless_another_reaches_them() -> None:
    side = symbol("H")
    found = peaks([moment(size) for size in (side * side, 3 * side + 50, 2 * side, side * side - 1)])
    assert {peak.moment.bytes for peak in found} == {side * side, 3 * side + 50}
    assert all(peak.start is None for peak in found)


@pytest.mark.ci
@pytest.mark.parametrize("batch", [2, 8])
def test_resnet50_needs_three_maps_of_256_channels_and_the_one_of_64(batch: int) -> None:
    """The 2,048 bytes are the statistics that a batch normalization returns and nobody keeps."""
    from torchvision.models import resnet50

    with torch.device("meta"):
        module = resnet50(weights=None)
    model = shapecalc.from_torch(module, input=(3, 224, 224))
    parts = model.memory(batch=batch).parts
    held = sum(parts[part] for part in ("weights", "buffers", "input"))
    peak = model.memory(batch=batch).peak
    assert peak - held == 10_436_608 * batch + 2_048
    assert peak == inference_peak(module, torch.empty(batch, 3, 224, 224, device="meta"))


@pytest.mark.ci
def test_resnet18_with_adam_in_closed_form() -> None:
    """Here the step of the optimizer has the peak: all of the state, and two temporaries of the largest weight."""
    from torchvision.models import resnet18

    with torch.device("meta"):
        module = resnet18(weights=None)
    use = shapecalc.from_torch(module, input=(3, 64, 64)).memory(symbolic="batch", optimizer="adam")
    first, second = use.peaks[:2]
    assert (first.moment.phase, first.moment.path) == ("optimizer", "layer4.0.conv2.weight")
    assert first.moment.bytes == 49_152 * symbol("batch") + 205_947_416
    assert second.start is not None
    assert second.start[1] == 14


@pytest.mark.parametrize(
    ("how", "fits"),
    [({}, 5), ({"optimizer": "adamw"}, 3), ({"dtype": "bfloat16"}, 10)],
    ids=["inference", "training", "half"],
)
def test_the_largest_batch_fits_and_the_next_does_not(how: dict[str, str], fits: int) -> None:
    model = shapecalc.loads(FITS)
    room = 400_000
    answer = model.solve(memory=room, free="batch", **how)
    assert answer.answer is not None
    assert answer.answer.values == (fits,)
    assert answer.above is not None
    assert answer.above.values == (fits + 1,)
    measure: Callable[..., shapecalc.memory.memory_use.MemoryUse] = model.memory
    assert answer.answer.amount == measure(batch=fits, **how).peak <= room < answer.above.amount
    assert answer.answer.where.startswith("in the ")


def test_batch_is_a_free_name_for_multiply_accumulates_too() -> None:
    answer = shapecalc.load("resnet50").solve(macs=10**12, free="batch", aim="at_most")
    assert answer.answer is not None
    assert answer.answer.values == (244,)


def test_nothing_fits() -> None:
    answer = shapecalc.loads(FITS).solve(memory=1_000, free="batch")
    assert not answer
    assert str(answer).endswith("No batch fits.")


def test_a_kind_without_a_rule_makes_it_at_least() -> None:
    class Ours(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = torch.fft.fft(x).real
            return result

    model = shapecalc.from_torch(Ours(), input=(8, 16))
    use = model.memory()
    assert not use.complete
    assert "at least" in repr(use)
    with pytest.raises(Undecided, match="only known to be at least a number"):
        model.solve(memory=10**9, free="batch")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"optimizer": "adan"}, "there is no optimizer 'adan'"),
        ({"dtype": "int4"}, "int4: two numbers are in a byte"),
        ({"dtype": "int8", "training": True}, "int8: only numbers with a fraction are trained"),
    ],
)
def test_what_cannot_run_is_refused(how: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        shapecalc.loads(FITS).memory(**how)  # type: ignore[arg-type]


def test_the_number_of_passes_must_be_known() -> None:
    with pytest.raises(Undecided, match="number of passes"):
        shapecalc.load("resnet20_cifar").memory(symbolic="n")


@pytest.mark.parametrize(
    ("budget", "codes"),
    [
        ("{memory: 1MiB}", []),
        ("{memory: 60KiB}", ["budget"]),
        ("{memory: 200KB, training: sgd, batch: 2}", ["budget"]),
        ("{memory: 300KB, training: sgd, batch: 2}", []),
    ],
)
def test_a_budget_of_bytes(budget: str, codes: list[str]) -> None:
    model = shapecalc.loads(f"{FITS}budget: {budget}\n")
    assert [diagnostic.code for diagnostic in model.check()] == codes


def test_optimizers_count_from_the_weights_that_learn() -> None:
    layers = FITS.replace("- relu", "- relu\n  - batch_norm2d")
    use = shapecalc.loads(layers).memory(optimizer="adam")
    learned = (8 * 27 + 8) + 16 + (4 * 72 + 4)
    assert use.parts["weights"] == 4 * learned
    assert use.parts["buffers"] == 4 * 16 + 8
    assert use.parts["optimizer"] == 8 * learned + 4 * 6


def test_the_command_in_json() -> None:
    words = ["memory", "lenet5", "--free", "batch", "--train", "adam", "--format", "json"]
    data = json.loads(CliRunner().invoke(main, words).stdout)
    assert data["lifetimes"] == "last use"
    assert [peak["from"] for peak in data["peaks"]] == [{"batch": 1}, {"batch": 7}]
    assert data["timeline"][0] == {"phase": "forward", "path": "c1", "bytes": "22,912·batch + 740,512"}


@pytest.mark.sample(2)
@pytest.mark.parametrize("form", ["text", "markdown", "html", "rst", "latex"])
def test_the_page_in_every_form(form: str) -> None:
    words = ["memory", "lenet5", "--batch", "2", "--train", "momentum", "--format", form]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0
    assert "activation gradients" in result.stdout


def test_exit_status_where_nothing_fits() -> None:
    assert CliRunner().invoke(main, ["memory", "lenet5", "--fit", "1KiB"]).exit_code == 1
    assert CliRunner().invoke(main, ["memory", "lenet5", "--fit", "1MiB"]).exit_code == 0


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw", "rmsprop"])
def test_a_network_without_weights_has_no_state_of_an_optimizer(optimizer: str) -> None:
    model = shapecalc.load({"input": [4], "layers": ["relu"]})
    assert model.memory(optimizer=optimizer, batch=2).peak == model.memory(training=True, batch=2).peak > 0
