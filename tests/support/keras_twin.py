"""The Keras counterpart of one of our layers, and random layers and inputs for Keras' kinds.

Keras' layers are built on torch's meta device, where nothing is computed and no memory is taken. They
are called on tensors that have a shape and no values, so that Keras itself checks ranks, builds the
weights and works out the result.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import keras
from hypothesis import strategies as st

from shapecalc.layers.base import Kind
from shapecalc.layers.registry import get
from shapecalc.layers.roles import Inferred, fields_with
from tests.support.strategies import FIELD_HINTS, INPUTS, Case, Draft, Fields, Sizes, _generic, drawn

__all__ = ["REJECTIONS", "built", "keras", "keras_cases", "layer", "shape_of"]

REJECTIONS = (ValueError, TypeError, IndexError, ArithmeticError, NotImplementedError, KeyError)
"""What Keras raises, depending on where it notices, for a layer or an input that is not legal."""

ARGUMENTS = {
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
}
"""Our fields that have another name in Keras."""


def plain(given: Any) -> Any:
    """Return a value as Keras takes it."""
    if isinstance(given, Fraction):
        return float(given)
    return tuple(map(plain, given)) if isinstance(given, tuple) else given


def layer(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Any:
    """Return the counterpart of a kind with these fields, not yet built; raise what Keras raises."""
    fields = {name: plain(given) for name, given in fields.items()}
    if cls.kind in ADAPTED:
        fields = ADAPTED[cls.kind](cls, fields, shapes)
    for name in fields_with(cls, Inferred):
        declared = fields.pop(name, None)
        if declared is not None and (declared < 1 or declared != shapes[0][-1]):
            raise ValueError(f"{name} is not the input's size, which Keras infers")
    assert cls.keras is not None
    name = fields.pop("class", cls.keras.rpartition(".")[2])
    target: Callable[..., Any] = getattr(keras.layers, name)
    return target(**{ARGUMENTS.get(key, key): found for key, found in fields.items()})


def built(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Any:
    """Return the counterpart, built for these shapes."""
    with keras.device("meta"):
        made = layer(cls, fields, shapes)
        called(made, shapes)
    return made


def called(real: Any, shapes: tuple[Sizes, ...]) -> Any:
    """Return what a layer makes of tensors that have only a shape."""
    whole = isinstance(real, keras.layers.Embedding)
    tensors = [keras.KerasTensor(shape, dtype="int32" if whole else "float32") for shape in shapes]
    several = isinstance(real, (keras.layers.Concatenate, keras.layers.Add, keras.layers.Multiply))
    return real(tensors if several else tensors[0])


def shape_of(real: Any, shapes: tuple[Sizes, ...]) -> Sizes:
    """Return the shape of a layer's result."""
    return tuple(called(real, shapes).shape)


# ---- what Keras spells in another way


def _pool(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Fields:
    return {"pool_size" if name == "kernel_size" else name: given for name, given in fields.items()}


def _sides(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Fields:
    """Write padding or cropping per side; over one axis Keras takes the one pair alone."""
    (name, given), rank = *fields.items(), cls.rank  # type: ignore[attr-defined]
    if isinstance(given, int):
        given = (given,) * rank
    pairs = tuple(one if isinstance(one, tuple) else (one, one) for one in given)
    if len(pairs) != rank or any(len(pair) != 2 for pair in pairs):
        raise ValueError("one entry per axis")
    return {name: pairs[0] if rank == 1 else pairs}


def _scaled(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Fields:
    affine = fields.pop("affine", True)
    asked = {name: affine and fields.pop(name, True) for name in ("scale", "center")}
    return {name: given for name, given in fields.items() if name not in asked} | asked


def _over_last_axes(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Fields:
    given = fields.pop("normalized_shape", None)
    sizes = shapes[0][-1:] if given is None else given if isinstance(given, tuple) else (given,)
    if not sizes or shapes[0][-len(sizes) :] != sizes:
        raise ValueError("not the end of the shape")
    affine, bias = fields.pop("elementwise_affine", True), fields.pop("bias", True)
    return {**fields, "axis": [*range(-len(sizes), 0)], "scale": affine, "center": affine and bias}


def _upsampled(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Fields:
    rank, factor = len(shapes[0]) - 2, fields["scale_factor"]
    if rank not in _RANKS or (isinstance(factor, tuple) and len(factor) != rank):
        raise ValueError("one factor per axis, of which there are 1 to 3")
    if rank == 1 and isinstance(factor, tuple):
        fields = {**fields, "scale_factor": factor[0]}
    if rank != 2 and fields.pop("mode", "nearest") != "nearest":
        raise ValueError("interpolation is for images")
    if min(factor if isinstance(factor, tuple) else (factor,)) < 1:
        raise ValueError("a factor of at least 1")
    return {**fields, "class": f"UpSampling{rank}D"}


def _dropping(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Fields:
    """Give the probability, which Keras requires; `inplace` means nothing to it."""
    return {"p": fields.get("p", 0.5)}


_RANKS = (1, 2, 3)
ADAPTED: dict[str, Callable[[type[Kind], Fields, tuple[Sizes, ...]], Fields]] = {
    **{f"{name}_pool{rank}d": _pool for name in ("max", "avg") for rank in _RANKS},
    **{f"{name}{rank}d": _sides for name in ("zero_pad", "crop") for rank in _RANKS},
    **{f"batch_norm{rank}d": _scaled for rank in _RANKS},
    **{f"dropout{rank}d": _dropping for rank in _RANKS},
    "dropout": _dropping,
    "alpha_dropout": _dropping,
    "group_norm": _scaled,
    "layer_norm": _over_last_axes,
    "upsample": _upsampled,
}
"""Kinds whose fields are not those of Keras under other names."""


# ---- random cases


class KerasDraft(Draft):
    """A case in the making whose channels are the last axis."""

    @property
    def channel_axis(self) -> int:
        return len(self.x) - 1


def _map(draft: Draft) -> tuple[Sizes, ...]:
    """Return a map with its batch in front and its channels last, or in a flawed draft another rank."""
    rank = draft.rank or draft.whole(1, 3)
    largest = 3 if draft.flaw == "bound" else {1: 14, 2: 11, 3: 7}[rank]
    sizes = tuple(draft.whole(1, largest) for _ in range(rank))
    channels = draft.draw(st.sampled_from([1, 2, 3, 4, 6, 8, 12]))
    if draft.flaw == "rank" or (draft.wild and draft.chance(3)):
        return ((*sizes, channels) if draft.chance(2) else (1, 2, *sizes, channels),)
    return ((draft.whole(1, 3), *sizes, channels),)


MAPS = {"upsample": _map}
HINTED = {name: hint for name, hint in FIELD_HINTS.items() if "." not in name}
"""The hints that do not depend on torch's kinds."""


@st.composite
def keras_cases(draw: st.DrawFn, kind: str) -> Case:
    """Draw a case of one of Keras' kinds."""
    cls = get(kind, "keras")
    draft = KerasDraft(draw, cls)
    inputs = MAPS.get(kind) or (_map if draft.rank else INPUTS.get(kind, _generic))
    draft.inputs = inputs(draft)
    return drawn(draft, HINTED)
