"""Keras' rules: every class against the real Keras layer, and specs that follow them."""

from __future__ import annotations

import warnings
from inspect import signature
from math import prod
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import shapecalc
from shapecalc import Model, SpecError, Step, register
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.keras.keras_layer import Operand
from shapecalc.bridges.keras.keras_twins import (
    FUNCTION_SETTINGS,
    NAMES,
    KerasTwin,
    activation,
    layer_of,
    twin_of,
)
from shapecalc.bridges.keras.live_layer import described
from shapecalc.cli import main
from shapecalc.layers import (
    Add,
    BatchNorm2d,
    Concat,
    Conv2d,
    Elementwise,
    Flatten,
    Hardtanh,
    KerasConv2d,
    KerasMaxPool2d,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    ReLU,
    ReLU6,
)
from shapecalc.layers.base import Effect, Kind, Pointwise
from shapecalc.layers.index import KERAS, KINDS
from shapecalc.layers.keras_pool import KerasPool
from shapecalc.layers.registry import find, get, kinds, unregister
from shapecalc.layers.requirement import Refused
from shapecalc.layers.roles import sizes_inferred
from shapecalc.testing import (
    check_fields,
    check_inferred,
    check_integers,
    check_refusal,
    check_symbols,
    flat,
)
from tests.layers.test_roles import may_be_left_out
from tests.support.keras_strategies import KERAS_INPUTS
from tests.support.keras_twin import REJECTIONS, built, keras, keras_cases, layer, read, shape_of
from tests.support.strategies import Case

WITHOUT_COUNTERPART = {"split", "chunk"}
"""Kinds for which Keras has no layer: only the axis that they take if none is given is another."""
COMPARED = sorted(set(KERAS) - WITHOUT_COUNTERPART - {*KERAS_INPUTS})
"""Kinds of one tensor, or with a counterpart in torch; the others are compared in `test_keras_kinds`."""

every_kind = pytest.mark.parametrize("kind", COMPARED)


def ours(case: Case) -> Effect | str:
    """Return what we answer, or why we refuse."""
    try:
        return case.cls.model_validate(case.fields).apply(case.inputs)
    except (ValidationError, Refused) as error:
        return f"{type(error).__name__}: {error}"


