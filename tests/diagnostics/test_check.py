"""`check`: every independent mistake in one run, no follow-on errors, and warnings that are true."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import shapecalc
from shapecalc.cli import main
from shapecalc.diagnostics.diagnostic import Diagnostic, github, text
from shapecalc.errors import Place
from shapecalc.layers import KerasMaxPool1d
from tools.mistakes import diagnostics


def check(spec: str, **options: Any) -> list[Diagnostic]:
    return shapecalc.loads(dedent(spec)).check(**options)


def told(found: list[Diagnostic]) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in found]


# ---- errors: each mistake once, and nothing that only follows from one


def test_a_sound_model_has_nothing_against_it() -> None:
    assert shapecalc.load("lenet5").check() == []


def test_a_wrong_channel_count_does_not_hide_the_next() -> None:
    found = check(
        """
        input: [3, 32, 32]
        layers:
          - conv2d: {in_channels: 4, out_channels: 8, kernel_size: 3}
          - conv2d: {in_channels: 9, out_channels: 8, kernel_size: 3}
          - conv2d: {in_channels: 8, out_channels: 8, kernel_size: 3}
        """
    )
    assert told(found) == [("channels", "conv2d"), ("channels", "conv2d_2")]
    assert "4, but the input 1x3x32x32 has" in found[0].message
    assert (found[0].place.line, found[0].place.column) == (4, 5)


def test_an_input_that_is_too_small_is_told_once() -> None:
    found = shapecalc.load("lenet5").check(input=(1, 8, 8))
    assert told(found) == [("too-small", "c3")]


def test_branches_outvote_the_one_that_differs_and_the_walk_goes_on() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - concat:
              a: [conv2d: {out_channels: 4, kernel_size: 3, padding: 1}]
              b: [conv2d: {out_channels: 4, kernel_size: 3}]
              c: [conv2d: {out_channels: 4, kernel_size: 1}]
          - flatten
          - linear: {in_features: 768, out_features: 10}
          - linear: {in_features: 11, out_features: 10}
        """
    )
    assert told(found) == [("concat", "concat"), ("channels", "linear_2")]


def test_after_a_draw_sizes_are_a_guess_and_complaints_about_them_are_not_told() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - add: [[conv2d: {out_channels: 3, kernel_size: 3}], []]
          - flatten
          - linear: {in_features: 192, out_features: 10}
          - linear: {in_features: 11, out_features: 10}
        """
    )
    assert told(found) == [("broadcast", "add"), ("channels", "linear_2")]


def test_what_was_asked_before_hides_no_mistake() -> None:
    spec = """
        input: [1, 8, 8]
        layers:
          - concat:
              a: [max_pool2d: {kernel_size: 2}]
              b: [avg_pool2d: {kernel_size: 2}]
              c: [max_pool2d: {kernel_size: 2, ceil_mode: true}]
          - flatten
          - linear: {in_features: 48, out_features: 10}
        """
    model = shapecalc.loads(dedent(spec))
    assert model.analyze().output == (1, 10)
    found = [one for one in model.check(input=(1, 11, 11)) if one.severity == "error"]
    assert told(found) == [("concat", "concat"), ("channels", "linear")]


def test_a_missing_flatten_is_told_with_its_arithmetic_and_the_walk_goes_on() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - adaptive_avg_pool2d: {output_size: 2}
          - linear: {in_features: 12, out_features: 10}
          - linear: {in_features: 10, out_features: 5}
        """
    )
    assert told(found) == [("channels", "linear")]
    assert "flatten" in found[0].hint


