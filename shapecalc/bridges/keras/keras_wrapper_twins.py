"""The Keras counterparts of layers around a layer."""

from __future__ import annotations

from typing import Any, ClassVar

from shapecalc.bridges.counterpart import K
from shapecalc.bridges.keras.keras_layer import KerasLayer, function_name
from shapecalc.bridges.keras.keras_recurrent_twins import OverStepsTwin
from shapecalc.bridges.keras.keras_twins import (
    Fields,
    KerasTwin,
    Shapes,
    activation,
    kind_of,
    layer_of,
    twin_of,
)
from shapecalc.layers.base import Kind
from shapecalc.layers.keras_wrapper import KerasBidirectional, KerasSpectralNorm, KerasTimeDistributed


def built_inside(layer: Kind, shapes: Shapes) -> Any:
    """Return the counterpart of a layer that another holds, not yet built."""
    return twin_of(layer).layer(layer.fields_set(), shapes)


class AroundOneTwin(KerasTwin[K]):
    """A layer around one of one tensor, whose function is a field of ours."""

    activation: ClassVar[str] = ""

    def step(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what the layer inside takes."""
        return shape

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        import keras

        layer = built_inside(fields["layer"], (self.step(shapes[0]),))
        if (function := fields.get("activation")) is not None:
            layer.activation = keras.activations.get(function.kind)
        others = super().arguments({**fields, "activation": None}, shapes)
        return others | {"layer": layer}

    def read(self, layer: KerasLayer) -> Fields | None:
        inner = layer.inner("layer", *map(self.step, layer.shapes[:1]))
        kind, one = kind_of(inner), layer_of(inner)
        fields = super().read(layer)
        if fields is None or kind is None or one is None or twin_of(kind).channel_axis(inner) != -1:
            return None
        fields |= {"layer": one, "activation": None}
        key = twin_of(kind).activation
        name = function_name(inner.config.get(key)) if key else "linear"
        if name != "linear":
            fields["activation"] = activation(name) if name else None
            if fields["activation"] is None:
                return None
        return fields


class TimeDistributedTwin(AroundOneTwin[KerasTimeDistributed]):
    """The layer inside takes what is at one position."""

    def step(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        return (shape[0], *shape[2:])


class SpectralNormTwin(AroundOneTwin[KerasSpectralNorm]):
    """The layer inside takes what this one takes."""


class BidirectionalTwin(OverStepsTwin[KerasBidirectional]):
    """A recurrent layer, and the layer that reads from the end where that is another."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = {"merge_mode": fields.get("merge_mode", "concat")}
        for name in ("layer", "backward_layer"):
            if (layer := fields.get(name)) is not None:
                arguments[name] = built_inside(layer, shapes)
        return arguments

    def read(self, layer: KerasLayer) -> Fields | None:
        forward, backward = (layer_of(layer.inner(name, *layer.shapes)) for name in BOTH)
        if forward is None or backward is None or layer.config.get("stateful"):
            return None
        mirrored = type(forward).model_validate({**forward.fields_set(), "go_backwards": True})
        other = None if mirrored == backward else backward
        return {"merge_mode": layer.config["merge_mode"], "layer": forward, "backward_layer": other}


BOTH = ("layer", "backward_layer")