def theirs(case: Case) -> Any:
    """Return Keras' layer, built, or why it refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stride of 0 divides by it
            real = built(case.cls, case.fields, case.inputs)
            shape_of(real, case.inputs)
    except REJECTIONS as error:
        return f"{type(error).__name__}: {error}"
    return real


def deliberately_stricter(case: Case, mine: str, output: tuple[int, ...]) -> bool:
    """Say whether a spec may not say this although Keras takes it: it makes no sense.

    Counts of zero, negative sides (which Keras takes in one of three ways to write them), a result
    without elements, an axis that does not exist where a single tensor is concatenated, and channels
    where there is only a batch.
    """
    if mine.startswith("ValidationError"):
        return any(
            not isinstance(one, bool) and isinstance(one, int) and one < 1
            for one in flat(case.fields.values())
        )
    if "needs 2 or more dimensions" in mine:
        return "norm" in case.cls.kind
    return 0 in output or (case.cls.kind == "concat" and "is not an axis" in mine and len(case.inputs) == 1)


def compare(case: Case) -> None:
    """Assert that we and Keras agree on a case, whether it is legal or not."""
    mine, real = ours(case), theirs(case)
    if isinstance(mine, str):
        if isinstance(real, str):
            return
        output = shape_of(real, case.inputs)
        assert deliberately_stricter(case, mine, output), (
            f"{case}: Keras returns {output}; we refuse it: {mine}"
        )
        return
    assert not isinstance(real, str), f"{case}: Keras refuses it ({real}); we return {mine.outputs}"
    assert mine.outputs == (shape_of(real, case.inputs),), case
    weights = {weight.name: tuple(weight.shape) for weight in real.weights}
    assert [*mine.weights.items()] == [*weights.items()], case
    assert mine.params == real.count_params()
    statistics = case.cls.statistics & mine.weights.keys()
    trained = {weight.name for weight in real.trainable_weights}
    assert mine.weights.keys() - statistics == trained
    assert mine.buffers == {}


@every_kind
def test_every_kind_is_keras(kind: str) -> None:
    given(keras_cases(kind))(compare)()


# ---- a live layer read back


def canonical_fields(case: Case) -> dict[str, Any]:
    """Return the fields that a live layer can tell of: none that it infers, and one spelling for each setting."""
    fields = {
        name: value
        for name, value in case.fields.items()
        if name == "normalized_shape" or name not in sizes_inferred(case.cls)
    }
    if isinstance(fields.get("normalized_shape"), int) or len(fields.get("normalized_shape") or ()) == 1:
        del fields["normalized_shape"]
    if not fields.get("elementwise_affine", True):
        fields.pop("bias", None)
    scaled = {name: fields.get(name, True) for name in ("affine", "scale", "center")}
    if not scaled["affine"] or not (scaled["scale"] or scaled["center"]):
        fields = {name: value for name, value in fields.items() if name not in scaled} | {"affine": False}
    layer = canonical(
        case.cls, {name: value for name, value in fields.items() if name in case.cls.model_fields}
    )
    said = layer.fields_set()
    if issubclass(case.cls, KerasPool) and said.get("stride") == said["kernel_size"]:
        del said["stride"]
    return said


def read_back(case: Case) -> None:
    """Assert that a layer built in Keras and read back is the layer."""
    mine, real = ours(case), theirs(case)
    if isinstance(mine, str) or isinstance(real, str):
        return
    again = read(real, case.inputs)
    assert type(again) is case.cls or type(real).__name__ == "BatchNormalization"
    assert again is not None
    assert again.fields_set() == canonical_fields(case)
    assert again.apply(case.inputs) == mine


@every_kind
def test_a_live_layer_is_read_back(kind: str) -> None:
    given(keras_cases(kind))(read_back)()


SETTINGS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("alpha_dropout", {"p": 0.25}, (2, 3)),
    ("dropout", {}, (2, 3)),
    ("elu", {"alpha": 2}, (2, 3)),
    ("flatten", {}, (2, 3, 4)),
    ("identity", {}, (2, 3)),
    ("leaky_relu", {}, (2, 3)),
    ("leaky_relu", {"negative_slope": 0.2}, (2, 3)),
    ("permute", {"dims": [0, 3, 1, 2]}, (2, 3, 4, 5)),
    ("relu", {}, (2, 3)),
    ("reshape", {"shape": [4, -1]}, (2, 3, 8)),
    ("softmax", {"dim": -1}, (2, 3)),
    *(
        (kind, {}, (2, 3))
        for kind in ("celu", "gelu", "hardswish", "relu6", "selu", "sigmoid", "silu", "tanh")
    ),
]


@pytest.mark.parametrize(("kind", "fields", "shape"), SETTINGS)
def test_layers_of_both_frameworks_are_read_back(kind: str, fields: dict[str, Any], shape: Any) -> None:
    layer = get(kind, "keras").model_validate(fields)
    assert read(twin_of(layer).build(layer.fields_set(), (shape,)), (shape,)) == layer


def test_what_no_field_describes_is_not_read() -> None:
    layers = keras.layers
    assert read(layers.LayerNormalization(axis=1), ((2, 3, 4, 5),)) is None


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        ({}, ReLU()),
        ({"max_value": 6.0}, ReLU6()),
        ({"max_value": 2.5}, Hardtanh(min_val=0, max_val=2.5)),
        ({"negative_slope": 0.25}, LeakyReLU(negative_slope=0.25)),
        ({"threshold": 1.0}, Elementwise(function="threshold")),
        ({"max_value": 6.0, "negative_slope": 0.5}, Elementwise(function="threshold")),
    ],
)
def test_rectifiers_of_every_form(settings: dict[str, Any], meant: Kind) -> None:
    assert read(keras.layers.ReLU(**settings), ((2, 3),)) == meant


@pytest.mark.parametrize(
    ("settings", "axis"),
    [({}, -1), ({"data_format": "channels_first"}, 1), ({"axis": 1}, 1), ({"axis": -1}, -1)],
)
def test_the_axis_of_the_channels(settings: dict[str, Any], axis: int) -> None:
    layers = keras.layers
    cls = layers.BatchNormalization if "axis" in settings else layers.MaxPooling2D
    layer = described(cls(**settings), [Operand((2, 3, 4, 5))])
    kind = layer_of(layer)
    assert kind is not None
    assert twin_of(kind).channel_axis(layer) == axis


def test_an_activation_has_the_settings_of_keras() -> None:
    assert str(activation("leaky_relu")) == str(get("leaky_relu")(negative_slope=0.2))
    assert activation("softmax") == get("softmax")(dim=-1)
    assert (activation("relu"), activation("nothing")) == (ReLU(), None)


def test_activations_are_called_with_the_settings_that_keras_gives_them() -> None:
    for name, settings in FUNCTION_SETTINGS.items():
        parameters = signature(getattr(keras.activations, name)).parameters
        theirs = {NAMES.get(field, field): value for field, value in settings.items()}
        assert theirs == {field: parameters[field].default for field in theirs}
    for name in filter(str.isidentifier, dir(keras.activations)):
        kind = activation(name)
        if kind is not None and name not in FUNCTION_SETTINGS:
            parameters = signature(getattr(keras.activations, name)).parameters
            for field, info in type(kind).model_fields.items():
                parameter = parameters.get(NAMES.get(field, field))
                if parameter is not None and field != "approximate":
                    assert float(info.default) == parameter.default, (name, field)


def test_a_field_that_is_read_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(KerasConv2d, {"out_channels": 4, "kernel_size": 3, "stride": 2}, ((1, 9, 9, 3),))
    read_back(case)
    honest = KerasTwin.read
    monkeypatch.setattr(KerasTwin, "read", lambda self, layer: {**(honest(self, layer) or {}), "stride": 1})
    with pytest.raises(AssertionError):
        read_back(case)


@every_kind
def test_cases_are_legal_often_enough(kind: str) -> None:
    legal = 0

    @given(keras_cases(kind))
    def count(case: Case) -> None:
        nonlocal legal
        legal += not isinstance(ours(case), str)

    count()
    assert legal >= 1


@pytest.mark.parametrize("kind", sorted(KERAS))
def test_the_laws_of_every_kind(kind: str) -> None:
    @st.composite
    def freed(draw: st.DrawFn) -> tuple[Case, set[tuple[int, int]]]:
        case = draw(keras_cases(kind))
        places = [  # a free size is not 1 where tensors are stretched to one another
            (number, axis)
            for number, shape in enumerate(case.inputs)
            for axis, size in enumerate(shape)
            if size != 1 or len(case.inputs) == 1
        ]
        return case, set(draw(st.lists(st.sampled_from(places), unique=True))) if places else set()

    @given(freed())
    def check(drawn: tuple[Case, set[tuple[int, int]]]) -> None:
        case, free = drawn
        try:
            made = case.cls.model_validate(case.fields)
        except ValidationError:
            return
        check_fields(made)
        check_integers(made, case.inputs)
        check_refusal(made, case.inputs)
        check_symbols(made, case.inputs, free)

    check()


@pytest.mark.parametrize("kind", [kind for kind in sorted(KERAS) if may_be_left_out(get(kind, "keras"))])
def test_a_size_that_is_inferred_may_be_written(kind: str) -> None:
    """The layer stays what it is, and `diff` finds nothing."""

    @given(keras_cases(kind))
    def check(case: Case) -> None:
        try:
            made = case.cls.model_validate(case.fields)
        except ValidationError:
            return
        check_inferred(made, case.inputs)

    check()


def test_the_law_of_inferred_sizes_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    example = KerasConv2d(out_channels=4, kernel_size=3)
    check_inferred(example, ((1, 9, 9, 3),))
    monkeypatch.setattr("shapecalc.report.align.inferred", lambda layer, inputs: {})
    with pytest.raises(AssertionError, match=r"in_channels none \| 3"):
        check_inferred(example, ((1, 9, 9, 3),))


# ---- the comparison itself can fail


def test_a_broken_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(
        KerasConv2d, {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": "same"}, ((1, 9, 9, 3),)
    )
    compare(case)
    for rule, broken in (
        ("sizes", lambda self, x: x[-self.rank :]),
        ("weights", lambda self, x: {"weight": (3, 3, 3, 4), "bias": (4,)}),
        ("swept", lambda self, x: (4, 4)),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(KerasConv2d, rule, broken)
            with pytest.raises(AssertionError):
                compare(case)


# ---- kinds that are the same under both

SHARED = [
    name
    for name in kinds("keras")
    if name not in KERAS
    and (get(name).keras or "").startswith("keras.layers.")
    and name not in ("reshape", "permute")
]


@pytest.mark.parametrize("kind", SHARED)
@given(data=st.data())
def test_shared_kinds_keep_to_keras_as_well(kind: str, data: st.DataObject) -> None:
    cls = get(kind)
    shape = tuple(data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=5)))
    several = kind in ("add", "multiply")
    shapes = [shape]
    if several:
        shapes.append(tuple(1 if data.draw(st.booleans()) else size for size in shape[1:]))
        shapes[1] = (shape[0], *shapes[1])
    real = layer(cls, {}, tuple(shapes))
    effect = cls().apply(tuple(shapes))
    assert effect.outputs == (shape_of(real, tuple(shapes)),)
    assert effect.params == real.count_params() == 0


def test_shared_kinds_that_take_sizes() -> None:
    reshaped, permuted = get("reshape")(shape=(4, -1)), get("permute")(dims=(0, 2, 3, 1))
    real = built(type(reshaped), {"shape": (4, -1)}, ((2, 3, 8, 5),))
    assert reshaped.apply(((2, 3, 8, 5),)).outputs == (shape_of(real, ((2, 3, 8, 5),)),)
    real = built(type(permuted), {"dims": (0, 2, 3, 1)}, ((2, 3, 8, 5),))
    assert permuted.apply(((2, 3, 8, 5),)).outputs == (shape_of(real, ((2, 3, 8, 5),)),)


# ---- which class a spec finds


def test_every_kind_follows_one_framework_or_both() -> None:
    for name in KINDS:
        under_torch, under_keras = find(name), find(name, "keras")
        assert under_torch is not None
        if name in KERAS:
            assert under_keras is not None
            assert (under_torch.framework, under_keras.framework) == ("torch", "keras")
            assert under_keras.kind == name
        else:
            assert under_keras is (under_torch if under_torch.framework is None else None)


def test_a_kind_that_only_torch_has_is_refused() -> None:
    text = "framework: keras\ninput: [8, 8, 3]\nlayers:\n  - local_response_norm: {size: 5}\n"
    with pytest.raises(
        SpecError, match="local_response_norm follows the rules of torch, but this spec says"
    ) as caught:
        shapecalc.loads(text)
    assert caught.value.place.line == 4
    chosen = "framework: keras\nparameters: {norm: local_response_norm}\ninput: [8, 8, 3]\nlayers:\n  - norm: {size: 5}\n"
    with pytest.raises(SpecError, match="follows the rules of torch"):
        shapecalc.loads(chosen).analyze()


def test_a_framework_that_nobody_knows() -> None:
    with pytest.raises(SpecError, match="'jax' is not a framework; known are torch, keras"):
        shapecalc.loads("framework: jax\ninput: [1]\nlayers: [relu]\n")


def test_in_channels_is_the_last_axis() -> None:
    text = "framework: keras\ninput: [8, 9, 3]\nlayers:\n  - conv2d: {out_channels: 2*in_channels, kernel_size: 1}\n"
    assert shapecalc.loads(text).analyze().output == (1, 8, 9, 6)


def test_a_kind_that_an_argument_chooses() -> None:
    text = """
