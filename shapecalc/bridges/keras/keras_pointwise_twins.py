"""The Keras counterparts of layers that change no shape, and of those that make images of one size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapecalc.bridges.keras.keras_layer import KerasLayer
from shapecalc.bridges.keras.keras_twins import Fields, KerasTwin, Shapes
from shapecalc.layers.keras_norm import KerasRMSNorm
from shapecalc.layers.keras_pointwise import (
    AUGMENTATIONS,
    KerasAugmentation,
    KerasMasking,
    KerasNormalization,
    KerasRescaling,
)


class NumbersTwin(KerasTwin[KerasRescaling | KerasMasking]):
    """Settings that are numbers; Keras takes arrays as well, which no field holds."""

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        return (
            fields if fields and all(isinstance(value, (int, float)) for value in fields.values()) else None
        )


class NormalizationTwin(KerasTwin[KerasNormalization]):
    """Statistics that are found, or settings."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        known = {"mean": 0.5, "variance": 2.0} if arguments.pop("fixed") else {}
        return {"axis": None, **arguments, **known}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        return None if fields is None else {**fields, "fixed": layer.config.get("mean") is not None}


class RMSNormTwin(KerasTwin[KerasRMSNorm]):
    """Normalization over the last axes, which Keras counts and we measure."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        shape = fields.get("normalized_shape")
        sizes = shapes[0][-1:] if shape is None else shape if isinstance(shape, tuple) else (shape,)
        if not sizes or shapes[0][-len(sizes) :] != sizes:
            raise ValueError("not the end of the shape")
        return {**super().arguments(fields, shapes), "axis": [*range(-len(sizes), 0)]}

    def read(self, layer: KerasLayer) -> Fields | None:
        axis, shape = layer.config["axis"], layer.shapes[0]
        axes = sorted(each % len(shape) for each in ([axis] if isinstance(axis, int) else axis))
        if axes != [*range(len(shape) - len(axes), len(shape))]:
            return None
        sizes = None if len(axes) == 1 else tuple(shape[-len(axes) :])
        return {"normalized_shape": sizes, "eps": layer.config["epsilon"]}


REQUIRED: Mapping[str, Mapping[str, Any]] = {
    "RandomBrightness": {"factor": 0.1},
    "RandomColorDegeneration": {"factor": 0.1},
    "RandomContrast": {"factor": 0.1},
    "RandomHue": {"factor": 0.1},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomSaturation": {"factor": 0.1},
    "RandomSharpness": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
}
"""The settings that some classes cannot do without, which no field holds."""


class AugmentationTwin(KerasTwin[KerasAugmentation]):
    """Changes of images, a class each, whose settings change no shape."""

    def class_names(self) -> tuple[str, ...]:
        return tuple(AUGMENTATIONS.split())

    def layer(self, fields: Fields, shapes: Shapes) -> Any:
        import keras

        name = fields["function"]
        return getattr(keras.layers, name)(**REQUIRED.get(name, {}))

    def read(self, layer: KerasLayer) -> Fields | None:
        return {"function": layer.class_name}