def test_one_run_finds_every_mistake_of_the_tutorials_inception_v3_that_shapes_reveal() -> None:
    errors = [one for one in diagnostics("torch_inception_v3", ())[1] if one.severity == "error"]
    paths = [one.path for one in errors]

    def has(code: str, *starts: str) -> bool:
        return any(one.code == code and one.path.startswith(starts) for one in errors)

    assert has("channels", "inceptionA_1.")  # l.1738: 288 for 192
    assert has("channels", "inceptionA_2.")  # l.1739: 288 for 256
    assert has("concat", "inceptionA_1.concat")  # l.1553: a pool without padding
    assert has("concat", "reductionA.concat")  # l.1659: stride 1 for 2
    assert has("too-small", "aux.")  # l.1517: a 3x3 in the stem leaves the head 4x4
    assert has("concat", "reductionB.concat")  # l.1686: two strides of 2
    assert has("concat", "inceptionC_1.concat")  # l.1628: paddings exchanged
    assert has("channels", "fc1")  # l.1783: no flatten
    roots = {"inceptionA_1", "inceptionA_2", "reductionA", "reductionB", "aux", "inceptionC_1", "fc1"}
    assert {path.partition(".")[0] for path in paths} == roots  # and nothing that only follows from them


def test_one_run_finds_every_mistake_of_the_tutorials_inception_v4_that_shapes_reveal() -> None:
    """A value that is not legal does not end the inference, nor do branches of which neither is outvoted."""
    errors = [one for one in diagnostics("keras_inception_v4", ())[1] if one.severity == "error"]
    assert [(one.code, one.path) for one in errors] == [
        ("spec", "stemBlock.conv2d_with_Batch.conv2d"),  # l.1816: padding s
        ("concat", "stemBlock.concat_2"),  # l.1828: padded beside not
        ("concat", "stemBlock.concat_3"),  # l.1835: a stride of 1 beside 2
        ("concat", "InceptionBlock_A.concat"),  # l.1872, 1877: a stride of 2, a pool that strides by 3
        ("concat", "InceptionBlock_B.concat"),  # l.1898
        ("concat", "InceptionBlock_C.concat"),  # l.1921
    ]


ILLEGAL = """
framework: keras
input: [8, 8, 3]
layers:
  - conv2d: {{out_channels: 4, kernel_size: 3, padding: s}}
  - max_pool2d: {{kernel_size: 2, padding: v}}
  - concat:
      - [conv2d: {{out_channels: 4, kernel_size: {kernel}}}]
      - []
  - linear: {{in_features: {features}, out_features: 3}}
"""


def test_a_value_that_is_not_legal_is_one_mistake_and_the_walk_goes_on() -> None:
    """Each legal word is tried, and what is wrong with every one of them is told."""
    assert told(check(ILLEGAL.format(kernel=1, features=8))) == [("spec", "conv2d"), ("spec", "max_pool2d")]
    spec = [("spec", "conv2d"), ("spec", "max_pool2d")]
    assert told(check(ILLEGAL.format(kernel=1, features=9))) == [*spec, ("channels", "linear")]
    assert told(check(ILLEGAL.format(kernel=2, features=8))) == [*spec, ("concat", "concat")]


def test_what_only_one_reading_of_an_illegal_value_makes_wrong_is_not_told() -> None:
    spec = """
        framework: keras
        input: [3, 3, 3]
        layers:
          - conv2d: {{out_channels: 4, kernel_size: 3, padding: s}}
          - conv2d: {{out_channels: 4, kernel_size: {}}}
        """
    assert told(check(spec.format(3))) == [("spec", "conv2d")]  # 3 of 1 fails, 3 of 3 does not
    assert told(check(spec.format(4))) == [("spec", "conv2d"), ("too-small", "conv2d_2")]


def test_a_number_that_is_not_legal_gives_way_to_its_default_as_a_guess() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - conv2d: {out_channels: 4, kernel_size: 3, stride: 0 * in_channels}
          - conv2d: {in_channels: 5, out_channels: 4, kernel_size: 9}
          - conv2d: {in_channels: 4, out_channels: 4, kernel_size: 99}
        """
    )
    assert told(found) == [("spec", "conv2d"), ("channels", "conv2d_2")]


def test_a_branch_that_is_not_there_is_left_out_of_a_sum() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - add: [[], late]
          - relu: null
            name: late
          - conv2d: {in_channels: 4, out_channels: 2, kernel_size: 1}
        """
    )
    assert told(found) == [("spec", "add"), ("channels", "conv2d")]


def failures(text: str) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in shapecalc.loads(dedent(text)).infer().failures]


