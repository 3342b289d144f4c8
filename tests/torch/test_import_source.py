"""Imported modules keep where each layer is called, and their tables show the tree of modules."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn
from torch.nn import functional

from shapecalc import Model, from_torch
from shapecalc.cli import main
from shapecalc.errors import Place

SOURCE = """
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        if x.shape[2] > 4:
            y = self.norm(self.conv(x))
            return F.relu(y) + x
        return x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        self.blocks = nn.ModuleList([Block(8), Block(8)])
        self.head = nn.ModuleDict({"fc": nn.Linear(8, 10)})

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = 2 * block(x)
        return self.head["fc"](
            x.mean((2, 3)),
        )
"""
LINES = [*enumerate(SOURCE.splitlines(), 1)]


def line_of(text: str) -> int:
    return next(number for number, line in LINES if text in line)


CALLS = {
    "stem.0": "x = self.stem(x)",
    "stem.1": "x = self.stem(x)",
    "blocks.0.conv": "self.conv(x)",
    "blocks.1.norm": "self.norm(",
    "blocks.1.relu": "F.relu(y)",
    "blocks.0.add": "F.relu(y) + x",
    "multiply": "2 * block(x)",
    "mean": "x.mean((2, 3)),",
    "head.fc": 'self.head["fc"](',
}
TREE = """\
stem
  0
  1
blocks
  0
    conv
    norm
    relu
    add
  1
    conv
    norm
    relu
    add
multiply
multiply_2
mean
head.fc
"""


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "some_nets.py").write_text(SOURCE)

    def run(command: str, *arguments: str) -> str:
        result = CliRunner().invoke(main, [command, "models/some_nets.py:Net", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_each_layer_has_the_line_of_its_call(shown: Any) -> None:
    data = json.loads(shown("show", "--input", "3x16x16", "--source", "--format", "json"))
    places = {node["path"]: node["source"] for node in data["nodes"]}
    for path, text in CALLS.items():
        line = SOURCE.splitlines()[line_of(text) - 1]
        assert places[path]["line"] == line_of(text), path
        assert places[path]["file"].endswith("models/some_nets.py")
        assert line[places[path]["column"] - 1 :].startswith(text[:4]) or path.startswith(("blocks", "stem"))
    rows = csv.DictReader(shown("show", "--input", "3x16x16", "--source", "--format", "csv").splitlines())
    sources = {row["path"]: row["source"] for row in rows}
    assert sources["mean"] == f"models/some_nets.py:{line_of(CALLS['mean'])}"
    assert "require" not in sources


@pytest.mark.parametrize("form", ["table", "markdown", "latex", "html", "rst"])
def test_the_table_is_the_tree_of_modules_and_conditions_are_below_it(shown: Any, form: str) -> None:
    text = shown("show", "--input", "3x16x16", "--source", "--format", form)
    where = f"nets.py:{line_of('x.shape[2] > 4')}"
    assert text.count(where) == 1
    assert "require" not in text
    assert text.count(f"nets.py:{line_of('self.conv(x)')}") == 2 + 2  # conv and norm, twice
    if form == "table":
        cells = [line for line in text.splitlines()[4:] if line.strip()]
        assert [line[:12].rstrip() for line in cells[:18]] == TREE.splitlines()
        assert "Traced where size('stem.1', 2) > 4 and 1 more (models/some_nets.py:14)" in text


def test_a_group_that_is_split_in_time_is_one(shown: Any) -> None:
    data = shown("value", "params", "blocks", "input=3x16x16")
    assert data.strip() == "1,200"


def test_findings_about_sizes_point_to_the_call(shown: Any) -> None:
    result = CliRunner().invoke(
        main, ["check", "models/some_nets.py:Net", "--input", "3x16x16", "--format", "sarif"]
    )
    (finding,) = json.loads(result.output)["runs"][0]["results"]
    location = finding["locations"][0]["physicalLocation"]
    assert finding["ruleId"] == "bias-before-norm"
    assert location["artifactLocation"]["uri"] == "models/some_nets.py"
    assert location["region"]["startLine"] == line_of("self.conv(x)")
    annotation = shown("check", "--input", "3x16x16", "--format", "github")
    assert f"file=models/some_nets.py,line={line_of('self.conv(x)')}," in annotation


class Halved(nn.Module):
    """A forward that decides by a size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return functional.max_pool2d(y, 2) if y.shape[2] > 4 else y


def test_a_size_that_decides_otherwise_is_reported_at_its_line_without_a_fix_of_the_recording() -> None:
    model = from_torch(Halved(), input=(3, 16, 16))
    (error,) = (each for each in model.check(input=(3, 5, 9)) if each.severity == "error")
    assert (error.place.file, error.place.line) == (__file__, Halved.forward.__code__.co_firstlineno + 2)
    assert not [fix for fix in error.fixes if "right" in fix.description]


def test_a_fix_elsewhere_names_the_layer_where_there_is_no_text() -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 7), nn.Flatten(), nn.Linear(16 * 24 * 24, 10))
    model = from_torch(net, input=(3, 32, 32))
    (error,) = model.check(input=(3, 30, 30))
    assert [fix.description for fix in error.fixes] == ["in_features: 7744", "padding: 1 (of 1)"]
    assert "(line" not in str(Model(input=[3, 30, 30], layers=[*model.layers]).check()[0])


class Accented(nn.Module):
    """A forward with letters that are more than a byte before its call."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> tuple[str, Tensor]:
        return "größer", self.conv(x)


def test_the_column_of_a_call_counts_characters() -> None:
    (node,) = from_torch(Accented(), input=(3, 16, 16)).analyze()
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[(node.place.line or 0) - 1]
    assert line[(node.place.column or 0) - 1 :] == "self.conv(x)"


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("/usr/lib/python3/site-packages/timm/models/vit.py", "timm/models/vit.py:3"),
        ("/usr/lib/python3/dist-packages/nets.py", "nets.py:3"),
        ("my-packages/nets.py", "my-packages/nets.py:3"),
    ],
)
def test_a_place_is_shown_from_the_folder_of_installed_packages(file: str, shown: str) -> None:
    assert Place(file, 3, 9).shown() == shown


def test_a_module_of_torch_alone_has_no_line_of_its_own() -> None:
    model = from_torch(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), input=(3,))
    assert not any(node.place for node in model.analyze())
    assert torch.get_default_device().type == "cpu"
