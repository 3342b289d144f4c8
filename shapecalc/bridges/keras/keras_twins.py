"""The Keras counterpart of a kind: its class, what that calls our fields, and how it is read back.

By default it is the class in `Kind.keras`, its arguments called as in `NAMES`. Keras is imported here with
the backend that is set when this module is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import cache
from inspect import signature
from typing import Any, ClassVar, TypeAlias

import keras

from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.counterpart import Counterpart, K, plain
from shapecalc.layers.base import Elementwise, Kind
from shapecalc.layers.crop import Crop
from shapecalc.layers.flatten import Flatten
from shapecalc.layers.keras_norm import KerasLayerNorm, KerasScaled
from shapecalc.layers.keras_pad import KerasUpsample
from shapecalc.layers.keras_pool import KerasPool
from shapecalc.layers.pad import SpatialPad
from shapecalc.layers.registry import get, kinds
from shapecalc.layers.reshape import Permute
from shapecalc.layers.roles import Implementation, fields_with, sizes_inferred

Sizes: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = tuple[Sizes, ...]
Fields: TypeAlias = dict[str, Any]

REJECTIONS = (ValueError, TypeError, IndexError, ArithmeticError, NotImplementedError, KeyError)
"""What Keras raises, depending on where it notices, for a layer or an input that is not legal."""

NAMES: Mapping[str, str] = {
    "out_channels": "filters",
    "stride": "strides",
    "dilation": "dilation_rate",
    "bias": "use_bias",
    "keepdim": "keepdims",
    "eps": "epsilon",
    "out_features": "units",
    "num_embeddings": "input_dim",
    "embedding_dim": "output_dim",
    "dim": "axis",
    "p": "rate",
    "num_groups": "groups",
    "scale_factor": "size",
    "mode": "interpolation",
    "crop": "cropping",
    "shape": "target_shape",
}
"""Our fields that have another name in Keras."""


class KerasTwin(Counterpart[K]):
    """What Keras has for a kind."""

    framework = "keras"
    families: ClassVar[dict[str, tuple[str, ...]]] = {}
    names: ClassVar[Mapping[str, str]] = NAMES

    def class_names(self) -> tuple[str, ...]:
        """Return the classes in `keras.layers` that are this kind."""
        path = str(self.kind.keras)
        return (path.rpartition(".")[2],) if path.startswith("keras.layers.") else ()

    def class_name(self, shapes: Shapes) -> str:
        """Return the class for these input shapes."""
        if not self.class_names():
            raise LookupError(f"keras.layers has no class for {self.kind.kind}")
        return self.class_names()[0]

    def defaults(self) -> Fields:
        """Return the defaults of our fields, which are not always Keras'."""
        fields = self.kind.model_fields.items()
        return {name: plain(field.default) for name, field in fields if not field.is_required()}

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        """Return the arguments of the class, by Keras' names, for fields as Keras takes them."""
        left_out = {*sizes_inferred(self.kind), *fields_with(self.kind, Implementation), "branches"}
        written = {name: value for name, value in (self.defaults() | fields).items() if name not in left_out}
        return {self.names.get(name, name): value for name, value in written.items() if value is not None}

    def layer(self, fields: Fields, shapes: Shapes) -> Any:
        """Return the layer for fields as a kind has them, not yet built; raise what Keras raises."""
        fields = {name: plain(value) for name, value in fields.items()}
        for name, role in sizes_inferred(self.kind).items():
            declared, size = fields.get(name), role.size(self.kind, shapes)
            if isinstance(declared, int) and declared != size:
                raise ValueError(f"{name} is {declared}, and the input has {size}")
        return getattr(keras.layers, self.class_name(shapes))(**self.arguments(fields, shapes))

    def build(self, fields: Fields, shapes: Shapes) -> Any:
        """Return the layer, built for these input shapes."""
        layer = self.layer(fields, shapes)
        call(layer, shapes)
        return layer

    def from_layer(self, layer: Any) -> Fields | None:
        """Return the fields of a live layer, defaults among them; None where no fields describe it.

        An activation in a layer's settings is a step of its own, and not among the fields.
        """
        config = layer.get_config()
        if config.get("data_format") == "channels_first":
            return None
        named = {name: self.names.get(name, name) for name in self.kind.model_fields}
        return {name: _tuples(config[theirs]) for name, theirs in named.items() if theirs in config}


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


class KerasPoolTwin(KerasTwin[KerasPool]):
    """Pooling, whose window is a pool size, and whose stride is the window if it is left out."""

    names: ClassVar[Mapping[str, str]] = {**NAMES, "kernel_size": "pool_size"}

    def from_layer(self, layer: Any) -> Fields | None:
        fields = super().from_layer(layer)
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

    def from_layer(self, layer: Any) -> Fields | None:
        fields = super().from_layer(layer)
        if fields is None or self.kind.rank > 1:
            return fields
        return {name: (pair,) for name, pair in fields.items()}


