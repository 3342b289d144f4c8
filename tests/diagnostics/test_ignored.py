"""Findings that are not reported: `ignore` in a spec, a step, the options or a comment; and the origin of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc import SpecError
from shapecalc.cli import main
from shapecalc.diagnostics.diagnostic import lines_of

TWO = """\
input: [3, 9, 9]
layers:
  - conv2d: {out_channels: 4, kernel_size: 2, stride: 2}
    name: lossy
  - conv2d: {out_channels: 4, kernel_size: 3}
    name: biased
  - batch_norm2d
"""
ALL = [("silent-loss", "lossy"), ("bias-before-norm", "biased")]


def codes(text: str, ignore: str | Sequence[str] = ()) -> list[tuple[str, str]]:
    return [(finding.code, finding.path) for finding in shapecalc.loads(text).check(ignore=ignore)]


def test_nothing_is_ignored_at_first() -> None:
    assert codes(TWO) == ALL


@pytest.mark.parametrize("finding", ALL)
def test_a_code_is_ignored_by_option_spec_and_step(finding: tuple[str, str]) -> None:
    code, layer = finding
    others = [each for each in ALL if each != finding]
    assert codes(TWO, code) == codes(TWO, [code]) == others
    assert codes(f"ignore: {code}\n{TWO}") == codes(f"ignore: [{code}]\n{TWO}") == others
    assert codes(TWO.replace(f"name: {layer}", f"name: {layer}\n    ignore: {code}")) == others


def test_a_step_ignores_for_its_own_layers() -> None:
    elsewhere = TWO.replace("name: biased", "name: biased\n    ignore: silent-loss")
    assert codes(elsewhere) == ALL
    inside = "input: [3, 9, 9]\nlayers:\n  - sequential: [{conv2d: {out_channels: 4, kernel_size: 2, stride: 2}}]\n"
    assert codes(inside) == [("silent-loss", "sequential.conv2d")]
    assert codes(f"{inside}    ignore: [silent-loss]\n") == []


@pytest.mark.parametrize(
    ("comment", "is_ignored"),
    [
        ("# shapecalc: ignore", True),
        ("# shapecalc: ignore[silent-loss]", True),
        ("# smaller is fine #shapecalc:ignore[bias-before-norm, silent-loss]", True),
        ("# shapecalc: ignore[bias-before-norm]", False),
        ("# shapecalc: ignore [silent-loss]", True),
        ("# shapecalc: ignore  (the last row is empty)", True),
        ("# shapecalc: ignore [bias-before-norm]", False),
        ("# shapecalc: ignore[bias-before-norm", False),
        ("# shapecalc: ignore-biases", False),
        ("# shapecalc: ignored", False),
        ("# ignore", False),
    ],
)
def test_a_comment_is_for_its_line(tmp_path: Path, comment: str, is_ignored: bool) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(TWO.replace("stride: 2}", f"stride: 2}}  {comment}"), encoding="utf-8")
    found = [(finding.code, finding.path) for finding in shapecalc.load(file).check()]
    assert found == (ALL[1:] if is_ignored else ALL)


def test_a_comment_is_read_from_a_text_without_a_file() -> None:
    text = TWO.replace("stride: 2}", "stride: 2}  # shapecalc: ignore[silent-loss]")
    assert codes(text) == ALL[1:]
    piped = CliRunner().invoke(main, ["check", "-", "--format", "short"], input=text)
    assert "bias-before-norm" in piped.output
    assert "silent-loss" not in piped.output


@pytest.mark.parametrize("name", ["net.py", "net.yaml"])
def test_a_form_feed_ends_a_line_in_no_file_of_python(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("one\n\f\nthree\n", encoding="utf-8")
    assert (lines_of(str(file))[2] == "three") == name.endswith(".py")


def test_errors_are_reported_whatever_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        "input: [3, 1, 1]\nlayers:\n  - avg_pool2d: {kernel_size: 2}  # shapecalc: ignore\n", "utf-8"
    )
    assert [finding.code for finding in shapecalc.load(file).check()] == ["too-small"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("silent-los", "ignore: no diagnostic has the code 'silent-los' (did you mean 'silent-loss'?)"),
        ("channels", "ignore: 'channels' is an error"),
    ],
)
def test_a_code_that_cannot_be_ignored_is_refused(code: str, message: str) -> None:
    for text, line in (
        (f"ignore: {code}\n{TWO}", 1),
        (TWO.replace("name: biased", f"name: biased\n    ignore: [{code}]"), 7),
    ):
        with pytest.raises(SpecError) as caught:
            codes(text)
        assert caught.value.message == message
        assert caught.value.place.line == line
    with pytest.raises(SpecError, match="neither the code of a diagnostic nor a list"):
        shapecalc.loads(f"ignore: {{a: 1}}\n{TWO}")


@pytest.mark.parametrize("ignore", [5, None, [5], [["silent-loss"]]])
def test_an_option_that_is_no_list_of_codes_is_refused(ignore: Any) -> None:
    with pytest.raises(SpecError, match="is not the code of a diagnostic"):
        codes(TWO, ignore)


def test_what_is_ignored_is_written_and_is_in_the_command(tmp_path: Path) -> None:
    model = shapecalc.loads(
        f"ignore: bias-before-norm\n{TWO}    ignore: silent-loss\n".replace(
            "- batch_norm2d", "- batch_norm2d:"
        )
    )
    assert shapecalc.loads(model.to_yaml()) == model
    file = tmp_path / "net.yaml"
    file.write_text(TWO, encoding="utf-8")
    strict = ["check", str(file), "--strict"]
    assert CliRunner().invoke(main, strict).exit_code == 1
    ignored = CliRunner().invoke(main, [*strict, "--ignore", "silent-loss", "--ignore", "bias-before-norm"])
    assert (ignored.exit_code, ignored.output) == (0, "nothing to complain about\n")


def test_findings_about_the_passes_of_a_repeat_are_merged() -> None:
    text = """
