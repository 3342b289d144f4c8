"""What a spec expects of its model: a difference is an error, with the layer that accounts for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc import DesignError, Diagnostic, Dim, Model
from shapecalc.cli import main
from shapecalc.layers import Conv2d
from shapecalc.layers.base import AnyShape, NoWeights, NoWindow, SameShape
from shapecalc.report.expected import differences
from shapecalc.spec.find import bundled
from shapecalc.spec.metadata import Expect

NET = """\
parameters: {{H: 8, width: 4, fraction: 0.5}}
input: [3, H, 8]
expect: {expect}
layers:
  - name: stem
    conv2d: {{out_channels: width, kernel_size: 3}}
  - name: body
    repeat: 2
    sequential:
      - conv2d: {{out_channels: 4, kernel_size: 1, bias: false}}
      - batch_norm2d
  - dropout: {{p: fraction}}
  - flatten
  - name: fc
    linear: {{out_features: 5}}
"""
# stem 112 parameters, 3888 MACs; each pass 16 + 8 parameters, 9 in buffers, 576 MACs; fc 725 and 720
PARAMS, MACS = 112 + 2 * 24 + 725, 3888 + 2 * 576 + 720

CASES = {
    f"{{params: {PARAMS}, trainable_params: {PARAMS}, buffers: 18, macs: {MACS}, output: [5]}}": [],
    "{params: 7}": ["885 parameters where 7 are expected, 878 too many"],
    "{params: 990}": ["885 parameters where 990 are expected, 105 too few"],
    f"{{params: {PARAMS - 5}}}": [
        "885 parameters where 880 are expected, 5 too many: `bias: false` in fc (linear) would agree"
    ],
    f"{{params: {PARAMS + 8}}}": [
        "885 parameters where 893 are expected, 8 too few: `bias: true` in body.0.conv2d (conv2d) would agree"
    ],
    f"{{trainable_params: {PARAMS - 725}}}": [
        "885 trainable parameters where 160 are expected, 725 too many: as many as fc (linear) has"
    ],
    f"{{params: {PARAMS - 16}}}": [  # both normalizations, by the line that they share
        "885 parameters where 869 are expected, 16 too many: as many as body.0.batch_norm2d (batch_norm2d) has"
    ],
    "{buffers: 0}": [
        "18 numbers in buffers where 0 are expected, 18 too many: as many as body.0.batch_norm2d (batch_norm2d) has"
    ],
    f"{{macs: {MACS - 720}}}": [
        "5,760 MACs where 5,040 are expected, 720 too many: as many as fc (linear) has"
    ],
    "{output: [10]}": ["the output is 5 where 10 is expected"],
    "{output: {output: [5], aux: [5]}}": ["no output is named 'aux'"],
    "{params: 7, output: [1, 5]}": [
        "885 parameters where 7 are expected, 878 too many",
        "the output is 5 where 1x5 is expected",
    ],
}


@pytest.mark.parametrize("expect", CASES)
def test_check_compares_what_is_expected(expect: str) -> None:
    model = shapecalc.loads(NET.format(expect=expect), file="net.yaml")
    errors = [one for one in model.check() if one.severity == "error"]
    assert [one.message for one in errors] == CASES[expect]
    assert {(one.code, one.place.line) for one in errors} <= {("expect", 3)}
    assert len({one.place.column for one in errors}) == len(errors)
    if errors:
        with pytest.raises(DesignError):
            model.validate_design()


@pytest.mark.parametrize(
    ("options", "compares"),
    [
        ([], True),
        (["--input", "3x8x8"], True),
        (["--set", "width=4"], True),
        (["--depth", "1", "--format", "json"], True),
        (["--input", "3x9x8"], False),
        (["--set", "width=5"], False),
        (["--set", "H=9"], False),
        (["--symbolic"], False),
        (["--batch", "2"], False),
        (["--count", "keras"], False),
    ],
)
def test_show_compares_at_the_sizes_of_the_file(options: list[str], compares: bool, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(NET.format(expect="{params: 7}"), encoding="utf-8")
    shown = CliRunner().invoke(main, ["show", str(file), *options])
    assert (shown.exit_code, "error[expect]: 885 parameters where 7" in shown.stderr) == (compares, compares)
    assert "expect" not in shown.stdout


@pytest.mark.parametrize("free", ["H", "width"])
def test_a_spec_without_all_defaults_has_no_sizes_of_its_own(free: str) -> None:
    defaults = {"H": 8, "width": 4} | {free: None}
    text = NET.format(expect="{params: 7}").replace(
        "H: 8, width: 4", f"H: {defaults['H']}, width: {defaults['width']}"
    )
    model = shapecalc.loads(text.replace("None", "null"))
    assert expectations(model, **{free: 8}) == []


def expectations(model: Model, **parameters: Any) -> list[Diagnostic]:
    return [one for one in model.check(**parameters) if one.code == "expect"]


def test_a_variant_has_expectations_of_its_own() -> None:
    variants = "variants: {wide: {parameters: {width: 8}, expect: {params: 1}}, plain: {}}\n"
    family = shapecalc.loads(NET.format(expect="{params: 2}") + variants, file="net.yaml")
    (of_wide,) = expectations(family.variant("wide"))
    assert (of_wide.message.split(" are")[0], of_wide.place.line) == ("1,013 parameters where 1", 16)
    assert expectations(family.variant("plain")) == []


def test_what_cannot_be_counted_is_at_least() -> None:
    class OddTwo(SameShape, AnyShape, NoWeights, NoWindow, shapecalc.Layer):
        """A layer that multiplies, nobody knows how often."""

        kind = "odd_two"

        def macs(self, x: tuple[Dim, ...]) -> Dim | None:
            return None

    def finding(macs: int) -> tuple[str, str]:
        layers = [Conv2d(out_channels=8, kernel_size=3), OddTwo()]
        (one,) = Model(input=[3, 8, 8], layers=layers, expect=Expect(macs=macs)).check()
        return one.severity, one.message

    assert finding(8000) == (
        "warning",
        "at least 7,776 MACs where 8,000 are expected: those of odd_two (odd_two) cannot be counted",
    )
    assert finding(7000) == ("error", "7,776 MACs where 7,000 are expected, 776 too many")


@pytest.mark.sample(10)
@pytest.mark.parametrize("name", bundled())
def test_bundled_specs_come_to_what_they_expect(name: str) -> None:
    model = shapecalc.load(name)
    failures = model.infer(None).failures
    if not failures:
        assert differences(model, model.analyze()) == []
