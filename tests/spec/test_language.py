"""The spec language, one feature and one small spec at a time."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from pydantic import ValidationError

from shapecalc import Block, Model, Report, ShapeError, SpecError, Undecided, load, loads, symbol
from shapecalc.layers import Tanh


def model(text: str) -> Model:
    """Return the model of an indented text; its input is 3x8x8 unless the text says otherwise."""
    text = dedent(text)
    return loads(text if "input" in text else f"input: [3, 8, 8]\n{text}")


def analyze(text: str, **options: Any) -> Report:
    return model(text).analyze(**options)


def shapes(report: Report) -> dict[str, tuple[Any, ...]]:
    """Return path and output, without the batch of 1."""
    assert all(node.output[0] == 1 for node in report)
    return {node.path: node.output[1:] for node in report}


def paths(report: Report) -> list[str]:
    return [node.path for node in report]


def refusal(text: str, **options: Any) -> str:
    """Return what is said about a text that is not a model, place and path included."""
    with pytest.raises(SpecError) as raised:
        analyze(text, **options)
    return str(raised.value)


# ---- parameters and arithmetic


def test_parameters_have_defaults_and_refer_to_each_other() -> None:
    text = """
        parameters: {width: 4, double: 2*width, half: "double // 4", H: 8}
        input: [3, H, H]
        layers:
          - conv2d: {out_channels: double, kernel_size: half}
    """
    assert analyze(text).output == (1, 8, 7, 7)
    assert analyze(text, width=8).output == (1, 16, 5, 5)
    assert analyze(text, double=12, H=4).output == (1, 12, 2, 2)


@pytest.mark.parametrize(
    ("written", "channels"),
    [
        ("2 + 3*4", 14),
        ("(2 + 3)*4", 20),
        ("width // 3", 3),
        ("width % 3", 1),
        ("width / 2", 5),
        ("2**4 - 1", 15),
        ("min(width, 7) + max(1, 2)", 9),
        ("ceil(width / 3)", 4),
        ("floor(width / 3)", 3),
        ("floor(0.29 * 100)", 29),
        ("0.1 * 30", 3),
        ("(0.1 + 0.2) * 10", 3),
        ("floor(width * ratio)", 7),
        ("depths[1]", 6),
        ("depths[-1] + len(depths)", 15),
        ("sum(depths)", 21),
        ("3 if width > 5 and not flag else 4", 4),
        ("in_channels * 2", 6),
        ("size(2) + size(-1)", 16),
        ("size(stem, 1)", 3),
    ],
)
def test_arithmetic_is_exact(written: str, channels: int) -> None:
    report = analyze(
        f"""
        parameters: {{width: 10, ratio: 0.7, depths: [3, 6, 12], flag: true}}
        layers:
          - {{identity: null, name: stem}}
          - conv2d: {{out_channels: "{written}", kernel_size: 1}}
        """
    )
    assert report.output == (1, channels, 8, 8)


def test_a_fraction_is_no_size() -> None:
    said = refusal(
        "{parameters: {width: 5}, input: [3, 8, 8], layers: [conv2d: {out_channels: width/2, kernel_size: 1}]}"
    )
    assert "2.5 is not an integer" in said


@pytest.mark.parametrize("function", ["argmax", "prod", "sum"])
def test_an_axis_is_a_formula(function: str) -> None:
    text = "{{parameters: {{axis: 1}}, input: [4, 5, 6], layers: [reduce: {{function: {}, dim: {}}}]}}"
    assert loads(text.format(function, "axis + 1")).analyze().output == (1, 4, 6)
    if function != "sum":
        with pytest.raises(SpecError, match=f"{function} takes one axis; dim is a list"):
            loads(text.format(function, "[axis]"))


def test_a_decimal_is_what_is_written() -> None:
    (node,) = analyze("layers: [leaky_relu: {negative_slope: 0.1}]").nodes
    assert str(getattr(node.layer, "negative_slope")) == "1/10"  # noqa: B009


def test_repeat_over_lists() -> None:
    report = analyze(
        """
        parameters: {depths: [2, 1], widths: [4, 6]}
        layers:
          - sequential:
              - {conv2d: {out_channels: w, kernel_size: 1}, repeat: d}
              - {conv2d: {out_channels: w + i, kernel_size: 1}, repeat: {i: 2}}
            name: stage
            repeat: {d: depths, w: widths}
        """
    )
    assert shapes(report) == {
        "stage.0.conv2d.0": (4, 8, 8),
        "stage.0.conv2d.1": (4, 8, 8),
        "stage.0.conv2d_2.0": (4, 8, 8),
        "stage.0.conv2d_2.1": (5, 8, 8),
        "stage.1.conv2d.0": (6, 8, 8),
        "stage.1.conv2d_2.0": (6, 8, 8),
        "stage.1.conv2d_2.1": (7, 8, 8),
    }
    assert report.params == 16 + 20 + 20 + 25 + 36 + 42 + 49


def test_a_repeat_of_nothing_is_nothing() -> None:
    report = analyze(
        "layers: [{relu: null, repeat: 0, name: r}, {conv2d: {out_channels: 2, kernel_size: 1}, from: r}]"
    )
    assert shapes(report) == {"conv2d": (2, 8, 8)}


def test_lists_of_different_lengths_are_refused() -> None:
    said = refusal("{input: [3], layers: [{relu: null, repeat: {a: [1, 2], b: [1]}}]}")
    assert "differ in length (a has 2, b has 1)" in said


# ---- blocks

BLOCKS = """
parameters: {base: 4}
input: [3, 8, 8]
blocks:
  conv_norm:
    args: {width: ~, kernel: 3, padding: kernel // 2, act: relu, norm: batch_norm2d}
    layers:
      - conv2d: {out_channels: width, kernel_size: kernel, padding: padding, bias: false}
      - norm
      - act
  pair:
    args: {width: ~, inner: conv_norm, depth: base - 2}
    layers:
      - conv_norm: {width: width}
      - {inner: {width: 2*width}, repeat: depth}
"""


def test_arguments_have_defaults_that_use_earlier_ones() -> None:
    report = analyze(BLOCKS + "layers: [conv_norm: {width: 5, kernel: 5}]")
    assert shapes(report) == {
        "conv_norm.conv2d": (5, 8, 8),
        "conv_norm.norm": (5, 8, 8),
        "conv_norm.act": (5, 8, 8),
    }
    assert [node.kind for node in report] == ["conv2d", "batch_norm2d", "relu"]
    assert report.params == 5 * 3 * 25 + 2 * 5
    assert analyze(BLOCKS + "layers: [conv_norm: {width: 5, kernel: 5, padding: 0}]").output == (1, 5, 4, 4)


def test_words_choose_kinds_and_blocks() -> None:
    report = analyze(BLOCKS + "layers: [conv_norm: {width: 5, act: sigmoid, norm: identity}]")
    assert [node.kind for node in report] == ["conv2d", "identity", "sigmoid"]
    text = BLOCKS.replace("blocks:\n", "blocks:\n  nothing: {args: {width: ~}, layers: [identity]}\n")
    report = analyze(text + "layers: [pair: {width: 2, inner: nothing}]")
    assert [node.kind for node in report] == ["conv2d", "batch_norm2d", "relu", "identity", "identity"]


def test_a_word_that_chooses_nothing_is_refused_with_the_nearest() -> None:
    said = refusal(BLOCKS + "layers: [conv_norm: {width: 5, act: rleu}]")
    assert "unknown kind 'rleu' (did you mean 'relu'?)" in said
    assert "conv_norm.act" in said


def test_blocks_in_blocks() -> None:
    report = analyze(BLOCKS + "layers: [{pair: {width: 2}, repeat: 2, name: p}, pair: {width: 1, depth: 0}]")
    assert paths(report) == [
        f"{group}.{layer}"
        for group in (
            "p.0.conv_norm",
            "p.0.inner.0",
            "p.0.inner.1",
            "p.1.conv_norm",
            "p.1.inner.0",
            "p.1.inner.1",
        )
        for layer in ("conv2d", "norm", "act")
    ] + [f"pair.conv_norm.{layer}" for layer in ("conv2d", "norm", "act")]
    assert report["p.1.inner.1.conv2d"].weights == {"weight": (4, 4, 3, 3)}


def test_a_required_argument_is_required() -> None:
    assert "the block conv_norm needs the argument width" in refusal(BLOCKS + "layers: [conv_norm]")
    said = refusal(BLOCKS + "layers: [conv_norm: {width: 3, kernal: 3}]")
    assert "has no argument 'kernal' (did you mean 'kernel'?)" in said


@pytest.mark.parametrize("name", ["relu", "side", "repeat", "two words", "1st"])
def test_a_block_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(SpecError, match=r"has the name of a kind|cannot name a block"):
        load({"input": [3], "blocks": {name: {"layers": ["tanh"]}}, "layers": [name]})
    with pytest.raises(ValidationError, match=r"has the name of a kind|cannot name a block"):
        Model(input=[3], blocks={name: Block(layers=[Tanh()])}, layers=[Tanh()])


def test_a_block_sees_its_arguments_and_parameters_only() -> None:
    text = """
        input: [3, 8, 8]
        blocks: {reach: {layers: [add: {main: [], other: outside}]}}
        layers: [{relu: null, name: outside}, reach]
    """
    assert "there is no earlier step 'outside'" in refusal(text)


def test_a_tensor_is_passed_into_a_block() -> None:
    report = analyze(
        """
        input: [3, 8, 8]
        blocks:
          fuse:
            args: {partner: ~, width: 4}
            layers:
              - conv2d: {out_channels: "size(partner, 1) + width", kernel_size: 1}
              - concat: {main: [], other: partner}
        layers:
          - {conv2d: {out_channels: 5, kernel_size: 1}, name: early}
          - relu
          - fuse: {partner: early}
        """
    )
    assert shapes(report) == {
        "early": (5, 8, 8),
        "relu": (5, 8, 8),
        "fuse.conv2d": (9, 8, 8),
        "fuse.concat": (14, 8, 8),
    }


def test_every_block_sees_the_inputs() -> None:
    report = analyze(
        """
        input: {image: [3, 8, 8], mask: [1, 8, 8]}
        blocks: {masked: {layers: [multiply: [[], mask]]}}
        layers: [relu, masked]
        """
    )
    assert report["masked.multiply"].inputs == ((1, 3, 8, 8), (1, 1, 8, 8))


# ---- steps


def test_when_leaves_steps_out() -> None:
    text = """
        parameters: {deep: true, word: avg}
        input: [3, 8, 8]
        layers:
          - {conv2d: {out_channels: 4, kernel_size: 1}, when: in_channels != 4}
          - {conv2d: {out_channels: 4, kernel_size: 1}, when: in_channels != 4}
          - {relu: null, when: deep and word == 'avg'}
          - {avg_pool2d: {kernel_size: 2}, when: size(2) >= 8}
          - {avg_pool2d: {kernel_size: 2}, when: size(2) >= 8, name: second}
    """
    assert paths(analyze(text)) == ["conv2d", "relu", "avg_pool2d"]
    assert paths(analyze(text, deep=False)) == ["conv2d", "avg_pool2d"]
    assert paths(analyze(text, input=(4, 16, 16), word="max")) == ["avg_pool2d", "second"]
    assert "when: 1 + 1 is 2, not true or false" in refusal(
        "{input: [3], layers: [{relu: null, when: 1 + 1}]}"
    )


def test_a_step_that_was_left_out_cannot_be_named() -> None:
    said = refusal("{input: [3], layers: [{relu: null, name: a, when: false}, {relu: null, from: a}]}")
    assert "the step 'a' is left out here by its `when`" in said


def test_from_starts_elsewhere() -> None:
    report = analyze(
        """
        layers:
          - {conv2d: {out_channels: 4, kernel_size: 1}, name: a}
          - {conv2d: {out_channels: 5, kernel_size: 1}, name: b}
          - {conv2d: {out_channels: 6, kernel_size: 1}, name: c, from: a}
          - {concat: null, from: [a, b, c]}
          - {add: null, from: [b, b]}
        """
    )
    assert report["c"].inputs == ((1, 4, 8, 8),)
    assert report["concat"].output == (1, 15, 8, 8)
    assert report.output == (1, 5, 8, 8)


def test_names_are_for_earlier_steps() -> None:
    assert "'b' is a later step" in refusal(
        "{input: [3], layers: [{relu: null, from: b}, {relu: null, name: b}]}"
    )
    said = refusal("{input: [3], layers: [{relu: null, name: early}, {relu: null, from: erly}]}")
    assert "no earlier step 'erly' (did you mean 'early'?)" in said
    assert "is taken by an earlier step" in refusal(
        "{input: [3], layers: [{relu: null, name: a}, {tanh: null, name: a}]}"
    )


def test_a_name_given_is_passed_over_when_names_are_made() -> None:
    report = analyze("layers: [relu, {tanh: null, name: relu_2}, relu, relu]")
    assert paths(report) == ["relu", "relu_2", "relu_3", "relu_4"]


def test_dotted_names_reach_into_blocks_repeats_and_branches() -> None:
    report = analyze(
        """
        input: [3, 8, 8]
        blocks: {pair: {args: {w: ~}, layers: [{conv2d: {out_channels: w, kernel_size: 1}, name: conv}, relu]}}
        layers:
          - {pair: {w: 4}, name: stage, repeat: 2}
          - add: {left: [{pair: {w: 4}}], right: []}
            name: sum
          - concat: [stage.0.conv, stage.1.relu, stage, sum.left.pair.conv, []]
          - {conv2d: {out_channels: "size('stage.0.conv', 1) + size(stage, 1)", kernel_size: 1}}
        """
    )
    assert report["concat"].output == (1, 20, 8, 8)
    assert report.output == (1, 8, 8, 8)
    said = refusal("{input: [3, 8, 8], layers: [{sequential: [relu], name: s}, {tanh: null, from: s.rellu}]}")
    assert "there is no 'rellu' in it (did you mean 'relu'?)" in said


def test_branches_are_lists_nothing_or_names() -> None:
    report = analyze(
        """
        layers:
          - {conv2d: {out_channels: 4, kernel_size: 1}, name: stem}
          - relu
          - add: [[conv2d: {out_channels: 4, kernel_size: 1}, relu], [], stem]
          - concat: {dim: 2, one: [], two: [avg_pool2d: {kernel_size: 3, stride: 1, padding: 1}]}
          - multiply: {a: [], gate: [{adaptive_avg_pool2d: {output_size: 1}}, sigmoid]}
        """
    )
    assert shapes(report) == {
        "stem": (4, 8, 8),
        "relu": (4, 8, 8),
        "add.0.conv2d": (4, 8, 8),
        "add.0.relu": (4, 8, 8),
        "add": (4, 8, 8),
        "concat.two.avg_pool2d": (4, 8, 8),
        "concat": (4, 16, 8),
        "multiply.gate.adaptive_avg_pool2d": (4, 1, 1),
        "multiply.gate.sigmoid": (4, 1, 1),
        "multiply": (4, 16, 8),
    }


def test_pieces_are_named_by_number() -> None:
    report = analyze(
        """
        input: [10, 4, 4]
        layers:
          - {split: {dim: 1, split_size: [2, 3, 5]}, name: parts}
          - {conv2d: {out_channels: 7, kernel_size: 1}, from: parts.2}
          - {concat: null, from: [parts, parts.1]}
        """
    )
    assert report["parts"].outputs == ((1, 2, 4, 4), (1, 3, 4, 4), (1, 5, 4, 4))
    assert report["conv2d"].weights["weight"] == (7, 5, 1, 1)
    assert report.output == (1, 5, 4, 4)
    said = refusal("{input: [4], layers: [{chunk: {dim: 1, chunks: 2}, name: c}, {relu: null, from: c.2}]}")
    assert "'c.2': there is no '2' in it" in said


# ---- weights in common

CONV = "conv2d: {out_channels: 3, kernel_size: 3, padding: 1}"


def test_share_a_layer() -> None:
    report = analyze(f"layers: [{{{CONV}, name: c}}, relu, {{{CONV}, share: c}}]")
    first, _, second = report.nodes
    assert (first.params, second.params, report.params) == (84, 0, 84)
    assert first.macs == second.macs == 81 * 64
    assert report.macs == 2 * 81 * 64
    assert (first.shares, second.shares) == (None, "c")
    assert second.weights == first.weights


def test_share_a_step_alone() -> None:
    report = analyze(
        f"layers: [{{{CONV}, name: c}}, {{avg_pool2d: {{kernel_size: 2}}}}, {{share: c, name: again}}, share: c]"
    )
    assert shapes(report) == {"c": (3, 8, 8), "avg_pool2d": (3, 4, 4), "again": (3, 4, 4), "c_2": (3, 4, 4)}
    assert report.params == 84
    assert report.macs == 81 * (64 + 16 + 16)


def test_share_a_block_alone_or_written_again() -> None:
    text = """
        input: [3, 8, 8]
        blocks:
          body: {args: {k: 3}, layers: [{conv2d: {out_channels: 3, kernel_size: k, padding: k // 2}}, batch_norm2d, relu]}
        layers:
          - {body: {k: 5}, name: first}
          - {share: first, name: second}
          - {body: {k: 5}, share: first, name: third}
    """
    report = analyze(text)
    assert paths(report)[3:6] == ["second.conv2d", "second.batch_norm2d", "second.relu"]
    assert report.params == 3 * 3 * 25 + 3 + 6
    assert report.buffer_count == 7
    assert report.macs == 3 * 64 * 3 * 3 * 25
    assert report.layer("third.batch_norm2d").shares == "first.batch_norm2d"
    assert report.layer("third.relu").shares is None or report["third.relu"].params == 0


def test_share_a_repeat() -> None:
    report = analyze(f"layers: [{{{CONV}, name: c, repeat: 2}}, {{share: c, name: d}}]")
    assert paths(report) == ["c.0", "c.1", "d.0", "d.1"]
    assert [node.shares for node in report] == [None, None, "c.0", "c.1"]


def test_share_one_pass_of_a_repeat() -> None:
    report = analyze(f"layers: [{{{CONV}, name: c, repeat: 2}}, share: c.1, {{{CONV}, share: c.0}}]")
    assert [(node.path, node.shares) for node in report][2:] == [("c_2", "c.1"), ("conv2d", "c.0")]


def test_the_same_weights_again_and_again() -> None:
    report = analyze(
        f"""
        layers:
          - {{sequential: [{{{CONV}}}, relu], name: cell}}
          - {{share: cell, repeat: 3, name: loop}}
        """
    )
    assert [node.shares for node in report if node.kind == "conv2d"] == [None, *["cell.conv2d"] * 3]
    assert paths(report)[2:] == [f"loop.{i}.{layer}" for i in range(3) for layer in ("conv2d", "relu")]
    assert (report.params, report.macs) == (84, 4 * 81 * 64)
    report = analyze(
        f"layers: [{{{CONV}, name: c}}, {{share: c, repeat: 2, name: twice}}, {{share: twice, name: more}}]"
    )
    assert [(node.path, node.shares) for node in report][3:] == [("more.0", "c"), ("more.1", "c")]


def test_weights_in_common_must_be_the_same() -> None:
    said = refusal(
        f"{{input: [3, 8, 8], layers: [{{{CONV}, name: c}}, {{conv2d: {{out_channels: 3, kernel_size: 1}}, share: c}}]}}"
    )
    assert (
        "share: c has weight [3, 3, 3, 3], bias [3], but conv2d needs weight [3, 3, 1, 1], bias [3]" in said
    )
    said = refusal(
        f"{{input: [3, 8, 8], layers: [{{{CONV}, name: c}}, {{sequential: [relu, relu], share: c}}]}}"
    )
    assert "'c' has 1 layer, but this step has 2 layers" in said


def test_frozen_weights_are_not_trained() -> None:
    report = analyze(
        """
        layers:
          - {sequential: [{conv2d: {out_channels: 4, kernel_size: 1}}, batch_norm2d], trainable: false, name: trunk}
          - conv2d: {out_channels: 2, kernel_size: 1}
        """
    )
    assert (report.params, report.trainable_params) == (16 + 8 + 10, 10)
    assert report["trunk.conv2d"].params == 16
    assert report["trunk.conv2d"].trainable_params == 0


# ---- inputs and outputs


def test_several_inputs_are_named() -> None:
    text = """
        parameters: {H: 8, W: 6, n: 5}
        input: {image: [3, H, W], vector: [n]}
        layers:
          - {linear: {out_features: 3}, from: vector}
          - {unflatten: {dim: 1, unflattened_size: [3, 1, 1]}, name: gate}
          - {multiply: null, from: [image, gate]}
    """
    report = analyze(text)
    assert report.inputs == {"image": (1, 3, 8, 6), "vector": (1, 5)}
    assert report.input == (1, 3, 8, 6)
    assert report.output == (1, 3, 8, 6)
    assert report.to_dict()["input"] == {"image": [1, 3, 8, 6], "vector": [1, 5]}
    assert analyze(text, input={"image": (3, 4, 4)}).inputs == {"image": (1, 3, 4, 4), "vector": (1, 5)}
    assert analyze(text, input={"vector": [7]}).params == 3 * 7 + 3
    assert "no input 'vectr' (did you mean 'vector'?)" in refusal(text, input={"vectr": [7]})


def test_a_given_shape_sets_the_parameters_that_stand_there() -> None:
    text = """
        parameters: {H: 8, W: 8, ratio: H // 4}
        input: [3, H, W]
        layers: [conv2d: {out_channels: ratio, kernel_size: 1}]
    """
    assert analyze(text, input=(3, 16, 12)).output == (1, 4, 16, 12)
    assert "the parameter H is 8, but the input of 3x16x12 makes it 16" in refusal(
        text, input=(3, 16, 12), H=8
    )


def test_side_outputs() -> None:
    report = analyze(
        """
        layers:
          - relu
          - {side: [flatten, linear: {out_features: 5}], name: early}
          - side: [global_avg_pool2d]
          - conv2d: {out_channels: 2, kernel_size: 1}
        """
    )
    assert report.outputs == {"output": (1, 2, 8, 8), "early": (1, 5), "side": (1, 3)}
    assert report["conv2d"].inputs == ((1, 3, 8, 8),)
    assert report.to_dict()["outputs"]["early"] == [1, 5]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{low: a, high: b.conv2d}", {"low": (1, 3, 8, 8), "high": (1, 2, 8, 8)}),
        ("[b.conv2d, a]", {"b_conv2d": (1, 2, 8, 8), "a": (1, 3, 8, 8)}),
    ],
)
def test_outputs_are_named(written: str, expected: dict[str, Any]) -> None:
    report = analyze(
        f"""
        layers:
          - {{relu: null, name: a}}
          - {{sequential: [conv2d: {{out_channels: 2, kernel_size: 1}}, flatten], name: b}}
        outputs: {written}
        """
    )
    assert report.outputs == expected
    assert report.output == next(iter(expected.values()))


def test_an_output_that_is_nowhere_is_refused() -> None:
    said = refusal("{input: [3], layers: [{relu: null, name: last}], outputs: [lst]}")
    assert "no earlier step 'lst' (did you mean 'last'?)" in said


# ---- scalars and text


def test_scalars_are_yaml_1_2() -> None:
    text = """
        parameters: {a: yes, b: on, c: no, d: 0o17, e: 1e3, f: 0x1F, g: true, h: ~, i: "12", j: 1.50, k: off}
        input: [d, 8, 8]
        layers:
          - {identity: null, when: a == 'yes' and b == 'on' and c == 'no' and k == 'off'}
          - {conv2d: {out_channels: "e + f + i", kernel_size: 1}, when: "g and j == 3/2"}
    """
    report = analyze(text)
    assert paths(report) == ["identity", "conv2d"]
    assert report["identity"].output == (1, 15, 8, 8)
    assert report.output == (1, 1000 + 31 + 12, 8, 8)


def test_an_expression_with_commas_in_braces_is_quoted() -> None:
    good = "{input: [3, 8, 8], layers: [conv2d: {out_channels: 'max(2, in_channels)', kernel_size: 1}]}"
    assert analyze(good).output == (1, 3, 8, 8)
    said = refusal(
        "{input: [3, 8, 8], layers: [conv2d: {out_channels: max(2, in_channels), kernel_size: 1}]}"
    )
    assert "must be quoted" in said


def test_a_literal_beats_a_parameter() -> None:
    text = """
        parameters: {same: 3, zeros: 1, pad: valid, more: same}
        input: [3, 8, 8]
        layers:
          - conv2d: {out_channels: 4, kernel_size: 5, padding: same, padding_mode: zeros}
          - conv2d: {out_channels: same, kernel_size: 3, padding: pad}
    """
    assert shapes(analyze(text)) == {"conv2d": (4, 8, 8), "conv2d_2": (3, 6, 6)}
    assert analyze(text, pad="more").output == (1, 3, 12, 12)
    text = text.replace("same: 3", "three: 3").replace("channels: same", "channels: three")
    assert analyze(text, pad="same").output == (1, 3, 8, 8)


def test_json_is_read_as_well() -> None:
    text = '{"name": "tiny", "input": [3, 8, 8], "layers": ["relu", {"conv2d": {"out_channels": 2, "kernel_size": "1 + 2"}}]}'
    assert analyze(text).output == (1, 2, 6, 6)
    assert load({"input": [3, 8, 8], "layers": ["relu"]}).analyze().output == (1, 3, 8, 8)


# ---- families

FAMILY = """
name: net
title: The family
parameters: {depths: [1, 1], width: 4}
input: [3, 8, 8]
layers: [{conv2d: {out_channels: width*d, kernel_size: 1}, repeat: {d: depths}}]
expect: {params: 36}
variants:
  net_wide: {title: The wide one, parameters: {width: 8}, expect: {output: [8, 8, 8]}}
  net_deep: {parameters: {depths: [1, 2, 3]}}
"""


def test_a_family_has_variants() -> None:
    family = loads(FAMILY)
    wide, deep = family.variant("net_wide"), family.variant("net_deep")
    assert (wide.name, wide.title, deep.title) == ("net_wide", "The wide one", "The family")
    assert [m.analyze().output[1] for m in (family, wide, deep)] == [4, 8, 12]
    assert wide.expect is not None
    assert wide.expect.output == (8, 8, 8)
    assert deep.expect is None
    assert not wide.variants
    with pytest.raises(SpecError, match="did you mean 'net_wide'"):
        family.variant("net_wid")
    assert "unknown parameter 'wdth' (did you mean 'width'?)" in refusal(
        FAMILY.replace("{depths: [1, 2, 3]}", "{wdth: 3}")
    )


# ---- batches and free sizes


def test_batches() -> None:
    text = "layers: [{conv2d: {out_channels: in_channels*2, kernel_size: 3}}, flatten, linear: {out_features: 2}]"
    assert analyze(text, batch=8).output == (8, 2)
    free = analyze(text, batch=8)
    assert (free.params, free.macs) == (analyze(text).params, 8 * int(str(analyze(text).macs)))
    unbatched = analyze("layers: [{conv2d: {out_channels: in_channels*2, kernel_size: 3}}]", batch=None)
    assert unbatched.output == (6, 6, 6)
    assert unbatched.unbatched
    assert unbatched.macs == analyze("layers: [{conv2d: {out_channels: 6, kernel_size: 3}}]").macs


@pytest.mark.parametrize("batch", [0, -1, True, 2.0, "8"])
def test_a_batch_is_a_count(batch: Any) -> None:
    assert "batch must be an integer" in refusal("layers: [relu]", batch=batch)


def test_a_free_batch() -> None:
    report = analyze("layers: [{conv2d: {out_channels: 2, kernel_size: 1}}, flatten]", symbolic="batch")
    assert report.output == (symbol("batch"), 128)
    assert str(report.macs) == "384·batch"
    assert report.params == 8


def test_free_sizes() -> None:
    text = """
        parameters: {H: 8, W: 8, classes: 10, width: 4}
        input: [3, H, W]
        layers:
          - conv2d: {out_channels: width, kernel_size: 3, stride: 2, padding: 1}
          - global_avg_pool2d
          - linear: {out_features: classes}
    """
    report = analyze(text, symbolic=True)
    assert [str(size) for size in report["conv2d"].output] == ["1", "4", "⌈H/2⌉", "⌈W/2⌉"]
    assert report.params == 112 + 50
    assert analyze(text, symbolic=("H",)).output == (1, 10)
    wide = analyze(text, symbolic=("width", "classes"))
    assert wide.params == symbol("width") * 28 + symbol("classes") * symbol("width") + symbol("classes")
    assert wide.to_dict()["params"] == str(wide.params)
    with pytest.raises(SpecError, match="no parameter 'h' to leave free"):
        analyze(text, symbolic="h")


def test_what_a_free_size_leaves_open_is_said() -> None:
    text = """
        parameters: {H: 8}
        input: [3, H, H]
        layers: [{avg_pool2d: {kernel_size: 2}, when: size(2) > 4}]
    """
    with pytest.raises(Undecided, match="depends on what was left free"):
        analyze(text, symbolic="H")
    report = analyze(
        "{parameters: {H: 8}, input: [3, H, H], layers: [conv2d: {out_channels: 1, kernel_size: 7}]}",
        symbolic="H",
    )
    (condition, *_) = report.conditions
    assert condition.path == "conv2d"
    assert str(report.output[2]) == "H - 6"


# ---- the report


def test_a_node_tells_everything() -> None:
    report = analyze(f"layers: [{{{CONV}, name: c}}, batch_norm2d]", batch=2)
    conv, norm = report.nodes
    assert (conv.path, conv.kind, conv.inputs, conv.output) == ("c", "conv2d", ((2, 3, 8, 8),), (2, 3, 8, 8))
    assert conv.weights == {"weight": (3, 3, 3, 3), "bias": (3,)}
    assert conv.buffers == {}
    assert (conv.params, conv.trainable_params, conv.macs, conv.bytes) == (84, 84, 2 * 81 * 64, 4 * 384)
    assert conv.window is not None
    assert conv.window.kernel == (3, 3)
    assert norm.buffers == {"running_mean": (3,), "running_var": (3,), "num_batches_tracked": ()}
    assert norm.buffer_count == 7
    assert conv.place.line == 2
    assert getattr(conv.layer, "out_channels") == 3  # noqa: B009
    assert report["c"] is conv
    with pytest.raises(KeyError):
        report["d"]
    with pytest.raises(SpecError, match=r"tiny has no layer or block 'stern' \(did you mean 'stem'\?\)"):
        analyze(f"name: tiny\ninput: [3, 8, 8]\nlayers: [{{{CONV}, name: stem}}]")["stern"]


def test_a_report_is_plain_data() -> None:
    data = analyze(f"name: tiny\ninput: [3, 8, 8]\nlayers: [{{{CONV}, name: c}}]").to_dict()
    node = {
        "path": "c",
        "kind": "conv2d",
        "inputs": [[1, 3, 8, 8]],
        "output": [1, 3, 8, 8],
        "outputs": [[1, 3, 8, 8]],
        "weights": {"weight": [3, 3, 3, 3], "bias": [3]},
        "buffers": {},
        "params": 84,
        "trainable_params": 84,
        "macs": 5184,
        "bytes": 768,
        "shares": None,
    }
    expected = {
        "name": "tiny",
        "input": [1, 3, 8, 8],
        "output": [1, 3, 8, 8],
        "outputs": {"output": [1, 3, 8, 8]},
        "params": 84,
        "trainable_params": 84,
        "buffers": 0,
        "macs": 5184,
        "flops": 10368,
        "complete": True,
        "not_counted": [],
    }
    assert {key: value for key, value in data.items() if key != "nodes"}.items() >= expected.items()
    assert data["nodes"][0].items() >= node.items()


@pytest.mark.parametrize(
    ("dtype", "size"),
    [("float64", 8), ("float32", 4), ("float16", 2), ("bfloat16", 2), ("int8", 1)],
)
def test_memory_is_in_bytes_of_the_type(dtype: str, size: int) -> None:
    report = analyze("layers: [relu, flatten]", dtype=dtype)
    assert [node.bytes for node in report] == [192 * size, 192 * size]


def test_an_unknown_type_is_refused() -> None:
    assert "unknown dtype 'flaot32' (did you mean 'float32'?)" in refusal("layers: [relu]", dtype="flaot32")


def test_a_parameter_that_is_not_there_is_refused() -> None:
    said = refusal("{parameters: {width: 3}, input: [3], layers: [relu]}", widht=4)
    assert "has no parameter 'widht' (did you mean 'width'?)" in said


def test_the_first_failure_is_raised_with_all_the_others() -> None:
    with pytest.raises(ShapeError) as raised:
        analyze(
            """
            layers:
              - concat: [[conv2d: {in_channels: 4, out_channels: 1, kernel_size: 1}], [conv2d: {out_channels: 1, kernel_size: 9}]]
              - linear: {in_features: 7, out_features: 1}
            """
        )
    assert raised.value.path == "concat.0.conv2d"
    assert raised.value.place.line == 4
    assert [failure.path for failure in raised.value.failures] == ["concat.0.conv2d", "concat.1.conv2d"]


# ---- names with dots, as torch's modules have


def test_a_dotted_name_is_a_path_and_a_reference() -> None:
    model = loads(
        """
input: [3, 8, 8]
layers:
  - conv2d: {out_channels: 4, kernel_size: 1}
    name: layer1.0.conv
  - chunk: {chunks: 2}
    name: layer1.0.halves
  - add: ~
    name: layer1.1.sum
    from: [layer1.0.halves.0, layer1.0.halves.1]
  - slice: {dim: 2, end: "size('layer1.0.conv', 2) - 1"}
    name: '2'
"""
    )
    report = model.analyze()
    assert [node.path for node in report] == ["layer1.0.conv", "layer1.0.halves", "layer1.1.sum", "2"]
    assert [group.path for group in report.groups] == ["layer1", "layer1.0", "layer1.1"]
    assert report.output == (1, 2, 7, 8)
    assert loads(model.to_yaml()) == model


def test_a_dotted_name_that_is_not_there_yet_is_told() -> None:
    layers = [{"relu": None, "name": "a.0", "from": "a.1"}, {"relu": None, "name": "a.1"}]
    with pytest.raises(SpecError, match=r"'a.1' is a later step"):
        load({"input": [3], "layers": layers}).analyze()


def test_a_network_without_a_batch_is_written_as_one() -> None:
    model = loads("batched: false\ninput: [3]\nlayers: [{linear: {out_features: 2}}]")
    assert model.analyze().output == (2,)
    assert loads(model.to_yaml()) == model
    assert loads(model.to_yaml()).analyze().output == (2,)
