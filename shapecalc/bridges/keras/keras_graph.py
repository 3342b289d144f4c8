"""A Keras model as the calls of its layers and operations, in the order in which they run."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from shapecalc.bridges.keras.keras_layer import KerasLayer, OpenShape, Operand, operands_in


@dataclass(frozen=True, slots=True)
class KerasWeight:
    """A weight by its name below its layer, `query.kernel`."""

    name: str
    shape: tuple[int, ...]
    trainable: bool


@dataclass(frozen=True)
class KerasCall:
    """One call of a layer or an operation."""

    name: str
    """The path of the layer, with a number behind it for a second call."""
    layer: KerasLayer
    owner: Hashable
    """What has the weights: calls of one owner share them."""
    results: tuple[OpenShape, ...] | None = None
    """The shapes that Keras computes; None where that is not known."""
    weights: tuple[KerasWeight, ...] | None = None
    """The weights of a live layer; None for a layer in a file."""
    trainable: bool = True


@dataclass(frozen=True)
class KerasGraph:
    """The calls of a model between its inputs and outputs."""

    name: str
    inputs: Mapping[str, Operand]
    outputs: Mapping[str, Operand]
    calls: Sequence[KerasCall]
    of_integers: frozenset[str] = frozenset()
    """The inputs that are integers."""
    channels_first: bool = False


def needed(calls: Sequence[KerasCall], outputs: Sequence[Operand]) -> list[KerasCall]:
    """Return the calls whose results are used, and those that hold weights."""
    used = {operand.source[0] for operand in outputs}
    kept: list[KerasCall] = []
    for call in reversed(calls):
        if call.name in used or call.weights:
            kept.append(call)
            used |= {operand.source[0] for operand in operands_in((call.layer.args, call.layer.kwargs))}
    return kept[::-1]
