"""What is peculiar about the Keras counterparts of convolutions, pooling, normalization and functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.keras.keras_layer import KerasLayer
from shapecalc.bridges.keras.keras_twins import NAMES, Fields, KerasTwin, Shapes
from shapecalc.layers.activation import Hardtanh
from shapecalc.layers.base import Kind, Pointwise
from shapecalc.layers.by_name import Elementwise
from shapecalc.layers.crop import Crop
from shapecalc.layers.flatten import Flatten
from shapecalc.layers.keras_norm import KerasLayerNorm, KerasScaled
from shapecalc.layers.keras_pad import KerasUpsample
from shapecalc.layers.keras_pool import KerasPool
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.rectifier import LeakyReLU
from shapecalc.layers.relu import ReLU, ReLU6
from shapecalc.layers.reshape import Permute


class KerasPoolTwin(KerasTwin[KerasPool]):
    """Pooling, whose window is a pool size, and whose stride is the window if it is left out."""

    names: ClassVar[Mapping[str, str]] = {**NAMES, "kernel_size": "pool_size"}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        if fields is None or fields["stride"] != fields["kernel_size"]:
            return fields
        return {**fields, "stride": None}


class SidesTwin(KerasTwin[SpatialPad | Crop]):
    """Padding or cropping side by side; over one axis Keras takes a pair, not a list of pairs."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        ((name, sides),) = super().arguments(fields, shapes).items()
        rank = self.kind.rank
        pairs = tuple(
            side if isinstance(side, tuple) else (side, side)
            for side in (sides if isinstance(sides, tuple) else (sides,) * rank)
        )
        if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
            raise ValueError("one entry per axis")
        return {name: pairs[0] if rank == 1 else pairs}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        if fields is None or self.kind.rank > 1:
            return fields
        return {name: (pair,) for name, pair in fields.items()}


class KerasScaledTwin(KerasTwin[KerasScaled]):
    """A normalization with a scale and a shift, which our `affine` turns off together."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        affine = arguments.pop("affine")
        return arguments | {name: affine and arguments[name] for name in ("scale", "center")}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        if fields is None or fields["scale"] or fields["center"]:
            return fields
        return {**fields, "affine": False, "scale": True, "center": True}

    def channel_axis(self, layer: KerasLayer) -> int:
        axis: int = layer.config["axis"]
        return axis


class KerasLayerNormTwin(KerasTwin[KerasLayerNorm]):
    """Normalization over the last axes, which Keras counts and we measure."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        shape = fields.get("normalized_shape")
        sizes = shapes[0][-1:] if shape is None else shape if isinstance(shape, tuple) else (shape,)
        if not sizes or shapes[0][-len(sizes) :] != sizes:
            raise ValueError("not the end of the shape")
        arguments = super().arguments(fields, shapes)
        affine, bias = arguments.pop("elementwise_affine"), arguments.pop("use_bias")
        return arguments | {"axis": [*range(-len(sizes), 0)], "scale": affine, "center": affine and bias}

    def read(self, layer: KerasLayer) -> Fields | None:
        config, shape = layer.config, layer.shapes[0]
        axis, rank, scale = config["axis"], len(shape), config["scale"]
        axes = [each % rank for each in ([axis] if isinstance(axis, int) else axis)]
        if axes != [*range(rank - len(axes), rank)] or config["center"] > scale:
            return None
        sizes = None if len(axes) == 1 else tuple(shape[-len(axes) :])
        fields = {"normalized_shape": sizes, "elementwise_affine": scale, "eps": config["epsilon"]}
        return fields | {"bias": config["center"] or not scale}


class KerasUpsampleTwin(KerasTwin[KerasUpsample]):
    """One class of Keras for every number of axes; only that of images interpolates."""

    def class_names(self) -> tuple[str, ...]:
        return ("UpSampling1D", "UpSampling2D", "UpSampling3D")

    def class_name(self, shapes: Shapes) -> str:
        return self.class_names()[len(shapes[0]) - 3]

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        rank, factor = len(shapes[0]) - 2, fields["scale_factor"]
        factors = factor if isinstance(factor, tuple) else (factor,) * rank
        if rank < 1 or len(factors) != rank or min(factors) < 1:
            raise ValueError("one factor of at least 1 per axis")
        arguments = super().arguments(fields, shapes)
        if rank != 2 and arguments.pop("interpolation") != "nearest":
            raise ValueError("interpolation is for images")
        return {**arguments, "size": factors[0] if rank == 1 else factors}


class PermuteTwin(KerasTwin[Permute]):
    """An order of the axes behind the batch."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        first, *others = fields["dims"]
        if first != 0:
            raise ValueError("the batch stays in front")
        return {"dims": tuple(axis % len(shapes[0]) for axis in others)}

    def read(self, layer: KerasLayer) -> Fields | None:
        return {"dims": (0, *layer.config["dims"])}


class FlattenTwin(KerasTwin[Flatten]):
    """All axes but the first are flattened, in every data format."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        start, end = fields.get("start_dim", 1), fields.get("end_dim", -1)
        if start != 1 or end not in (-1, len(shapes[0]) - 1):
            raise ValueError("Keras flattens all axes but the first")
        return {}


class ActivationTwin(KerasTwin[Pointwise]):
    """A function of each element: a layer with settings, or `Activation` of the function's name."""

    @property
    def function(self) -> str:
        """The function's name in `keras.activations`, where Keras has no layer for it."""
        home, _, name = str(self.kind.keras).rpartition(".")
        return name if home == "keras.activations" else ""

    def class_name(self, shapes: Shapes) -> str:
        return "Activation" if self.function else super().class_name(shapes)

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments, defaults = super().arguments(fields, shapes), super().arguments({}, shapes)
        if self.function and arguments != defaults:
            raise ValueError("an activation by its name takes no settings")
        return {"activation": self.function} if self.function else arguments


class ReluTwin(KerasTwin[ReLU]):
    """One class in Keras for rectifiers with a limit, with a slope, and with a threshold."""

    def from_layer(self, layer: KerasLayer) -> Kind | None:
        limit, slope, threshold = (
            layer.config.get(name) or 0 for name in ("max_value", "negative_slope", "threshold")
        )
        if threshold or (slope and limit):
            return Elementwise(function="threshold")
        if slope:
            return canonical(LeakyReLU, {"negative_slope": slope})
        if layer.config.get("max_value") is None:
            return ReLU()
        return ReLU6() if limit == 6 else canonical(Hardtanh, {"min_val": 0, "max_val": limit})
