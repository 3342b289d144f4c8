"""A text that cannot be read as a model: every independent mistake in it is reported in one run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from shapecalc import SpecError, loads
from shapecalc.cli import main

TEXT = """\
nmae: many
input: [3, 32, 32]
blocks:
  b:
    args: {w: ~}
    layers:
      - con2d: {out_channels: w, kernel_size: 3}
      - batchnorm2d
  c: {layer: [relu]}
layers:
  - conv2d: {out_channels: 8, kernal_size: 3}
    nmae: first
  - conv2d: {in_channels: 9, out_channels: 8, kernel_size: 3}
  - conv2d: {out_channels: -8, kernel_size: many!}
    name: unread
  - relu: {inplac: 3}
  - relu:
    from: first
  - linear: {in_features: 7, out_features: 2}
  - xyzzy
  - b: {wdth: 3}
  - linear: {out_features: true}
  - tanh:
    from: nowhere
  - sequential: 3
  - 7
  - add: {a: 3, b: [relu, rleu]}
    when: yes
  - {relu: , from: unread}
variants: {x: {parameter: {n: 3}}, y: {parameters: {m: 2}}}
expect: {parms: 3}
outputs: {a: lst}
"""
MISTAKES = """\
1:1: unknown key 'nmae' (did you mean 'name'?)
7:9: unknown kind 'con2d' (did you mean 'conv2d'?)
8:9: unknown kind 'batchnorm2d' (did you mean 'batch_norm2d'?)
9:7: unknown key 'layer' (did you mean 'layers'?)
11:31: conv2d has no field 'kernal_size' (did you mean 'kernel_size'?)
12:5: unknown key 'nmae' (did you mean 'name'?)
13:5: conv2d declares in_channels: 9, but the input 1x8x30x30 has 8 channels
14:14: out_channels: -8 is less than 1
14:32: kernel_size: 'many!' is not an expression
16:12: relu has no field 'inplac' (did you mean 'inplace'?)
16:12: inplace: 3 is not true or false
19:5: linear declares in_features: 7, but the input 1x8x30x30 has 30 features in its last axis
20:5: unknown kind 'xyzzy'
21:9: the block b has no argument 'wdth'
22:14: out_features: true is not an integer
24:5: from: there is no earlier step 'nowhere'
25:5: sequential must be a list of layers, not 3
26:5: a layer is a kind or a mapping with a kind, not 7
27:11: the branch 'a' must be a list of layers or the name of an earlier step, not 3
30:16: unknown key 'parameter' (did you mean 'parameters'?)
30:28: unknown parameter 'n'
30:53: unknown parameter 'm'
31:10: unknown key 'parms' (did you mean 'params'?)
32:11: there is no earlier step 'lst'
"""


def checked(text: str, folder: Path, *options: str) -> str:
    file = folder / "net.yaml"
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["check", str(file), *options]).output


def test_every_mistake_is_reported_once_in_the_order_of_the_text(tmp_path: Path) -> None:
    lines = checked(TEXT, tmp_path, "--format", "short").splitlines()
    places = [
        line.partition("net.yaml:")[2].replace(" error[spec]:", "").rpartition(" (in ") for line in lines
    ]
    said = "".join(f"{(first or last).replace(' error[channels]:', '')}\n" for first, _, last in places)
    assert said == MISTAKES


def test_loading_raises_the_first_with_the_others() -> None:
    with pytest.raises(SpecError, match="unknown key 'nmae'") as raised:
        loads(TEXT)
    assert len(raised.value.others) == len(MISTAKES.splitlines()) - 1 - 4  # four are of the inference


WORDS = {
    "nmae: many": "name: many",
    "con2d": "conv2d",
    "batchnorm2d": "batch_norm2d",
    "kernal_size": "kernel_size",
    "{layer:": "{layers:",
    "nmae: first": "name: first",
    "inplac:": "inplace:",
    "parameter:": "parameters:",
    "parms": "params",
}


def test_words_that_are_meant_are_fixed_together(tmp_path: Path) -> None:
    diff = checked(TEXT, tmp_path, "--diff", "--unsafe-fixes")
    after = [line for line in diff.splitlines() if line.startswith("+ ") or line[:2] == "+n"]
    for wrong, right in WORDS.items():
        assert right in diff
        assert not any(wrong in line.replace(right, "") for line in after), wrong


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        ("con2d: {out_chanels: 8, kernal_size: 3}", 3),  # a misspelt kind is read as the kind that is meant
        ("conv2d: {out_chanels: -8, kernal_size: 3}", 3),
        ("conv2d: {xyzzy: 8, kernel_size: 3}", 1),  # a field that means nothing: the layer is unknown
        ("conv2d: {kernel_size: 3}", 1),
        ("conv2d: {out_channels: 8, kernel_size: 3, padding: 1}\n    nmae: a", 1),
    ],
)
def test_nothing_that_only_follows_is_reported(layer: str, count: int, tmp_path: Path) -> None:
    text = f"input: [3, 8, 8]\nlayers:\n  - {layer}\n  - conv2d: {{in_channels: 8, out_channels: 4, kernel_size: 1}}\n"
    output = checked(text, tmp_path, "--format", "short")
    assert len(output.splitlines()) == count, output


def test_reading_ends_after_a_hundred_mistakes(tmp_path: Path) -> None:
    text = f"input: [3]\nlayers: [{'a, ' * 3000}]\n"
    with pytest.raises(SpecError) as raised:
        loads(text)
    assert len(raised.value.others) == 100
