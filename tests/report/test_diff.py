"""Comparing two networks: what is told, what is counted, and that equals are equal."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc.cli import main
from shapecalc.report.comparison import compare

SMALL = """
name: {name}
input: [3, 32, 32]
layers:
  - conv2d: {{out_channels: {width}, kernel_size: 3, padding: {padding}}}
    name: stem
  - {merge}:
      main:
        - conv2d: {{out_channels: {width}, kernel_size: 3, padding: 1, bias: false}}
        - batch_norm2d
        {extra}
      skip: []
  - global_avg_pool2d
  - linear: {{out_features: 10}}
"""


def small(
    name: str, width: int = 16, padding: int = 1, merge: str = "add", extra: str = ""
) -> shapecalc.Report:
    return shapecalc.loads(
        SMALL.format(name=name, width=width, padding=padding, merge=merge, extra=extra)
    ).analyze()


def causes(left: shapecalc.Report, right: shapecalc.Report) -> list[tuple[str, int]]:
    return [(one.what, len(one.pairs)) for one in compare(left, right).differences]


def test_a_network_equals_itself() -> None:
    found = compare(small("a"), small("b"))
    assert found.is_equal
    assert str(found) == "a and b do not differ: 6 layers, output 1x10"


def test_a_number_that_differs_is_one_cause_and_its_effects_are_counted() -> None:
    found = compare(small("a"), small("b", padding=0))
    assert causes(small("a"), small("b", padding=0)) == [("conv2d: window 3x3 p1 | 3x3", 1)]
    assert found.differences[0].pairs[0].left is not None
    assert found.differences[0].pairs[0].left.path == "stem"
    assert not found.is_equal
    assert [name for name, _, _ in found.totals] == ["macs"]


SHARING = """
input: [4, 8, 8]
layers:
  - conv2d: {{out_channels: 4, kernel_size: 3, padding: 1}}
    name: first
  - conv2d: {{out_channels: 4, kernel_size: 3, padding: 1}}
    {share}
"""


def test_weights_of_its_own_against_shared_ones_is_a_cause() -> None:
    own, shared = (
        shapecalc.loads(SHARING.format(share=share)).analyze() for share in ("name: second", "share: first")
    )
    assert causes(own, shared) == [("conv2d: weights own | shared", 1)]


def test_concatenation_against_addition_is_told() -> None:
    assert ("kind add | concat", 1) in causes(small("a"), small("b", merge="concat"))


def test_a_layer_that_one_lacks_is_told() -> None:
    assert causes(small("a", extra="- relu"), small("b")) == [("only left: relu", 1)]
    assert causes(small("a"), small("b", extra="- relu")) == [("only right: relu", 1)]


def test_equal_causes_stand_together() -> None:
    assert causes(small("a"), small("b", width=32)) == [("conv2d: out_channels 16 | 32", 2)]


def test_defaults_are_shown_as_their_values() -> None:
    left = shapecalc.load("resnet50").analyze()
    right = shapecalc.load("resnext50_32x4d").analyze()
    assert ("conv2d: groups 1 | 32, out_channels 64 | 128", 3) in causes(left, right)


def test_long_chains_are_aligned_too() -> None:
    def chain(name: str, layers: int) -> shapecalc.Report:
        return shapecalc.loads(
            f"name: {name}\ninput: [4, 8, 8]\nlayers:\n"
            f"  - relu: null\n    repeat: {layers}\n"
            "  - conv2d: {out_channels: 4, kernel_size: 1}\n"
            f"  - relu: null\n    repeat: {layers}\n"
        ).analyze()

    assert causes(chain("a", 500), chain("b", 501)) == [("only right: relu", 2)]


def test_command_exits_1_when_they_differ_and_0_when_not() -> None:
    runner = CliRunner()
    same = runner.invoke(main, ["diff", "lenet5", "lenet5"])
    assert (same.exit_code, same.output) == (
        0,
        "lenet5 and lenet5 do not differ: 12 layers, output 1x10\n",
    )
    other = runner.invoke(main, ["diff", "alexnet", "alexnet_2012"])
    assert other.exit_code == 1
    assert "conv2d: groups 1 | 2" in other.output
    assert runner.invoke(main, ["diff", "alexnet", "alexnot"]).exit_code == 2


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_other_forms(form: str) -> None:
    result = CliRunner().invoke(main, ["diff", "alexnet", "alexnet_2012", "--format", form])
    assert result.exit_code == 1
    if form == "json":
        found = json.loads(result.output)
        assert found["totals"]["params"] == [61100840, 60965224]
        assert found["equal"] is False
        assert found["differences"][0]["layers"][0]["left"] == "conv1"
    else:
        comparison = compare(shapecalc.load("alexnet").analyze(), shapecalc.load("alexnet_2012").analyze())
        assert result.output.rstrip("\n") == comparison._repr_markdown_()
        assert "| params" in result.output


FORKED = """
name: {name}
input: [3, 16, 16]
blocks:
  unit:
    args: {{width: ~, size: 1}}
    layers:
      - conv2d: {{out_channels: width, kernel_size: size, padding: (size - 1)/2}}
      - relu
