"""Layers as a dataframe, and the sizes of numbers by their types."""

from __future__ import annotations

import sys
from typing import Any

import pytest

import shapecalc
from shapecalc.errors import NotInstalled, SpecError
from shapecalc.report.dataframe import columns

REPORT = shapecalc.load("lenet5").analyze()


def test_columns_are_those_of_the_layers() -> None:
    data = columns(REPORT.nodes)
    assert [*data] == ["path", "kind", "inputs", "output", "params", "trainable_params", "macs", "bytes"]
    assert data["path"] == [node.path for node in REPORT]
    assert sum(data["params"]) == REPORT.params
    assert data["output"][0] == "1x6x28x28"
    assert columns([]) == {}


def test_a_column_with_a_formula_is_text() -> None:
    data = columns(shapecalc.load("lenet5").analyze(symbolic=("H",)).nodes)
    assert {type(value) for value in data["bytes"]} == {str}
    assert data["params"][0] == "156"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_dataframe_of_the_library(library: str) -> None:
    pytest.importorskip("narwhals")
    pytest.importorskip(library)
    frame: Any = REPORT.to_dataframe(library)
    assert type(frame).__module__.startswith(library)
    assert [*frame.columns] == [*columns(REPORT.nodes)]
    assert int(frame["macs"].sum()) == REPORT.macs


@pytest.mark.parametrize(("missing", "library"), [("narwhals", "pandas"), ("polars", "polars")])
def test_what_is_missing_is_named(missing: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing != "narwhals":
        pytest.importorskip("narwhals")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(NotInstalled, match=f"a dataframe needs {missing}: python -m pip install {missing}$"):
        REPORT.to_dataframe(library)
    with pytest.raises(SpecError, match=r"unknown dataframe library 'panda' \(did you mean 'pandas'"):
        REPORT.to_dataframe("panda")


@pytest.mark.parametrize(
    ("dtype", "params", "first"),
    [
        ("fp64", 493_648, 37_632),
        ("bf16", 123_412, 9_408),
        ("half", 123_412, 9_408),
        ("fp8", 61_706, 4_704),
        ("int4", 30_853, 2_352),
    ],
)
def test_a_type_by_another_name_has_its_size(dtype: str, params: int, first: int) -> None:
    report = shapecalc.load("lenet5").analyze(dtype=dtype)
    assert report.nodes[0].bytes == first
    assert f"Memory in {dtype}: parameters {params / 1024:,.1f} KiB" in str(report)


def test_two_numbers_of_four_bits_are_in_a_byte() -> None:
    text = "input: [3, 5]\nlayers: [split: {split_size: 1, dim: 1}]"
    report = shapecalc.loads(text).analyze(dtype="int4")
    assert [len(report.nodes[0].outputs), report.nodes[0].bytes] == [3, 9]  # 5 numbers each: three bytes
    free = shapecalc.loads("parameters: {n: 5}\ninput: [1, n]\nlayers: [relu]").analyze(
        symbolic="n", dtype="int4"
    )
    assert str(free.nodes[0].bytes) == "⌈n/2⌉"
