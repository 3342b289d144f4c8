"""What a type checker knows of a report: numbers where nothing was left free, expressions elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import pytest

import shapecalc
from shapecalc import Expr, Report, symbol
from shapecalc.report.node import Node
from shapecalc.report.outline import Item
from tests.support.strict_mypy import errors

RESNET = shapecalc.load("resnet18")


def test_without_free_sizes_everything_is_a_number() -> None:
    report = assert_type(RESNET.analyze(input=(3, 64, 64), batch=8, num_classes=10), Report[int])
    params: int = report.params
    macs: int = report.macs
    width: int = report.output[-1]
    assert_type(report.nodes[0], Node[int])
    assert_type(report.nodes[0].macs, int | None)
    assert_type(report.nodes[0].outputs, tuple[tuple[int, ...], ...])
    assert_type(report["stem"], Node[int] | Item[int])
    assert_type(report["stem"].params, int)
    assert_type(report.cost("fvcore").total, int)
    assert_type(report.derive("fc").params, int)
    assert {type(number) for number in (params, macs, width, report.nodes[0].bytes, report.flops)} == {int}


def test_with_free_sizes_it_may_be_an_expression() -> None:
    assert_type(RESNET.analyze(symbolic=True), Report)
    assert_type(RESNET.analyze(batch=symbol("N")), Report)
    assert_type(RESNET.analyze(input=(3, symbol("H"), 224)), Report)
    report = RESNET.analyze(symbolic=("H", "W"))
    assert_type(report["stem"].macs, int | Expr | None)
    assert_type(report.output, tuple[int | Expr, ...])
    macs: int = report.macs  # type: ignore[assignment]
    assert not isinstance(macs, int)


def test_numbers_are_accepted_wherever_expressions_are() -> None:
    def params(report: Report) -> int | Expr:
        return report.params

    assert params(RESNET.analyze()) == 11_689_512


@pytest.mark.ci
def test_mypy_agrees_and_can_disagree(tmp_path: Path) -> None:
    right = Path(__file__).read_text("utf-8")
    wrong = right.replace("num_classes=10), Report[int])", "classes=10), Report)")
    (complaint,) = errors(tmp_path, {"right.py": right, "wrong.py": wrong})
    assert complaint.startswith("wrong.py")
    assert 'Expression is of type "Report[int]"' in complaint
