"""Repairs: each kind by a small spec, every one applied and checked again, and nothing else touched."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import shapecalc
from shapecalc.cli import main
from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, Fix
from shapecalc.repair.apply_fixes import fixed
from shapecalc.repair.repair_state import Source
from shapecalc.repair.text_edits import applied, between
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.find import bundled


def errors(text: str, **options: Any) -> list[Diagnostic]:
    return [one for one in shapecalc.loads(text).check(**options) if one.severity == "error"]


def first(text: str, **options: Any) -> Fix:
    found = errors(text, **options)
    assert found, "the spec has no error"
    assert found[0].fixes, f"no repair of: {found[0].message}"
    return found[0].fixes[0]


def repaired(text: str) -> str:
    """Return the text after the first repair of its first error."""
    after = applied(text, first(text).edits)
    assert after is not None
    return after


CASES = {
    "in_channels": (
        "- conv2d: {in_channels: 4, out_channels: 8, kernel_size: 3}",
        "- conv2d: {in_channels: 3, out_channels: 8, kernel_size: 3}",
    ),
    "in_features": (
        "- flatten\n  - linear: {in_features: 100, out_features: 8}",
        "- flatten\n  - linear: {in_features: 768, out_features: 8}",
    ),
    "num_features": ("- batch_norm2d: {num_features: 8}", "- batch_norm2d: {num_features: 3}"),
    "num_features in lines of their own": (
        "- batch_norm2d:\n      num_features: 8  # eight\n      eps: 0.1",
        "- batch_norm2d:\n      num_features: 3  # eight\n      eps: 0.1",
    ),
    "flatten": (
        "# the head\n  - linear: {in_features: 768, out_features: 8}  # l.1",
        "# the head\n  - flatten\n  - linear: {in_features: 768, out_features: 8}  # l.1",
    ),
    "flatten and in_features": (
        "- linear: {in_features: 100, out_features: 8}",
        "- flatten\n  - linear: {in_features: 768, out_features: 8}",
    ),
    "flatten in a flow list": (
        "- sequential: [relu, linear: {in_features: 768, out_features: 8}]",
        "- sequential: [relu, flatten, linear: {in_features: 768, out_features: 8}]",
    ),
    "padding of an outvoted branch": (
        "- concat: [[conv2d: {out_channels: 4, kernel_size: 3}], relu: , tanh: ]",
        "- concat: [[conv2d: {out_channels: 4, kernel_size: 3, padding: 1}], relu: , tanh: ]",
    ),
    "padding in a field of its own": (
        "- concat:\n      - - conv2d:\n            kernel_size: 5\n            out_channels: 4  # few\n      - [relu]\n      - [tanh]",
        "- concat:\n      - - conv2d:\n            kernel_size: 5\n            out_channels: 4  # few\n            padding: 2\n      - [relu]\n      - [tanh]",
    ),
    "padding of a dilated window": (
        "- add: [[conv2d: {out_channels: 3, kernel_size: 3, dilation: 2, padding: 1}], []]",
        "- add: [[conv2d: {out_channels: 3, kernel_size: 3, dilation: 2, padding: 2}], []]",
    ),
    "stride of an outvoted branch": (
        "- concat: [[conv2d: {out_channels: 4, kernel_size: 2, stride: 2}], [max_pool2d: {kernel_size: 2}], [avg_pool2d: {kernel_size: 2, stride: 1}]]",
        "- concat: [[conv2d: {out_channels: 4, kernel_size: 2, stride: 2}], [max_pool2d: {kernel_size: 2}], [avg_pool2d: {kernel_size: 2, stride: 2}]]",
    ),
    "channels of a sum": (
        "- add: [[conv2d: {out_channels: 5, kernel_size: 1}], []]",
        "- add: [[conv2d: {out_channels: 3, kernel_size: 1}], []]",
    ),
    "exchanged paddings": (
        "- concat: [[conv2d: {out_channels: 4, kernel_size: [1, 3], padding: [1, 0]}], [conv2d: {out_channels: 4, kernel_size: [3, 1], padding: [0, 1]}]]",
        "- concat: [[conv2d: {out_channels: 4, kernel_size: [1, 3], padding: [0, 1]}], [conv2d: {out_channels: 4, kernel_size: [3, 1], padding: [1, 0]}]]",
    ),
    "padding of a pool": (
        "- max_pool2d: {kernel_size: 3, padding: 2}",
        "- max_pool2d: {kernel_size: 3, padding: 1}",
    ),
    "groups": (
        "- conv2d: {out_channels: 12, kernel_size: 1}\n  - conv2d: {out_channels: 8, kernel_size: 1, groups: 5}",
        "- conv2d: {out_channels: 12, kernel_size: 1}\n  - conv2d: {out_channels: 8, kernel_size: 1, groups: 4}",
    ),
    "a later step": (
        "- conv2d: {out_channels: 'size(later, 1)', kernel_size: 1}  # first\n  - {conv2d: {out_channels: 4, kernel_size: 1}, name: later}  # then\n  - relu",
        "- {conv2d: {out_channels: 4, kernel_size: 1}, name: later}  # then\n  - conv2d: {out_channels: 'size(later, 1)', kernel_size: 1}  # first\n  - relu",
    ),
    "a later step in lines of its own": (
        "- sequential:\n      - add: [[], later]\n      - tanh\n  - relu:\n    name: later\n  - relu",
        "- relu:\n    name: later\n  - sequential:\n      - add: [[], later]\n      - tanh\n  - relu",
    ),
    "a later step in a flow list": (
        "- sequential: [add: [[], later], {relu: null, name: later}, tanh]",
        "- sequential: [{relu: null, name: later}, add: [[], later], tanh]",
    ),
    "the size of a tensor that is not there": (
        "- conv2d: {out_channels: 'size(gone, 1)', kernel_size: 1}",
        "- conv2d: {out_channels: 'size(1)', kernel_size: 1}",
    ),
    "a condition without a value": (
        "- flatten\n  - relu:\n    when: size(2) > 3\n  - relu",
        "- flatten\n  - relu:\n  - relu",
    ),
    "a repeat without a value": (
        "- relu:\n    repeat: 1 - size(1)\n  - relu",
        "- relu:\n  - relu",
    ),
    "a word that is not legal": (
        "- conv2d: {out_channels: 8, kernel_size: 3, padding: s}",
        "- conv2d: {out_channels: 8, kernel_size: 3, padding: same}",
    ),
}


def spec(layers: str) -> str:
    return f"input: [3, 16, 16]\nlayers:\n  {layers}\n"


@pytest.mark.parametrize("case", CASES)
def test_the_first_repair(case: str) -> None:
    before, after = map(spec, CASES[case])
    assert repaired(before) == after
    assert errors(after) == []
    assert first(before).fixes_all


def test_an_argument_is_followed_back_to_the_call_that_passes_it() -> None:
    text = dedent(
        """
        input: [3, 8, 8]
        blocks:
          unit:
            args: {in_channels: ~, width: ~, kernel: 1}
            layers:
              - conv2d: {in_channels: in_channels, out_channels: width, kernel_size: kernel}
          pair:
            args: {inward: ~, width: 4}
            layers:
              - unit: {in_channels: inward, width: width}
              - unit: {in_channels: width, width: width}
        layers:
          - pair: {inward: 3}
          - pair: {inward: 5, width: 6}  # five
        """
    )
    assert repaired(text) == text.replace("inward: 5", "inward: 4")


def test_a_default_may_be_what_is_wrong_or_a_formula_that_is_left_out() -> None:
    text = dedent(
        """
        input: [3, 8, 8]
        blocks:
          unit:
            args: {inward: 4}
            layers: [conv2d: {in_channels: inward, out_channels: 4, kernel_size: 1}]
        layers:
          - unit
        """
    )
    assert errors(repaired(text)) == []
    text = "input: [3, 8, 8]\nparameters: {w: 3}\nlayers: [conv2d: {in_channels: 2*w, out_channels: w, kernel_size: 1}]"
    assert repaired(text) == text.replace("in_channels: 2*w, ", "")
    text = "input: [3, 8, 8]\nparameters: {w: 4}\nlayers: [conv2d: {in_channels: w, out_channels: 4, kernel_size: 1}]"
    assert repaired(text) == text.replace("w: 4", "w: 3")


def test_an_input_that_is_too_small_grows_as_little_as_it_must() -> None:
    layers = "layers: [conv2d: {out_channels: 4, kernel_size: 5}, max_pool2d: {kernel_size: 3}]"
    assert repaired(f"parameters: {{H: 4, W: 5}}\ninput: [3, H, W]\n{layers}") == (
        f"parameters: {{H: 7, W: 8}}\ninput: [3, H, W]\n{layers}"
    )
    assert repaired(f"input: [3, 4, 4]\n{layers}") == f"input: [3, 7, 7]\n{layers}"
    (found,) = shapecalc.load("lenet5").check(input=(1, 8, 8))
    assert [(fix.description, fix.edits, fix.fixes_all) for fix in found.fixes[:1]] == [
        ("an input of 1x16x16", (), True)
    ]
    assert shapecalc.load("lenet5").check(input=(1, 16, 16)) == []
    assert shapecalc.load("lenet5").check(input=(1, 15, 15)) != []


def test_what_must_change_after_a_repair_belongs_to_it() -> None:
    text = spec(
        "- max_pool2d: {kernel_size: 5}\n  - max_pool2d: {kernel_size: 4}\n"
        "  - flatten\n  - linear: {in_features: 7, out_features: 2}"
    )
    fix = first(text)
    assert fix.description == "an input of 3x20x20: 16 -> 20 (line 1); in_features: 3 (line 6)"
    assert fix.fixes_all
    assert repaired(text) == text.replace("16, 16", "20, 20").replace("in_features: 7", "in_features: 3")


def test_the_same_mistake_in_several_places_is_repaired_in_all_of_them() -> None:
    text = spec(
        "- conv2d: {out_channels: 4, kernel_size: 1}\n    repeat: 2\n  - conv2d: {in_channels: 5, out_channels: 4, kernel_size: 1}\n    repeat: 3"
    )
    assert errors(repaired(text)) == []


def test_a_repair_that_would_break_something_else_is_not_shown() -> None:
    text = dedent(
        """
        input: [3, 8, 8]
        parameters: {w: 4}
        layers:
          - conv2d: {out_channels: 4, kernel_size: 1}
          - conv2d: {in_channels: w, out_channels: 5, kernel_size: 1}
          - conv2d: {in_channels: w, out_channels: 5, kernel_size: 1}
        """
    )
    (found,) = errors(text)
    assert "w: 5" not in " ".join(fix.description for fix in found.fixes)
    assert errors(repaired(text)) == []


def test_a_model_without_a_text_has_repairs_without_edits() -> None:
    model = shapecalc.Model(
        input=[3, 8, 8], layers=[shapecalc.layers.Conv2d(in_channels=4, out_channels=4, kernel_size=1)]
    )
    fix = model.check()[0].fixes[0]
    assert (fix.description.split(" (")[0], fix.edits, fix.fixes_all) == ("in_channels: 3", (), True)


def test_a_member_of_a_family_is_repaired_where_its_own_parameter_stands() -> None:
    text = dedent(
        """
        parameters: {w: 3}
        input: [3, 8, 8]
        layers:
          - conv2d: {in_channels: w, out_channels: 4, kernel_size: 1}
        variants:
          good: {}
          bad: {parameters: {w: 4}}
        """
    )
    fix = shapecalc.loads(text).variant("bad").check()[0].fixes[0]
    assert applied(text, fix.edits) == text.replace("w: 4", "w: 3")


# ---- the tutorial's Inception-v3


INCEPTION = bundled()["tutorials/torch_inception_v3"]


def test_the_tutorials_inception_v3_is_repaired_step_by_step() -> None:
    text = INCEPTION.read_text("utf-8")
    after, done, _ = fixed(Source(text, shapecalc.loads), unsafe=True)
    assert errors(after) == []
    lines = text.split("\n")
    changed = {number for _, fix in done for edit in fix.edits for number in [edit.line] if edit.old}
    told = {lines[number - 1].partition("# ")[2] for number in changed}
    assert {"l.1553", "l.1738, 1764", "l.1739, 1765"} <= told
    descriptions = [fix.description.partition(" (")[0] for _, fix in done]
    assert descriptions[:4] == ["in_channels: 192", "padding: 1", "in_channels: 256", "stride: 2"]
    assert "- flatten" in after
    assert len(done) == 8


def test_its_errors_have_repairs_at_once() -> None:
    found = [one for one in shapecalc.load("tutorials/torch_inception_v3").check() if one.severity == "error"]
    assert [one.path for one in found if not one.fixes] == []
    at = {one.path: one.fixes[-1].edits[0].line for one in found}
    lines = INCEPTION.read_text("utf-8").split("\n")
    first_call = lines[at["inceptionA_1.concat.branch1.ConvolutionBlock.conv"] - 1]
    assert first_call.startswith("  - InceptionBlock_A: {in_channels: 288, nbr_kernels: 32}")


# ---- the command


NET = "# mine\r\ninput: [3, 8, 8]   # small\r\nlayers:\r\n  - conv2d: {in_channels: 4,  out_channels: 2, kernel_size: 1} # é\r\n  - linear: {in_features: 128, out_features: 2}\r\n"
MENDED = NET.replace("in_channels: 4", "in_channels: 3").replace("  - linear", "  - flatten\r\n  - linear")


def test_fix_writes_the_repairs_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + NET.encode())
    result = CliRunner().invoke(main, ["check", "--fix", "--unsafe-fixes", str(file)])
    assert file.read_bytes() == b"\xef\xbb\xbf" + MENDED.encode()
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "2 repaired, 0 errors left"
    assert "in_channels: 3" in result.output
    assert CliRunner().invoke(main, ["check", str(file)]).exit_code == 0


def test_diff_shows_the_repairs_and_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_bytes(NET.encode())
    result = CliRunner().invoke(main, ["check", "--diff", "--unsafe-fixes", str(file)])
    assert file.read_bytes() == NET.encode()
    assert result.exit_code == 0
    assert [line[:16] for line in result.output.splitlines() if line[0] in "+-"][2:] == [
        "-  - conv2d: {in",
        "+  - conv2d: {in",
        "+  - flatten",
    ]


def test_fix_leaves_bundled_models_alone() -> None:
    before = INCEPTION.read_bytes()
    result = CliRunner().invoke(main, ["check", "--fix", "--unsafe-fixes", "tutorials/torch_inception_v3"])
    assert result.exit_code == 2
    assert INCEPTION.read_bytes() == before


def test_what_cannot_be_repaired_is_said(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("input: [3]\nlayers: [conv2d: {out_channels: 2, kernel_size: 1}]\n")
    result = CliRunner().invoke(main, ["check", "--fix", "--unsafe-fixes", str(file)])
    assert result.exit_code == 1
    assert result.output == "0 repaired, 1 error left\n"


def test_a_kind_or_a_field_misspelt_is_repaired(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("input: [3, 8, 8]\nlayers:\n  - relux\n  - conv2d: {out_chanels: 2, kernel_size: 1}\n")
    found = json.loads(CliRunner().invoke(main, ["check", str(file), "--format", "json"]).output)[
        "diagnostics"
    ]
    assert found[0]["fixes"] == [
        {
            "description": "relu, not relux",
            "applicability": "unsafe",
            "edits": [{"line": 3, "column": 5, "old": "relux", "new": "relu"}],
            "fixes_all": False,
        }
    ]
    assert CliRunner().invoke(main, ["check", str(file), "--fix", "--unsafe-fixes"]).exit_code == 0
    assert (
        file.read_text()
        == "input: [3, 8, 8]\nlayers:\n  - relu\n  - conv2d: {out_channels: 2, kernel_size: 1}\n"
    )


# ---- texts


def test_edits_that_do_not_fit_are_refused() -> None:
    assert applied("abc", [Edit(1, 2, "b", "x")]) == "axc"
    assert applied("abc", [Edit(1, 2, "c", "x")]) is None
    assert applied("abc", [Edit(1, 1, "ab", "x"), Edit(1, 2, "b", "y")]) is None
    assert applied("abc", [Edit(2, 1, "", "x")]) is None
    assert applied("a\r\nb", [Edit(2, 1, "b", "c"), Edit(1, 1, "a", "")]) == "\r\nc"


@pytest.mark.parametrize(
    ("old", "new"), [("a\nb\nc", "a\nx\nb\nd"), ("ab\r\ncd", "ab\r\ncxd\r\n"), ("", "a"), ("a\nb\n", "b\n")]
)
def test_edits_between_two_texts(old: str, new: str) -> None:
    assert applied(old, between(old, new)) == new


def test_the_extent_of_values() -> None:
    text = YamlText("a: é # ü\nb: [1, {c: 'x y'}]\n")
    model_place = shapecalc.errors.Place
    assert text.value(model_place(None, 1, 1)) == "é"
    assert text.value(model_place(None, 2, 1)) == "[1, {c: 'x y'}]"
    assert text.value(model_place(None, 2, 9)) == "'x y'"
    assert text.value(model_place(None, 9, 9)) is None


# ---- any sound chain with one number changed or a layer dropped


@st.composite
def chains(draw: st.DrawFn) -> list[str]:
    """Return the steps of a chain of convolutions, pools and linear layers that holds at 3x32x32."""
    steps: list[str] = []
    channels, size = 3, 32
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()) or size < 4:
            out, kernel = draw(st.integers(1, 16)), draw(st.sampled_from([1, 3, 5]))
            steps.append(
                f"conv2d: {{in_channels: {channels}, out_channels: {out}, kernel_size: {kernel}, padding: {kernel // 2}}}"
            )
            steps.append(f"batch_norm2d: {{num_features: {out}}}")
            channels = out
        else:
            steps.append("max_pool2d: {kernel_size: 2, padding: 0}")
            size //= 2
    features = channels * size * size
    steps.append("flatten: ")
    for _ in range(draw(st.integers(1, 3))):
        out = draw(st.integers(1, 20))
        steps.append(f"linear: {{in_features: {features}, out_features: {out}}}")
        features = out
    return steps


def chain(steps: list[str]) -> str:
    return "input: [3, 32, 32]\nlayers:\n" + "".join(f"  - {step}\n" for step in steps)


@given(chains(), st.data())
def test_one_mistake_in_a_chain_is_repaired_by_its_first_repairs(
    steps: list[str], data: st.DataObject
) -> None:
    assert errors(chain(steps)) == []
    number = data.draw(st.integers(0, len(steps) - 1))
    if data.draw(st.booleans()):
        steps = [step for index, step in enumerate(steps) if index != number]
    else:
        parts = steps[number].split(": ")
        digits = [index for index, part in enumerate(parts) if part[:1].isdigit()]
        if digits:
            index = data.draw(st.sampled_from(digits))
            old = parts[index].rstrip("}").split(",")[0]
            new = data.draw(st.integers(1, 40))
            parts[index] = parts[index].replace(old, str(new), 1)
            steps = [*steps[:number], ": ".join(parts), *steps[number + 1 :]]
    text = chain(steps) if steps else chain(["relu: "])
    for one in errors(text):
        for fix in one.fixes:
            after = applied(text, fix.edits)
            assert after is not None
            left = errors(after)
            assert (left == []) is fix.fixes_all
            assert not {(bad.code, path) for bad in left for path in bad.paths} & {
                (one.code, path) for path in one.paths
            }
    before = errors(text)
    after = fixed(Source(text, shapecalc.loads), unsafe=True).text
    if any(one.fixes for one in before):
        assert len(errors(after)) < len(before)


def test_a_source_can_be_asked_again() -> None:
    source = Source(spec("- relu"), shapecalc.loads)
    assert replace(source, text=spec("- tanh")).infer()[1].failures == []


# ---- which fixes are applied

DECLARED = {"in_channels", "in_features", "num_features", "num_parameters"}


def unknown(data: Any) -> Any:
    """Return plain data without the fields that only declare what an input has."""
    if isinstance(data, dict):
        return {key: unknown(value) for key, value in data.items() if key not in DECLARED}
    return [*map(unknown, data)] if isinstance(data, list) else data


def assert_only_declarations_change(text: str) -> None:
    after = fixed(Source(text, shapecalc.loads)).text
    try:
        before = shapecalc.loads(text).to_data()
    except shapecalc.SpecError:
        assert after == text, "what cannot be read has no network that a fix could keep"
        return
    assert unknown(shapecalc.loads(after).to_data()) == unknown(before)
    assert len(errors(after)) <= len(errors(text))


@pytest.mark.parametrize("case", CASES)
def test_fix_alone_changes_nothing_but_declared_sizes(case: str) -> None:
    assert_only_declarations_change(spec(CASES[case][0]))


@pytest.mark.parametrize("case", CASES)
def test_a_fix_is_safe_where_only_a_declared_size_changes(case: str) -> None:
    """Judged by the two texts, which the applicability does not see."""
    before, after = map(spec, CASES[case])
    fix = first(before)
    try:
        is_same = unknown(shapecalc.loads(before).to_data()) == unknown(shapecalc.loads(after).to_data())
    except shapecalc.SpecError:
        is_same = False
    assert fix.applicability == ("safe" if is_same else "unsafe")


@given(chains(), st.data())
def test_fix_alone_never_applies_an_unsafe_fix(steps: list[str], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(steps) - 1))
    if data.draw(st.booleans()):
        steps = [step.replace(": 3", ": 4") if at == number else step for at, step in enumerate(steps)]
    else:
        steps = [step for at, step in enumerate(steps) if at != number] or ["relu: "]
    assert_only_declarations_change(chain(steps))


def test_the_output_says_how_many_unsafe_fixes_there_are(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_bytes(NET.encode())
    result = CliRunner().invoke(main, ["check", "--fix", str(file)])
    assert result.output.splitlines()[-1] == "1 repaired, 1 error left; 1 more fix with --unsafe-fixes"
    assert file.read_bytes() == NET.replace("in_channels: 4", "in_channels: 3").encode()
    result = CliRunner().invoke(main, ["check", "--diff", str(file)])
    assert (result.exit_code, result.output) == (
        1,
        "0 repaired, 1 error left; 1 more fix with --unsafe-fixes\n",
    )
    result = CliRunner().invoke(main, ["check", "--fix", "--unsafe-fixes", str(file)])
    assert result.output.splitlines()[-1] == "1 repaired, 0 errors left"
    result = CliRunner().invoke(main, ["check", "--unsafe-fixes", str(file)])
    assert (result.exit_code, "goes with --fix" in result.output) == (2, True)


FAMILY = """
parameters: {w: 64}
input: [3, 8, 8]
layers:
  - conv2d: {out_channels: w, kernel_size: 1}
  - conv2d: {in_channels: 32, out_channels: 4, kernel_size: 1}
"""


def test_a_fix_that_breaks_another_member_of_the_family_is_unsafe() -> None:
    def applicability(text: str) -> str:
        return first(text).applicability

    assert applicability(FAMILY) == "safe"
    assert applicability(f"{FAMILY}variants: {{other: {{parameters: {{w: 8}}}}}}\n") == "safe"
    assert applicability(f"{FAMILY}variants: {{small: {{parameters: {{w: 32}}}}}}\n") == "unsafe"


def test_a_fix_for_another_input_may_not_break_the_declared_one() -> None:
    text = spec("- flatten\n  - linear: {in_features: 768, out_features: 2}")
    fixes = errors(text, input=(3, 8, 8))[0].fixes
    assert {fix.description: fix.applicability for fix in fixes} == {
        "in_features: 192 (line 4)": "unsafe"
    } or (fixes[0].applicability == "unsafe")


def test_a_fix_without_a_text_is_only_shown() -> None:
    layer = shapecalc.layers.Conv2d(in_channels=4, out_channels=4, kernel_size=1)
    fixes = shapecalc.Model(input=[3, 8, 8], layers=[layer]).check()[0].fixes
    assert {fix.to_dict()["applicability"] for fix in fixes} == {"display-only"}