LOST = """
    input: [3, 8, 8]
    layers:
      - conv2d: {{out_channels: 7, kernel_size: 1}}
        name: seven
      - {}
      - batch_norm2d: {{num_features: 5}}
      - max_pool2d: {{kernel_size: 99}}
      - conv2d: {{in_channels: 9, out_channels: in_channels, kernel_size: 3}}
      - conv2d: {{in_channels: 9, out_channels: 4, kernel_size: 3}}
      - conv2d: {{in_channels: 5, out_channels: 4, kernel_size: 1}}
      - conv2d: {{in_channels: 4, out_channels: 4, kernel_size: 77}}
      - flatten
      - linear: {{in_features: 1, out_features: 8}}
      - linear: {{in_features: 9, out_features: 8}}
    """


@pytest.mark.parametrize(
    "step", ["{relu: null, from: late}", "{concat: null, from: [late, seven]}", "concat: [[], late]"]
)
def test_behind_a_tensor_that_is_not_there_the_channels_that_a_layer_makes_are_known(step: str) -> None:
    """Until then, nothing is told: neither of its channels nor of what is computed from them."""
    named = step.rsplit("{", maxsplit=1)[-1].partition(":")[0]
    found = failures(LOST.replace("out_channels: in_channels", "out_channels: 9").format(step))
    assert found == [("spec", named), ("channels", "conv2d_3"), ("channels", "linear_2")]
    assert failures(LOST.format(step)) == [("spec", named)]


@pytest.mark.parametrize("step", ["{add: null, from: [late, seven]}", "add: [late, seven]"])
def test_a_sum_has_the_channels_of_what_is_there(step: str) -> None:
    named = [("spec", "add"), ("channels", "batch_norm2d"), ("too-small", "max_pool2d")]
    assert failures(LOST.format(step))[:3] == named


def test_how_many_pieces_there_are_of_what_is_not_there_is_not_known() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - {identity: null, from: late}
          - split: {dim: 1, split_size: 3}
            name: pieces
          - {add: null, from: [pieces.1, pieces]}
        outputs: {piece: pieces.1, whole: pieces}
        """
    )
    assert told(found) == [("spec", "identity")]


def test_after_a_draw_only_branches_of_the_same_guess_are_compared() -> None:
    spec = """
        input: [3, 9, 9]
        layers:
          - relu: null
            name: sure
          - add: [[conv2d: {{out_channels: 3, kernel_size: 3}}], []]
          - add: [[conv2d: {{out_channels: 3, kernel_size: 3}}], {}]
        """
    assert told(check(spec.format("sure"))) == [("broadcast", "add")]
    assert told(check(spec.format("[]"))) == [("broadcast", "add"), ("broadcast", "add_2")]


# ---- warnings


def test_rows_that_no_window_reads() -> None:
    (found,) = check("input: [3, 8, 7]\nlayers: [{max_pool2d: {kernel_size: 3, stride: 2}}]")
    assert (found.code, found.severity) == ("silent-loss", "warning")
    assert "the last row of 1x3x8x7: (8 + 0 + 0 - 3)/2 is not an integer" in found.message
    assert check("input: [3, 7, 7]\nlayers: [{max_pool2d: {kernel_size: 3, stride: 2}}]") == []
    assert check("input: [3, 8, 8]\nlayers: [{conv2d: {out_channels: 4, kernel_size: 1, stride: 2}}]") == []


def test_rows_of_padding_that_no_window_reads_are_no_loss() -> None:
    """A padding of its own before a window is the window's padding; what else is lost is told."""
    spec = "input: [3, 8, 8]\nlayers: [zero_pad2d: {{padding: [{}]}}, max_pool2d: {{kernel_size: {}, stride: {}}}]"
    assert check(spec.format("[1, 1], [0, 1]", 3, 2)) == []  # as padding 1, 0 to 1: 10 and 9 rows
    (found,) = check(spec.format("[1, 1], [0, 0]", 5, 4))  # 10 rows, of which 9 are read; 8, of which 5 are
    assert "the last 3 columns of 1x3x10x8" in found.message
    assert check(spec.format("[0, -1], [0, 0]", 7, 1)) == []  # a negative padding crops


