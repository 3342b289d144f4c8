"""The roofline: bytes and times worked out by hand, and what it must not count."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc import SpecError
from shapecalc.cli import main
from shapecalc.memory.time_bound import Roofline


def bound(layers: list[Any], shape: tuple[int, ...], **at: Any) -> Roofline:
    model = shapecalc.load({"input": [*shape], "layers": layers})
    return model.roofline(**{"flops": 1e9, "bandwidth": 1e9, "batch": 2} | at)


@pytest.mark.parametrize(
    ("layer", "shape", "numbers"),
    [
        ({"linear": 5}, (7,), 2 * 7 + 5 * 7 + 5 + 2 * 5),
        ("relu", (3, 4), 2 * 12 * 2),
        ({"relu": {"inplace": True}}, (3, 4), 2 * 12 * 2),
        ("flatten", (3, 4), 0),
        ("identity", (3, 4), 0),
        ("dropout", (3, 4), 0),
        ({"conv2d": [6, 3]}, (3, 8, 8), 2 * 3 * 64 + (6 * 27 + 6) + 2 * 6 * 36),
        # of 9 rows the windows of stride 2 read 8, of 8 columns all 8
        (
            {"conv2d": {"out_channels": 6, "kernel_size": 2, "stride": 2, "bias": False}},
            (3, 9, 8),
            384 + 72 + 192,
        ),
        # one column in four is read: 2x2 of 8x8
        ({"conv2d": {"out_channels": 1, "kernel_size": 1, "stride": 4, "bias": False}}, (1, 8, 8), 8 + 1 + 8),
        ({"max_pool2d": [2]}, (3, 8, 8), 2 * 3 * 64 + 2 * 3 * 16),
        ("batch_norm2d", (3, 8, 8), 2 * (2 * 3 * 64) + 4 * 3 + 1),
        ({"add": [["relu"], []]}, (5,), 2 * 5 * 2 + 2 * 5 * 3),
    ],
)
def test_what_is_moved(layer: Any, shape: tuple[int, ...], numbers: int) -> None:
    roofline = bound([layer], shape)
    moved = sum(each.bytes for each in roofline.layers)
    assert moved == 4 * numbers
    assert sum(each.bytes for each in bound([layer], shape, dtype="float16").layers) * 2 == moved


def test_of_a_table_the_rows_are_read_that_are_looked_up() -> None:
    model = shapecalc.load({"input": [6], "layers": [{"embedding": [1000, 4]}]})
    (layer,) = model.roofline(flops=1, bandwidth=1, batch=1).layers
    assert layer.bytes == 4 * (6 * 4) * 2


def test_the_greater_of_computing_and_moving_counts() -> None:
    slow_memory, slow_compute = (
        bound([{"linear": 5}], (7,), flops=flops, bandwidth=bandwidth)
        for flops, bandwidth in ((1e12, 100.0), (10.0, 1e12))
    )
    assert slow_memory.seconds == pytest.approx(4 * (14 + 40 + 10) / 100)
    assert slow_memory.memory_share == 1
    assert slow_compute.seconds == pytest.approx(2 * (2 * 35) / 10)
    assert slow_compute.memory_share == 0


def test_a_kind_without_a_rule_adds_no_time_and_is_named() -> None:
    layer = {"opaque": {"function": "magic", "takes": [[-1, 4]], "gives": [[-1, 4]]}, "from": ["input"]}
    roofline = shapecalc.load({"input": [4], "layers": [layer]}).roofline(flops=1, bandwidth=1)
    assert roofline.seconds == 0
    assert roofline.layers[0].flops is None


def test_the_command() -> None:
    words = ["roofline", "resnet50", "--device", "a100", "--dtype", "bf16", "--batch", "8"]
    text = CliRunner().invoke(main, words).output
    assert "bf16 on A100 SXM 80 GB: at least" in text
    assert "A lower bound, no prediction" in text
    data = json.loads(CliRunner().invoke(main, [*words, "--format", "json"]).output)
    layers = data["layers"]
    assert data["seconds_at_least"] == pytest.approx(sum(layer["seconds_at_least"] for layer in layers))
    assert sum(layer["flops"] for layer in layers) == 2 * 8 * 4_089_184_256
    device = data["device"]
    assert (device["title"], device["flops"], device["bandwidth"]) == ("A100 SXM 80 GB", 312e12, 2039e9)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "a roofline needs a device"),
        ({"device": "a1000"}, "unknown device 'a1000' .did you mean 'a100'"),
        ({"device": "v100", "dtype": "int8"}, "V100 SXM2 has no figure for int8"),
        ({"device": "v100", "dtype": "int9"}, "unknown dtype 'int9'"),
    ],
)
def test_what_is_not_known_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(SpecError, match=says):
        _ = shapecalc.load("lenet5").roofline(**arguments).seconds
