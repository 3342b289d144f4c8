"""A single value is what the whole report says, in its own words."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import shapecalc
from shapecalc.arguments import valued
from shapecalc.cli import main
from shapecalc.errors import SpecError
from shapecalc.render.piece import plain
from shapecalc.views.single_value import NAMES, NUMBERS, UNITS, in_unit, value


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["value", *arguments])
    assert (result.exit_code, result.stderr) == (0, "")
    return result.output.removesuffix("\n")


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "unet", "mobilenet_v2", "resnet50_keras"])
def test_it_is_what_json_says(name: str) -> None:
    report = shapecalc.load(name).analyze()
    data = json.loads(CliRunner().invoke(main, ["show", name, "--format", "json"]).output)
    for key in NUMBERS.keys() - {"bytes"}:
        expected = len(report.nodes) if key == "layers" else data[key]
        assert value(report, key) == (f"{expected:,}",)
        assert printed(name, key) == f"{expected:,}"
    assert printed(name, "output") == "x".join(map(str, data["output"][1:]))
    assert printed(name, "input") == "x".join(map(str, data["input"][1:]))
    assert printed(name, "name") == name
    paths = [node["path"] for node in data["nodes"]]
    for node in data["nodes"]:
        if any(path.startswith(f"{node['path']}.") for path in paths):
            continue  # a merge: its name means its branches too
        assert plain(value(report, "params", node["path"])) == f"{node['params']:,}"
        assert plain(value(report, "kind", node["path"])) == node["kind"]
        assert plain(value(report, "bytes", node["path"])) == f"{node['bytes']:,}"
        assert plain(value(report, "output", node["path"])) == "x".join(map(str, node["output"][1:]))


def test_parts_add_up() -> None:
    report = shapecalc.load("resnet50").analyze()
    parts = dict.fromkeys(node.path.partition(".")[0] for node in report.nodes)
    for name in NUMBERS.keys() - {"bytes"}:
        inside = sum(int(plain(value(report, name, part)).replace(",", "")) for part in parts)
        assert f"{inside:,}" == plain(value(report, name))


def test_what_is_settled_and_what_is_free() -> None:
    assert printed("lenet5", "output", "s4", "free=H,W") == "16×(⌊H/4⌋ - 3)×(⌊W/4⌋ - 3)"
    assert printed("lenet5", "output", "s4", "free=H,W", "--format", "latex").startswith("$16 \\times (")
    assert printed("lenet5", "params", "num_classes=100") == "69,356"
    assert printed("resnet50", "output", "stage4", "input=3x320x256") == "2048x10x8"
    assert printed("lenet5", "output", "batch=4") == "4x10"
    assert printed("lenet5", "kernel", "s2") == "2x2 s2"
    assert printed("lenet5", "kernel", "tanh") == "none"


def test_what_is_not_counted_is_said() -> None:
    """A kind that cannot tell its cost makes the cost a lower bound, of the whole and of what holds it."""
    report = shapecalc.load("lenet5").analyze()
    report.nodes[0]._effect.macs = None
    rest = f"{416_520 - 117_600:,}"
    assert value(report, "macs") == ("at least ", rest)
    assert value(report, "flops", unit="k") == ("at least ", "597.8 k")
    assert value(report, "macs", "c3") == ("240,000",)
    assert value(report, "params") == ("61,706",)


@given(st.integers(0, 10**15), st.sampled_from([*UNITS]), st.integers(0, 6))
def test_a_unit_rounds_by_less_than_half_of_the_last_digit(number: int, unit: str, digits: int) -> None:
    told, said = in_unit(number, unit, digits).split(" ")
    assert said == unit
    assert abs(Fraction(told.replace(",", "")) * UNITS[unit] - number) <= Fraction(
        UNITS[unit], 2 * 10**digits
    )
    assert len(told.partition(".")[2]) == digits


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lenet5", "parms"), "did you mean 'params'"),
        (("lenet5", "params", "c9"), "no layer or block 'c9'"),
        (("lenet5", "params", "unit=X"), "no unit 'X'"),
        (("lenet5", "params", "digits=2"), "say the unit too"),
        (("lenet5", "params", "unit=M", "digits=-1"), "not an integer"),
        (("lenet5", "params", "unit=M", "digits=99"), "0 to 20"),
        (("lenet5", "macs", "unit=M", "free=H"), "depends on what is free"),
        (("lenet5", "kernel"), "of a single layer"),
        (("lenet5", "bytes"), "of the results of one layer"),
        (("lenet5", "params", "batch=0"), "at least one"),
        (("lenet5", "params", "batch=2", "free=batch"), "choose one"),
        (("lenet5", "params", "batch=2", "batch=3"), "set twice"),
        (("lenet5", "params", "widht=2"), "no parameter 'widht'"),
    ],
)
def test_a_bad_question_is_told(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(SpecError) as caught:
        valued(arguments[0], arguments[1], arguments[2:])
    assert said in str(caught.value)
    result = CliRunner().invoke(main, ["value", *arguments])
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_help_names_every_value() -> None:
    said = CliRunner().invoke(main, ["value", "--help"]).output
    assert all(name in said for name in NAMES)
