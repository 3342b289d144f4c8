"""Models in the rules of Keras written as Keras source: it builds, with the shapes and named weights of the model."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

import shapecalc
from shapecalc import Model, SpecError, from_keras
from shapecalc.bridges.keras.keras_api import export_keras
from shapecalc.cli import main
from tests.support.keras_models import MODELS, built
from tests.support.keras_twin import keras

UNWRITTEN = {"operations": "elementwise", "of_ones_own": "parameter"}
"""Models that hold a function of a number that is not known, and a weight that belongs to no layer."""
SPECS = [f"tutorials/keras_{name}" for name in ("lenet5", "vgg16", "inception_v1", "xception")]


def network_of(text: str) -> Any:
    """Run the source and build its network without numbers."""
    names: dict[str, Any] = {}
    exec(compile(text, "network", "exec"), names)
    with keras.device("meta"):
        return names["model"]()


def same(model: Model) -> None:
    """Assert that the source of a model builds it."""
    text, report = export_keras(model), model.analyze()
    network = network_of(text)
    assert network.count_params() == report.params
    named = [
        (node.path.replace(".", "_"), name.rpartition(".")[2], shape)
        for node in report
        if node.shares is None
        for name, shape in node.weights.items()
    ]
    theirs = [(weight.path.split("/")[0], weight.name, tuple(weight.shape)) for weight in network.weights]
    assert sorted(theirs) == sorted(named)
    again = from_keras(network).analyze()
    assert {tuple(shape) for shape in again.outputs.values()} == {*report.outputs.values()}
    assert (again.macs, again.trainable_params) == (report.macs, report.trainable_params)
    assert sorted((node.output, node.macs) for node in again) == sorted(
        (node.output, node.macs) for node in report
    )


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", [name for name in MODELS if name not in UNWRITTEN])
def test_an_imported_model_is_written(name: str) -> None:
    same(from_keras(built(name)))


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", [*SPECS, "resnet50_keras"])
def test_a_spec_is_written(name: str) -> None:
    same(shapecalc.load(name))


FUNCTIONS = """
framework: keras
parameters: {L: 12}
input: [L, 6]
layers:
  - linear: {out_features: 8}
    name: x
  - elementwise: {function: exp}
    name: exponential
  - combine: {function: sub}
    from: [exponential, x]
  - slice: {dim: 1, end: 4}
    name: part
  - mean: {dim: [1], keepdim: true}
  - select: {dim: 1, index: -1}
  - unsqueeze: {dim: 1}
    name: row
  - transpose: {dim0: 1, dim1: 2}
    name: column
  - matmul:
    from: [part, column]
  - einsum: {equation: "bij,bkl->bil"}
    from: [part, row]
  - concat:
    from: [einsum, matmul]
  - view: {shape: [-1, 36]}
  - reduce: {function: amax, dim: [1]}
"""


def test_functions_are_written() -> None:
    same(shapecalc.loads(FUNCTIONS))


@pytest.mark.parametrize(("name", "kind"), UNWRITTEN.items())
def test_what_keras_has_no_counterpart_of_is_refused(name: str, kind: str) -> None:
    with pytest.raises(SpecError, match=f"Keras has no counterpart of {kind}"):
        export_keras(from_keras(built(name)))


def test_a_spec_of_torch_is_refused() -> None:
    with pytest.raises(SpecError, match="written in the rules of torch"):
        export_keras(shapecalc.load("lenet5"))


def test_the_command_writes_keras() -> None:
    result = CliRunner().invoke(main, ["export", "tutorials/keras_lenet5", "--to", "keras"])
    assert result.exit_code == 0
    assert network_of(result.output).count_params() == 61_706
