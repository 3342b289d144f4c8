"""Every network of `keras.applications`, imported and compared with Keras layer by layer.

    PYTHONPATH=. python benchmarks/keras_applications.py [NAME ...]

Prints for each network the layers whose shape or parameters differ, the counts of parameters, the MACs
against torch's FlopCounterMode over the same graph, and the seconds that the import takes. Nothing is
downloaded, and no weight has numbers.
"""

from __future__ import annotations

import sys
import time
from typing import Any
from unittest import mock

import shapecalc
from tests.support.keras_models import differences, macs, trained
from tests.support.keras_twin import keras

FAMILIES = (
    "ConvNeXtTiny DenseNet121 EfficientNetB0 EfficientNetV2B0 EfficientNetV2S InceptionResNetV2 InceptionV3 "
    "MobileNet MobileNetV2 MobileNetV3Large MobileNetV3Small NASNetMobile NASNetLarge ResNet50 "
    "ResNet101 ResNet152 ResNet50V2 ResNet101V2 VGG16 VGG19 Xception ConvNeXtBase"
)


def built(name: str) -> Any:
    """Return a network without numbers; NASNet is refused on torch for a bug that is not in its graph."""
    nasnet = sys.modules["keras.src.applications.nasnet"]
    other = mock.Mock(wraps=nasnet.backend, backend=lambda: "")
    with keras.device("meta"), mock.patch.object(nasnet, "backend", other):
        return getattr(keras.applications, name)(weights=None)


def measured(name: str) -> dict[str, Any]:
    """Import a network and return what differs from Keras."""
    network = built(name)
    start = time.perf_counter()
    model = shapecalc.from_keras(network)
    seconds = time.perf_counter() - start
    report = model.analyze()
    return {
        "layers": differences(network, report),
        "parameters": (report.params, network.count_params()),
        "trained": (report.trainable_params, trained(network)),
        "macs": (report.macs, macs(network, report)),
        "unknown": sorted({node.kind for node in report if node.macs is None}),
        "seconds": round(seconds, 2),
    }


if __name__ == "__main__":
    for title in sys.argv[1:] or FAMILIES.split():
        print(title, measured(title), flush=True)