def test_a_linear_layer_on_the_width_of_a_map() -> None:
    found = shapecalc.load("tutorials/torch_inception_v1").check()
    assert [one.path for one in found if one.code == "linear-on-map"] == [
        "auxiliary_classifier_1.linear",
        "auxiliary_classifier_1.linear_2",
        "auxiliary_classifier_2.linear",
        "auxiliary_classifier_2.linear_2",
    ]


def test_a_linear_layer_on_the_channels_of_a_map_in_keras() -> None:
    (found,) = check(
        "framework: keras\ninput: [4, 4, 3]\nlayers: [{max_pool2d: {kernel_size: 2}}, {linear: {out_features: 5}}]"
    )
    assert (found.code, found.path) == ("linear-on-map", "linear")
    assert "mixes the 3 channels of the map 1x2x2x3 at each of its 2x2 positions" in found.message


def test_paddings_that_fit_the_other_axis() -> None:
    spec = "input: [3, 8, 8]\nlayers: [{{conv2d: {{out_channels: 4, kernel_size: [7, 1], padding: {}}}}}]"
    (found,) = check(spec.format([0, 3]))
    assert (found.code, found.path, found.hint) == ("swapped-padding", "conv2d", "padding: [3, 0]")
    assert "turns 1x3x8x8 into 1x4x2x14; that padding fits a kernel of 1x7" in found.message
    assert check(spec.format([3, 0])) == check(spec.format([0, 0])) == []


def test_a_padding_around_a_kernel_of_one() -> None:
    spec = "input: [3, 8, 8]\nlayers: [{{conv2d: {{out_channels: 4, kernel_size: {}, padding: 1}}}}]"
    (found,) = check(spec.format(1))
    assert (found.code, found.hint) == ("padded-pointwise", "padding: 0")
    assert "turns 1x3x8x8 into 1x4x10x10" in found.message
    assert check(spec.format(3)) == []


def test_a_linear_layer_after_a_permutation_is_meant() -> None:
    spec = """
        input: [3, 8, 8]
        layers:
          - conv2d: {out_channels: 4, kernel_size: 1}
          - permute: {dims: [0, 2, 3, 1]}
          - linear: {out_features: 5}
        """
    assert check(spec) == []


def test_results_that_nothing_reads() -> None:
    found = check(
        """
        input: [3, 8, 8]
        layers:
          - relu: null
            name: used
          - tanh
          - sigmoid: null
            from: used
        """
    )
    assert told(found) == [("unused-result", "tanh")]


def test_heads_that_disagree() -> None:
    found = check(
        """
        input: [8]
        layers:
          - side: [{linear: {out_features: 5}}]
            name: aux
          - linear: {out_features: 10}
        """
    )
    assert told(found) == [("heads-disagree", "aux")]
    assert "5 classes, but output has 10" in found[0].message
    assert found[0].place.line == 4


def test_a_bias_before_a_norm_is_a_note_and_shared_weights_are_not_mentioned() -> None:
    found = check(
        """
        input: [4, 8, 8]
        layers:
          - conv2d: {out_channels: 4, kernel_size: 3, padding: 1}
            name: conv
          - batch_norm2d
          - max_pool2d: {kernel_size: 2}
          - share: conv
        """
    )
    assert [(one.code, one.severity) for one in found] == [("bias-before-norm", "note")]


def test_kernels_over_their_input_and_parts_that_nothing_uses() -> None:
    found = check(
        """
        parameters: {H: 4, W: 4, spare: 1}
        input: [3, H, W]
        blocks: {idle: {layers: [relu]}}
        layers:
          - conv2d: {out_channels: 4, kernel_size: 5, padding: 2}
        """
    )
    assert [one.code for one in found] == ["kernel-over-input", "unused-block", "unused-parameter"]
    assert (found[1].place.line, found[2].place.line) == (4, 2)


