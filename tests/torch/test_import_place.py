"""Modules named by where they are, from the command line: one's own in the working directory, and torchvision's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main

torch.set_num_threads(1)

Run = Callable[..., tuple[int, str]]

PACKAGE = Path(shapecalc.__file__).parents[1]

NET = """
from torch import nn

from .parts import block


class Net(nn.Module):
    def __init__(self, depth=1, width=8, classes: int = 10):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 7, stride=4, padding=3)
        self.blocks = nn.Sequential(*(block(width) for _ in range(depth)))
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


built = Net(2)
"""
PARTS = """
from torch import nn


def block(width):
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a directory as a user has it, with a package that is not installed."""
    package = tmp_path / "mypkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "net.py").write_text(NET)
    (package / "parts.py").write_text(PARTS)
    (tmp_path / "broken.py").write_text("import nowhere_to_be_found\n")
    return tmp_path


def from_a_shell(where: Path, *arguments: str) -> tuple[int, str]:
    """Run the command in a process of its own, in a directory that no path of Python's names."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    starts = f"import sys; sys.path.append({str(PACKAGE)!r}); from shapecalc.cli import run; run()"
    command = [sys.executable, "-P", "-c", starts, *arguments]
    ran = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def run(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command in this process, in the directory of the project."""
    monkeypatch.chdir(project)

    def ran(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    before = [*sys.path]
    yield ran
    assert sys.path == before
    for name in [
        name
        for name in sys.modules
        if name.partition(".")[0] in ("mypkg", "broken", "nets", "layer", "late", "later")
    ]:
        del sys.modules[name]


def params(depth: int) -> int:
    return 3 * 8 * 49 + 8 + depth * (8 * 8 * 9 + 16) + 8 * 10 + 10


def test_a_users_own_module_from_a_shell(project: Path) -> None:
    status, told = from_a_shell(project, "check", "mypkg.net:Net", "--input", "3x224x224", "--set", "depth=3")
    assert status == 0, told
    assert told == "nothing to complain about\n"


def test_a_users_own_module(run: Run) -> None:
    status, told = run(
        "show", "mypkg.net:Net", "--input", "3x224x224", "--set", "depth=3", "--format", "json"
    )
    assert status == 0, told
    shown = json.loads(told)
    assert shown["params"] == params(3)
    assert shown["macs"] == 56 * 56 * (8 * 3 * 49 + 3 * 8 * 8 * 9) + 80
    status, told = run("sizes", "mypkg.net:Net", "--input", "3x224x224")
    assert status == 0, told
    assert "any H, W" in told


@pytest.mark.parametrize(
    ("where", "status", "reported"),
    [
        ("mypkg/net.py:Net", 0, f"Parameters: {params(1):,}"),
        ("{project}/mypkg/net.py:Net", 0, f"Parameters: {params(1):,}"),
        ("mypkg/net.py:built", 0, f"Parameters: {params(2):,}"),
        ("alone/nets.py:Net", 0, "Parameters: 80"),
        ("alone/json.py:Net", 0, "Parameters: 80"),
        ("alone/late.py:Late", 0, "Parameters: 80"),
        ("alone/nets.py", 2, "as in alone/nets.py:Net"),
        ("alone/nets.py:Nat", 2, "nets.py has no 'Nat'"),
        ("alone/nowhere.py:Net", 2, "there is no file 'alone/nowhere.py'"),
        ("alone/torn.py:Net", 2, "SyntaxError"),
    ],
)
def test_a_module_in_a_file(project: Path, run: Run, where: str, status: int, reported: str) -> None:
    alone = project / "alone"
    alone.mkdir()
    text = "from torch import nn\nfrom layer import linear\ndef Net(): return nn.Sequential(linear())\n"
    (alone / "nets.py").write_text(
        f"{text}class Net(nn.Sequential):\n    def __init__(self): super().__init__(linear())\n"
    )
    (alone / "json.py").write_text(text)
    (alone / "torn.py").write_text("class Net(:\n")
    (alone / "late.py").write_text(
        "from nets import Net\nclass Late(Net):\n    def forward(self, x):\n"
        "        import later\n        return later.twice(self[0](x))\n"
    )
    (alone / "later.py").write_text("def twice(x): return 2 * x\n")
    (alone / "layer.py").write_text("from torch import nn\ndef linear(): return nn.Linear(9, 8)\n")
    shape = "3x64x64" if "mypkg" in where else "3x9"
    code, output = run("show", where.format(project=project), "--input", shape)
    assert code == status, output
    assert reported in output


@pytest.mark.parametrize(
    "command", ["check", "export", "verify", "sizes", "derive", "draw", "html", "value", "plot"]
)
def test_every_command_takes_a_module_in_a_file(project: Path, run: Run, command: str) -> None:
    more = {"value": ("params", "input=3x64x64"), "html": ("-o", "page.html", "--input", "3x64x64")}
    code, output = run(command, "mypkg/net.py:Net", *more.get(command, ("--input", "3x64x64")))
    assert code == 0, output


def test_two_of_them_are_compared(run: Run) -> None:
    arguments = ("--input", "3x64x64", "--set-left", "depth=1", "--set-right", "depth=2")
    status, told = run("diff", "mypkg.net:Net", "mypkg.net:Net", *arguments)
    assert status == 1, told
    assert "blocks.1.0" in told
    status, told = run(
        "diff", "mypkg.net:built", "mypkg.net:Net", "--input", "3x64x64", "--set-right", "depth=2"
    )
    assert status == 0, told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mypkg.nets:Net",), "no Python module is called 'mypkg.nets'"),
        (("mypkg.net:Nett", "--input", "3x8x8"), "mypkg.net has no 'Nett'"),
        (("mypkg.net:Net",), "needs --input"),
        (("mypkg.net:Net", "--input", "3x8x8", "--set", "dept=1"), "takes no 'dept' (did you mean 'depth'?)"),
        (("broken:Net", "--input", "3x8x8"), "nowhere_to_be_found"),
    ],
)
def test_what_is_wrong_is_told_and_no_traceback(run: Run, arguments: tuple[str, ...], told: str) -> None:
    status, said = run("check", *arguments)
    assert status == 2, said
    assert told in said
    assert "Traceback" not in said


def test_a_network_for_segmentation(run: Run) -> None:
    where = "torchvision.models.segmentation:lraspp_mobilenet_v3_large"
    status, told = run("show", where, "--format", "json")
    assert status == 0, told
    shown = json.loads(told)
    weights = torchvision.models.segmentation.LRASPP_MobileNet_V3_Large_Weights.DEFAULT
    assert shown["params"] == weights.meta["num_params"]
    assert f"{shown['macs'] / 1e9:.3f}" == f"{weights.meta['_ops']:.3f}"


def test_a_builder_that_computes_with_tensors_is_given_their_numbers(run: Run) -> None:
    with torch.device("meta"), pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        torchvision.models.regnet_y_400mf(weights=None)
    status, told = run("show", "torchvision.models:regnet_y_400mf", "--format", "json")
    assert status == 0, told
    assert json.loads(told)["params"] == torchvision.models.RegNet_Y_400MF_Weights.DEFAULT.meta["num_params"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("detection:fasterrcnn_mobilenet_v3_large_320_fpn", marks=pytest.mark.ci),
        "detection:ssd300_vgg16",
    ],
)
def test_detection_depends_on_what_is_seen_and_is_refused_with_the_reason(run: Run, name: str) -> None:
    status, told = run("show", f"torchvision.models.{name}", "--input", "3x224x224")
    assert status == 1, told
    assert "error[forward]: " in told
    assert ".py:" in told
    assert "Traceback" not in told
