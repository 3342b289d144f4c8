"""Fields by position, groups without a name, and the hint for a layer that lacks its colon."""

from __future__ import annotations

import pytest

from shapecalc import SpecError, loads
from shapecalc.layers.declaration import positions
from shapecalc.layers.registry import get
from shapecalc.spec.json_schema import schema

HEAD = "input: [3, 8, 8]\nlayers:\n"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("conv2d: [8, 3]", "conv2d: {out_channels: 8, kernel_size: 3}"),
        (
            "conv2d: [in_channels + 1, [3, 1], 1, 1]",
            "conv2d: {out_channels: in_channels + 1, kernel_size: [3, 1], stride: 1, padding: 1}",
        ),
        ("linear: 5", "linear: {out_features: 5}"),
        ("dropout: 0.5", "dropout: {p: 0.5}"),
        ("relu: true", "relu: {inplace: true}"),
        ("adaptive_avg_pool2d: [[2, 4]]", "adaptive_avg_pool2d: {output_size: [2, 4]}"),
        ("max_pool2d: [3, 2, 1]", "max_pool2d: {kernel_size: 3, stride: 2, padding: 1}"),
        ("{repeat: 3, layers: [relu, dropout: 0.1]}", "{sequential: [relu, dropout: {p: 0.1}], repeat: 3}"),
    ],
)
def test_a_short_form_is_the_long_one(short: str, long: str) -> None:
    ours, theirs = loads(f"{HEAD}  - {short}"), loads(f"{HEAD}  - {long}")
    assert ours.layers == theirs.layers
    assert loads(ours.to_yaml()).layers == ours.layers
    assert ours.analyze().to_dict() == theirs.analyze().to_dict()


@pytest.mark.parametrize(
    ("layer", "place", "message", "hint"),
    [
        ("conv2d: 8", "3:5", "conv2d needs kernel_size", "fields of conv2d: in_channels"),
        ("conv2d: [8, -3]", "3:17", "kernel_size: -3 is less than 1", ""),
        ("linear: [8, 9]", "3:17", "bias: 9 is not true or false", ""),
        (
            "adaptive_avg_pool2d: [7, 7]",
            "3:5",
            "adaptive_avg_pool2d takes 1 field by position (output_size), not 2",
            "where a field is a list, it has brackets of its own: [[7, 7]]",
        ),
        ("flatten\n    name: x", "4:9", "this is not YAML", "write - flatten:"),
    ],
)
def test_what_is_wrong_in_a_short_form_is_refused(layer: str, place: str, message: str, hint: str) -> None:
    with pytest.raises(SpecError) as raised:
        loads(f"{HEAD}  - {layer}\n")
    error = raised.value
    assert f"{error.place.line}:{error.place.column}" == place
    assert message in error.message
    assert hint in error.hint


def test_the_schema_takes_values_where_a_kind_has_fields_by_position() -> None:
    bodies = schema()["$defs"]["step"]["anyOf"][1]["properties"]
    by_position = {kind: bodies[kind]["anyOf"][-1] for kind in ("conv2d", "linear", "dropout")}
    least = {kind: (own["minItems"], "number" in own["type"]) for kind, own in by_position.items()}
    assert least == {"conv2d": (2, False), "linear": (1, True), "dropout": (0, True)}
    assert all(own["maxItems"] == len(positions(get(kind))) for kind, own in by_position.items())
    assert "anyOf" not in bodies["add"]
