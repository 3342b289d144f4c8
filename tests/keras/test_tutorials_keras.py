"""The tutorial's networks in Keras: as printed, where they fail, and the one of keras.applications.

The figures were measured on the printed code, run with Keras 3.15. Here the layers themselves are
compared: the networks are walked in step with real Keras layers, shape by shape and weight by weight.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import pytest

import shapecalc
from shapecalc import Expr, Model, Report, ShapeError, SpecError
from shapecalc.layers.base import Kind
from shapecalc.spec.find import bundled
from shapecalc.spec.json_schema import schema
from tests.support.keras_twin import built, keras, shape_of
from tests.support.strategies import Sizes

MEASURED: dict[str, tuple[int, int, int, dict[str, tuple[int, ...]]]] = {
    "lenet5": (61_706, 61_706, 416_520, {"output": (10,)}),
    "alexnet": (25_678_184, 25_678_184, 539_462_784, {"output": (1, 1, 1000)}),
    "vgg16": (37_694_248, 37_694_248, 10_081_172_224, {"output": (1, 1, 1000)}),
    "vgg19": (143_667_240, 143_667_240, 19_632_062_464, {"output": (1000,)}),
    "inception_v1": (9_807_770, 9_807_770, 1_205_064_576, {"output": (1000,), "x2": (5,), "x3": (5,)}),
    "inception_v3": (31_261_424, 31_226_736, 5_985_302_912, {"output": (1000,), "Aux": (1000,)}),
    "xception": (60_011_272, 59_956_744, 18_597_945_288, {"output": (1000,)}),
    "resnet50": (58_292_553, 58_239_343, 6_921_495_552, {"output": (1000,)}),
    "resnext50": (2_057_286_888, 2_055_345_768, 332_883_574_784, {"output": (1000,)}),
}
"""Parameters, those that are trained, MACs and outputs of what runs, each printed in one code block."""
RUNNING = [f"tutorials/keras_{name}" for name in MEASURED]
LINES = {
    "lenet5": (490, 518),
    "alexnet": (625, 659),
    "vgg16": (737, 792),
    "vgg19": (909, 956),
    "inception_v1": (1071, 1140),
    "inception_v3": (1325, 1487),
    "inception_v4": (1805, 1968),
    "xception": (2013, 2095),
    "resnet50": (2121, 2211),
    "resnext50": (2239, 2337),
}
"""The lines of each block in the tutorial."""
APPLICATIONS = "resnet50_keras"


def text_of(name: str) -> str:
    return bundled()[name].read_text("utf-8")


@cache
def report_of(name: str) -> Report:
    return shapecalc.load(name).analyze()


def test_every_block_is_there() -> None:
    assert {name for name in bundled() if name.startswith("tutorials/keras_")} == {
        f"tutorials/keras_{name}" for name in LINES
    }


@pytest.mark.parametrize("name", MEASURED)
def test_what_runs_gives_what_keras_measured(name: str) -> None:
    report = report_of(f"tutorials/keras_{name}")
    found = {output: shape[1:] for output, shape in report.outputs.items()}
    assert (report.params, report.trainable_params, report.macs, found) == MEASURED[name]
    assert report.complete
    assert report.counting == "keras"
    assert report.buffer_count == 0


@pytest.mark.parametrize("name", [*RUNNING, APPLICATIONS])
def test_what_a_spec_promises_is_what_it_finds(name: str) -> None:
    model, report = shapecalc.load(name), report_of(name)
    expect = model.expect
    assert expect is not None
    assert (expect.params, expect.trainable_params, expect.macs) == (
        report.params,
        report.trainable_params,
        report.macs,
    )
    found = {output: shape[1:] for output, shape in report.outputs.items()}
    assert expect.output == (found if len(found) > 1 else found["output"])


@pytest.mark.parametrize("name", LINES)
def test_every_layer_says_where_it_is_printed(name: str) -> None:
    full = f"tutorials/keras_{name}"
    first, last = LINES[name]
    for line in text_of(full).splitlines():
        for told in re.findall(r"# .*?l\.(\d+)", line):
            assert first <= int(told) <= last, line
        if re.match(r" +- [a-z_0-9]*(conv|pool|linear|norm|relu|tanh|flatten|dropout|softmax)", line):
            assert "# l." in line, line
    title = shapecalc.load(full).title
    assert title is not None
    assert title.endswith("in Keras, as printed in a tutorial")


@pytest.mark.parametrize("name", [*(f"tutorials/keras_{name}" for name in LINES), APPLICATIONS])
def test_written_out_and_read_again(name: str) -> None:
    model = shapecalc.load(name)
    assert model.framework == "keras"
    again = shapecalc.loads(model.to_yaml())
    assert again == model
    assert again.to_yaml() == model.to_yaml()
    assert shapecalc.load(model.to_data()) == model


def put(given: Any, size: dict[str, int]) -> Any:
    """Return sizes, or shapes of them, with the numbers put in for the symbols."""
    if isinstance(given, tuple):
        return tuple(put(one, size) for one in given)
    return given.subs(size) if isinstance(given, Expr) else given


@pytest.mark.parametrize("name", [*RUNNING[:-1], APPLICATIONS])
def test_formulas_agree_with_numbers(name: str) -> None:
    model = shapecalc.load(name)
    free = model.analyze(symbolic=("H", "W"))
    tried = 0
    for height, width in ((32, 35), (224, 224), (299, 331), (256, 320), (75, 400)):
        size = {"H": height, "W": width}
        needed = [condition.requirement for condition in free.conditions]
        hold = [
            replace(one, left=put(one.left, size), right=put(one.right, size)).verdict() for one in needed
        ]
        if not all(hold):
            with pytest.raises(ShapeError):
                model.analyze(H=height, W=width)
            continue
        report, tried = model.analyze(H=height, W=width), tried + 1
        for figure in ("params", "trainable_params", "macs"):
            assert put(getattr(free, figure), size) == getattr(report, figure), (figure, size)
        for ours, numeric in zip(free, report, strict=True):
            assert put(ours.output, size) == numeric.output
            if ours.window is not None and numeric.window is not None:
                assert put(ours.window.before, size) == numeric.window.before
                assert put(ours.window.after, size) == numeric.window.after
    assert tried >= 2


@pytest.mark.parametrize("name", [*(f"tutorials/keras_{name}" for name in LINES), APPLICATIONS])
def test_the_schema_takes_them(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator(schema()).validate(shapecalc.load(name).to_data())


# ---- layer by layer


def same_layer(layer: Kind, inputs: tuple[Sizes, ...]) -> tuple[Any, ...]:
    """Return what the real layer makes of these shapes: its output and its weights with their names."""
    real = built(type(layer), layer.fields_set(), inputs)
    weights = {weight.name: tuple(weight.shape) for weight in real.weights}
    return shape_of(real, inputs), weights, sum(prod(one.shape) for one in real.trainable_weights)


@pytest.mark.parametrize("name", [*RUNNING, APPLICATIONS])
def test_every_layer_is_that_of_keras(name: str) -> None:
    seen: dict[Any, tuple[Any, ...]] = {}
    for node in report_of(name):
        if node.kind in ("identity", "tanh", "softmax", "add"):  # functions, or of several tensors
            assert node.weights == {}
            continue
        inputs: Any = node.inputs
        key = (node.layer, inputs)
        if key not in seen:
            seen[key] = same_layer(node.layer, inputs)
        output, weights, trained = seen[key]
        assert node.output == output, node
        assert node.weights == weights, node
        assert node.trainable_params == trained, node


def test_the_network_of_keras_applications() -> None:
    with keras.device("meta"):
        real = keras.applications.ResNet50(weights=None)
    report = report_of(APPLICATIONS)
    assert report.params == real.count_params() == 25_636_712
    trained = sum(prod(weight.shape) for weight in real.trainable_weights)
    assert report.trainable_params == trained == 25_583_592
    assert report.output == (1, *real.output_shape[1:])
    ours = sorted(tuple(shape) for node in report for shape in node.weights.values())
    assert ours == sorted(tuple(weight.shape) for weight in real.weights)
    assert report.macs == 3_857_973_248


def test_either_way_of_counting() -> None:
    ours, torchs = shapecalc.load(APPLICATIONS), shapecalc.load("resnet50")
    as_torch, as_keras = ours.analyze(count="torch"), torchs.analyze(count="keras")
    assert (as_torch.params, as_torch.buffer_count) == (25_583_592, 53_120)
    assert as_torch.trainable_params == as_torch.params
    assert (as_keras.params, as_keras.trainable_params) == (25_557_032 + 53_120, 25_557_032)
    assert as_keras.buffer_count == 53  # the counters of batches, which Keras does not have
    biases = 26_560
    assert as_torch.params - torchs.analyze().params == biases
    assert "as Keras counts them" in str(ours.analyze())
    assert "as Keras counts them" in str(as_keras)
    assert "as Keras counts them" not in str(as_torch)


# ---- the one that fails

V4 = "tutorials/keras_inception_v4"
MENDED = [  # the line in the tutorial, what stands there, what makes it go on, and what fails without it
    (1816, "padding: s}", "padding: same}", "padding: 's' is not one of valid, same"),
    (1828, "filter_size: 3}", "filter_size: 3, padding: valid}", "(35 against 37)"),
    (1835, "padding: valid}", "strides: 2}", "(18 against 33)"),
    (1872, ", strides: 2}", "}", "(18 against 9)"),
    (1877, "kernel_size: 3}", "kernel_size: 3, stride: 1, padding: same}", "(6 against 18)"),
    (1898, "kernel_size: 3}", "kernel_size: 3, stride: 1, padding: same}", "(2 against 8)"),
    (1921, "kernel_size: 3}", "kernel_size: 3, stride: 1, padding: same}", "(1 against 3)"),
]


def mended(count: int) -> Model:
    """Return the network with the first so many of the mistakes mended that keep it from running."""
    text = text_of(V4)
    for number, old, new, _ in MENDED[:count]:
        lines = text.splitlines()
        [index] = [index for index, line in enumerate(lines) if line.endswith(f"# l.{number}")]
        assert old in lines[index]
        lines[index] = lines[index].replace(old, new)
        text = "\n".join(lines)
    return shapecalc.loads(text, file="v4")


def test_inception_v4_fails_as_in_keras() -> None:
    model = shapecalc.load(V4)
    with pytest.raises(SpecError, match=r"padding: 's' is not one of valid, same") as caught:
        model.analyze()
    assert caught.value.path == "stemBlock.conv2d_with_Batch.conv2d"
    line = text_of(V4).splitlines()[(caught.value.place.line or 0) - 1]
    assert "conv2d: {out_channels: nbr_kernels" in line or "padding: padding" in line
    with pytest.raises(ValueError, match="Received: s"):
        keras.layers.Conv2D(32, 3, strides=2, padding="s")


@pytest.mark.parametrize("count", range(1, len(MENDED)))
def test_mended_it_fails_where_keras_fails_next(count: int) -> None:
    with pytest.raises(ShapeError) as caught:
        mended(count).analyze()
    assert MENDED[count][3] in caught.value.message


def test_all_mended_it_runs() -> None:
    report = mended(len(MENDED)).analyze()
    assert (report.params, report.trainable_params, report.macs) == (47_193_928, 47_131_464, 2_774_768_000)
    assert report.output == (1, 1000)
