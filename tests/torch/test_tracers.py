"""Why modules are not read by torch's own tracers: the table in docs/importing.md, measured."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.support.tracers import FORWARDS, TRACERS, given_up, leaves, measured, modules

torch.set_num_threads(1)

PROFILE = os.environ.get("SHAPECALC_PROFILE", "ci")
DOCUMENT = Path(__file__).parents[2] / "docs" / "importing.md"


def table() -> dict[str, list[list[int]]]:
    """Return the numbers of the document's table by tracer, cell by cell."""
    rows: dict[str, list[list[int]]] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0].strip("`") in TRACERS:
            rows[cells[0].strip("`")] = [[*map(int, re.findall(r"\d+", cell))] for cell in cells[1:]]
    return rows


def test_the_table_has_every_tracer_and_counts_all() -> None:
    assert table().keys() == TRACERS.keys()
    head = next(line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "traced of" in line)
    assert [*map(int, re.findall(r"traced of (\d+)", head))] == [len(modules()), *map(len, FORWARDS.values())]


@pytest.mark.sample(3)
@pytest.mark.parametrize("number", range(len(FORWARDS)), ids=[*FORWARDS])
@pytest.mark.parametrize("tracer", TRACERS)
def test_the_table_says_what_is_measured(
    tracer: str, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = measured(tracer, [*FORWARDS.values()][number])
    assert table()[tracer][number + 1] == [
        len(names) for names in (found.traced, found.right, found.refusing, found.wrong)
    ]


@pytest.mark.ci
@pytest.mark.parametrize("tracer", TRACERS if PROFILE == "thorough" else ["torch.fx", "shapecalc"])
def test_the_table_says_how_many_modules_are_traced(tracer: str) -> None:
    assert table()[tracer][0] == [len(modules()) - len(given_up(tracer))]


@pytest.mark.parametrize(("tracer", "count"), [("torch.fx", 2), ("torch.export", 0), ("shapecalc", 2)])
def test_classes_of_torch_are_leaves(tracer: str, count: int) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    assert leaves(tracer, layers, torch.zeros(1, 3, 8, 8)) == count
    assert leaves(tracer, nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8)) == (tracer == "shapecalc")
