"""Derivations: every line is true, of every kind, and the tutorials' worked examples come out of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import shapecalc
from shapecalc import Model, Step, symbol
from shapecalc.algebra import Expr
from shapecalc.algebra.render import grouped
from shapecalc.algebra.term import letters
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.index import KERAS
from shapecalc.layers.registry import kinds
from shapecalc.layers.requirement import Refused
from shapecalc.report.data import Node
from shapecalc.report.derivation import Derivation, LayerDerivation
from tests.keras_twin import keras_cases
from tests.strategies import Case, cases
from tests.written_formulas import evaluated

RESAMPLING = {"upsample", "upsampling_nearest2d", "upsampling_bilinear2d"}


# ---- the law: what is printed is what the engine computed, and it is true


def check_layer(found: LayerDerivation, node: Node, **sizes: int) -> None:
    """Assert that every step is true by itself, and that the last ones are what the node says."""
    doubles = node.kind in RESAMPLING
    values: dict[str, Any] = dict(sizes)
    for axes in found.inputs:
        for letter, size in zip(axes.letters, axes.shape, strict=True):
            values |= {one.name: put(size, sizes) for one in letters(letter)}
    values |= {one.letter.name: put(one.letter.value, sizes) for one in found.given}
    for step in found.steps:
        expected = put(step.value, sizes)
        assert evaluated(step.formula, values, doubles=doubles) == expected, step
        assert evaluated(step.inserted, values, doubles=doubles) == expected, step
        assert evaluated(step.result, values) == expected, step
        if step.name:
            assert values.get(step.name, expected) == expected, f"{step.name} means two things"
            values[step.name] = expected
    for axes in found.outputs:
        for letter, size in zip(axes.letters, axes.shape, strict=True):
            assert evaluated(shapecalc.algebra.term.text(letter), values) == put(size, sizes)
    assert found.params_total == node.params
    assert found.macs_total == node.macs
    if node.shares is None:
        assert (found.params[-1].value if found.params else 0) == node.params
    assert (found.macs[-1].value if found.macs else 0) == (0 if node.macs is None else node.macs)


def put(value: Any, sizes: dict[str, int]) -> Any:
    return value.subs(sizes) if isinstance(value, Expr) else value


def check_text(found: LayerDerivation, whole: Derivation) -> None:
    """Assert that formula, numbers and result of every step stand in the text, in this order."""
    text = " ".join(str(whole).split())
    for step in found.steps:
        chain = [*dict.fromkeys([step.formula, step.inserted, step.result])]
        assert " = ".join(chain) in text
        assert (f"{step.name} = " if step.name else "") in text


def check_letters(found: LayerDerivation, layer: Kind, inputs: Shapes) -> None:
    """Assert that what depends on the sizes that arrive has a letter for one, and is not just a number."""
    free = tuple(
        tuple(symbol(f"x{number}_{axis}") if size > 1 else size for axis, size in enumerate(shape))
        for number, shape in enumerate(inputs)
    )
    try:
        effect = layer.apply(free)
    except (Undecided, Refused):
        return
    for axes, shape in zip(found.outputs, effect.outputs, strict=False):
        for letter, size in zip(axes.letters, shape, strict=False):
            assert not isinstance(size, Expr) or [*letters(letter)], f"{size} is told as a number"
    for steps, value in ((found.params, effect.params), (found.macs, effect.macs)):
        if isinstance(value, Expr):
            assert any([*letters(step.term)] for step in steps)


def check_case(case: Case, framework: str) -> None:
    try:
        layer = case.cls.model_validate(case.fields)
        names = [f"x{number}" for number in range(len(case.inputs))]
        model = Model(
            input=dict(zip(names, case.inputs, strict=True)),
            layers=[Step(layer, **{"from": names})],
            framework=framework,
        )
        report = model.analyze(batch=None)
    except (ValidationError, ShapecalcError):
        return
    whole = report.derive()
    (found,), (node,) = whole.layers, report.nodes
    assert tuple(axes.shape for axes in found.outputs) == node.outputs
    assert tuple(axes.shape for axes in found.inputs) == node.inputs
    assert all(type(size) is int for axes in found.outputs for size in axes.shape)
    check_layer(found, node)
    check_text(found, whole)
    check_letters(found, layer, case.inputs)
    assert json.loads(json.dumps(whole.to_dict()))["layers"][0]["kind"] == node.kind
    check_markup(whole)


def check_markup(whole: Derivation) -> None:
    """Assert that brackets, environments and dollar signs come in pairs."""
    for text in (whole.to_latex(), whole.to_markdown()):
        bare = re.sub(r"\\[{}$]", "", text)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0
        assert text.count(r"\left") == text.count(r"\right") + text.count("leftarrow")
    latex = whole.to_latex()
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}")
    assert latex.isascii(), [one for one in latex if not one.isascii()]


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_derives_what_it_computes(kind: str) -> None:
    @given(cases(kind))
    def check(case: Case) -> None:
        check_case(case, "torch")

    check()


@pytest.mark.parametrize("kind", sorted(KERAS))
def test_every_kind_of_keras_derives_what_it_computes(kind: str) -> None:
    @given(keras_cases(kind))
    def check(case: Case) -> None:
        check_case(case, "keras")

    check()


BUNDLED = [
    "lenet5",
    "lenet5_1998",
    "resnet50",
    "resnet50_keras",
    "vit_b_16",
    "unet",
    "googlenet",
    "tutorials/keras_xception",
]


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("batch", [1, 3])
def test_networks(name: str, batch: int) -> None:
    report = shapecalc.load(name).analyze(batch=batch)
    whole = report.derive()
    for found, node in zip(whole.layers, report.nodes, strict=True):
        check_layer(found, node)
    assert whole.params == report.params
    assert whole.macs == report.macs
    assert f"{grouped(report.params)}\n" in str(whole)
    check_markup(whole)


@pytest.mark.parametrize("count", ["torch", "keras"])
def test_statistics_are_derived_as_they_are_counted(count: str) -> None:
    report = shapecalc.load("resnet18").analyze(count=count)
    assert report.derive().params == report.params
    for found, node in zip(report.derive().layers, report.nodes, strict=True):
        check_layer(found, node)


@pytest.mark.parametrize(
    ("name", "sizes"), [("lenet5", {"H": 37, "W": 52}), ("resnet18", {"H": 97, "W": 64})]
)
def test_what_is_left_free_is_derived_as_well(name: str, sizes: dict[str, int]) -> None:
    model = shapecalc.load(name)
    free, numeric = model.analyze(symbolic=True), model.analyze(H=sizes["H"], W=sizes["W"])
    for found, node, known in zip(free.derive().layers, free.nodes, numeric.nodes, strict=True):
        check_layer(found, node, **sizes)
        assert [put(size, sizes) for size in found.outputs[0].shape] == [*known.output[1:]]


@given(st.data())
def test_a_wrong_line_is_noticed(data: st.DataObject) -> None:
    report = shapecalc.load("lenet5").analyze()
    found, node = report.derive("c1").layers[0], report["c1"]
    number = data.draw(st.integers(0, len(found.shape) - 1))
    wrong = replace(found.shape[number], value=found.shape[number].value + 1)
    with pytest.raises(AssertionError):
        check_layer(replace(found, shape=(*found.shape[:number], wrong, *found.shape[number + 1 :])), node)
    without = replace(found, macs=())
    with pytest.raises(AssertionError):
        check_layer(without, node)


def test_the_reader_of_formulas_reads() -> None:
    assert evaluated("⌊(n + 2·p - k)/s⌋ + 1", {"n": 224, "p": 3, "k": 7, "s": 2}) == 112
    assert evaluated("16·(C/g)^2 - max(-3, 1,000) + ⌈7/2⌉", {"C": 6, "g": 3}) == 64 - 1000 + 4
    assert evaluated("⌊100·0.29⌋") == 29
    assert evaluated("⌊100·0.29⌋", doubles=True) == 28
    with pytest.raises(AssertionError):
        evaluated("1 + ")