input: [3, 64, 64]
blocks:
  down: {layers: [{conv2d: {out_channels: 4, kernel_size: 4, stride: 3}}]}
layers:
  - down
  - down:
    repeat: 2
"""
    found = [each for each in shapecalc.loads(text).check() if each.code == "silent-loss"]
    assert [each.paths for each in found] == [("down_2.0.conv2d", "down_2.1.conv2d")]


def test_two_findings_about_one_layer_stay_two() -> None:
    text = "input: [3, 64, 65]\nlayers:\n  - conv2d: {out_channels: 4, kernel_size: 4, stride: 3}\n"
    messages = [each.message for each in shapecalc.loads(text).check()]
    assert len(messages) == len(shapecalc.loads(text.replace("64, 65", "65, 65")).check()) > 0


HEADS = "input: [8]\nlayers:\n  - linear: {out_features: 8}\n    name: trunk\n"
BOXES = "  - linear: {out_features: 5}\n    name: boxes\n  - linear: {out_features: 9}\n    from: trunk\n"


@pytest.mark.parametrize(
    ("rest", "is_reported"),
    [
        ("  - side: [{linear: {out_features: 5}}]\n    name: aux\n  - linear: {out_features: 9}\n", True),
        (
            f"{BOXES}outputs: {{classes: linear, boxes: boxes}}\n",
            False,
        ),
        (
            f"{BOXES}outputs: {{classes: linear, aux_classes: boxes}}\n",
            True,
        ),
    ],
)
def test_only_auxiliary_heads_need_the_classes_of_the_main_one(rest: str, is_reported: bool) -> None:
    assert [code for code, _ in codes(HEADS + rest)] == ["heads-disagree"] * is_reported


def test_slices_of_one_map_are_meant_to_be_apart() -> None:
    """Space to depth, as in patch merging; of two maps, slices that are apart are reported."""
    text = """
input: [3, 8, 8]
layers:
  - conv2d: {{out_channels: 4, kernel_size: 1}}
    name: a
  - slice: {{dim: 2, start: 0, step: 2}}
    name: even
    from: a
{other}  - slice: {{dim: 2, start: 1, step: 2}}
    name: odd
    from: {source}
  - concat:
    from: [even, odd]
"""
    assert codes(text.format(other="", source="a")) == []
    other = "  - conv2d: {out_channels: 4, kernel_size: 1}\n    name: b\n    from: a\n"
    assert codes(text.format(other=other, source="b")) == [("drifting-centres", "concat")]
