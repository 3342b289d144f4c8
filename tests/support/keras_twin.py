"""Random layers and inputs for Keras' kinds, and their counterparts on torch's meta device."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from typing import Any

import keras
from hypothesis import strategies as st

from shapecalc.bridges.keras.keras_layer import Operand
from shapecalc.bridges.keras.keras_twins import REJECTIONS, call, layer_of, twin_of
from shapecalc.bridges.keras.live_layer import described
from shapecalc.layers.base import Kind
from shapecalc.layers.registry import get
from tests.support.keras_strategies import KERAS_HINTS
from tests.support.keras_strategies import KERAS_INPUTS as MORE_KERAS_INPUTS
from tests.support.strategies import FIELD_HINTS, INPUTS, Case, Draft, Fields, Sizes, _generic, drawn

__all__ = ["REJECTIONS", "built", "keras", "keras_cases", "layer", "read", "shape_of"]


def layer(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Any:
    """Return the counterpart of a kind with these fields, not yet built; raise what Keras raises."""
    return twin_of(cls).layer(fields, shapes)


def built(cls: type[Kind], fields: Fields, shapes: tuple[Sizes, ...]) -> Any:
    """Return the counterpart, built for these shapes."""
    return twin_of(cls).build(fields, shapes)


def shape_of(real: Any, shapes: tuple[Sizes, ...]) -> Sizes:
    """Return the shape of a layer's result."""
    return call(real, shapes)[0]


def read(real: Any, shapes: tuple[Sizes, ...]) -> Kind | None:
    """Return the layer of ours that a live one is, called on these shapes."""
    return layer_of(described(real, [Operand(shape) for shape in shapes]))


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


KERAS_INPUTS = {**MORE_KERAS_INPUTS, "upsample": _map}
HINTED = {name: hint for name, hint in FIELD_HINTS.items() if "." not in name}
"""The hints that do not depend on torch's kinds."""


@st.composite
def keras_cases(draw: st.DrawFn, kind: str) -> Case:
    """Draw a case of one of Keras' kinds."""
    cls = get(kind, "keras")
    draft = KerasDraft(draw, cls)
    inputs = KERAS_INPUTS.get(kind) or (_map if draft.rank else INPUTS.get(kind, _generic))
    draft.inputs = inputs(draft)
    own = {name.partition(".")[2]: hint for name, hint in KERAS_HINTS.items() if name.startswith(f"{kind}.")}
    return drawn(draft, HINTED | own)
