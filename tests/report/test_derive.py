"""Derivations: every line is true, of every kind, and the tutorials' worked examples come out of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import shapecalc
from shapecalc import Model, SpecError, Step, symbol
from shapecalc.algebra import Expr
from shapecalc.algebra import term as terms
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.provenance import untraced
from shapecalc.algebra.term import letters
from shapecalc.cli import main
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.base import Kind, Shapes
from shapecalc.layers.index import KERAS
from shapecalc.layers.pool import MaxPool2d
from shapecalc.layers.registry import kinds
from shapecalc.layers.requirement import Refused
from shapecalc.report.derivation import Derivation, LayerDerivation
from shapecalc.report.node import Node
from tests.support.draws import FEW
from tests.support.keras_twin import keras_cases
from tests.support.strategies import Case, cases
from tests.support.written_formulas import evaluated

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
            assert evaluated(terms.text(letter), values) == put(size, sizes)
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

    FEW(check)()


@pytest.mark.parametrize("kind", sorted(KERAS))
def test_every_kind_of_keras_derives_what_it_computes(kind: str) -> None:
    @given(keras_cases(kind))
    def check(case: Case) -> None:
        check_case(case, "keras")

    FEW(check)()


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


@pytest.mark.sample(6)
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
    found, node = report.derive("c1").layers[0], report.layer("c1")
    number = data.draw(st.integers(0, len(found.shape) - 1))
    wrong = replace(found.shape[number], value=found.shape[number].value + 1)
    with pytest.raises(AssertionError):
        check_layer(replace(found, shape=(*found.shape[:number], wrong, *found.shape[number + 1 :])), node)
    without = replace(found, macs=())
    with pytest.raises(AssertionError):
        check_layer(without, node)


def test_a_formula_that_is_lost_on_the_way_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, inputs = MaxPool2d(kernel_size=2), ((1, 3, 8, 8),)
    report = Model(input=[3, 8, 8], layers=[layer]).analyze()
    check_letters(report.derive().layers[0], layer, inputs)
    kind: Any = MaxPool2d
    real = kind.output
    monkeypatch.setattr(kind, "output", lambda self, x: tuple(map(untraced, real(self, x))))
    with pytest.raises(AssertionError, match="is told as a number"):
        check_letters(report.derive(batch=True).layers[0], layer, inputs)


def test_the_reader_of_formulas_reads() -> None:
    assert evaluated("⌊(n + 2·p - k)/s⌋ + 1", {"n": 224, "p": 3, "k": 7, "s": 2}) == 112
    assert evaluated("16·(C/g)^2 - max(-3, 1,000) + ⌈7/2⌉", {"C": 6, "g": 3}) == 64 - 1000 + 4
    assert evaluated("⌊100·0.29⌋") == 29
    assert evaluated("⌊100·0.29⌋", doubles=True) == 28
    with pytest.raises(AssertionError):
        evaluated("1 + ")


# ---- the worked examples of the tutorials


def lines(derivation: Derivation | str) -> list[str]:
    return [" ".join(line.split()) for line in str(derivation).splitlines()]


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["derive", *arguments], prog_name="shapecalc")
    assert result.exception is None, result.stderr
    assert not result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("stride", "padding", "out"),
    [(1, 0, 5), (2, 0, 3), (2, 1, 4)],
)
def test_the_three_worked_convolutions(stride: int, padding: int, out: int) -> None:
    """A picture of 6x6 and a kernel of 2x2, by (W - F + 2P)/S + 1."""
    layer = f"conv2d: {{out_channels: 1, kernel_size: 2, stride: {stride}, padding: {padding}}}"
    found = lines(printed(layer, "--input", "1x6x6"))
    numbers = f"⌊(6 + 2·{padding} - 2)/{stride}⌋ + 1 = {out}"
    assert f"Height H_out = ⌊(H_in + 2·p - k)/s⌋ + 1 = {numbers}" in found
    assert f"Width W_out = ⌊(W_in + 2·p - k)/s⌋ + 1 = {numbers}" in found


LENET = {
    "conv1": ["⌊(32 + 2·0 - 5)/1⌋ + 1 = 28", "C_out×H_out×W_out = 6x28x28"],
    "avgpool": ["⌊(28 - 2)/2⌋ + 1 = 14", "C_in×H_out×W_out = 6x14x14"],
    "conv2": ["⌊(14 + 2·0 - 5)/1⌋ + 1 = 10", "C_out×H_out×W_out = 16x10x10"],
    "avgpool_2": ["⌊(10 - 2)/2⌋ + 1 = 5", "C_in×H_out×W_out = 16x5x5"],
    "conv3": ["⌊(5 + 2·0 - 5)/1⌋ + 1 = 1", "C_out×H_out×W_out = 120x1x1"],
    "flatten": ["120·1·1 = 120", "F_out = 120"],
}


@pytest.mark.parametrize("layer", LENET)
def test_lenet_as_the_tutorial_derives_it(layer: str) -> None:
    size, output = LENET[layer]
    found = lines(shapecalc.load("tutorials/torch_lenet5").derive(layer))
    sizes = [line for line in found if line.endswith(size)]
    assert len(sizes) == (1 if layer == "flatten" else 2)
    assert f"Output {output}" in found


def test_a_dense_layer_against_a_convolution() -> None:
    picture = ("--input", "3x240x240")
    dense = lines(printed("[flatten, {linear: {out_features: 1000}}]", *picture))
    assert "Features F_out = C_in·H_in·W_in = 3·240·240 = 172,800" in dense
    assert "Parameters weight = F_out·F_in = 1,000·172,800 = 172,800,000" in dense
    convolved = lines(printed("conv2d: {out_channels: 32, kernel_size: 3, padding: 1}", *picture))
    assert "Parameters weight = C_out·C_in·k·k = 32·3·3·3 = 864" in convolved
    assert "weight + bias = 864 + 32 = 896" in convolved


# ---- what the command prints

PRINTED = {
    "lenet5.txt": "lenet5",
    "lenet5.md": "lenet5 --format markdown",
    "lenet5.tex": "lenet5 --format latex",
    "lenet5_symbolic.txt": "lenet5 --symbolic",
    "lenet5_symbolic.tex": "lenet5 --symbolic --format latex",
    "lenet5_c3.json": "lenet5 c3 --format json",
    "bottleneck.txt": "resnet50 stage2.0 --batch 8",
    "attention.txt": "vit_b_16 encoder.0.add",
    "keras.txt": "tutorials/keras_xception conv_2d",
    "help.txt": "--help",
}


@pytest.mark.parametrize("name", PRINTED)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"derive/{name}", printed(*PRINTED[name].split()))


@pytest.mark.parametrize(
    "name", ["lenet5", "resnet50", "unet", "vit_b_16", "googlenet", "tutorials/keras_lenet5"]
)
def test_text_is_at_most_80_columns(name: str) -> None:
    assert [line for line in printed(name).splitlines() if len(line) > 80] == []


def test_a_block_a_layer_and_several_are_found() -> None:
    report = shapecalc.load("resnet50").analyze()
    assert [one.path for one in report.derive("stem").layers] == ["stem.conv2d", "stem.batch_norm2d"]
    assert [one.path for one in report.derive("fc", "stem.conv2d").layers] == ["stem.conv2d", "fc"]
    assert not report.derive("fc").is_whole
    assert report.derive().is_whole
    with pytest.raises(
        SpecError, match=re.escape("resnet50 has no layer or block 'stem.conv' (did you mean 'stem.conv2d'?)")
    ):
        report.derive("stem.conv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lenet5", "c1", "s3"], "hint: it begins with one of: c1, tanh, s2, c3, "),
        (["lenet5", "c1", "flaten"], "lenet5 has no layer or block 'flaten' (did you mean 'flatten'?)"),
        (["conv2d: {out_channels: 1}", "--input", "1x6x6"], "conv2d needs kernel_size"),
        (["conv2d: {out_channels: 1}"], "has no network around it, so its input shape is needed"),
        (["conv2: {out_channels: 1}", "--input", "1x6x6"], "unknown kind 'conv2' (did you mean 'conv"),
        (["conv2d: {", "--input", "1x6x6"], "this is not YAML"),
        (["[relu, 3]", "--input", "1x6x6"], "3"),
        (["conv2d: {out_channels: 1, kernel_size: __import__('os')}", "--input", "1x6x6"], "__import__"),
        (["conv2d: {out_channels: 1, kernel_size: 7}", "--input", "1x6x6"], "the output height would be 0"),
        (["lenet5", "--batch", "2", "--free", "batch"], "choose one"),
    ],
)
def test_bad_arguments_are_told(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["derive", *arguments], prog_name="shapecalc")
    assert result.exit_code in (1, 2)
    assert said in result.stderr
    assert not result.stdout
    assert isinstance(result.exception, SystemExit)


def test_layers_on_the_command_line_take_parameters() -> None:
    found = printed(
        "conv2d: {out_channels: K, kernel_size: 3}", "--input", "3x8x9", "--set", "K=5", "--batch", "4"
    )
    assert "MACs N·C_out·H_out·W_out·C_in·k·k = 4·5·6·7·3·3·3 = 22,680" in lines(found)
    assert found.startswith("conv2d: {out_channels: K, kernel_size: 3} on 4x3x8x9\n")


def test_a_shared_layer_and_one_that_cannot_be_counted() -> None:
    text = """
    name: small
    input: [3, 8, 8]
    layers:
      - conv2d: {out_channels: 3, kernel_size: 3, padding: 1}
        name: first
      - conv2d: {out_channels: 3, kernel_size: 3, padding: 1}
        share: first
        name: again
    """
    whole = shapecalc.loads(text).derive()
    assert "Parameters those of first, counted there" in lines(whole)
    assert whole.params == 84
    uncounted = replace(whole, layers=(replace(whole.layers[0], macs=(), macs_total=None), whole.layers[1]))
    assert "MACs not counted: this kind has no rule" in lines(uncounted)
    assert lines(uncounted)[-1] == "MACs at least 5,184"
    assert r"\text{at least } 5{,}184" in uncounted.to_latex()


def test_a_kind_of_ones_own_is_derived_from_its_rules() -> None:
    from typing import ClassVar

    from shapecalc.layers.base import Layer, NoBuffers, NoWindow
    from shapecalc.layers.registry import register, unregister

    class Widened(NoBuffers, NoWindow, Layer):
        """Twice as many channels and some more."""

        kind: ClassVar[str] = "widened"
        more: int = 3

        def requirements(self, x: Any) -> Any:
            return iter(())

        def output(self, x: Any) -> Any:
            return (x[0], 2 * x[1] + self.more, *x[2:])

        def weights(self, x: Any) -> Any:
            return {"scale": (x[1], self.more)}

        def macs(self, x: Any) -> Any:
            return self.output(x)[1] * x[1]

    register(Widened)
    try:
        found = lines(Model(input=[4, 5, 5], layers=[Widened(more=2)]).derive())
    finally:
        unregister("widened")
    assert "Channels C_out = 2·C_in + more = 2·4 + 2 = 10" in found
    assert "Parameters scale = C_in·more = 4·2 = 8" in found
    assert "MACs C_out·C_in = 10·4 = 40" in found


# ---- LaTeX

DOCUMENT = r"""\documentclass{{article}}
\usepackage{{amsmath}}
\begin{{document}}
{body}
\end{{document}}
"""
COMPILED = [
    "lenet5",
    "lenet5 --symbolic",
    "unet --symbolic up1",
    "vit_b_16 encoder.0.add",
    "resnet50 stage2.0 --batch 8",
]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("arguments", COMPILED)
def test_latex_compiles(arguments: str, tmp_path: Path) -> None:
    body = printed(*arguments.split(), "--format", "latex")
    (tmp_path / "it.tex").write_text(DOCUMENT.format(body=body), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "it.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Undefined" not in done.stdout
    if "--symbolic" not in arguments:
        assert "Overfull" not in done.stdout, re.findall(r"Overfull.*", done.stdout)