def test_a_padding_of_same_that_pads_nothing_is_a_note() -> None:
    spec = "framework: keras\ninput: [{}, 8, 3]\nlayers: [{{max_pool2d: {{kernel_size: {}, stride: {}, padding: same}}}}]"
    (found,) = check(spec.format(8, 2, 2))
    assert (found.code, found.severity, found.path) == ("idle-padding", "note", "max_pool2d")
    assert found.message.startswith(
        "max_pool2d: padding same adds nothing to 1x8x8x3, of which a stride of 2x2"
    )
    assert told(check(spec.format(11, 2, "[4, 2]"))) == [
        ("idle-padding", "max_pool2d")
    ]  # a rest of 3 holds a 2
    assert check(spec.format(9, 2, 2)) == []  # it pads
    assert check(spec.format(8, 3, 2)) == []  # it pads whatever the size
    assert check(spec.format(8, 1, 1)) == []  # it never would


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 5))
def test_where_same_pads_nothing_valid_gives_the_same(n: int, k: int, s: int) -> None:
    """And it is told exactly where that is so of this size, but not of all that the window fits."""

    def size(padding: str, n: int) -> int | None:
        pool = KerasMaxPool1d(kernel_size=k, stride=s, padding=padding)
        found = pool.output((1, n, 3))[1] if padding == "same" or n >= k else None
        assert found is None or isinstance(found, int)
        return found

    spec = f"framework: keras\ninput: [{n}, 3]\nlayers: [{{max_pool1d: {{kernel_size: {k}, stride: {s}, padding: same}}}}]"
    notes = [one for one in check(spec) if one.code == "idle-padding"]
    here = size("same", n) == size("valid", n)
    everywhere = all(size("same", m) == size("valid", m) for m in range(1, 30))
    assert bool(notes) == (here and not everywhere)


# ---- budgets and forms


def test_a_budget_names_the_layers_that_spend_most() -> None:
    (found,) = shapecalc.load("lenet5").check(max_params=60_000)
    assert found.message == (
        "61,706 parameters are more than the 60,000 allowed; "
        "most are in c5 48,120 (78%), f6 10,164 (16%), c3 2,416 (4%)"
    )
    assert shapecalc.load("lenet5").check(max_params=61_706, max_macs=416_520) == []


def test_text_is_what_a_compiler_prints(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        "input: [3, 8, 8]\nlayers:\n  - conv2d: {in_channels: 4, out_channels: 2, kernel_size: 1}\n"
    )
    result = CliRunner().invoke(main, ["check", str(file)])
    assert result.exit_code == 1
    assert result.output == dedent(
        f"""\
        error[channels]: conv2d declares in_channels: 4, but the input 1x3x8x8 has 3 channels
          --> {file}:3:5
           |
         3 |   - conv2d: {{in_channels: 4, out_channels: 2, kernel_size: 1}}
           |     ^
          in conv2d
          help: in_channels: 3, or leave in_channels out: it is inferred
          fix: in_channels: 3
          fix: leave in_channels out

        1 error
        """
    )


def test_json_github_and_sarif_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        dedent(
            """
            input: [3, 32, 32]
            layers:
              - conv2d: {out_channels: 8, kernel_size: 3}
              - conv2d: {in_channels: 9, out_channels: 8, kernel_size: 3}
              - concat: [[max_pool2d: {kernel_size: 2}], []]
              - flatten
              - linear: {in_features: 7, out_features: 10}
            """
        )
    )
    arguments = ["check", str(file), "--format"]
    plain = json.loads(CliRunner().invoke(main, [*arguments, "json"]).output)["diagnostics"]
    assert {"code", "severity", "file", "line", "column", "path", "message"} <= plain[0].keys()
    hosted = CliRunner().invoke(main, [*arguments, "github"]).output.splitlines()
    log = json.loads(CliRunner().invoke(main, [*arguments, "sarif"]).output)
    assert [one["code"] for one in plain] == ["channels", "concat"]
    assert len(plain) == len(hosted) == len(log["runs"][0]["results"])
    assert hosted[0].startswith(f"::error file={plain[0]['file']},line={plain[0]['line']},")
    assert log["runs"][0]["results"][0]["ruleId"] == plain[0]["code"]


def test_exit_codes() -> None:
    runner = CliRunner()
    assert runner.invoke(main, ["check", "lenet5", "alexnet"]).exit_code == 0
    assert runner.invoke(main, ["check", "squeezenet1_0"]).exit_code == 0
    assert runner.invoke(main, ["check", "squeezenet1_0", "--strict"]).exit_code == 1
    assert runner.invoke(main, ["check", "lenet5", "--max-params", "0.06M"]).exit_code == 1
    assert runner.invoke(main, ["check", "lenet5", "--max-macs", "1G"]).exit_code == 0
    assert runner.invoke(main, ["check", "lenet5", "--max-macs", "many"]).exit_code == 2
    assert runner.invoke(main, ["check", "lenet"]).exit_code == 2


