"""The line that declares a module of a tree: exact where the source says it, none where it does not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from shapecalc.bridges.torch.tracer.declared_place import declared_place
from shapecalc.cli import main

SOURCE = """\
from collections import OrderedDict
from torch import nn

def made(n):
    return nn.Linear(n, 1)

class Inner(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.project: nn.Module = nn.Linear(n, 2)

class Base(nn.Module):
    def __init__(self, deep: bool = True):
        super().__init__()
        self.inherited = nn.Linear(1, 2)
        self.branch = nn.Linear(1, 2) if deep else None
        if deep:
            self.twice = nn.Linear(1, 3)
        else:
            self.twice = nn.Linear(1, 4)

class Net(Base):
    def __init__(self):
        super().__init__()
        self.inner = Inner(3)
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Sequential(nn.Flatten(),
                          nn.Linear(4, 5)),
            Inner(6),
        )
        self.listed = nn.ModuleList([
            nn.Linear(7, 8),
            nn.Conv2d(1, 1, 3),
        ])
        self.comprised = nn.ModuleList([nn.Linear(i, 1) for i in (1, 2)])
        self.starred = nn.Sequential(*[nn.ReLU()], nn.Linear(1, 1))
        self.named = nn.Sequential(OrderedDict(a=nn.ReLU(), b=nn.ReLU()))
        self.helped = made(3)
        self.add_module("added", nn.Linear(1, 1))
        local = nn.Linear(1, 1)
        self.local = local

net = nn.Sequential(
    nn.Linear(9, 10),
    Net(),
)
again = nn.ReLU()
again = nn.ReLU()
"""


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(SOURCE.splitlines(), 1) if text in line)


@pytest.fixture
def nets(tmp_path: Path) -> Iterator[ModuleType]:
    file = tmp_path / "declared_nets.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("declared_nets", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "declared_nets", module)
        spec.loader.exec_module(module)
        yield module


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("inherited", "nn.Linear(1, 2)"),
        ("inner", "self.inner = Inner(3)"),
        ("inner.project", "nn.Linear(n, 2)"),
        ("head", "self.head = "),
        ("head.0", "            nn.ReLU(),"),
        ("head.1.1", "nn.Linear(4, 5)"),
        ("head.2.project", "nn.Linear(n, 2)"),
        ("listed.0", "nn.Linear(7, 8)"),
        ("listed.1", "nn.Conv2d(1, 1, 3)"),
        ("branch", None),
        ("twice", None),
        ("comprised.1", None),
        ("starred.1", None),
        ("named.a", None),
        ("helped", None),
        ("added", None),
        ("local", None),
        ("absent", None),
    ],
)
def test_the_line_of_a_layer(nets: ModuleType, path: str, text: str | None) -> None:
    assert declared_place(nets.Net(), path).line == (text and line_of(text))


@pytest.mark.parametrize(
    ("path", "text"), [("0", "nn.Linear(9, 10)"), ("1", "    Net(),"), ("1.inner", "self.inner = Inner(3)")]
)
def test_an_object_of_a_file(nets: ModuleType, path: str, text: str) -> None:
    file = str(nets.__file__)
    assert declared_place(nets.net, path, (file, "net")).line == line_of(text)
    assert declared_place(nets.net, path).line == (line_of(text) if "." in path else None)
    assert declared_place(nets.again, "", (file, "again")).line is None


def test_a_bare_sequential_is_located_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "bare_net.py"
    file.write_text(
        "from torch import nn\n\nnet = nn.Sequential(\n    nn.Flatten(),\n    nn.Linear(10, 2),\n)\n"
    )
    result = CliRunner().invoke(main, ["check", f"{file}:net", "--input", "1x4x4"])
    assert result.exit_code == 1
    assert "bare_net.py:5:5\n" in result.output
    assert "fix: in_features: 16" in result.output
