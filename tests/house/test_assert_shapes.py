"""`assert_shapes` in a test of a user: what passes, and what a failure explains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

import shapecalc
from shapecalc import Model, SpecError
from shapecalc.testing import assert_shapes

TWO = "input: [4, 6]\nlayers: [{linear: 5, name: a}, {linear: 7, name: b}]\noutputs: {first: a, last: b}"


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 2))


def test_what_holds_returns_the_report(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        TWO.replace("linear: 5", "linear: {out_features: 5}").replace(
            "linear: 7", "linear: {out_features: 7}"
        )
    )
    assert assert_shapes("lenet5", output=10).params == 61_706
    assert assert_shapes("resnet18", input=(3, 64, 64), output=[7], num_classes=7).output == (1, 7)
    assert assert_shapes(net(), input=(3, 8, 8), output=(2,)).macs > 0
    for model in (file, str(file), Model.from_file(file)):
        assert_shapes(model, output={"last": (4, 7), "first": (4, None)})
        assert_shapes(model, output=(None, 5))


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (
            {"model": "lenet5", "output": 11},
            ["lenet5: the output is 10, not 11", "output: linear", "F_out = 10"],
        ),
        ({"model": "lenet5", "output": (1, 10)}, ["the output is 10, not 1x10"]),
        ({"model": "lenet5", "input": (1, 8, 8)}, ["error[too-small]: conv2d", "in c3", "fix: padding: 2"]),
        ({"model": "googlenet", "output": {"aux1": (None, 9)}}, ["googlenet: aux1 is 1000, not anyx9"]),
        (
            {"model": net(), "input": (3, 9, 9)},
            ["error[channels]: linear declares in_features: 144", "fix: in_features: 196"],
        ),
        ({"model": net(), "input": (3, 8, 8), "output": (3,)}, ["Sequential: the output is 2, not 3"]),
    ],
)
def test_a_failure_explains_itself(arguments: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_shapes(**arguments)
    assert all(text in str(caught.value) for text in texts), str(caught.value)
    assert caught.traceback[-1].frame.f_locals["__tracebackhide__"]


def test_what_cannot_be_tried_is_no_failed_assertion() -> None:
    with pytest.raises(SpecError, match="has no output 'aux3'"):
        assert_shapes("googlenet", output={"aux3": (1000,)})
    with pytest.raises(SpecError, match="is called 'lenet6'"):
        assert_shapes("lenet6", output=10)


def test_a_path_that_is_unknown_is_a_key_error_with_the_nearest() -> None:
    model = shapecalc.load("lenet5")
    report = model.analyze()
    for holder in (report, report.cost(), model.solve(in_features=True)):
        with pytest.raises(KeyError, match=r"has no layer or block 'outputs' \(did you mean 'output'\?\)"):
            holder["outputs"]
