"""Whatever is done to a spec, it is a model or a `ShapecalcError`, and soon; never anything else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import shapecalc
from shapecalc.errors import ShapecalcError
from shapecalc.model import Model
from shapecalc.spec.find import folder
from shapecalc.spec.yaml_text import parse

FAMILIES = {
    name: (folder() / f"{name}.yaml").read_text(encoding="utf-8")
    for name in ("densenet", "googlenet", "lenet5", "lenet5_1998", "nin", "resnet", "unet", "vgg")
}
EVERYTHING = """
name: everything
title: Every key of the language
description: Nothing that anybody would build
paper: {title: A Paper, authors: Somebody, year: 1998, url: "https://example.org"}
parameters: {H: 16, W: 16, depths: [1, 2], norm: batch_norm2d, on: true, wide: H // 2}
input: {x: [3, H, W], y: [3, H, W]}
blocks:
  conv_bn:
    args: {channels: ~, kernel_size: 3, skip: x}
    layers:
      - conv2d: {out_channels: channels, kernel_size: kernel_size, padding: kernel_size // 2, bias: false}
        name: conv
        trainable: false
      - norm
  body:
    args: {n: ~}
    layers:
      - add:
          main: [{conv_bn: {channels: in_channels}}, relu]
          skip: []
        repeat: n
layers:
  - add: [x, y]
    name: both
  - conv_bn: {channels: "wide if on else 4"}
    name: stem
    when: on and H > 0
  - body: {n: i + 1}
    repeat: {i: 2, d: depths}
  - conv2d: {out_channels: "size(stem, 1)", kernel_size: [3, 3], padding: [[1, 1], [1, 1]]}
    name: first
  - sequential: [relu, {dropout: {p: 0.5}}]
  - conv2d: {out_channels: 8, kernel_size: 3, padding: 1}
    share: first
  - share: first
  - side: [{adaptive_avg_pool2d: {output_size: 1}}, flatten, {linear: {out_features: 3}}]
    name: aux
  - concat:
      dim: 1
      a: [{max_pool2d: {kernel_size: 2, ceil_mode: true}}]
      b: [{upsample: {scale_factor: 0.5}}]
  - split: {split_size: 8}
    name: halves
  - multiply:
    from: [halves.0, halves.1]
  - adaptive_avg_pool2d: {output_size: [1, ~]}
  - flatten
  - linear: {out_features: 10}
    name: last
outputs: {out: last, aux: aux}
expect: {params: 3269, macs: 940696, output: {out: [10], aux: [3]}}
variants:
  other: {title: Another, parameters: {depths: [2, 2]}, paper: {title: B}, expect: {params: 3}}
"""

WORDS = [
    "conv2d", "conv_bn", "relu", "add", "concat", "linear", "flatten", "body", "first", "stem", "both", "x", "y",
    "H", "W", "depths", "depths[0]", "depths[9]", "i", "norm", "on", "in_channels", "size(1)", "size(stem, 1)",
    "H // 2", "H / 3", "1 // 0", "2**64", "-1", "0", "1e9", "when", "repeat", "input", "main", "0", "", "a b",
    "__import__('os')", "\x1b[31m", "same", "valid", "true", "null", "halves.1", "halves.7", "x.y.z", "é", "²",
]  # fmt: skip
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from([None, True, False, 0, 1, 2, 3, 7, -1, 0.5, 10**9, 10**18, 10**19, 1e300]),
    st.integers(-3, 70),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=5,
)


def survives(load: Callable[[], Model]) -> None:
    """Load, write out and analyse; whatever goes wrong must be an error of ours, fit for a terminal."""
    try:
        model = load()
    except ShapecalcError as error:
        is_kind(error)
        event(type(error).__name__)
        return
    assert shapecalc.loads(model.to_yaml()) == model
    for symbolic in (False, True):
        try:
            model.analyze(symbolic=symbolic)
            event("holds")
        except ShapecalcError as error:
            is_kind(error)
            event(type(error).__name__)


def is_kind(error: ShapecalcError) -> None:
    """Require a message that a person can read, in any terminal."""
    told = str(error)
    assert told.strip()
    assert told.replace("\n", "").isprintable()
    assert len(told) < 5000


def plain(value: Any) -> Any:
    """Return located data as the plain lists and mappings of somebody's program."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def places(value: Any, trail: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every value inside."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [found for key in keys for found in ((*trail, key), *places(value[key], (*trail, key)))]


def inside(data: Any, trail: tuple[Any, ...]) -> Any:
    for key in trail:
        data = data[key]
    return data


def test_everything_holds_before_it_is_broken() -> None:
    assert shapecalc.loads(EVERYTHING).analyze().outputs == {"out": (1, 10), "aux": (1, 3)}
    for text in FAMILIES.values():
        shapecalc.loads(text).analyze()


@given(data=st.data())
def test_broken_data(data: st.DataObject) -> None:
    text = EVERYTHING if data.draw(st.integers(0, 2)) else data.draw(st.sampled_from([*FAMILIES.values()]))
    spec = plain(parse(text))
    for _ in range(data.draw(st.integers(1, 3))):
        trail = data.draw(st.sampled_from(places(spec)))
        holder, key = inside(spec, trail[:-1]), trail[-1]
        change = data.draw(st.sampled_from(["drop", "replace", "insert", "rename", "move"]))
        if change == "drop":
            del holder[key]
        elif change == "replace":
            holder[key] = data.draw(VALUES)
        elif change == "move":
            holder[key] = deepcopy(inside(spec, data.draw(st.sampled_from(places(spec)))))
        elif isinstance(holder, list):
            holder.insert(key, data.draw(VALUES))
        elif change == "insert":
            holder[data.draw(st.sampled_from(WORDS))] = data.draw(VALUES)
        else:
            holder[data.draw(st.sampled_from(WORDS))] = holder.pop(key)
        if not places(spec):
            break
    survives(lambda: shapecalc.load(spec))


@given(data=st.data())
def test_broken_text(data: st.DataObject) -> None:
    text = EVERYTHING if data.draw(st.integers(0, 2)) else data.draw(st.sampled_from([*FAMILIES.values()]))
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        at = data.draw(st.integers(0, len(line)))
        piece = data.draw(
            st.one_of(st.sampled_from(WORDS), st.sampled_from([*"{}[]:,-#&*!|>'\"%@` \t~?", "- ", ": "]))
        )
        match data.draw(
            st.sampled_from(["delete", "double", "indent", "dedent", "insert", "cut", "overwrite"])
        ):
            case "delete":
                lines[number : number + 1] = []
            case "double":
                lines.insert(number, line)
            case "indent":
                lines[number] = "  " + line
            case "dedent":
                lines[number] = line.removeprefix("  ")
            case "insert":
                lines[number] = line[:at] + piece + line[at:]
            case "cut":
                lines[number] = line[:at]
            case _:
                lines[number] = line[:at] + piece + line[at + len(piece) :]
        if not lines:
            break
    survives(lambda: shapecalc.loads("\n".join(lines), file="fuzz.yaml"))


@given(text=st.text(max_size=200))
def test_any_text(text: str) -> None:
    survives(lambda: shapecalc.loads(text))


@given(raw=st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(raw)
    survives(lambda: shapecalc.load(path))
