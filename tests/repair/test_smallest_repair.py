"""Repairs above the failing layer, the smallest set of edits, and how both are told."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main
from shapecalc.diagnostics.diagnostic import Diagnostic, Edit, text
from shapecalc.repair.apply_fixes import fixed
from shapecalc.repair.repair_state import RepairState, Source
from shapecalc.repair.search import MOST_LAYERS, Search
from shapecalc.repair.text_edits import applied
from shapecalc.repair.yaml_edits import YamlText
from shapecalc.spec.find import bundled


def errors(source: str) -> list[Diagnostic]:
    return [one for one in shapecalc.loads(source).check() if one.severity == "error"]


def spec(layers: str, size: int = 16) -> str:
    return f"input: [3, {size}, {size}]\nlayers:\n{dedent(layers).strip()}\n"


MISTYPED = spec(
    """
    - conv2d: {in_channels: 3, out_channels: 46, kernel_size: 3, padding: 1}  # 64 was meant
    - batch_norm2d: {num_features: 64}
    - relu
    - conv2d: {in_channels: 64, out_channels: 32, kernel_size: 1}
    """
)


def test_one_change_above_is_better_than_two_below() -> None:
    """The later layers agree with each other, so the earlier one is what is wrong."""
    first, second = errors(MISTYPED)
    assert [(fix.description, fix.fixes_all) for fix in first.fixes[:1]] == [
        ("out_channels: 64 (line 3)", True)
    ]
    assert second.fixes[0].description == "out_channels: 64 (line 3)"
    after, done, _ = fixed(Source(MISTYPED, shapecalc.loads), unsafe=True)
    assert after == MISTYPED.replace("out_channels: 46", "out_channels: 64")
    assert len(done) == 1


def test_where_only_one_layer_disagrees_it_is_changed_itself() -> None:
    source = MISTYPED.replace("46", "64").replace("in_channels: 64", "in_channels: 46")
    (one,) = errors(source)
    assert one.fixes[0].description == "in_channels: 64"


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        pytest.param(
            """
            - conv2d: {out_channels: 8, kernel_size: 3, stride: 2}
            - flatten
            - linear: {in_features: 512, out_features: 10}
            """,
            ["in_features: 392", "padding: 1 (line 3)"],
            id="a padding",
        ),
        pytest.param(
            """
            - conv2d: {out_channels: 8, kernel_size: 1}
            - max_pool2d: {kernel_size: 3, stride: 3}
            - flatten
            - linear: {in_features: 392, out_features: 10}
            """,
            ["in_features: 200", "stride: 2 (line 4)"],
            id="a stride",
        ),
    ],
)
def test_a_linear_layer_may_be_right_and_a_window_above_it_wrong(layers: str, wanted: list[str]) -> None:
    (one,) = errors(spec(layers))
    assert [fix.description for fix in one.fixes] == wanted
    assert all(fix.fixes_all for fix in one.fixes)


def test_the_input_may_be_wrong() -> None:
    """Two linear layers on the same map agree with each other, and with an input of 227."""
    head = "[flatten, linear: {in_features: 9216, out_features: 10}]"
    source = (
        "parameters: {H: 224, W: 224}\ninput: [3, H, W]\nlayers:\n"
        "  - conv2d: {out_channels: 96, kernel_size: 11, stride: 4}\n"
        "  - max_pool2d: {kernel_size: 3, stride: 2}\n"
        "  - conv2d: {out_channels: 256, kernel_size: 5, padding: 2}\n"
        "  - max_pool2d: {kernel_size: 3, stride: 2}\n"
        "  - max_pool2d: {kernel_size: 3, stride: 2}\n"
        f"  - concat: [{head}, {head}]\n"
    )
    state = RepairState(Source(source, shapecalc.loads))
    found = [one.description(None) for one in state.above(state.findings[0], 4_000)]
    assert "an input of 3x227x227: H: 227 (line 1) and W: 227 (line 1)" in found
    assert errors(source)[0].fixes[0].fixes_all


def test_a_step_too_much_may_be_left_out() -> None:
    source = spec("- relu\n- flatten\n- conv2d: {in_channels: 3, out_channels: 2, kernel_size: 3}\n- relu")
    (one,) = errors(source)
    assert one.code == "rank"
    assert one.fixes[0].description == "leave the flatten out (line 4)"
    assert applied(source, one.fixes[0].edits) == source.replace("- flatten\n", "")


def test_a_branch_without_its_projection_gets_one() -> None:
    source = spec(
        """
        - add:
            main:
              - conv2d: {in_channels: 3, out_channels: 8, kernel_size: 3, stride: 2, padding: 1}
              - batch_norm2d: {num_features: 8}
              - conv2d: {in_channels: 8, out_channels: 8, kernel_size: 3, padding: 1}
            shortcut: []
        """
    )
    fixes = errors(source)[0].fixes
    assert fixes[0].description == (
        "a conv2d: {out_channels: 8, kernel_size: 1, stride: 2} at the end of branch shortcut (line 8)"
    )
    after = applied(source, fixes[0].edits)
    assert after is not None
    assert errors(after) == []


SEVERAL = spec(
    """
    - conv2d: {in_channels: 4, out_channels: 8, kernel_size: 3}
    - conv2d: {in_channels: 8, out_channels: 5, kernel_size: 3}
    - batch_norm2d: {num_features: 6}
    - conv2d: {in_channels: 6, out_channels: 9, kernel_size: 3}
    - linear: {in_features: 900, out_features: 10}
    """
)
"""Four errors, which three changes cure."""
CURE = [
    ("in_channels: 4", "in_channels: 3"),
    ("out_channels: 5", "out_channels: 6"),
    ("- linear", "- flatten\n- linear"),
]


def cured() -> str:
    source = SEVERAL
    for old, new in CURE:
        source = source.replace(old, new)
    return source


def test_the_smallest_set_is_offered_first() -> None:
    found = errors(SEVERAL)
    assert len(found) == 4
    assert found[0].fixes[0].steps == (
        "in_channels: 3",
        "out_channels: 6 (line 4)",
        "a flatten before it (line 7)",
    )
    assert found[0].fixes[0].fixes_all
    assert applied(SEVERAL, found[0].fixes[0].edits) == cured()
    assert [one.fixes[0].description for one in found[1:]] == [
        "out_channels: 6 (line 4)",
        "out_channels: 6 (line 4)",
        "a flatten before it",
    ]


def test_the_smallest_set_is_told_line_by_line(golden: Any) -> None:
    golden("several_errors.txt", "\n\n".join(text(one) for one in errors(SEVERAL)) + "\n")


def test_fix_writes_the_smallest_set(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SEVERAL)
    assert CliRunner().invoke(main, ["check", "--diff", "--unsafe-fixes", str(file)]).output.count("\n+") == 4
    result = CliRunner().invoke(main, ["check", "--fix", "--unsafe-fixes", str(file)])
    assert file.read_text() == cured()
    assert result.output.splitlines()[-1] == "3 repaired, 0 errors left"


def test_the_search_is_bounded() -> None:
    """However large and wrong a network is, only so many texts are walked over."""
    source = bundled()["tutorials/torch_inception_v3"].read_text("utf-8")
    search = Search(RepairState(Source(source, shapecalc.loads)))
    whole = search.smallest()
    assert whole is not None
    assert whole.findings == []
    assert MOST_LAYERS - search.layers < MOST_LAYERS + search.start.size
    assert Search(RepairState(Source(source, shapecalc.loads)), texts=3).smallest() is None


# ---- SARIF


def test_sarif_carries_the_repairs(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(SEVERAL)
    arguments = ["check", str(file), "--format"]
    log = json.loads(CliRunner().invoke(main, [*arguments, "sarif"]).output)
    plain = json.loads(CliRunner().invoke(main, [*arguments, "json"]).output)["diagnostics"]
    run = log["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    for result, one in zip(run["results"], plain, strict=True):
        fixes = result.get("fixes", [])
        assert [fix["description"]["text"] for fix in fixes] == [fix["description"] for fix in one["fixes"]]
        for fix, known in zip(fixes, one["fixes"], strict=True):
            assert set(fix) == {"description", "artifactChanges", "properties"}
            assert fix["properties"] == {"applicability": known["applicability"]}
            (change,) = fix["artifactChanges"]
            assert change["artifactLocation"]["uri"] == one["file"]
            assert len(change["replacements"]) == len(known["edits"]) > 0
            after = SEVERAL
            for replacement in reversed(change["replacements"]):
                after = replaced(after, replacement)
            assert after == applied(SEVERAL, [Edit(**edit) for edit in known["edits"]])


def replaced(source: str, replacement: dict[str, Any]) -> str:
    """Do what a SARIF replacement says, as its standard defines it."""
    assert set(replacement) <= {"deletedRegion", "insertedContent"}
    region = replacement["deletedRegion"]
    assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
    assert all(isinstance(number, int) and number >= 1 for number in region.values())
    lines = source.splitlines(keepends=True)

    def index(line: int, column: int) -> int:
        return len("".join(lines[: line - 1])) + column - 1

    start, end = (
        index(region["startLine"], region["startColumn"]),
        index(region["endLine"], region["endColumn"]),
    )
    assert start <= end
    inserted: str = replacement.get("insertedContent", {"text": ""})["text"]
    return source[:start] + inserted + source[end:]


# ---- texts


def test_the_end_of_an_edit() -> None:
    assert Edit(2, 3, "", "x").end == (2, 3)
    assert Edit(2, 3, "abc", "").end == (2, 6)
    assert Edit(2, 3, "abc\r\nde", "").end == (3, 3)
    assert Edit(2, 1, "- a\n", "").end == (3, 1)


STEPS = "layers:\n  - relu  # one\n  - conv2d:\n      out_channels: 3  # few\n  - tanh\ninner: [relu, tanh, elu]\n"


def place(line: int, column: int) -> Any:
    return shapecalc.errors.Place(None, line, column)


@pytest.mark.parametrize(
    ("at", "after"),
    [
        ((2, 5), STEPS.replace("  - relu  # one\n", "")),
        ((3, 5), STEPS.replace("  - conv2d:\n      out_channels: 3  # few\n", "")),
        ((5, 5), STEPS.replace("  - tanh\n", "")),
        ((6, 9), STEPS.replace("relu, tanh", "tanh")),
        ((6, 15), STEPS.replace(" tanh,", "")),
        ((6, 21), STEPS.replace(", elu", "")),
    ],
)
def test_a_step_is_taken_out_with_its_lines(at: tuple[int, int], after: str) -> None:
    edit = YamlText(STEPS).drop_step(place(*at))
    assert edit is not None
    assert applied(STEPS, [edit]) == after


def test_a_list_keeps_its_last_step() -> None:
    assert YamlText("layers: [relu]\n").drop_step(place(1, 10)) is None
    assert YamlText("layers:\n  - relu\n").drop_step(place(2, 5)) is None


@pytest.mark.parametrize(
    ("source", "at", "after"),
    [
        ("a: []\n", (1, 1), "a: [relu]\n"),
        ("a: [tanh]\n", (1, 1), "a: [tanh, relu]\n"),
        ("a:\n  - tanh  # one\nb: 1\n", (1, 1), "a:\n  - tanh  # one\n  - relu\nb: 1\n"),
        ("a:\n- - tanh\n  - elu\n- []\n", (2, 3), "a:\n- - tanh\n  - elu\n  - relu\n- []\n"),
        ("a: {b: 1}\n", (1, 1), None),
        ("a:\n  - tanh", (1, 1), None),
    ],
)
def test_a_step_is_put_at_the_end_of_a_list(source: str, at: tuple[int, int], after: str | None) -> None:
    edit = YamlText(source).append_step(place(*at), "relu")
    assert (None if edit is None else applied(source, [edit])) == after
