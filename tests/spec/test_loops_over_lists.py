"""Lists of passes, carried tensors, and names of the caller: each comes to what is written out by hand."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from shapecalc import Expr, Model, ShapeError, SpecError, Undecided, loads


def model(text: str) -> Model:
    """Return the model of an indented text; its input is 3x8x8 unless the text says otherwise."""
    text = dedent(text)
    return loads(text if "input:" in text else f"input: [3, 8, 8]\n{text}")


def layers(given: Model, **values: Any) -> list[tuple[Any, ...]]:
    """Return of each layer its kind, what it reads and makes, and what it costs."""
    report = given.analyze(**values)
    return [(node.kind, node.inputs, node.output, node.params, node.macs) for node in report]


CONV = "conv2d: {out_channels: %s, kernel_size: 3, padding: 1}"

# Each: with the construct, and written out.
WRITTEN_OUT: dict[str, tuple[str, str]] = {
    "collected results": (
        f"""
        layers:
          - sequential:
              - {{{CONV % "4 + i"}, name: conv}}
              - {{conv2d: {{out_channels: 5, kernel_size: 1}}, name: skip}}
              - {{relu: , from: conv}}
            repeat: {{i: 3}}
            name: layers
          - add: ["layers[:].skip"]
          - concat: [[], "layers[1:]", layers.0.conv, "layers[:-1].conv"]
        """,
        f"""
        layers:
          - {{{CONV % 4}, name: c0}}
          - {{conv2d: {{out_channels: 5, kernel_size: 1}}, name: s0}}
          - {{relu: , from: c0, name: r0}}
          - {{{CONV % 5}, name: c1}}
          - {{conv2d: {{out_channels: 5, kernel_size: 1}}, name: s1}}
          - {{relu: , from: c1, name: r1}}
          - {{{CONV % 6}, name: c2}}
          - {{conv2d: {{out_channels: 5, kernel_size: 1}}, name: s2}}
          - {{relu: , from: c2, name: r2}}
          - add: [s0, s1, s2]
          - concat: [[identity], r1, r2, c0, c0, c1]
        """,
    ),
    "a stack from its end": (
        f"""
        parameters: {{widths: [4, 6]}}
        layers:
          - sequential: [{{{CONV % "w"}}}, max_pool2d: {{kernel_size: 2}}]
            repeat: {{w: widths}}
            name: down
          - sequential:
              - upsample: {{scale_factor: 2}}
              - concat: {{above: [], beside: "down[len(widths) - 1 - i].conv2d"}}
              - conv2d: {{out_channels: "size(down[-1 - i].conv2d, 1)", kernel_size: 3, padding: 1}}
            repeat: {{i: 2}}
        """,
        f"""
        layers:
          - {{{CONV % 4}, name: d0}}
          - max_pool2d: {{kernel_size: 2}}
          - {{{CONV % 6}, name: d1}}
          - max_pool2d: {{kernel_size: 2}}
          - upsample: {{scale_factor: 2}}
          - concat: [[identity], d1]
          - {CONV % 6}
          - upsample: {{scale_factor: 2}}
          - concat: [[identity], d0]
          - {CONV % 4}
        """,
    ),
    "passes so far": (
        f"""
        layers:
          - sequential: [{{concat: [input, "dense[:].conv2d"]}}, {CONV % 4}]
            repeat: 3
            name: dense
        """,
        f"""
        layers:
          - concat: [input]
          - {{{CONV % 4}, name: c0}}
          - concat: [input, c0]
          - {{{CONV % 4}, name: c1}}
          - concat: [input, c0, c1]
          - {CONV % 4}
        """,
    ),
    "a grid": (
        f"""
        layers:
          - sequential:
              - sequential:
                  - concat: ["column[:].row[i]", "column[-1].row[i + 1]"]
                    when: j > 0
                  - {CONV % "2 + i"}
                repeat: {{i: 3 - j}}
                name: row
            repeat: {{j: 3}}
            name: column
        """,
        f"""
        layers:
          - {{{CONV % 2}, name: a0}}
          - {{{CONV % 3}, name: a1}}
          - {{{CONV % 4}, name: a2}}
          - concat: [a0, a1]
          - {{{CONV % 2}, name: b0}}
          - concat: [a1, a2]
          - {{{CONV % 3}, name: b1}}
          - concat: [a0, b0, b1]
          - {CONV % 2}
        """,
    ),
    "a carried tensor": (
        f"""
        layers:
          - {{{CONV % 4}, name: first}}
          - sequential:
              - {{{CONV % 4}, name: new}}
              - {{multiply: [total, new], name: total, when: i != 1}}
              - {{relu: , from: new}}
            repeat: {{i: 3}}
            carry: {{total: first}}
            name: layers
          - add: [[], layers.total]
        """,
        f"""
        layers:
          - {{{CONV % 4}, name: first}}
          - {{{CONV % 4}, name: n0}}
          - {{multiply: [first, n0], name: t0}}
          - {{relu: , from: n0}}
          - {{{CONV % 4}, name: n1}}
          - {{relu: , from: n1}}
          - {{{CONV % 4}, name: n2}}
          - {{multiply: [t0, n2], name: t2}}
          - {{relu: , from: n2}}
          - add: [[identity], t2]
        """,
    ),
    "a carried list": (
        f"""
        layers:
          - {{{CONV % "4 + i"}, repeat: {{i: 2}}, name: start}}
          - sequential:
              - {{{CONV % "4 + j"}, repeat: {{j: 2}}, from: "xs[1 - j]", name: xs}}
            repeat: 2
            carry: {{xs: [start.0, "start[1]"]}}
            name: stage
          - concat: ["stage.xs[:]"]
        """,
        f"""
        layers:
          - {{{CONV % 4}, name: a}}
          - {{{CONV % 5}, name: b}}
          - {{{CONV % 4}, name: c, from: b}}
          - {{{CONV % 5}, name: d, from: a}}
          - {{{CONV % 4}, name: e, from: d}}
          - {{{CONV % 5}, name: f, from: c}}
          - concat: [e, f]
        """,
    ),
    "a loop over tensors, with one head": (
        f"""
        layers:
          - {{{CONV % 4}, repeat: 3, name: levels}}
          - {{{CONV % 2}, name: head}}
          - {{share: head, repeat: {{level: "levels[:2]"}}, from: level, name: heads}}
          - concat: [head, "heads[:]"]
        """,
        f"""
        layers:
          - {{{CONV % 4}, name: a}}
          - {{{CONV % 4}, name: b}}
          - {CONV % 4}
          - {{{CONV % 2}, name: head}}
          - {{share: head, from: a, name: h0}}
          - {{share: head, from: b, name: h1}}
          - concat: [head, h0, h1]
        """,
    ),
    "arguments that are paths and lists": (
        f"""
        blocks:
          join: {{args: {{xs: ~, one: ~}}, layers: [{{concat: , from: xs}}, {{add: [one, "xs[1]"]}}]}}
        layers:
          - {{sequential: [{{{CONV % 4}}}, relu], name: e1}}
          - join: {{xs: [input, e1.conv2d, e1], one: e1.relu}}
        """,
        f"""
        layers:
          - {{{CONV % 4}, name: conv}}
          - {{relu: , name: r}}
          - concat: [input, conv, r]
          - add: [r, conv]
        """,
    ),
    "names of the caller": (
        f"""
        blocks:
          inner: {{uses: t, args: {{k: 2}}, layers: [{{add: [[{CONV % "k"}, {CONV % 3}], t]}}]}}
          outer: {{uses: [t, width], layers: [{{inner: {{k: width}}}}]}}
        layers:
          - {{relu: , name: t}}
          - {{outer: , repeat: {{width: [4, 5]}}}}
        """,
        f"""
        layers:
          - {{relu: , name: t}}
          - {CONV % 4}
          - {{{CONV % 3}, name: a}}
          - add: [a, t]
          - {CONV % 5}
          - {{{CONV % 3}, name: b}}
          - add: [b, t]
        """,
    ),
}


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_it_comes_to_what_is_written_out(name: str) -> None:
    short, long = map(model, WRITTEN_OUT[name])
    ours, theirs = ([layer for layer in layers(each) if layer[0] != "identity"] for each in (short, long))
    assert ours == theirs
    assert loads(short.to_yaml()) == short
    assert layers(loads(short.to_yaml())) == layers(short)


FREE = f"""
    parameters: {{n: 3}}
    layers:
      - relu
      - sequential:
          - {CONV % 4}
          - {{relu: , from: s}}
          - {{{CONV % 5}, name: s}}
          - {{{CONV % "in_channels - 1"}}}
        repeat: n
        carry: {{s: relu}}
        name: a
      - concat: [a.s, a]
