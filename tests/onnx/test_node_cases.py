"""The importer on the ONNX standard's own cases of single nodes: as they are, and at other sizes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from onnx import ModelProto

from shapecalc.bridges.onnx import from_onnx
from shapecalc.errors import ShapecalcError
from shapecalc.model import Model
from tests.support.onnx_node_cases import (
    NodeCase,
    best_verdict,
    inferred,
    node_cases,
    resized,
    size_names,
    with_values,
)

pytestmark = pytest.mark.ci


@pytest.fixture(scope="module")
def cases() -> list[NodeCase]:
    return [*node_cases()]


def test_node_cases_are_exact_and_none_is_wrong(cases: list[NodeCase]) -> None:
    verdicts = {case.name: best_verdict(case) for case in cases}
    counts = Counter(verdicts.values())
    honest = ("exact", "by value", "opaque", "refused")
    assert {name: each for name, each in verdicts.items() if each not in honest} == {}
    assert counts["exact"] + counts["by value"] >= max(1200, 0.94 * len(cases))


IN_ERROR = {"STFT": "the inference of ONNX takes it to be two-sided, against the default and its own case"}
"""Operators at which ONNX's inference is wrong, and why."""


def freed(case: NodeCase) -> tuple[Model, ModelProto] | None:
    """Return the model of a case with free sizes, and the case that it is of; None where none is imported."""
    for model in (case.model, with_values(case)):
        if model is None or not (names := size_names(model)):
            continue
        try:
            return from_onnx(resized(model, names)), model
        except ShapecalcError:
            continue
    return None


@pytest.mark.parametrize("more", [1, 2], ids=["one more", "twice"])
def test_other_sizes_are_those_that_onnx_infers(cases: list[NodeCase], more: int) -> None:
    """Each size of the inputs is a free one, put in only after the import."""
    compared, differ = 0, {}
    for case in cases:
        if case.model.graph.node[0].op_type in IN_ERROR or case.results is None:
            continue
        imported = freed(case)
        if imported is None:
            continue
        model, source = imported
        sizes = {n: n + 1 if more == 1 else 2 * n for n in size_names(source)}
        theirs = inferred(resized(source, sizes))
        if theirs is None or [*map(len, theirs)] != [*map(len, case.results)]:
            continue  # not all sizes are known to it
        chosen: dict[str, Any] = {name: sizes[n] for n, name in size_names(source).items()}
        try:
            ours = [tuple(shape) for shape in model.analyze(**chosen).outputs.values()]
        except ShapecalcError:
            continue
        compared += 1
        if ours != theirs:
            differ[case.name] = f"{chosen}: {ours}, not {theirs}"
    assert differ == {}
    assert compared >= 900