layers:
  - concat:
{branches}
  - concat:
{branches}
"""
NARROW = "      a: [unit: {width: 8}]"
WIDE = "      b: [unit: {width: 4}, unit: {width: 6, size: 3}]"


def forked(name: str, *branches: str) -> shapecalc.Report:
    return shapecalc.loads(FORKED.format(name=name, branches="\n".join(branches))).analyze()


def test_the_order_of_branches_makes_no_difference() -> None:
    assert causes(forked("a", NARROW, WIDE), forked("b", WIDE, NARROW)) == []


def test_and_does_not_hide_what_differs_inside_one() -> None:
    found = compare(forked("a", NARROW, WIDE), forked("b", WIDE.replace("size: 3", "size: 5"), NARROW))
    (one,) = found.differences
    assert one.what == "conv2d: window 3x3 p1 | 5x5 p2"
    assert [pair.left.path for pair in one.pairs if pair.left] == [
        "concat.b.unit_2.conv2d",
        "concat_2.b.unit_2.conv2d",
    ]
    assert "concat.b.unit_2.conv2d (line 8, called in 13)" in str(found)
    assert found.to_dict()["differences"][0]["layers"][0]["lines"] == [8, 13]


def test_a_branch_that_one_lacks_is_told_where_it_stands() -> None:
    more = "      c: [tanh]"
    assert causes(forked("a", WIDE, more, NARROW), forked("b", NARROW, WIDE)) == [("only left: tanh", 2)]
    assert causes(forked("a", NARROW, WIDE), forked("b", WIDE, more, NARROW)) == [("only right: tanh", 2)]


def test_settings_that_are_another_frameworks_defaults_are_the_same() -> None:
    layers = "layers: [{batch_norm2d: {eps: 0.001}}]"
    keras = shapecalc.loads(f"framework: keras\ninput: [8, 8, 3]\n{layers}").analyze()
    assert causes(keras, shapecalc.loads(f"input: [3, 8, 8]\n{layers}").analyze()) == []


def test_inputs_that_differ_are_told_wherever_the_channels_stand() -> None:
    layers = "layers: [global_avg_pool2d]"
    small_, large, keras = (
        shapecalc.loads(f"{head}\n{layers}").analyze()
        for head in ("input: [3, 8, 8]", "input: [3, 9, 9]", "framework: keras\ninput: [8, 8, 3]")
    )
    assert ("input", (1, 3, 8, 8), (1, 3, 9, 9)) in compare(small_, large).totals
    assert "input" not in [name for name, _, _ in compare(small_, keras).totals]


def test_one_size_for_all_axes_is_the_same_as_each_of_them() -> None:
    one, each, other = (
        shapecalc.loads(
            f"input: [3, 8, 8]\nlayers: [{{adaptive_avg_pool2d: {{output_size: {size}}}}}]"
        ).analyze()
        for size in ("2", "[2, 2]", "[2, 4]")
    )
    assert compare(one, each).is_equal
    assert causes(one, other) == [("adaptive_avg_pool2d: output_size 2 | [2, 4]", 1)]


def test_each_side_is_set_by_itself_and_both_take_an_input() -> None:
    """The published network, made for the ten classes of a data set, beside one made for a thousand."""
    runner = CliRunner()
    arguments = ["diff", "tutorials/fashion_alexnet", "alexnet", "--input", "1x224x224", "--set-right"]
    told = runner.invoke(main, [*arguments, "num_classes=10"])
    assert told.exit_code == 1
    assert "61,085,352   57,029,322" in told.output
    assert "linear: out_features 1000 | 10\n      classifier.linear_3 (line 41)" in told.output
    same = runner.invoke(main, [*arguments, "num_classes=10", "--set-left", "num_classes=10"])
    assert same.exit_code == 0
    twice = runner.invoke(main, [*arguments, "num_classes=10", "--set", "num_classes=10"])
    assert (twice.exit_code, "num_classes is set twice" in twice.output) == (2, True)


def network(*layers: str) -> shapecalc.Report:
    return shapecalc.loads(
        "\n".join(["input: [3, 8, 8]", "layers:", *(f"  - {one}" for one in layers)])
    ).analyze()


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (
            "zero_pad2d: {padding: [0, 1, 0, 1]}",
            "zero_pad2d: {padding: [1, 0, 1, 0]}",
            "padding [0, 1, 0, 1] | [1, 0, 1, 0]",
        ),
        (
            "crop2d: {crop: [[1, 0], [1, 0]]}",
            "crop2d: {crop: [[0, 1], [0, 1]]}",
            "crop [[1, 0], [1, 0]] | [[0, 1], [0, 1]]",
        ),
        (
            "conv2d: {out_channels: 3, kernel_size: 3, padding: 1}",
            "conv2d: {out_channels: 3, kernel_size: 3, padding: 1, padding_mode: circular}",
            "padding_mode zeros | circular",
        ),
    ],
)
def test_what_differs_at_equal_shapes_is_told(one: str, other: str, what: str) -> None:
    assert network(one).output == network(other).output
    found = compare(network(one), network(other))
    assert not found.is_equal
    (cause,) = found.differences
    assert cause.what.partition(": ")[2] == what


def test_a_padding_of_its_own_is_told_with_whose_window_it_moves() -> None:
    pool = "max_pool2d: {kernel_size: 3, stride: 2}"
    left, right = network("relu", pool), network("relu", "zero_pad2d: {padding: 1}", pool)
    assert causes(left, right) == [("only right: zero_pad2d (padding 1) before max_pool2d", 1)]
    assert causes(network("relu", "crop2d: {crop: 1}"), network("relu")) == [
        ("only left: crop2d (crop 1)", 1)
    ]


def test_the_mistakes_of_the_tutorials_resnet_are_plain_on_one_screen() -> None:
    told = CliRunner().invoke(main, ["diff", "tutorials/keras_resnet50", "resnet50_keras"]).output
    assert len(told.splitlines()) <= 24
    for what in (
        "kind concat | add  ×16",
        "conv2d: out_channels 265 | 256  ×5",
        "only right: zero_pad2d (padding 1) before max_pool2d",
    ):
        assert f"\n  {what}\n" in told
