"""Every network of `keras.applications`, imported and compared with Keras layer by layer.

    KERAS_BACKEND=torch python benchmarks/keras_applications.py [NAME ...]

Prints for each network the layers whose shape or parameters differ, the counts of parameters, the MACs
against torch's FlopCounterMode over the same graph, and the seconds that the import takes. Nothing is
downloaded, and no weight has numbers.
"""

from __future__ import annotations

import os
import sys
import time
from math import prod
from typing import Any
from unittest import mock

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import torch
from keras.src.applications import nasnet
from torch.utils.flop_counter import FlopCounterMode

import shapecalc

FAMILIES = (
    "ConvNeXtTiny DenseNet121 EfficientNetB0 EfficientNetV2B0 EfficientNetV2S InceptionResNetV2 InceptionV3 "
    "MobileNet MobileNetV2 MobileNetV3Large MobileNetV3Small NASNetMobile NASNetLarge ResNet50 "
    "ResNet101 ResNet152 ResNet50V2 ResNet101V2 VGG16 VGG19 Xception ConvNeXtBase"
)


def built(name: str) -> Any:
    """Return a network without numbers; NASNet is refused on torch for a bug that is not in its graph."""
    other = mock.Mock(wraps=nasnet.backend, backend=lambda: "")
    with keras.device("meta"), mock.patch("keras.src.applications.nasnet.backend", other):
        return getattr(keras.applications, name)(weights=None)


def measured(name: str) -> dict[str, Any]:
    """Import a network and return what differs from Keras."""
    network = built(name)
    start = time.perf_counter()
    model = shapecalc.from_keras(network)
    seconds = time.perf_counter() - start
    report = model.analyze()
    with keras.device("meta"):
        inputs = torch.empty(next(iter(report.inputs.values())), device="meta")
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(inputs, training=False)
    trained = sum(prod(weight.shape) for weight in network.trainable_weights)
    return {
        "layers": differences(network, report),
        "parameters": (report.params, network.count_params()),
        "trained": (report.trainable_params, trained),
        "macs": (report.macs, counter.get_total_flops() // 2),
        "unknown": sorted({node.kind for node in report if node.macs is None}),
        "seconds": round(seconds, 2),
    }


def differences(network: Any, report: shapecalc.Report[int]) -> list[str]:
    """Return the layers whose result or parameters are not those of Keras; a layer may be several steps."""
    found: list[str] = []
    outputs: dict[str, Any] = {}
    params: dict[str, int] = {}
    for node in report:
        path = node.path.split(".")[0]
        layer = max((each.name for each in network.layers if _is_of(path, each.name)), key=len, default=path)
        outputs[layer] = node.output
        params[layer] = params.get(layer, 0) + node.params
    for layer in network.layers[1:]:
        sizes = tuple(layer.output.shape)[1:]
        ours = outputs.get(layer.name, ())[1:]
        if len(ours) != len(sizes) or any(size not in (None, n) for n, size in zip(ours, sizes, strict=True)):
            found.append(f"{layer.name}: {ours} is not {sizes}")
        elif params[layer.name] != layer.count_params():
            found.append(f"{layer.name}: {params[layer.name]} parameters, not {layer.count_params()}")
    return found


def _is_of(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}_")


if __name__ == "__main__":
    for title in sys.argv[1:] or FAMILIES.split():
        print(title, measured(title), flush=True)
