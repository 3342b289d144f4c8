"""Networks of `keras.applications` and of a tutorial, built in Keras and imported: layer by layer, and their findings."""

from __future__ import annotations

from typing import Any

import pytest

import shapecalc
from shapecalc import Model, from_keras
from shapecalc.bridges.keras.keras_api import export_keras
from tests.support.keras_models import differences, macs, trained
from tests.support.keras_twin import keras


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", ["MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ConvNeXtTiny"])
def test_a_network_of_keras_applications(name: str) -> None:
    with keras.device("meta"):
        network = getattr(keras.applications, name)(weights=None)
    report = from_keras(network).analyze()
    assert differences(network, report) == []
    assert report.complete
    assert (report.params, report.trainable_params) == (network.count_params(), trained(network))
    assert report.macs == macs(network, report)


def found(model: Model) -> list[tuple[str, str, str]]:
    """Return the findings, each with its layer; a functional model does not say which outputs are auxiliary."""
    return sorted(
        (finding.code, finding.severity, path.replace(".", "_"))
        for finding in model.check()
        if finding.code != "heads-disagree"
        for path in finding.paths
    )


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", ["lenet5", "alexnet", "vgg16", "vgg19", "inception_v1", "xception"])
def test_a_tutorial_in_keras_has_the_findings_of_its_spec(name: str) -> None:
    model = shapecalc.load(f"tutorials/keras_{name}")
    names: dict[str, Any] = {}
    exec(compile(export_keras(model), name, "exec"), names)
    with keras.device("meta"):
        imported = from_keras(names["model"]())
    assert found(imported) == found(model)
    assert imported.analyze().macs == model.analyze().macs