def test_a_spec_that_cannot_be_read_is_a_finding_too(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text("input: [3]\nlayers: [{relux: }]\n")
    result = CliRunner().invoke(main, ["check", str(file), "--format", "json"])
    assert result.exit_code == 1
    (found,) = json.loads(result.output)["diagnostics"]
    assert (found["code"], found["line"]) == ("spec", 2)


def test_messages_cannot_break_out_of_their_form() -> None:
    """GitHub's runner decodes %0A in both, and %3A and %2C in properties only."""
    hostile = Diagnostic("x", "error", "a\nb: c,d 5%\x1b[31m", Place("g,line=9::\n%.yaml", 1, 2), ("p",))
    assert github(hostile) == (
        "::error file=g%2Cline=9%3A%3A%0A%25.yaml,line=1,col=2,title=x::a\\nb: c,d 5%25\\x1b[31m (in p)"
    )
    assert "\x1b" not in text(hostile)


def test_branches_that_disagree_are_followed_back_to_where_they_part() -> None:
    text = (
        "input: [3, 32, 32]\n"
        "layers:\n"
        "  - concat:\n"
        "      a: [conv2d: {out_channels: 4, kernel_size: 3, padding: 1}, relu: ]\n"
        "      b: [max_pool2d: {kernel_size: 3, stride: 1}, conv2d: {out_channels: 4, kernel_size: 1}]\n"
        "  - conv2d: {out_channels: 4, kernel_size: 1}\n"
        "  - add: [[conv2d: {out_channels: 5, kernel_size: 1}, relu: ], []]\n"
    )
    hints = [one.hint for one in shapecalc.loads(text).check() if one.severity == "error"]
    assert hints == [
        "branch 2 has 30 from concat.b.max_pool2d on (max_pool2d, line 5); branch 1 has 32 as it comes in",
        "branch 2 has 4 from conv2d on (conv2d, line 6); branch 1 has 5 from add.0.conv2d on (conv2d, line 7)",
    ]


@pytest.mark.parametrize(
    ("layers", "code", "says"),
    [
        (
            "[conv2d: {out_channels: 4, kernel_size: 3, padding: 1}, flatten: , linear: {out_features: 3}]",
            "one-size",
            "accepts an input of 16x16 and none near it, though the layers before it accept any H, W",
        ),
        ("[flatten: , linear: {out_features: 3}]", None, ""),
        (
            "[max_pool2d: {kernel_size: 2}, conv2d: {out_channels: 4, kernel_size: 3}, flatten: , linear: {out_features: 3}]",
            None,
            "",
        ),
        (
            "[upsample: {size: [9, 9]}, conv2d: {out_channels: 4, kernel_size: 3}]",
            "fixed-output",
            "the output is 1x4x7x7 for every input size, because of upsample",
        ),
        ("[adaptive_avg_pool2d: {output_size: 1}, conv2d: {out_channels: 4, kernel_size: 1}]", None, ""),
        ("[conv2d: {out_channels: 4, kernel_size: 3}]", None, ""),
    ],
)
def test_what_the_legal_sizes_show(layers: str, code: str | None, says: str) -> None:
    found = shapecalc.loads(f"input: [3, 16, 16]\nlayers: {layers}").check()
    about = [one for one in found if one.code in ("one-size", "fixed-output")]
    assert [one.code for one in about] == ([code] if code else [])
    assert all(says in one.message for one in about)


def test_an_empty_spec_is_a_finding_like_any_other(tmp_path: Path) -> None:
    for nothing in ("", "# nothing yet\n"):
        (tmp_path / "empty.yaml").write_text(nothing)
        result = CliRunner().invoke(main, ["check", str(tmp_path / "empty.yaml")])
        assert result.exit_code == 1
        assert "error[spec]: the text is empty" in result.output
        assert "1 error" in result.output
