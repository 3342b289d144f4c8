"""Forwards that fail: the layer, the line, the sizes, and a repair with which the forward was seen to run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from torch.nn import functional

from shapecalc import from_torch
from shapecalc.bridges.torch.tracer.forward_attempt import Attempt
from shapecalc.cli import main
from shapecalc.errors import ForwardError, ShapecalcError


class Net(nn.Module):
    """A module of some layers, and a forward."""

    def __init__(self, forward: Callable[[Any, Tensor], Any], **layers: nn.Module) -> None:
        super().__init__()
        self.names = [*layers]
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.does = forward

    def forward(self, x: Tensor) -> Any:
        return self.does(self, x)


def in_turn(net: Any, x: Tensor) -> Tensor:
    for name in net.names:
        x = getattr(net, name)(x)
    return x


def added(net: Any, x: Tensor) -> Any:
    y = net.first(x)
    return functional.relu(net.norm(net.second(y)) + y)


def joined(net: Any, x: Tensor) -> Any:
    a = net.down(x)
    b = net.bottom(functional.max_pool2d(a, 2))
    return net.out(torch.cat([net.up(b), a], 1))


def products(net: Any, x: Tensor) -> Any:
    return net.q(x) @ net.k(x).transpose(1, 2)


def viewed(net: Any, x: Tensor) -> Any:
    x = functional.max_pool2d(net.conv(x), 2)
    x = x.view(x.size(0), 6 * 14 * 14)
    return net.fc(x)


def embedded(net: Any, x: Tensor) -> Any:
    positions = torch.arange(x.shape[1])
    return net.words(x) + net.positions(positions)


def attended(net: Any, x: Tensor) -> Any:
    x = net.proj(x)
    return net.attention(x, x, x)[0]


def recurrent(net: Any, x: Tensor) -> Any:
    states, _ = net.lstm(net.words(x))
    return net.fc(states[:, -1])


def sequence(*layers: nn.Module) -> nn.Module:
    return Net(in_turn, body=nn.Sequential(*layers))


def unet(width: int = 2) -> nn.Module:
    return Net(
        joined,
        down=nn.Conv2d(3, 8, 3, padding=1),
        bottom=nn.Conv2d(8, 16, 3, padding=1),
        up=nn.ConvTranspose2d(16, 8, width, 2),
        out=nn.Conv2d(16, 1, 1),
    )


CONV = (3, 16, 16)
MISFITS: dict[
    str, tuple[Callable[[], nn.Module], tuple[int, ...], str, str, Callable[..., Any], str, str]
] = {
    "linear after flatten": (
        lambda: sequence(nn.Conv2d(1, 10, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1440, 10)),
        (1, 28, 28),
        *("channels", "body.3", in_turn, "getattr", "in_features: 1960"),
    ),
    "linear on a map": (
        lambda: sequence(nn.Conv2d(3, 8, 3, padding=1), nn.Linear(2048, 10)),
        CONV,
        *("channels", "body.1", in_turn, "getattr", "a flatten before it"),
    ),
    "channels": (
        lambda: sequence(nn.Conv2d(3, 8, 3), nn.Conv2d(6, 16, 3)),
        CONV,
        *("channels", "body.1", in_turn, "getattr", "in_channels: 8"),
    ),
    "norm": (
        lambda: sequence(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(16)),
        CONV,
        *("channels", "body.1", in_turn, "getattr", "num_features: 8"),
    ),
    "layer norm": (
        lambda: sequence(nn.Linear(8, 16), nn.LayerNorm(32)),
        (10, 8),
        *("normalized-shape", "body.1", in_turn, "getattr", "normalized_shape: 16"),
    ),
    "add of sizes": (
        lambda: Net(
            added, first=nn.Conv2d(3, 8, 3, padding=1), second=nn.Conv2d(8, 8, 3), norm=nn.BatchNorm2d(8)
        ),
        CONV,
        *("broadcast", "", added, "net.second(y)) + y", "padding: 1 (of second)"),
    ),
    "add of channels": (
        lambda: Net(added, first=nn.Conv2d(3, 8, 1), second=nn.Conv2d(8, 16, 1), norm=nn.BatchNorm2d(16)),
        CONV,
        *(
            "broadcast",
            "",
            added,
            "net.second(y)) + y",
            "out_channels: 8 (of second); num_features: 8 (of norm)",
        ),
    ),
    "matmul": (
        lambda: Net(products, q=nn.Linear(32, 16), k=nn.Linear(32, 24)),
        (10, 32),
        *("matmul", "", products, "@", "out_features: 16 (of k)"),
    ),
    "view": (
        lambda: Net(viewed, conv=nn.Conv2d(3, 6, 5), fc=nn.Linear(1176, 10)),
        (3, 36, 36),
        *("elements", "", viewed, "x.view", "1536 in the place of 1176 in view; in_features: 1536 (of fc)"),
    ),
    "embedding": (
        lambda: Net(embedded, words=nn.Embedding(50, 32), positions=nn.Embedding(64, 16)),
        (12,),
        *("broadcast", "", embedded, "net.words", "embedding_dim: 32 (of positions)"),
    ),
    "too few positions": (
        lambda: Net(embedded, words=nn.Embedding(50, 32), positions=nn.Embedding(10, 32)),
        (12,),
        *("channels", "positions", embedded, "net.words", "num_embeddings: 12"),
    ),
    "attention": (
        lambda: Net(
            attended, proj=nn.Linear(8, 48), attention=nn.MultiheadAttention(64, 4, batch_first=True)
        ),
        (10, 8),
        *("channels", "attention", attended, "net.attention", "embed_dim: 48"),
    ),
    "lstm": (
        lambda: Net(
            recurrent,
            words=nn.Embedding(50, 64),
            lstm=nn.LSTM(128, 32, batch_first=True),
            fc=nn.Linear(32, 2),
        ),
        (20,),
        *("channels", "lstm", recurrent, "net.lstm", "input_size: 64"),
    ),
    "kernel": (
        lambda: sequence(nn.Conv2d(3, 8, 3), nn.MaxPool2d(4), nn.Conv2d(8, 16, 7)),
        CONV,
        *("too-small", "body.2", in_turn, "getattr", "an input of 3x30x30"),
    ),
    "pool": (
        lambda: sequence(nn.Conv2d(3, 8, 3), *(nn.MaxPool2d(2) for _ in range(4))),
        CONV,
        *("too-small", "body.4", in_turn, "getattr", "an input of 3x18x18"),
    ),
    "groups": (
        lambda: sequence(nn.Conv2d(3, 8, 3), nn.Conv2d(12, 16, 3, groups=4)),
        CONV,
        *("channels", "body.1", in_turn, "getattr", "in_channels: 8"),
    ),
    "odd input of a U-Net": (
        unet,
        (3, 33, 33),
        *("concat", "", joined, "torch.cat", "an input of 3x34x34"),
    ),
    "transposed kernel of a U-Net": (
        lambda: unet(4),
        (3, 32, 32),
        *("concat", "", joined, "torch.cat", "padding: 1 (of up)"),
    ),
}


@pytest.mark.parametrize(
    ("make", "shape", "code", "path", "forward", "call", "repair"), MISFITS.values(), ids=MISFITS
)
def test_a_misfit(
    make: Callable[[], nn.Module],
    shape: tuple[int, ...],
    code: str,
    path: str,
    forward: Callable[..., Any],
    call: str,
    repair: str,
) -> None:
    with pytest.raises(ForwardError) as error:
        from_torch(make(), input=shape)
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.path) == (code, path)
    assert finding.place.file == __file__
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert finding.place.line is not None
    assert call in lines[finding.place.line - 1]
    assert 0 < finding.place.line - forward.__code__.co_firstlineno < 5
    fix = next((fix for fix in finding.fixes if fix.description == repair), None)
    assert fix is not None, finding.fixes
    assert fix.fixes_all
    assert any("the layers before it: " in note for note in finding.notes) or path == "positions"
    assert any("torch says: " in note for note in finding.notes) or path == "positions"


REPAIRED: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "linear after flatten": (
        lambda: sequence(nn.Conv2d(1, 10, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1960, 10)),
        (1, 28, 28),
    ),
    "add of channels": (
        lambda: Net(added, first=nn.Conv2d(3, 8, 1), second=nn.Conv2d(8, 8, 1), norm=nn.BatchNorm2d(8)),
        CONV,
    ),
    "kernel": (MISFITS["kernel"][0], (3, 30, 30)),
    "pool": (MISFITS["pool"][0], (3, 18, 18)),
    "odd input of a U-Net": (unet, (3, 34, 34)),
    "attention": (
        lambda: Net(
            attended, proj=nn.Linear(8, 48), attention=nn.MultiheadAttention(48, 4, batch_first=True)
        ),
        (10, 8),
    ),
}


@pytest.mark.parametrize(("make", "shape"), REPAIRED.values(), ids=REPAIRED)
def test_a_module_with_the_repair_runs_on_numbers(
    make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    make().eval()(torch.zeros(1, *shape))
    assert from_torch(make(), input=shape).analyze().complete


def test_a_single_number_does_not_become_a_view() -> None:
    with pytest.raises(ForwardError) as error:
        from_torch(Net(lambda _, x: x.sum().view(2, -1)), input=(3, 8))
    (finding,) = error.value.diagnostics
    assert finding.code == "elements"
    assert [fix.description for fix in finding.fixes] == ["1 in the place of 2 in view"]


def test_independent_misfits_are_reported_together() -> None:
    net = sequence(nn.Linear(8, 16), nn.Linear(17, 4), nn.ReLU(), nn.Linear(5, 3))
    with pytest.raises(ForwardError) as error:
        from_torch(net, input=(8,))
    fixes = [[fix.description for fix in each.fixes] for each in error.value.diagnostics]
    assert fixes == [["in_features: 16"], ["in_features: 4"]]
    assert not any(fix.fixes_all for fix in error.value.diagnostics[0].fixes)


def test_the_module_and_its_weights_stay_as_they_are() -> None:
    net = MISFITS["add of channels"][0]()
    before = {name: (id(item), tuple(item.shape)) for name, item in net.named_parameters()}
    with pytest.raises(ForwardError):
        from_torch(net, input=CONV)
    assert {name: (id(item), tuple(item.shape)) for name, item in net.named_parameters()} == before


SOURCE = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(10, 10))

    def forward(self, x):
        return self.classifier(self.features(x))
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "misfit_nets.py").write_text(SOURCE)

    def run(form: str) -> str:
        result = CliRunner().invoke(
            main, ["check", "misfit_nets.py:Net", "--input", "1x28x28", "--format", form]
        )
        assert result.exit_code == 1, result.output
        assert not result.stderr
        return result.stdout

    return run


def test_text(checked: Callable[[str], str], golden: Callable[[str, str], None]) -> None:
    golden("imports/misfit.txt", checked("text"))


def test_json(checked: Callable[[str], str]) -> None:
    (finding,) = json.loads(checked("json"))["diagnostics"]
    assert (finding["code"], finding["path"], finding["line"]) == ("channels", "classifier.1", 12)
    assert finding["file"] == "misfit_nets.py"
    assert finding["fixes"][0]["description"] == "in_features: 1960"
    assert finding["fixes"][0]["fixes_all"]
    assert "1x1960" in finding["message"]
    assert "10·14·14 = 1960" in finding["notes"][0]
    assert "mat1 and mat2 shapes cannot be multiplied (1x1960 and 10x10)" in finding["notes"][-1]


def test_sarif(checked: Callable[[str], str]) -> None:
    (result,) = json.loads(checked("sarif"))["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"]) == ("channels", "error")
    assert location["artifactLocation"]["uri"] == "misfit_nets.py"
    assert location["region"] == {"startLine": 12, "startColumn": 16}
    assert "fix: in_features: 1960" in result["message"]["text"]


def test_github(checked: Callable[[str], str]) -> None:
    text = checked("github")
    assert text.startswith("::error file=misfit_nets.py,line=12,col=16,title=channels::linear declares")
    assert "(in classifier.1)" in text
    assert "%0Afix: in_features: 1960" in text


def test_show_exits_as_for_a_spec_that_does_not_hold(checked: Callable[[str], str]) -> None:
    assert checked("short")
    result = CliRunner().invoke(main, ["show", "misfit_nets.py:Net", "--input", "1x28x28"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error[channels]: linear declares in_features: 10")
    assert not result.stdout


MAKERS = {
    "groups": (
        "nn.Conv2d(8, 16, 3, groups=3)",
        "8x9x9",
        "groups = 3 does not divide in_channels = 8",
        "groups: 2",
    ),
    "transposed": (
        "nn.ConvTranspose2d(8, 12, 3, groups=8)",
        "8x9x9",
        "groups = 8 does not divide out_channels = 12",
        "groups: 4",
    ),
    "norm": (
        "nn.GroupNorm(4, 10)",
        "10x9x9",
        "num_groups = 4 does not divide num_channels = 10",
        "num_groups: 5",
    ),
    "heads": (
        "nn.TransformerEncoderLayer(64, 5)",
        "10x64",
        "num_heads = 5 does not divide embed_dim = 64",
        "num_heads: 4",
    ),
}


@pytest.mark.parametrize(("layer", "shape", "reason", "repair"), MAKERS.values(), ids=MAKERS)
def test_a_layer_that_torch_does_not_make(
    layer: str, shape: str, reason: str, repair: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unmade_nets.py").write_text(
        f"from torch import nn\n\n\ndef net():\n    return nn.Sequential(\n        {layer},\n        nn.ReLU())\n"
    )
    sys.modules.pop("unmade_nets", None)
    arguments = ["check", "unmade_nets.py:net", "--input", shape, "--format", "json"]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (1, "")
    (finding,) = json.loads(result.stdout)["diagnostics"]
    assert (finding["code"], finding["file"], finding["line"]) == ("divisibility", "unmade_nets.py", 6)
    assert reason in finding["message"]
    assert (finding["fixes"][0]["description"], finding["fixes"][0]["fixes_all"]) == (repair, True)
    assert "divisible" in finding["notes"][0]


def test_what_depends_on_values_is_not_searched_for_repairs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Attempt] = []
    original = Attempt.misfit

    def counted(attempt: Attempt) -> Any:
        runs.append(attempt)
        return original(attempt)

    monkeypatch.setattr(Attempt, "misfit", counted)
    with pytest.raises(ShapecalcError):
        from_torch(Net(lambda net, x: net.fc(x)[x.sum().item() :], fc=nn.Linear(8, 4)), input=(8,))
    assert len(runs) <= 1
