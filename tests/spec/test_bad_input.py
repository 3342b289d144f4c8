"""Bad input of every sort: a clear error at the right place, soon, in little memory, and no traceback."""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from click.testing import CliRunner, Result

import shapecalc
from shapecalc import Model
from shapecalc.cli import main
from shapecalc.errors import ShapecalcError, ShapeError, SpecError, Undecided
from shapecalc.layers import Add
from tests.spec.test_fuzz import EVERYTHING, inside, is_kind, places, plain

SECONDS = 5
"""Every error takes less than one second of the processor's time; a slow one gets five."""
MEMORY = 200 * 2**20

HEAD = "input: [3, 32, 32]\nlayers:\n"
CONV = "  - conv2d: {out_channels: 8, kernel_size: 3}\n"


def lines(*given: str) -> str:
    return "\n".join(given) + "\n"


def layers(*given: str) -> str:
    """Return a spec with these layers, the first of them in line 3."""
    return HEAD + lines(*(f"  {line}" for line in given))


def blocks(count: int, step: str) -> str:
    """Return a spec whose blocks each hold the one before twice."""
    found = ["input: [3, 8, 8]", "blocks:", "  b0: {layers: [relu]}"]
    for number in range(1, count + 1):
        inner = step.format(number - 1)
        found.append(f"  b{number}: {{args: {{on: true}}, layers: [{inner}, {inner}]}}")
    return lines(*found, f"layers: [b{count}]")