class KerasScaledTwin(KerasTwin[KerasScaled]):
    """A normalization with a scale and a shift, which our `affine` turns off together."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        affine = arguments.pop("affine")
        return arguments | {name: affine and arguments[name] for name in ("scale", "center")}

    def from_layer(self, layer: Any) -> Fields | None:
        fields = super().from_layer(layer)
        if fields is None or layer.axis not in (-1, len(layer.get_build_config()["input_shape"]) - 1):
            return None
        if not fields["scale"] and not fields["center"]:
            return {**fields, "affine": False, "scale": True, "center": True}
        return fields


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

    def from_layer(self, layer: Any) -> Fields | None:
        config, shape = layer.get_config(), layer.get_build_config()["input_shape"]
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

    def from_layer(self, layer: Any) -> Fields | None:
        return {"dims": (0, *layer.dims)}


class FlattenTwin(KerasTwin[Flatten]):
    """All axes but the first are flattened, in every data format."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        start, end = fields.get("start_dim", 1), fields.get("end_dim", -1)
        if start != 1 or end not in (-1, len(shapes[0]) - 1):
            raise ValueError("Keras flattens all axes but the first")
        return {}


class ActivationTwin(KerasTwin[Elementwise]):
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

    def from_layer(self, layer: Any) -> Fields | None:
        config = layer.get_config()
        if config.get("max_value") is not None or config.get("threshold"):
            return None
        return super().from_layer(layer)


def call(layer: Any, shapes: Shapes) -> tuple[Sizes, ...]:
    """Return the shapes of a layer's results; a layer that is not built yet is built, without numbers."""
    dtype = "int32" if isinstance(layer, keras.layers.Embedding) else "float32"
    tensors = [keras.KerasTensor(shape, dtype=dtype) for shape in shapes]
    merges = (keras.layers.Add, keras.layers.Multiply, keras.layers.Concatenate)
    with keras.device("meta") if keras.backend.backend() == "torch" else nullcontext():
        result = layer(tensors if isinstance(layer, merges) else tensors[0])
    results = result if isinstance(result, (list, tuple)) else [result]
    return tuple(tuple(tensor.shape) for tensor in results)


# ---- looking up


def twin_of(kind: Kind | type[Kind]) -> KerasTwin[Kind]:
    """Return the Keras counterpart of a layer or a kind."""
    return KerasTwin.of(kind, lambda _kind: KerasTwin)


@cache
def _kinds_of_classes() -> dict[str, list[type[Kind]]]:
    """Return the kinds of each class in `keras.layers`, those over fewer axes first."""
    classes: dict[str, list[type[Kind]]] = {}
    for name in kinds("keras"):
        kind = get(name, "keras")
        for title in twin_of(kind).class_names() if kind.framework in (None, "keras") else ():
            classes.setdefault(title, []).append(kind)
    return classes


def activation(name: str) -> Kind | None:
    """Return the layer of ours for an activation by its name in Keras, with the settings that it has there.

    >>> activation("leaky_relu").fields_set()
    {'negative_slope': Fraction(1, 5)}
    """
    path = f"keras.activations.{name}"
    known = (get(kind, "keras") for kind in kinds("keras"))
    candidates = [kind for kind in known if kind.keras == path or (kind.kind == name and kind.keras)]
    if not candidates or not hasattr(keras.activations, name):
        return None
    parameters = signature(getattr(keras.activations, name)).parameters
    named = {field: NAMES.get(field, field) for field in candidates[0].model_fields}
    settings = {field: parameters[theirs].default for field, theirs in named.items() if theirs in parameters}
    settings.pop("approximate", None)  # a flag that is off, where we have a word
    return canonical(candidates[0], settings)


def layer_of(layer: Any) -> Kind | None:
    """Return the layer of ours that a live and built Keras layer is; None where we have none.

    >>> layer_of(keras.layers.Dense(10, use_bias=False)).fields_set()
    {'out_features': 10, 'bias': False}
    """
    title = type(layer).__name__
    if title == "Activation":
        return activation(layer.get_config()["activation"])
    candidates = _kinds_of_classes().get(title, [])
    if len(candidates) > 1:
        rank = len(layer.get_build_config()["input_shape"]) - 2
        candidates = [candidates[min(max(rank, 1), len(candidates)) - 1]]
    for kind in candidates:
        fields = twin_of(kind).from_layer(layer)
        return None if fields is None else canonical(kind, fields)
    return None