framework: keras
input: [9, 9, 3]
blocks:
  normed:
    args: {norm: batch_norm2d, pool: max_pool2d}
    layers:
      - norm
      - pool: {kernel_size: 2, padding: same}
layers: [normed]
"""
    report = shapecalc.loads(text).analyze()
    assert report.output == (1, 5, 5, 3)
    assert (report.params, report.trainable_params) == (12, 6)


# ---- Python


def model(**changes: Any) -> Model:
    layers = [
        Conv2d(out_channels=6, kernel_size=5, padding="same", stride=2),
        Step([BatchNorm2d(), ReLU()], repeat=2),
        KerasMaxPool2d(kernel_size=2, padding="same"),
        Concat(main=[Conv2d(out_channels=2, kernel_size=1)], skip=[]),
        Add([BatchNorm2d()], []),
        Flatten(),
        Linear(out_features=10),
    ]
    return Model(**{"framework": "keras", "input": [33, 35, 1], "layers": layers, **changes})


def test_layers_written_in_python_become_those_of_keras() -> None:
    found = model()
    assert isinstance(found.layers[0].body, KerasConv2d)
    report = found.analyze()
    assert [node.output[1:] for node in report][:1] == [(17, 18, 6)]
    assert report.output == (1, 10)
    assert shapecalc.loads(found.to_yaml()) == found
    assert shapecalc.load(found.to_data()).analyze().to_dict() == report.to_dict()
    assert report.params - report.trainable_params == 2 * (6 + 6 + 8)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            Conv2d(out_channels=4, kernel_size=3, padding=1),
            "conv2d in keras: padding: 1 is not one of valid, same",
        ),
        (
            Conv2d(out_channels=4, kernel_size=3, padding_mode="reflect"),
            "conv2d has no field 'padding_mode' in keras",
        ),
        (LocalResponseNorm(size=5), "local_response_norm follows the rules of torch"),
    ],
)
def test_layers_that_keras_does_not_have(wrong: Kind, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        model(layers=[Add([wrong], [])])


def test_a_layer_of_keras_in_a_spec_of_torch() -> None:
    with pytest.raises(
        ValidationError, match="KerasMaxPool2d follows the rules of keras: the model must say"
    ):
        model(framework="torch")


def test_a_kind_of_ones_own_stands_under_both() -> None:
    @register
    class Wobble(Pointwise):
        """A function of each element."""

        kind = "wobble"

    try:
        for framework, shape in (("torch", [3, 8, 8]), ("keras", [8, 8, 3])):
            text = f"framework: {framework}\ninput: {shape}\nlayers: [wobble]\n"
            assert shapecalc.loads(text).analyze().output == (1, *shape)
    finally:
        unregister("wobble")


# ---- counting


def test_a_frozen_layer_and_shared_statistics() -> None:
    text = """