# Each: a text, where the error points (line:column, or nothing), and what the message says.
BROKEN: dict[str, tuple[str, str, str]] = {
    # ---- YAML
    "empty": ("", "1:1", "the text is empty"),
    "only a comment": ("# nothing here\n", "1:1", "the text is empty"),
    "a word": ("hello\n", "1:1", "a spec is a mapping, not 'hello'"),
    "a list": ("- relu\n", "1:1", "a spec is a mapping, not ['relu']"),
    "a number": ("3\n", "1:1", "a spec is a mapping, not 3"),
    "null": ("~\n", "1:1", "a spec is a mapping, not null"),
    "unclosed bracket": ("input: [3, 32\nlayers: [relu]\n", "2:7", "not YAML"),
    "unclosed brace": (layers("- conv2d: {out_channels: 8"), "4:1", "not YAML"),
    "unclosed quote": ("name: 'm\n", "2:1", "not YAML"),
    "tab": ("name: m\n\tinput: [3]\n", "2:1", "not YAML"),
    "ragged indentation": ("layers:\n  - relu\n - tanh\n", "3:2", "not YAML"),
    "two colons": ("name: a: b\n", "1:8", "not YAML"),
    "unquoted comma": (layers("- linear: {out_features: max(3, 4)}"), "3:35", "must be quoted"),
    "unquoted bracket": (layers("- linear: {out_features: d[0]}"), "3:29", "must be quoted"),
    "key twice": ("name: a\nname: b\n", "2:1", "'name' occurs twice, the first time in line 1"),
    "field twice": (layers("- linear: {out_features: 1, out_features: 2}"), "3:31", "occurs twice"),
    "two documents": (HEAD + CONV + "---\nname: b\n", "4:1", "more than one document"),
    "key that is a list": ("? [a]\n: b\n", "1:3", "a key must be plain text"),
    "unknown alias": ("input: *shape\n", "1:8", "names nothing above it"),
    "alias of itself": ("input: &a [*a]\n", "1:12", "names nothing above it"),
    "python tag": ("name: !!python/object/apply:os.system ['true']\n", "1:7", "'!!python/object/apply:os.system'"),
    "own tag": ("name: !mine m\n", "1:7", "the tag '!mine' is not allowed"),
    "plain tag": ("name: !!str 3\n", "1:7", "the tag '!!str' is not allowed"),
    "NUL": ("name: a\0b\n", "1:8", "control character '\\x00'"),
    "escape": ("name: a\x1b[31mb\n", "1:8", "control character '\\x1b'"),
    "escaped escape": ('name: "a\\e[31mb"\n', "1:7", "control character '\\x1b'"),
    "escape in a key": ('"\\e[2J": 3\n', "1:1", "control character '\\x1b'"),
    "reversed writing": ("name: a\u202eb\n", "1:8", "control character '\\u202e'"),
    "surrogate": ("name: \ud800\n", "1:7", "control character '\\ud800'"),
    # ---- the spec
    "no input": ("layers: [relu]\n", "1:1", "the spec has no input"),
    "input left open": ("input:\nlayers: [relu]\n", "1:1", "the spec has no input"),
    "no layers": ("input: [3]\n", "1:1", "the spec has no layers"),
    "layers left open": ("input: [3]\nlayers:\n", "2:1", "the spec has no layers"),
    "empty layers": ("input: [3]\nlayers: []\n", "2:1", "at least one layer"),
    "no inputs": ("input: {}\nlayers: [relu]\n", "1:1", "at least one input"),
    "unknown key": ("nmae: m\n" + HEAD + CONV, "1:1", "unknown key 'nmae' (did you mean 'name'?)"),
    "unknown paper key": ("paper: {title: a, yaer: 3}\n" + HEAD + CONV, "1:19", "(did you mean 'year'?)"),
    "paper without title": ("paper: {year: 1998}\n" + HEAD + CONV, "1:8", "title is missing"),
    "expect in words": ("expect: {params: many}\n" + HEAD + CONV, "1:10", "'many' is not an integer"),
    "expect a fraction": ("expect: {params: 1.5}\n" + HEAD + CONV, "1:10", "1.5 is not an integer"),
    "unknown parameter of a variant": (
        "parameters: {depth: 3}\nvariants: {a: {parameters: {dpeth: 4}}}\n" + HEAD + CONV,
        "2:29",
        "unknown parameter 'dpeth' (did you mean 'depth'?)",
    ),
    "parameter with a hyphen": ("parameters: {a-b: 3}\n" + HEAD + CONV, "1:14", "cannot name a parameter"),
    "parameter named input": ("parameters: {input: 3}\n" + HEAD + CONV, "1:14", "methods take it"),
    "parameter named if": ("parameters: {if: 3}\n" + HEAD + CONV, "1:14", "has a meaning in expressions"),
    "parameter that is a mapping": ("parameters: {a: {b: 3}}\n" + HEAD + CONV, "1:14", "is not a number"),
    "circular parameters": (
        "parameters:\n  a: b + 1\n  b: 2*c\n  c: a\ninput: [a]\nlayers: [relu]\n",
        "2:3",
        "in a circle: a -> b -> c -> a",
    ),
    "parameter of itself": (
        "parameters: {a: a + 1}\ninput: [a]\nlayers: [relu]\n",
        "1:14",
        "a parameter refers to itself: a -> a",
    ),
    "parameters a thousand deep": (
        lines("parameters:", "  p0: 1", *(f"  p{n}: p{n - 1}+1" for n in range(1, 1001)), "input: [p1000]")
        + "layers: [relu]\n",
        "961:3",
        "more than 40 deep",
    ),
    "unknown size": ("parameters: {H: 3}\ninput: [3, H, h2]\nlayers: [relu]\n", "2:15", "unknown name 'h2'"),
    "size of zero": ("input: [3, 0]\nlayers: [relu]\n", "1:12", "input[1]: 0 is less than 1"),
    "negative size": ("parameters: {H: 3}\ninput: [3, 1 - H]\nlayers: [relu]\n", "2:12", "1 - H: -2 is not"),
    "size in words": ("input: 3x224x224\nlayers: [relu]\n", "1:1", "not a list of sizes"),
    "size that is true": ("input: [true]\nlayers: [relu]\n", "1:9", "true is not an integer"),
    "size that is half": ("input: [1.5]\nlayers: [relu]\n", "1:9", "1.5 is not an integer"),
    "size of 10^400": (f"input: [1{'0' * 400}]\nlayers: [relu]\n", "1:9", "too large"),
    "size of 1e999999": ("input: [1e999999]\nlayers: [relu]\n", "1:9", "too large"),
    "size of 10^19": (f"input: [1{'0' * 19}]\nlayers: [relu]\n", "1:9", "larger than 10^18"),
    "10^400 in a formula": (f"input: ['1{'0' * 400}*H']\nlayers: [relu]\n", "1:9", "longer than 300"),
    "10^36 in a formula": ("parameters: {H: 3}\ninput: [10**18*H]\nlayers: [relu]\n", "2:9", "larger than 10^18"),
    "300 axes": (f"input: [{', '.join(['1'] * 300)}]\nlayers: [relu]\n", "1:1", "more than the 64 axes"),
    "input name": ("input: {a b: [3]}\nlayers: [relu]\n", "1:9", "cannot name an input"),
    "unknown output": (HEAD + CONV + "outputs: [nope]\n", "4:1", "no earlier step 'nope'"),
    "unknown named output": (HEAD + CONV + "outputs: {a: conv2d, b: convd}\n", "4:22", "(did you mean 'conv2d'?)"),
    "output in a word": (HEAD + CONV + "outputs: conv2d\n", "4:1", "neither a list of steps nor"),
    # ---- blocks
    "block of itself": ("input: [3]\nblocks:\n  a: {layers: [a]}\nlayers: [a]\n", "3:3", "a block calls itself"),
    "blocks of each other": (
        "input: [3]\nblocks:\n  a: {layers: [{add: [[b], []]}]}\n  b: {layers: [a]}\nlayers: [a]\n",
        "3:3",
        "in a circle: a -> b -> a",
    ),
    "block that is handed itself": (
        "input: [3]\nblocks:\n  a: {args: {f: ~}, layers: [{f: {f: f}}]}\nlayers: [{a: {f: a}}]\n",
        "3:31",
        "nested more than 50 deep",
    ),
    "block without layers": ("input: [3]\nblocks:\n  a: {args: {b: 1}}\nlayers: [a]\n", "3:3", "has no layers"),
    "block that is a list": ("input: [3]\nblocks:\n  a: [relu]\nlayers: [a]\n", "3:3", "a mapping with layers"),
    "block named as a kind": ("input: [3]\nblocks:\n  relu: {layers: [tanh]}\nlayers: [relu]\n", "3:3", "name of a kind"),
    "argument list": ("input: [3]\nblocks:\n  a: {args: [b], layers: [relu]}\nlayers: [a]\n", "3:7", "args must be a mapping"),
    "unknown argument": (
        "input: [3]\nblocks:\n  a: {args: {width: 1}, layers: [relu]}\nlayers:\n  - a: {widht: 2}\n",
        "5:9",
        "has no argument 'widht' (did you mean 'width'?)",
    ),
    "missing argument": (
        "input: [3]\nblocks:\n  a: {args: {width: ~}, layers: [relu]}\nlayers:\n  - a\n",
        "5:5",
        "the block a needs the argument width",
    ),
    "argument with an unknown name": (
        "input: [3]\nblocks:\n  a: {args: {width: 1}, layers: [relu]}\nlayers:\n  - a: {width: 2*nope}\n",
        "5:9",
        "width: in '2*nope': unknown name 'nope'",
    ),
    "default with an unknown name": (
        "input: [3]\nblocks:\n  a:\n    args: {width: 2*nope}\n    layers: [relu]\nlayers: [a]\n",
        "4:12",
        "width: in '2*nope': unknown name 'nope'",
    ),
    "argument of the wrong kind": (
        "input: [3]\nblocks:\n  a: {args: {w: ~}, layers: [{linear: {out_features: w}}]}\nlayers: [{a: {w: 1.5}}]\n",
        "3:40",
        "out_features: in 'w': 1.5 is not an integer",
    ),
    "tensor where a number belongs": (
        "input: [3]\nblocks:\n  a: {args: {w: ~}, layers: [{linear: {out_features: 2*w}}]}\nlayers: [{a: {w: input}}]\n",
        "3:40",
        "a tensor is not a number",
    ),
    "number where a kind belongs": ("parameters: {norm: 3}\n" + HEAD + "  - norm\n", "4:5", "norm is 3, which names"),
    "unknown kind by a parameter": (
        "parameters: {norm: batch_norm}\n" + HEAD + "  - norm\n",
        "4:5",
        "unknown kind 'batch_norm' (did you mean 'batch_norm",
    ),
    "unknown field by a parameter": (
        "parameters: {op: concat}\n" + HEAD + "  - op: {dmi: 2}\n",
        "4:10",
        "concat has no field 'dmi' (did you mean 'dim'?)",
    ),
    # ---- steps
    "step that is a number": (layers("- 3"), "3:5", "a layer is a kind or a mapping with a kind, not 3"),
    "step that is nothing": (layers("-"), "3:4", "not null"),
    "step that is a list": (layers("- [relu]"), "3:5", "not ['relu']"),
    "step without a kind": (layers("- {name: a}"), "3:5", "a step needs a kind"),
    "two kinds": (layers("- {relu: , tanh: }"), "3:14", "a step has one kind, but this one has 'relu' and 'tanh'"),
    "unknown kind": (layers("- conv2dd: {out_channels: 8}"), "3:5", "unknown kind 'conv2dd' (did you mean 'conv2d'?)"),
    "unknown modifier": (layers("- relu:", "  nmae: a"), "4:5", "unknown key 'nmae' (did you mean 'name'?)"),
    "fields beside the kind": (layers("- conv2d:", "  out_channels: 8"), "4:5", "but belongs under it"),
    "unknown field": (layers("- conv2d: {out_channels: 8, kernel: 3}"), "3:31", "(did you mean 'kernel_size'?)"),
    "missing field": (layers("- conv2d: {out_channels: 8}"), "3:5", "conv2d needs kernel_size"),
    "fields that are a number": (layers("- conv2d: 3"), "3:5", "conv2d needs kernel_size"),
    "fields that are a list": (layers("- conv2d: [3]"), "3:5", "conv2d needs kernel_size"),
    "very long kind": (layers("- " + "z" * 100_000), "3:5", "…'"),
    "very long expression": (layers(f"- linear: {{out_features: {'1+' * 50_000}1}}"), "3:14", "longer than 300"),
    "name of spaces": (layers("- relu:", "  name: a b"), "4:5", "not letters, digits and underscores"),
    "name that is a number": (layers("- relu:", "  name: 3"), "4:5", "name: 3 is not text"),
    "name that ends in a dot": (layers("- relu:", "  name: a."), "4:5", "not letters, digits and underscores"),
    "name twice": (
        layers("- relu:", "  name: a", "- relu:", "  name: a"),
        "6:5",
        "'a' is taken by an earlier step (line 3)",
    ),
    "name of an input": (layers("- relu:", "  name: input"), "4:5", "'input' is taken by an input"),
    "trainable maybe": (layers("- relu:", "  trainable: maybe"), "4:5", "'maybe' is not true or false"),
    "trainable no": (layers("- relu:", "  trainable: 'no'"), "4:5", "'no' is not true or false"),
    "trainable 1": (layers("- relu:", "  trainable: 1"), "4:5", "1 is not true or false"),
    # ---- references
    "forward reference": (layers("- add: [[], later]", "- relu:", "  name: later"), "3:15", "later step (line 4)"),
    "forward from": (layers("- relu:", "  from: later", "- relu:", "  name: later"), "4:5", "'later' is a later step"),
    "self reference": (layers("- relu:", "  name: me", "  from: me"), "5:5", "'me' is this step itself"),
    "reference to what holds it": (
        layers("- add: {a: [relu], b: me}", "  name: me"),
        "3:22",
        "'me' is this step itself",
    ),
    "unknown reference": (layers("- relu:", "  name: first", "- add: [[], frist]"), "5:15", "(did you mean 'first'?)"),
    "skipped reference": (
        layers("- relu:", "  name: a", "  when: false", "- add: [[], a]"),
        "6:15",
        "'a' is left out here by its `when`",
    ),
    "unknown result": (layers("- relu:", "  name: a", "- add: [[], a.1]"), "5:15", "there is no '1' in it"),
    "odd result": (layers("- relu:", "  name: a", "- add: [[], 'a.²']"), "5:15", "there is no '²' in it"),
    "huge result": (layers("- relu:", "  name: a", f"- add: [[], 'a.{'9' * 5000}']"), "5:15", "there is no"),
    "from nothing": (layers("- relu:", "  from: []"), "4:5", "an earlier step or a list of them"),
    "from a number": (layers("- relu:", "  from: 3"), "4:5", "an earlier step or a list of them"),
    "from a list of numbers": (layers("- relu:", "  from: [input, 3]"), "4:5", "an earlier step or a list of them"),
    "two tensors for one": (layers("- relu:", "  from: [input, input]"), "3:5", "takes 1 tensor, not 2"),
    "two tensors for a list": (layers("- sequential: [relu]", "  from: [input, input]"), "3:5", "only a single layer"),
    "from and branches": (layers("- add: [[], []]", "  from: [input, input]"), "3:5", "either from branches or"),
    "share of nothing": (layers("- share: nope"), "3:5", "share: there is no earlier step 'nope'"),
    "share of itself": (layers(CONV.strip(), "  name: a", "  share: a"), "5:5", "'a' is this step itself"),
    "share of an input": (layers("- share: input"), "3:5", "'input' is not a step with weights"),
    "share of other weights": (
        layers(CONV.strip(), "  name: a", "- conv2d: {out_channels: 4, kernel_size: 3}", "  share: a"),
        "6:5",
        "a has weight [8, 3, 3, 3], bias [8], but conv2d needs weight [4, 8, 3, 3], bias [4]",
    ),
    "share of other layers": (
        layers(CONV.strip(), "  name: a", "- sequential: [relu, relu]", "  share: a"),
        "6:5",
        "'a' has 1 layer, but this step has 2 layers",
    ),
    "share of other channels": (layers(CONV.strip(), "  name: a", "- share: a"), "5:5", "weight [8, 3, 3, 3]"),
    # ---- when and repeat
    "when 1": (layers("- relu:", "  when: 1"), "4:5", "when: 1 is not true or false"),
    "when a list": (layers("- relu:", "  when: [true]"), "4:5", "when: [true] is not true or false"),
    "when a word": (layers("- relu:", "  when: maybe"), "4:5", "when: unknown name 'maybe'"),
    "when a number": ("parameters: {n: 3}\n" + layers("- relu:", "  when: n"), "5:5", "when: n is 3, not true or false"),
    "repeat a fraction": (layers("- relu:", "  repeat: 1.5"), "4:5", "1.5 is not an integer"),
    "repeat 3/2": ("parameters: {n: 3}\n" + layers("- relu:", "  repeat: n/2"), "5:5", "n/2 is 1.5, not a number of passes"),
    "repeat true": (layers("- relu:", "  repeat: true"), "4:5", "true is not an integer"),
    "repeat -1": (layers("- relu:", "  repeat: -1"), "4:5", "-1 is less than 0"),
    "repeat a list": (layers("- relu:", "  repeat: [1, 2]"), "4:5", "[1, 2] is not an integer"),
    "repeat a word": (layers("- relu:", "  repeat: twice"), "4:5", "repeat: unknown name 'twice'"),
    "repeat unevenly": (
        layers("- linear: {out_features: a*b}", "  repeat: {a: [1, 2, 3], b: [1, 2]}"),
        "4:5",
        "repeat: the lists differ in length (a has 3, b has 2)",
    ),
    "repeat over nothing": (layers("- relu:", "  repeat: {}"), "4:5", "no variable"),
    "repeat over a mapping": (layers("- relu:", "  repeat: {i: {a: 3}}"), "4:14", "{a: 3} is not a number"),
    # ---- numbers
    "boolean kernel": (layers("- conv2d: {out_channels: 8, kernel_size: true}"), "3:31", "true is not an integer"),
    "fraction of channels": (layers("- conv2d: {out_channels: 8.5, kernel_size: 3}"), "3:14", "8.5 is not an integer"),
    "decimal of channels": (layers("- conv2d: {out_channels: 8.0, kernel_size: 3}"), "3:14", "write 8"),
    "divided channels": (layers("- linear: {out_features: size(-1)/3}"), "3:14", "32/3 is not an integer"),
    "negative kernel": (layers("- conv2d: {out_channels: 8, kernel_size: -1}"), "3:31", "-1 is less than 1"),
    "zero kernel": (layers("- conv2d: {out_channels: 8, kernel_size: [3, 0]}"), "3:48", "kernel_size[1]: 0 is less than 1"),
    "zero channels": (layers("- conv2d: {out_channels: 0, kernel_size: 3}"), "3:14", "0 is less than 1"),
    "zero stride": (layers("- max_pool2d: {kernel_size: 2, stride: 0}"), "3:34", "0 is less than 1"),
    "negative padding": (layers("- max_pool2d: {kernel_size: 2, padding: -1}"), "3:34", "-1 is less than 0"),
    "three kernels": (layers("- conv2d: {out_channels: 8, kernel_size: [1, 2, 3]}"), "3:31", "3 values for 2 axes"),
    "channels in words": (layers("- linear: {out_features: many}"), "3:14", "out_features: unknown name 'many'"),
    "padding in words": (
        layers("- conv2d: {out_channels: 8, kernel_size: 3, padding: smae}"),
        "3:47",
        "'smae' is not one of same, valid, and no name in scope (did you mean 'same'?)",
    ),
    "word as a number": (
        "parameters: {n: many}\n" + layers("- linear: {out_features: n}"),
        "4:14",
        "'many' is a word, not a value",
    ),
    "null as a number": (layers("- linear: {out_features: ~}"), "3:14", "null is not an integer"),
    "bias in words": (layers("- linear: {out_features: 3, bias: 'maybe not'}"), "3:31", "is not an expression"),
    # ---- expressions
    "import": (layers("- linear: {out_features: __import__('os').getpid()}"), "3:14", "is not a function"),
    "attribute": (layers("- linear: {out_features: '().__class__'}"), "3:14", "not spec arithmetic"),
    "lambda": (layers("- linear: {out_features: '(lambda: 1)()'}"), "3:14", "is not a function"),
    "comprehension": (layers("- linear: {out_features: 'sum([i for i in [1]])'}"), "3:14", "not spec arithmetic"),
    "walrus": (layers("- linear: {out_features: '(a := 3)'}"), "3:14", "not spec arithmetic"),
    "await": (layers("- linear: {out_features: 'await x'}"), "3:14", "not spec arithmetic"),
    "format": (layers("- linear: {out_features: \"f'{1}'\"}"), "3:14", "has a character that"),
    "power tower": (layers("- linear: {out_features: 9**9**9}"), "3:14", "an exponent must be"),
    "division by zero": (layers("- linear: {out_features: 1 // (2 - 2)}"), "3:14", "division by zero"),
    "a hundred signs": (layers(f"- linear: {{out_features: {'-' * 100}1}}"), "3:14", "nested more than 40 deep"),
    "unknown axis": (layers("- linear: {out_features: size(9)}"), "3:14", "so there is no axis 9"),
    "size of a later step": (layers("- linear: {out_features: 'size(b, 1)'}", "- relu:", "  name: b"), "3:14", "later step"),
    # ---- layers that refuse
    "wrong channels": (
        layers("- conv2d: {in_channels: 64, out_channels: 8, kernel_size: 3}"),
        "3:5",
        "conv2d declares in_channels: 64, but the input 1x3x32x32 has 3 channels",
    ),
    "groups that do not divide": (
        layers("- conv2d: {out_channels: 8, kernel_size: 3, groups: 2}"),
        "3:5",
        "groups = 2 does not divide in_channels = 3 (remainder 1)",
    ),
    "kernel too large": (layers("- conv2d: {out_channels: 8, kernel_size: 33}"), "3:5", "output height would be 0"),
    "padding over half": (layers("- max_pool2d: {kernel_size: 3, padding: 2}"), "3:5", "more than half of the kernel"),
    "no flatten": (layers("- linear: {in_features: 3072, out_features: 8}"), "3:5", "a flatten is missing before it"),
    "kind not first": (layers("- name: a", "  linear: {in_features: 5, out_features: 8}"), "4:5", "declares in_features: 5"),
    "branches that disagree": (layers("- add: [[" + CONV.strip("- \n") + "], []]"), "3:5", "axis 1 differs"),
    "concat that disagrees": (layers("- concat: [[" + CONV.strip("- \n") + "], []]"), "3:5", "axis 2 differs"),
    "empty branch set": (layers("- add: []"), "3:5", "add has no branches"),
    "empty branch mapping": (layers("- concat: {}"), "3:5", "has nothing to merge"),
    "no branches": (layers("- add"), "3:5", "has nothing to merge"),
    "concat of a number": (layers("- concat: 3"), "3:5", "takes branches, not 3"),
    "branch that is a number": (layers("- add: [3, []]"), "3:11", "a branch is a list of layers, not 3"),
    "mistyped merge field": (layers("- concat: {dmi: 2, a: [], b: []}"), "3:14", "(did you mean 'dim'?)"),
    "grows for ever": (layers("- upsample: {scale_factor: 1000000}", "  repeat: 1000"), "3:5", "more than 10^18 elements"),
    # ---- bombs
    "alias bomb": (
        "a: &a [x]\n" + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=False)),
        "6:28",
        "more than 200,000 values",
    ),
    "too many values": ("a: [" + "1," * 450_000 + "]\n", "1:399999", "more than 200,000 values"),
    "nested brackets": ("input: " + "[" * 900 + "]" * 900 + "\n", "1:68", "more than 60 deep"),
    "brackets over brackets": ("input: " + "[" * 10_000 + "]" * 10_000 + "\n", "", "more than 60 deep"),
    "nested braces": ("input: " + "{a: " * 10_000 + "}" * 10_000 + "\n", "1:248", "more than 60 deep"),
    "nested dashes": ("- " * 10_000 + "x\n", "1:123", "more than 60 deep"),
    "nested blocks": ("".join(" " * n + "a:\n" for n in range(1_400)), "62:62", "more than 60 deep"),
    "nested JSON": ('{"a":' * 10_000 + "1" + "}" * 10_000 + "\n", "1:306", "more than 60 deep"),
    "a thousand million passes": (layers("- relu:", "  repeat: 1000000000"), "4:5", "is more than 20000"),
    "as many by a parameter": (
        "parameters: {n: 10**9}\n" + layers("- relu:", "  repeat: n"),
        "3:1",
        "1,000,000,000 layers",
    ),
    "as many by an argument": (
        ("input: [3]\nblocks:\n  b:\n    args: {n: ~}\n    layers:\n      - {relu: , repeat: n}\n"
        "layers: [{b: {n: 1000000000}}]\n"),
        "6:18",
        "repeat: 1,000,000,000 passes are more than the 20,000",
    ),
    "a thousand cubed": (
        layers("- sequential: [{sequential: [{relu: , repeat: 1000}], repeat: 1000}]", "  repeat: 1000"),
        "2:1",
        "1,000,000,000 layers",
    ),
    "a thousand cubed by an argument": (
        ("input: [3]\nblocks:\n  b:\n    args: {n: 1000}\n    layers:\n"
        "      - sequential: [{sequential: [{relu: , repeat: n}], repeat: n}]\n        repeat: n\nlayers: [b]\n"),
        "6:58",
        "repeats within repeats come to 1,000,000 passes",
    ),
    "doubling blocks": (blocks(60, "b{}"), "64:1", "the model has at least"),
    "doubling blocks if true": (blocks(60, "{{b{}: , when: 1 == 1}}"), "64:1", "the model has at least"),
    "doubling lists": (
        lines("parameters:", "  a0: [1]", *(f"  a{n}: [a{n - 1}, a{n - 1}]" for n in range(1, 40)), "input: [3]")
        + "layers: [{relu: , when: a39 == a39}]\n",
        "",
        "a list has more than",
    ),
    "doubling text": (
        layers("- linear: {out_features: size(-1)*size(-1)}", "  repeat: 60"),
        "3:14",
        "larger than 10^18",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_spec_is_told_from_python(name: str) -> None:
    text, place, says = BROKEN[name]
    started = process_time()
    with pytest.raises((SpecError, ShapeError)) as caught:
        shapecalc.loads(text, file="net.yaml").analyze()
    assert process_time() - started < SECONDS
    told = str(caught.value)
    assert says in told
    is_kind(caught.value)
    assert told.startswith(f"net.yaml:{place}: " if place else "net.yaml:")


def failing(result: Result, *, status: int | None = None) -> str:
    """Require a decent failure of the command: the message alone, on stderr; return it."""
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code in ((1, 2) if status is None else (status,))
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert result.stderr.replace("\n", "").isprintable()
    return result.stderr


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_spec_is_told_by_the_command(name: str) -> None:
    text, place, says = BROKEN[name]
    raw = text.encode("utf-8", "surrogatepass")
    started = process_time()
    result = CliRunner().invoke(main, ["show", "-"], input=raw)
    assert process_time() - started < SECONDS
    told = failing(result)
    assert told.startswith("error: <stdin>:")
    if name != "surrogate":
        assert says in told
        assert told.startswith(f"error: <stdin>:{place}")
    try:
        shapecalc.loads(text).analyze()
    except ShapeError:
        assert result.exit_code == 1
    except SpecError:
        assert result.exit_code == 2


BOMBS = [
    *[*BROKEN][[*BROKEN].index("alias bomb") :],
    "size of 10^400",
    "grows for ever",
    "very long expression",
]


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_little_memory(name: str) -> None:
    text = BROKEN[name][0]
    tracemalloc.start()
    try:
        with pytest.raises((SpecError, ShapeError)):
            shapecalc.loads(text).analyze()
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "name", ["empty", "wrong channels", "alias bomb", "nested brackets", "import", "NUL"]
)
def test_a_broken_spec_in_a_process_of_its_own(name: str) -> None:
    text, place, says = BROKEN[name]
    done = subprocess.run(
        [sys.executable, "-m", "shapecalc", "show", "-"],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == (1 if name == "wrong channels" else 2)
    assert done.stdout == b""
    assert done.stderr.decode().startswith(f"error: <stdin>:{place}: ")
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_python_in_a_spec_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one of these leaves a file behind, wherever in the spec it stands."""
    monkeypatch.chdir(tmp_path)
    for attack in (
        "__import__('os').mkdir('gone')",
        "open('gone', 'w')",
        "eval('open(1)')",
        "().__class__.__base__.__subclasses__()",
        "[].append(3)",
        "'{0.__class__}'.format(1)",
    ):
        for text in (
            layers(f'- linear: {{out_features: "{attack}"}}'),
            layers("- relu:", f'  when: "{attack}"'),
            layers("- relu:", f'  repeat: "{attack}"'),
            f'parameters: {{a: "{attack}"}}\ninput: [a]\nlayers: [relu]\n',
            f'input: ["{attack}"]\nlayers: [relu]\n',
        ):
            with pytest.raises(SpecError):
                shapecalc.loads(text).analyze()
        failing(CliRunner().invoke(main, ["show", "lenet5", "--set", f"num_classes={attack}"]), status=2)
    assert [*tmp_path.iterdir()] == []


# ---- files


def test_files_that_are_none(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_bytes(b"# " + b"x" * 2**20)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: m\ntitle: caf\xe9\n")
    wide = tmp_path / "wide.yaml"
    wide.write_bytes("name: m\n".encode("utf-16"))
    nul = tmp_path / "nul.yaml"
    nul.write_bytes(b"name: a\0b\n")
    for path, says in (
        (tmp_path, f"{tmp_path}: this is a folder, not a file"),
        (tmp_path / "none.yaml", "none.yaml: there is no such file"),
        (tmp_path / "none" / "none.yaml", "none.yaml: there is no such file"),
        (large, "large.yaml: the text is larger than 1 MiB"),
        (latin, "latin.yaml:2:11: the text is not UTF-8"),
        (wide, "wide.yaml:1:1: the text is not UTF-8"),
        (nul, "nul.yaml:1:8: the control character '\\x00' is not allowed"),
        (tmp_path / ("x" * 300 + ".yaml"), "the file cannot be read: File name too long"),
    ):
        for source in (path, str(path)):
            with pytest.raises(SpecError) as caught:
                shapecalc.load(source)
            assert says in str(caught.value)
        assert says in failing(CliRunner().invoke(main, ["show", str(path)]), status=2)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="an endless file is a thing of Unix")
def test_an_endless_file_is_not_read_to_its_end() -> None:
    assert "larger than 1 MiB" in failing(CliRunner().invoke(main, ["show", "/dev/zero"]), status=2)


def test_an_endless_text_on_standard_input_is_not_read_to_its_end() -> None:
    result = CliRunner().invoke(main, ["show", "-"], input=b"#" * (2**20 + 1))
    assert "error: <stdin>: the text is larger than 1 MiB" in failing(result, status=2)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("input: [3]\nlayers: [relu]\n")

    def refuse(self: Path, *_: Any, **__: Any) -> Any:  # for an administrator, too, may read every file
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    result = CliRunner().invoke(main, ["show", str(path)])
    assert "the file cannot be read: Permission denied" in failing(result, status=2)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet5", "(did you mean 'resnet50'?)"),
        ("LeNet5", "(did you mean 'lenet5'?)"),
        ("", "'' is neither a name nor a file"),
        ("a\0b", "'a\\x00b' is neither"),
        ("x" * 5000, "…' is neither"),
        ("\x1b[31mred", "'\\x1b[31mred'"),
        ("../lenet5", "there is no such file"),
    ],
)
def test_names_that_are_none(name: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        shapecalc.load(name)
    assert says in str(caught.value)
    assert says in failing(CliRunner().invoke(main, ["show", "--", name]), status=2)


# ---- the wrong type, everywhere

WRONG: tuple[Any, ...] = (
    [],
    {},
    [[]],
    [1],
    {"a": 1},
    {"a": []},
    3,
    -1,
    1.5,
    True,
    None,
    "a word",
    "",
    "x" * 10_000,
    math.nan,
)


@pytest.mark.sample(5)
@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_value_of_the_wrong_type_at_every_key(wrong: Any) -> None:
    """Whatever stands in place of whichever value: a model, or an error of ours."""
    for trail in places(plain_everything()):
        spec = plain_everything()
        inside(spec, trail[:-1])[trail[-1]] = wrong
        try:
            shapecalc.load(spec).analyze()
        except ShapecalcError as error:
            is_kind(error)


MAPPINGS = [
    ("paper",), ("parameters",), ("blocks",), ("expect",), ("variants",), ("blocks", "conv_bn"),
    ("blocks", "conv_bn", "args"), ("variants", "other"), ("variants", "other", "parameters"),
    ("variants", "other", "paper"), ("variants", "other", "expect"), ("layers", 1, "conv_bn"),
]  # fmt: skip
LISTS = [
    ("layers",), ("blocks", "body", "layers"), ("layers", 4, "sequential"), ("layers", 7, "side"),
    ("blocks", "body", "layers", 0, "add", "main"), ("input", "x"),
]  # fmt: skip


@pytest.mark.parametrize("trail", MAPPINGS, ids=str)
@pytest.mark.parametrize("wrong", [[], [1], 3, 1.5, True, "word"], ids=repr)
def test_something_else_where_a_mapping_belongs(trail: tuple[Any, ...], wrong: Any) -> None:
    spec = plain_everything()
    assert isinstance(inside(spec, trail), dict)
    inside(spec, trail[:-1])[trail[-1]] = wrong
    with pytest.raises(SpecError, match="mapping"):
        shapecalc.load(spec)


NOT_LISTS = [
    (trail, wrong)
    for trail in LISTS
    for wrong in ({}, {"a": 1}, 3, 1.5, True, "word")
    if not ("main" in trail and isinstance(wrong, (dict, str)))  # a branch may be one step, or a name
]


@pytest.mark.parametrize(("trail", "wrong"), NOT_LISTS, ids=str)
def test_something_else_where_a_list_belongs(trail: tuple[Any, ...], wrong: Any) -> None:
    spec = plain_everything()
    assert isinstance(inside(spec, trail), list)
    inside(spec, trail[:-1])[trail[-1]] = wrong
    with pytest.raises(SpecError, match="list"):
        shapecalc.load(spec)


def plain_everything() -> dict[str, Any]:
    from shapecalc.spec.yaml_text import parse

    found = plain(parse(EVERYTHING))
    assert isinstance(found, dict)
    return found


# ---- Python

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)
ROUND: dict[str, Any] = {}
ROUND["sequential"] = [ROUND]


class Hostile:
    """An object that a terminal would obey."""

    def __repr__(self) -> str:
        return "\x1b[31m" + "z" * 500


LENET5, VIT = shapecalc.load("lenet5"), shapecalc.load("vit_b_16")
MISUSED: dict[str, tuple[Callable[[], object], str]] = {
    "input of one number": (lambda: LENET5.analyze(input=3), "the input: 3 is not a shape"),
    "input of text": (lambda: LENET5.analyze(input="1x32x32"), "'1x32x32' is not a shape"),
    "input of words": (lambda: LENET5.analyze(input=(1, "H", 32)), "'H' is not an integer"),
    "input of floats": (lambda: LENET5.analyze(input=(1, 32.0, 32)), "32.0 is not an integer"),
    "input of truths": (lambda: LENET5.analyze(input=(1, True, 32)), "true is not an integer"),
    "input of nothing": (lambda: LENET5.analyze(input=()), "the input: 3 axes are missing"),
    "input of two axes": (
        lambda: LENET5.analyze(input=(3, 32)),
        "the input: one axis is missing in 3x32: lenet5 declares 1xHxW without the batch",
    ),
    "input of an axis": (
        lambda: VIT.sizes(input=(224,)),
        "2 axes are missing in 224: vit_b_16 declares 3xHxW",
    ),
    "one of several inputs": (
        lambda: Model(input={"x": [3, 8, 8], "y": [5]}, layers=[Add([], "y")]).check(input={"x": (8, 8)}),
        "the input x: one axis is missing in 8x8",
    ),
    "input of 100 axes": (lambda: LENET5.analyze(input=[1] * 100), "is not a shape"),
    "input of 10^400": (lambda: LENET5.analyze(input=(1, 10**400, 32)), "larger than 10^18"),
    "input by another name": (lambda: LENET5.analyze(input={"x": (1, 32, 32)}), "lenet5 has no input 'x'"),
    "input by a number": (lambda: LENET5.analyze(input={3: (1, 32, 32)}), "lenet5 has no input 3"),
    "input against a parameter": (
        lambda: LENET5.analyze(input=(1, 32, 32), H=28),
        "the parameter H is 28, but the input of 1x32x32 makes it 32",
    ),
    "input that is free": (
        lambda: LENET5.analyze(input=(1, 32, 32), symbolic="H"),
        "the parameter H is left free, but the input",
    ),
    "batch of 0": (lambda: LENET5.analyze(batch=0), "batch must be"),
    "batch of -1": (lambda: LENET5.analyze(batch=-1), "batch must be"),
    "batch of true": (lambda: LENET5.analyze(batch=True), "batch must be"),
    "batch of 10^400": (lambda: LENET5.analyze(batch=10**400), "batch must be"),
    "batch of text": (lambda: LENET5.analyze(batch="4"), "batch must be"),  # type: ignore[call-overload]
    "free 3": (lambda: LENET5.analyze(symbolic=3), "symbolic is True, False, a name"),  # type: ignore[call-overload]
    "free [3]": (lambda: LENET5.analyze(symbolic=[3]), "symbolic is True, False, a name"),  # type: ignore[list-item]
    "free None": (lambda: LENET5.analyze(symbolic=None), "symbolic is True, False"),  # type: ignore[call-overload]
    "free by another name": (
        lambda: LENET5.analyze(symbolic="classes"),
        "has no parameter 'classes' to leave free",
    ),
    "free and set": (lambda: LENET5.analyze(symbolic="H", H=28), "the parameter H is both set and left free"),
    "dtype": (lambda: LENET5.analyze(dtype="float23"), "unknown dtype 'float23' (did you mean 'float32'?)"),
    "dtype of a list": (lambda: LENET5.analyze(dtype=["a"]), "unknown dtype ['a']"),  # type: ignore[call-overload]
    "unknown parameter": (lambda: LENET5.analyze(num_clases=3), "(did you mean 'num_classes'?)"),
    "parameter of nothing": (lambda: LENET5.analyze(H=None), "H: null is not an integer"),
    "parameter that is hostile": (lambda: LENET5.analyze(H=Hostile()), "\\x1b[31mz"),
    "parameter that is a mapping": (
        lambda: LENET5.analyze(H={"a": 1}),
        "parameter H: {a: 1} is not a number",
    ),
    "parameter that is a list": (lambda: LENET5.analyze(H=[1]), "H: [1] is not an integer"),
    "parameter that is nan": (lambda: LENET5.analyze(H=math.nan), "parameter H: nan is not a number"),
    "parameter that is inf": (lambda: LENET5.analyze(H=math.inf), "parameter H: inf is not a number"),
    "parameter of 5000 digits": (lambda: LENET5.analyze(H=10**5000), "larger than 10^18"),
    "parameter of a third": (lambda: LENET5.analyze(H=Fraction(1, 3)), "H: 1/3 is not an integer"),
    "parameter that is a word": (lambda: LENET5.analyze(num_classes="many"), "'many' is a word, not a value"),
    "parameter that is endless": (lambda: LENET5.analyze(H=ENDLESS), "nested too deep"),
    "load 3": (lambda: shapecalc.load(3), "a model is a name, a path or a mapping, not 3"),  # type: ignore[arg-type]
    "load []": (lambda: shapecalc.load([]), "a model is a name"),  # type: ignore[arg-type]
    "load {}": (lambda: shapecalc.load({}), "the spec has no input"),
    "loads 3": (lambda: shapecalc.loads(3), "is a str, not int"),  # type: ignore[arg-type]
    "loads bytes": (lambda: shapecalc.loads(b"a"), "is a str, not bytes"),  # type: ignore[arg-type]
    "key that is a number": (lambda: shapecalc.load({1: 2}), "the key 1 is not text"),  # type: ignore[dict-item]
    "layer of its own": (lambda: shapecalc.load({"input": [3], "layers": [ROUND]}), "more than 60 deep"),
    "list of itself": (lambda: shapecalc.load({"input": [3], "layers": ENDLESS}), "more than 60 deep"),
    "hostile layer": (lambda: shapecalc.load({"input": [3], "layers": [Hostile()]}), "\\x1b[31mz"),
    "hostile field": (
        lambda: shapecalc.load({"input": [3], "layers": [{"linear": {"out_features": Hostile()}}]}),
        "\\x1b[31mz",
    ),
    "unknown variant": (lambda: shapecalc.load("resnet").variant("resnet20"), "no variant 'resnet20'"),
}


@pytest.mark.parametrize("name", MISUSED)
def test_misuse_from_python(name: str) -> None:
    call, says = MISUSED[name]
    with pytest.raises(ShapecalcError) as caught:
        call()
    assert says in str(caught.value)
    is_kind(caught.value)


# ---- what was left free

FREE = """
parameters: {H: 8, n: 2, on: true, list: [1, 2], word: relu}
input: [3, H, 8]
layers:
  - relu:
    when: H > 5
  - max_pool2d: {kernel_size: 2}
    repeat: n
  - squeeze: {dim: 2}
"""


@pytest.mark.parametrize(
    ("free", "says"),
    [
        ("H", "net.yaml:6:5: when: in 'H > 5': whether H > 5 depends on what was left free\n  in relu"),
        (
            "n",
            (
                "net.yaml:8:5: the number of passes, n, cannot be left free: "
                "pass i makes 1×3×(-i + 3)×(-i + 3) of 1×3×(-2·i + 6)×(-2·i + 6)\n  in max_pool2d\n"
                "  hint: pass 0 makes 1x3x4x4 of 1x3x8x8; pass 1 makes 1x3x2x2 of 1x3x4x4"
            ),
        ),
    ],
)
def test_what_depends_on_a_free_size_is_undecided(free: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(Undecided) as caught:
        shapecalc.loads(FREE, file="net.yaml").analyze(symbolic=free)
    says = f"{says}\n  help: docs/closed_forms.md#undecided"
    assert str(caught.value).replace("in 'H > 5': ", "") == says.replace("in 'H > 5': ", "")
    path = tmp_path / "net.yaml"
    path.write_text(FREE)
    told = failing(CliRunner().invoke(main, ["show", str(path), "--free", free]), status=2)
    assert (says.partition("whether")[2] or says) in told


@pytest.mark.parametrize("free", ["on", "list", "word"])
def test_what_is_no_number_cannot_be_left_free(free: str) -> None:
    with pytest.raises(SpecError, match="not an integer, so it cannot be left free"):
        shapecalc.loads(FREE).analyze(symbolic=free)


# ---- the command line


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ("show", 2, "Missing argument"),
        ("shwo lenet5", 2, "No such command 'shwo' (did you mean 'show'?)"),
        ("show lenet5 --nope", 2, "No such option"),
        ("show lenet5 lenet5", 2, "unexpected extra argument"),
        ("show lenet5 --set H", 2, "write KEY=VALUE"),
        ("show lenet5 --set =3", 2, "write KEY=VALUE"),
        ("show lenet5 --set input=3", 2, "write KEY=VALUE"),
        ("show lenet5 --set num_clases=3", 2, "(did you mean 'num_classes'?)"),
        ("show lenet5 --set H=abc", 2, "H: 'abc' is not an integer of at least 1"),
        ("show lenet5 --set H=1.5", 2, "H: 1.5 is not an integer of at least 1"),
        ("show lenet5 --set H=true", 2, "H: true is not an integer of at least 1"),
        ("show lenet5 --set H=-1", 2, "H: -1 is not an integer of at least 1"),
        ("show lenet5 --set H=", 2, "--set 'H=': the text is empty"),
        ("show lenet5 --set H=[1", 2, "--set 'H=[1': this is not YAML"),
        ("show lenet5 --set H={a:1}", 2, "is not a number"),
        ("show lenet5 --set H=!!python/name:os.system", 2, "is not allowed: a spec is plain data"),
        ("show lenet5 --set num_classes=W+", 2, "'W+' is not an expression"),
        ("show lenet5 --set num_classes=many", 2, "'many' is a word, not a value"),
        ("show lenet5 --set num_classes=0", 2, "0 is less than 1"),
        ("show lenet5 --set H=4 --set H=5", 2, "H is set twice"),
        ("show lenet5 --set H=4", 1, "the output height would be 0"),
        ("show lenet5 --input axb", 2, "'axb' is not a shape: write 3x256x256"),
        ("show lenet5 --input -1x2x3", 2, "'-1x2x3' is not a shape"),
        ("show lenet5 --input 1x²x3", 2, "'1x²x3' is not a shape"),
        ("show lenet5 --input 0x32x32", 2, "0 is not an integer of at least 1"),
        (f"show lenet5 --input 1x{'9' * 19}x3", 2, "larger than 10^18"),
        (f"show lenet5 --input 1x{'9' * 5000}x3", 2, "is not a shape"),
        ("show lenet5 --input x=1x32x32", 2, "lenet5 has no input 'x'"),
        ("show lenet5 --input 1x32x32 --input 1x3x3", 2, "several inputs need names"),
        ("show lenet5 --input input=1x32x32 --input input=1x3x3", 2, "given twice"),
        ("show lenet5 --input 1x32x32 --set H=28", 2, "H is 28, but the input of 1x32x32 makes it 32"),
        ("show lenet5 --input 32", 2, "2 axes are missing in 32"),
        ("show lenet5 --free Q", 2, "no parameter 'Q' to leave free"),
        ("show lenet5 --free H --set H=3", 2, "both set and left free"),
        ("show lenet5 --free H --input 1x32x32", 2, "is left free, but the input"),
        ("show lenet5 --free batch --batch 3", 2, "choose one"),
        ("show lenet5 --batch 0", 2, "0 is not in the range"),
        ("show lenet5 --batch two", 2, "Invalid value for '--batch'"),
        (f"show lenet5 --batch 1{'0' * 400}", 2, "batch must be an integer from 1 to 10^18"),
        ("show lenet5 --dtype float23", 2, "(did you mean 'float32'?)"),
        ("show lenet5 --depth 0", 2, "Invalid value for '--depth'"),
        ("show lenet5 --format xml", 2, "is not one of"),
        ("kinds conv2dd", 2, "unknown kind 'conv2dd' (did you mean 'conv2d'?)"),
        ("schema --nope", 2, "No such option"),
        ("list --format xml", 2, "is not one of"),
    ],
)
def test_misuse_of_the_command(arguments: str, status: int, says: str) -> None:
    started = process_time()
    told = failing(CliRunner().invoke(main, arguments.split()), status=status)
    assert process_time() - started < SECONDS
    assert says in told
    assert len(told) < 1000


def test_every_failure_is_told_and_one_that_recurs_is_told_once() -> None:
    text = HEAD + "  - add:\n" + "".join(
        f"      b{n}: [{{linear: {{in_features: {n}, out_features: 1}}}}]\n" for n in range(1, 15)
    )  # fmt: skip
    told = failing(CliRunner().invoke(main, ["show", "-"], input=text), status=1)
    assert told.count("error:") == 10
    assert told.endswith("and 4 more errors\n")
    text = "input: [3]\nblocks:\n  b: {layers: [{linear: {in_features: 5, out_features: 1}}]}\n"
    told = failing(
        CliRunner().invoke(main, ["show", "-"], input=text + "layers: [add: [[b], [b], [b]]]"), status=1
    )
    assert told.count("error:") == 1
    assert "  in add.0.b.linear and 2 more\n" in told
