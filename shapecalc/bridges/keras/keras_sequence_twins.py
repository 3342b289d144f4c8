"""The Keras counterparts of attention, of products by an equation, and of layers of several tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.bridges.counterpart import K
from shapecalc.bridges.keras.keras_layer import KerasLayer, Operand, operands_in
from shapecalc.bridges.keras.keras_twins import NAMES, Fields, KerasTwin, Shapes
from shapecalc.layers.keras_attention import (
    KerasAttending,
    KerasGroupedQueryAttention,
    KerasMultiheadAttention,
)
from shapecalc.layers.keras_basic import KerasReversibleEmbedding
from shapecalc.layers.keras_einsum import KerasEinsumDense
from shapecalc.layers.keras_merge import KerasDot

MASKS = ("mask", "query_mask", "value_mask", "key_mask", "attention_mask", "training", "use_causal_mask")
"""What the call of attention takes besides, and what changes no shape."""


class AttendingTwin(KerasTwin[K]):
    """Attention, the second result of which is wanted where it is called."""

    activation: ClassVar[str] = ""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        del arguments["need_weights"]
        return arguments

    def call_settings(self, fields: Fields) -> Fields:
        return {"return_attention_scores": True} if fields.get("need_weights") else {}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields, wanted = super().read(layer), layer.kwargs.get("return_attention_scores", False)
        return None if fields is None else {**fields, "need_weights": bool(wanted)}

    def operands(self, layer: KerasLayer) -> tuple[Operand, ...] | None:
        named = {name: value for name, value in layer.kwargs.items() if name not in MASKS}
        value, key = named.pop("value", ()), named.pop("key", ())
        if any(operands_in(named)) or len([*operands_in(layer.args)]) > 3:
            return None
        return (*operands_in(layer.args), *operands_in(value), *operands_in(key))


class ScoringTwin(AttendingTwin[KerasAttending]):
    """Attention without projections, of a list of tensors."""


class HeadsTwin(AttendingTwin[KerasMultiheadAttention]):
    """Attention of several heads, over all axes of positions."""

    def read(self, layer: KerasLayer) -> Fields | None:
        axes, rank = layer.config.get("attention_axes"), layer.rank
        if axes is not None and [axis % rank for axis in axes] != [*range(1, rank - 1)]:
            return None
        fields = super().read(layer)
        if fields is not None and fields["value_dim"] == fields["key_dim"]:
            fields["value_dim"] = None
        return fields


class GroupedQueryTwin(AttendingTwin[KerasGroupedQueryAttention]):
    """Its class has another name where it is exported."""

    def class_names(self) -> tuple[str, ...]:
        return ("GroupQueryAttention", "GroupedQueryAttention")


class EinsumDenseTwin(KerasTwin[KerasEinsumDense]):
    """A product by an equation, which Keras writes as ours."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        return {"bias_axes": None, **super().arguments(fields, shapes)}

    def read(self, layer: KerasLayer) -> Fields | None:
        if layer.config.get("lora_rank") or layer.config.get("quantization_config"):
            return None
        return super().read(layer)


class DotTwin(KerasTwin[KerasDot]):
    """A dot product, whose axes Keras calls so."""

    names: ClassVar[Mapping[str, str]] = {**NAMES, "dim": "axes"}


class ReversibleTwin(KerasTwin[KerasReversibleEmbedding]):
    """A table, whose way round is said where it is called."""

    def arguments(self, fields: Fields, shapes: Shapes) -> Fields:
        arguments = super().arguments(fields, shapes)
        del arguments["reverse"]
        return arguments

    def call_settings(self, fields: Fields) -> Fields:
        return {"reverse": True} if fields.get("reverse") else {}

    def read(self, layer: KerasLayer) -> Fields | None:
        fields = super().read(layer)
        return None if fields is None else {**fields, "reverse": bool(layer.kwargs.get("reverse", False))}