framework: keras
input: [8, 8, 3]
layers:
  - batch_norm2d:
    name: first
    trainable: false
  - share: first
  - batch_norm2d
"""
    report = shapecalc.loads(text).analyze()
    assert (report.params, report.trainable_params, report.buffer_count) == (24, 6, 0)
    as_torch = shapecalc.loads(text).analyze(count="torch")
    assert (as_torch.params, as_torch.trainable_params, as_torch.buffer_count) == (12, 6, 12)
    assert prod((as_torch.params, 1)) == sum(node.params for node in as_torch)
    assert (report.to_dict()["counting"], as_torch.to_dict()["counting"]) == ("keras", "torch")


def test_a_count_that_nobody_knows() -> None:
    with pytest.raises(SpecError, match="parameters are counted as in torch or keras, not 'jax'"):
        shapecalc.load("lenet5").analyze(count="jax")
    with pytest.raises(ValidationError, match="'count' cannot name a parameter"):
        Model(parameters={"count": 3}, input=[1], layers=[ReLU()])


def test_the_command_line_counts_either_way() -> None:
    shown = CliRunner().invoke(main, ["show", "resnet50_keras", "--depth", "1"]).output
    assert "Parameters: 25,636,712 (25,583,592 trainable)" in shown
    assert "Parameters as Keras counts them" in shown
    shown = CliRunner().invoke(main, ["show", "resnet50_keras", "--depth", "1", "--count", "torch"]).output
    assert "Parameters: 25,583,592 + 53,120 in buffers" in shown
    assert "as Keras counts them" not in shown


def test_the_command_line_lists_the_kinds_of_keras() -> None:
    listed = CliRunner().invoke(main, ["kinds", "--framework", "keras"]).output
    assert "local_response_norm" not in listed
    assert "max_pool2d" in listed
    described = CliRunner().invoke(main, ["kinds", "max_pool2d", "--framework", "keras"]).output
    assert "padding: valid" in described
    assert "keras.layers.MaxPooling2D" in described