"""


def test_what_is_carried_has_a_closed_form() -> None:
    given = model(FREE)
    free = given.analyze(symbolic="n")
    for n in (1, 2, 3, 7):
        report = given.analyze(n=n)
        costs = zip((free.params, free.macs), (report.params, report.macs), strict=True)
        assert all(isinstance(form, Expr) and form.subs({"n": n}) == cost for form, cost in costs)
        assert free.output == report.output == (1, 9, 8, 8)


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ("{sequential: [{concat: [s, []], name: s}, relu: {}]}", "carried, differ from pass to pass"),
        ('{sequential: [{add: [s, "a[:].tanh"], name: s}, {tanh: }]}', "of n passes, a number left free"),
    ],
)
def test_what_has_no_closed_form_is_undecided(layer: str, reason: str) -> None:
    layer = layer.removesuffix("}")
    text = f"parameters: {{n: 3}}\nlayers:\n  - relu\n  - {layer}, repeat: n, carry: {{s: relu}}, name: a}}"
    with pytest.raises(Undecided, match=reason):
        model(text).analyze(symbolic="n")


TWICE = "  - {sequential: [relu], repeat: 2, name: a}\n"
BLOCKS = "blocks:\n  b: {layers: [{add: [[], t]}]}\n  c: {uses: [t], layers: [b]}\n"
T = "layers:\n  - {relu: , name: t}\n"

# Each: a text after the input, which line and column the error is at, what it says, and its hint.
REFUSED: dict[str, tuple[str, str, str, str]] = {
    "a star": (
        f"layers:\n{TWICE}  - concat: [a.*.relu, []]\n",
        "4:14",
        "'a.*.relu' is not the path of a step, as a[:].relu is",
        "",
    ),
    "an open bracket": (
        "layers:\n  - relu\n  - tanh:\n    from: a[0\n",
        "5:5",
        "from: 'a[0' is not the path of a step, as layers[:].skip is",
        "",
    ),
    "a step of a slice": (
        f"layers:\n{TWICE}  - add:\n    from: 'a[::2]'\n",
        "5:5",
        "from: [::2]: a slice has no step in spec arithmetic",
        "",
    ),
    "a pass too many": (
        f"layers:\n{TWICE}  - add: [[], 'a[2].relu']\n",
        "4:15",
        "'a[2].relu': index 2 does not exist in a list of 2",
        "",
    ),
    "a slice too long": (
        f"layers:\n{TWICE}  - add: [[], 'a[:3]']\n",
        "4:15",
        "'a[:3]': index 3 does not exist in a list of 2",
        "",
    ),
    "a misspelt name": (
        f"layers:\n{TWICE}  - add: [[], 'a[:].rleu']\n",
        "4:15",
        "'a[:].rleu': there is no 'rleu' in it (did you mean 'relu'?)",
        "inside: relu",
    ),
    "no repeat": (
        "layers:\n  - {sequential: [relu], name: a}\n  - add: [[], 'a[:]']\n",
        "4:15",
        "'a[:]': brackets count the passes of a repeat, and there is none",
        "",
    ),
    "an unknown variable": (
        f"layers:\n{TWICE}  - add: [[], 'a[k]']\n",
        "4:15",
        "'a[k]': unknown name 'k'",
        "in scope here: in_channels",
    ),
    "a list that is empty": (
        "layers:\n  - sequential:\n      - add:\n        from: d[:]\n    repeat: 2\n    name: d\n",
        "5:9",
        "d[:] is an empty list here",
        "",
    ),
    "a step that is left out": (
        "layers:\n  - {sequential: [{relu: , when: i > 0}], repeat: {i: 2}, name: d}\n  - add: ['d[:].relu']\n",
        "4:11",
        "'d[:].relu': the step 'relu' is left out there by its `when`",
        "",
    ),
    "carry without repeat": (
        "layers:\n  - {relu: , carry: {a: input}}\n",
        "3:14",
        "carry: tensors are handed from pass to pass, and this step does not repeat",
        "",
    ),
    "carry of no step": (
        "layers:\n  - relu\n  - {sequential: [tanh], repeat: 2, carry: {tanh: rleu}}\n",
        "4:37",
        "carry: there is no earlier step 'rleu' (did you mean 'relu'?)",
        "steps that can be named here: input, relu",
    ),
    "carry that no step makes": (
        "layers:\n  - relu\n  - {sequential: [tanh], repeat: 2, carry: {tnah: relu}}\n",
        "4:45",
        "carry: no step of the pass is called 'tnah', which the next pass would read",
        "inside a pass: tanh",
    ),
    "carry of a number": (
        "layers:\n  - {sequential: [tanh], repeat: 2, carry: {tanh: 3}}\n",
        "3:37",
        "carry: 3 is neither a step nor a list of steps",
        "",
    ),
    "carry of a loop variable": (
        "layers:\n  - {sequential: [tanh], repeat: {i: 2}, carry: {i: input}}\n",
        "3:50",
        "carry.i: 'i' is a loop variable already",
        "",
    ),
    "carry under an input's name": (
        "layers:\n  - {sequential: [tanh], repeat: 2, carry: {input: input}}\n",
        "3:37",
        "carry: 'input' is an input: call what is carried otherwise",
        "",
    ),
    "two meanings": (
        "layers:\n  - {relu: , repeat: 2, name: r}\n  - sequential:\n      - {add: ['r[0]', []], repeat: 2, name: r}\n",
        "5:16",
        "'r' is an earlier step and also this repeat: call one of them otherwise",
        "",
    ),
    "a step itself": (
        "layers:\n  - {sequential: [{add: [[], d]}], repeat: 2, name: d}\n",
        "3:30",
        "'d' is this step itself: only earlier steps can be named",
        "",
    ),
    "a tensor for a list": (
        "layers:\n  - {relu: , name: t}\n  - {tanh: , repeat: {x: t}, from: x}\n",
        "4:14",
        "repeat: t is a tensor, not a number of passes",
        "",
    ),
    "each its own, shared": (
        f"layers:\n{TWICE}  - {{relu: , repeat: {{x: a}}, from: x, name: s}}\n  - share: s\n",
        "5:5",
        "every pass of 's' reads a tensor of its own, and no other",
        "",
    ),
    "a name of the caller": (
        f"{BLOCKS}{T}  - b\n",
        "3:27",
        "there is no earlier step 't' in this block, only where it is called",
        "let the block say `uses: [t]`, or give it an argument",
    ),
    "a name of the caller that is nowhere": (
        f"{BLOCKS.replace('t', 'u')}{T}  - c\n".replace("layeru", "layers").replace("uses: [u]", "uses: [u]"),
        "4:7",
        "the block c uses 'u' of its caller: there is no earlier step 'u'",
        "steps that can be named here: input, t",
    ),
    "a name that is an argument": (
        "blocks:\n  b: {args: {t: 1}, uses: [t], layers: [relu]}\nlayers: [b]\n",
        "3:21",
        "uses: 't' is an argument of the block already",
        "",
    ),
    "a use that is no name": (
        "blocks:\n  b: {uses: 3, layers: [relu]}\nlayers: [b]\n",
        "3:7",
        "uses: 3 is not a list of names",
        "",
    ),
    "a parameter that is a path": (
        "parameters: {a: b.c}\nlayers: [relu]\n",
        "2:14",
        "parameters.a: 'b.c': Attribute is not spec arithmetic",
        "",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_is_refused_at_its_place(name: str) -> None:
    text, place, message, hint = REFUSED[name]
    with pytest.raises(SpecError) as raised:
        model(f"input: [3, 8, 8]\n{text}").analyze()
    error = raised.value
    assert (f"{error.place.line}:{error.place.column}", error.message, error.hint) == (place, message, hint)


def test_mistakes_in_several_passes_are_one_finding() -> None:
    text = "layers:\n  - {sequential: [relu, {add: [s, tnah]}], repeat: {i: 3}, carry: {relu: input}}\n"
    found = model(text).check()
    assert [each.message.partition(" (")[0] for each in found if each.severity == "error"] == [
        "there is no earlier step 's'",
        "there is no earlier step 'tnah'",
    ]


def test_a_list_where_one_tensor_is_read_is_refused() -> None:
    text = f"layers:\n{TWICE}  - {{relu: , from: 'a[:]', name: b}}"
    with pytest.raises(ShapeError, match="relu takes 1 tensor, not 2"):
        model(text).analyze()


def test_outputs_that_are_a_list_are_numbered() -> None:
    text = "layers: [{relu: , repeat: 2, name: a}]\noutputs: OUTPUTS"
    named = model(text.replace("OUTPUTS", "{h: 'a[:]'}"))
    assert [*named.analyze().outputs] == ["h_0", "h_1"]
    assert [*model(text.replace("OUTPUTS", "['a[:]', input]")).analyze().outputs] == ["a_0", "a_1", "input"]
    with pytest.raises(SpecError, match="two outputs have the same name"):
        model(text.replace("OUTPUTS", "['a[:]', a]"))
    with pytest.raises(SpecError, match="two outputs are called 'h_0'"):
        model(text.replace("OUTPUTS", "{h_0: a, h: 'a[:]'}")).analyze()


def test_a_list_counts_as_work() -> None:
    text = "layers: [{sequential: [{concat: [input, 'd[:].relu'], name: x}, relu], repeat: 5000, name: d}]"
    with pytest.raises(SpecError, match=r"more than [\d,]+ layers"):
        model(text).analyze()
