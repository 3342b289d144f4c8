"""Inputs and fields of the kinds that Keras alone has, or has with several tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from shapecalc.layers import (
    Flatten,
    KerasBatchNorm1d,
    KerasConv1d,
    KerasConv2d,
    KerasGRU,
    KerasLinear,
    KerasLSTM,
    KerasRNN,
    KerasRNNOfCells,
    ReLU,
    Tanh,
)
from shapecalc.layers.base import Kind
from shapecalc.layers.keras_conv import KerasConvolution
from shapecalc.layers.keras_recurrent import KerasGated
from shapecalc.layers.linear import Dense
from shapecalc.layers.registry import get
from tests.support.strategies_more import bent, of_count, sized

if TYPE_CHECKING:
    from tests.support.strategies import Draft

Sizes = tuple[int, ...]
Shapes = tuple[Sizes, ...]
Inputs = Callable[["Draft"], Shapes]


def of_sizes(*ranks: int, largest: int = 5) -> Inputs:
    """Return an input of one of these ranks, or, where the rank is to be wrong, of one more or fewer."""

    def inputs(draft: Draft) -> Shapes:
        rank = ranks[draft.whole(0, len(ranks) - 1)]
        if draft.flaw == "rank":
            rank = max(ranks) + 1 if draft.chance(2) else min(ranks) - 1
        return (sized(draft, rank, largest),)

    return inputs


# ---- recurrent layers


def _with_states(draft: Draft, x: Sizes, states: Any) -> Shapes:
    wanted = tuple(bent(draft, state) for state in states) if draft.chance(2) else ()
    return of_count(draft, (bent(draft, x), *wanted))


def sequences(draft: Draft) -> Shapes:
    """Return a sequence for a recurrent layer, and its initial states or none."""
    x, size = sized(draft, 3, 4), draft.whole(1, 4)
    draft.fields |= {"hidden_size": size, "bidirectional": draft.chance(3)}
    if draft.fields["bidirectional"] and not draft.wild:
        draft.fields["go_backwards"] = False
    return _with_states(draft, x, ((x[0], size),) * _states(draft) * (1 + draft.fields["bidirectional"]))


def steps(draft: Draft) -> Shapes:
    """Return one position for a recurrent cell, and its states."""
    n, features, size = sized(draft, 3, 4)
    draft.fields["hidden_size"] = size
    states = ((n, size),) * _states(draft)
    return of_count(draft, (bent(draft, (n, features)), *(bent(draft, state) for state in states)))


def _states(draft: Draft) -> int:
    assert issubclass(draft.cls, KerasGated)
    return len(draft.cls.states)


def stacked(draft: Draft) -> Shapes:
    """Return a sequence for a layer of cells, the cells, and their initial states or none."""
    x = sized(draft, 3, 4)
    kinds = [("rnn_cell", "lstm_cell", "gru_cell")[draft.whole(0, 2)] for _ in range(draft.whole(1, 3))]
    cells = [get(kind, "keras")(hidden_size=draft.whole(1, 4)) for kind in kinds]
    draft.fields["cells"] = tuple(cells)
    layer = KerasRNNOfCells(cells=cells)
    return _with_states(draft, x, layer.last_states((x,)))


def films(draft: Draft) -> Shapes:
    """Return a sequence of maps for a convolutional LSTM, large enough mostly."""
    rank = draft.rank or 1
    smallest = 1 if draft.flaw == "bound" else 3
    sizes = tuple(draft.whole(smallest, smallest + 2) for _ in range(rank))
    draft.fields["kernel_size"] = draft.whole(1, 3)
    draft.fields["dilation"] = draft.whole(1, 2) if draft.wild else 1
    return (bent(draft, (draft.whole(1, 2), draft.whole(1, 3), *sizes, draft.whole(1, 3))),)


HELD: list[tuple[Kind, Sizes]] = [
    (KerasLinear(out_features=3), (4,)),
    (KerasLinear(out_features=2, bias=False), (3, 5)),
    (KerasConv2d(out_channels=3, kernel_size=2, padding="same"), (4, 3, 2)),
    (KerasConv1d(out_channels=3, kernel_size=3), (4, 2)),
    (KerasBatchNorm1d(), (3,)),
    (KerasLSTM(hidden_size=3), (2, 4)),
    (ReLU(), (3,)),
    (Flatten(), (2, 3)),
]
"""Layers, and what they take without the batch."""


def distributed(draft: Draft) -> Shapes:
    """Return what a layer takes at every position, and the layer."""
    layer, shape = draft.draw(st.sampled_from(HELD))
    draft.fields |= {"layer": layer, "activation": None}
    if isinstance(layer, (Dense, KerasConvolution)) and draft.chance(2):
        draft.fields["activation"] = draft.draw(st.sampled_from([ReLU(), Tanh()]))
    x = (*sized(draft, 2, 3), *shape)
    return of_count(draft, (x[:2] if draft.flaw == "rank" else bent(draft, x),))


def both_ways(draft: Draft) -> Shapes:
    """Return a sequence, a layer, and now and then another that reads from the end."""
    same = {name: draft.chance(2) for name in ("return_sequences", "return_state")}
    x = sized(draft, 3, 3)
    size = draft.whole(1, 3)
    classes = st.sampled_from([KerasRNN, KerasLSTM, KerasGRU])
    forward = draft.draw(classes)(hidden_size=size, **same)
    draft.fields |= {"layer": forward, "backward_layer": None}
    if draft.chance(2):
        other = size + (draft.flaw == "declared" or draft.chance(3))
        ways = draft.chance(2) if draft.wild else True
        draft.fields["backward_layer"] = draft.draw(classes)(hidden_size=other, go_backwards=ways, **same)
    if draft.chance(2):
        backward = draft.fields["backward_layer"] or forward
        states = forward.last_states((x,)) + backward.last_states((x,))
        if len(forward.states) == len(backward.states):
            return of_count(draft, (x, *(bent(draft, state) for state in states)))
    return (bent(draft, x),)


KERAS_INPUTS: dict[str, Inputs] = {
    **dict.fromkeys(("rnn", "lstm", "gru"), sequences),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), steps),
    "rnn_of_cells": stacked,
    "time_distributed": distributed,
    "bidirectional": both_ways,
    **{f"conv_lstm{rank}d": films for rank in (1, 2, 3)},
}
"""Kinds whose inputs are not just any map."""

KERAS_HINTS: dict[str, Callable[[Draft], Any]] = {}
"""Fields that depend on what arrives, by `kind.name`."""
