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


def maps(draft: Draft) -> Shapes:
    """Return a map over as many axes as the kind has, its channels last."""
    return of_sizes((draft.rank or 1) + 2)(draft)


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


def around(draft: Draft) -> Shapes:
    """Return what a layer with a kernel takes, and the layer."""
    layer, shape = draft.draw(st.sampled_from(HELD))
    draft.fields |= {"layer": layer, "activation": None}
    x = (draft.whole(1, 3), *shape)
    return of_count(draft, (bent(draft, x),))


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


# ---- attention


def _spread(draft: Draft, *widths: int, rank: int = 3) -> Shapes:
    """Return sequences of these widths, in one batch; the second and the third are of one length."""
    n, front = draft.whole(1, 3), sized(draft, rank - 2, 3)
    behind = sized(draft, rank - 2, 3)
    shapes = [(n, *(behind if number else front), width) for number, width in enumerate(widths)]
    return of_count(draft, tuple(bent(draft, x) for x in shapes))


def attended(draft: Draft) -> Shapes:
    """Return one tensor, or queries with values, or keys too, for several heads."""
    count, e = draft.whole(1, 3), draft.whole(1, 5)
    rank = 3
    if draft.cls.kind == "multihead_attention":
        rank += draft.chance(4)
    else:
        groups = draft.whole(1, 2)
        draft.fields["num_query_heads"] = groups * draft.whole(1, 3) + (draft.flaw == "divisor")
        draft.fields["num_key_value_heads"] = groups
    widths = (e, e if draft.cls.kind != "multihead_attention" else draft.whole(1, 5), draft.whole(1, 5))
    return _spread(draft, *widths[:count], rank=rank)


def scored(draft: Draft) -> Shapes:
    """Return queries and values of one width, or keys of it and values of another."""
    d = draft.whole(1, 4)
    return _spread(draft, *((d, d) if draft.chance(2) else (d, draft.whole(1, 4), d)))


# ---- products by an equation, and merges

EQUATIONS: list[tuple[str, int, str | None]] = [
    ("ab,bc->ac", 0, "c"),
    ("abc,cd->abd", 0, "d"),
    ("abc,cde->abde", 0, "de"),
    ("abcd,cde->abe", 0, "e"),
    ("abc,ac->ab", 0, None),
    ("abc,bcd->abd", 0, "bd"),
    ("...x,xy->...y", 1, "y"),
    ("...xz,zy->...xy", 1, "x"),
    ("ab...,bc->ac...", 2, "c"),
    ("abc,bd->adc", 0, "c"),
]
"""Equations, where `...` holds axes (before, behind), and letters of the result for a bias."""


def by_equation(draft: Draft) -> Shapes:
    """Return what an equation takes, and the sizes of its result."""
    equation, held, bias = draft.draw(st.sampled_from(EQUATIONS))
    left, _, made = equation.replace(".", "").partition("->")
    taken, _, kernel = left.partition(",")
    sizes = {letter: draft.whole(1, 4) for letter in "abcdexyz"}
    elided = (draft.whole(1, 2),) if held == 1 else sized(draft, draft.whole(0, 2)) if held else ()
    own = tuple(sizes[letter] for letter in taken)
    x = (*elided, *own) if held == 1 else (*own, *elided)
    results = made if held == 1 else made[1:]
    bias = bias if draft.chance(2) else None
    weighed = {*kernel, *(bias or "")}
    wanted = [
        None if letter in taken and letter not in weighed and draft.chance(2) else sizes[letter]
        for letter in results
    ]
    if draft.flaw == "divisor":
        wanted[-1] = None if draft.chance(2) else sizes[results[-1]] + 1
    draft.fields |= {"equation": equation, "output_shape": tuple(wanted), "bias_axes": bias}
    return (bent(draft, x),)


def merged(draft: Draft) -> Shapes:
    """Return tensors of one batch that are stretched to one another, mostly."""
    shape = sized(draft, draft.whole(1, 4), 4)
    count = 2 if draft.cls.kind == "subtract" or draft.chance(2) else draft.whole(1, 3)
    found = []
    for _ in range(count):
        sizes = [1 if draft.chance(5) else size for size in shape[1:]]
        found.append(bent(draft, (shape[0], *(sizes[1:] if draft.chance(4) else sizes))))
    return of_count(draft, tuple(found))


def dotted(draft: Draft) -> Shapes:
    """Return two tensors with an axis of the same size, and that axis."""
    n, long = draft.whole(1, 3), draft.whole(1, 4)
    left, right = ([*sized(draft, draft.whole(0, 2), 3)] for _ in range(2))
    first, second = draft.whole(0, len(left)), draft.whole(0, len(right))
    left.insert(first, long)
    right.insert(second, long)
    axes = (first + 1, second + 1)
    if draft.flaw == "bound":
        axes = (0, second + 1) if draft.chance(2) else (len(left) + 1, second + 1)
    negative = draft.chance(3) and draft.flaw != "bound"
    axes = (axes[0] - len(left) - 1, axes[1] - len(right) - 1) if negative else axes
    draft.fields["dim"] = axes[0] if axes[0] == axes[1] and draft.chance(2) else axes
    return of_count(draft, (bent(draft, (n, *left)), bent(draft, (n, *right))))


def looked_up(draft: Draft) -> Shapes:
    """Return indices of a table, or vectors to multiply with it."""
    size = draft.fields["embedding_dim"] = draft.whole(1, 4)
    if not draft.chance(2):
        draft.fields["reverse"] = False
        return (sized(draft, draft.whole(1, 3)),)
    draft.fields["reverse"] = True
    return (bent(draft, (*sized(draft, draft.whole(1, 2)), size)),)


def an_axis(draft: Draft) -> int:
    """Return an axis of the input, counted from either end, or one just outside."""
    rank = len(draft.x)
    if draft.flaw == "bound":
        return rank if draft.chance(2) else -rank - 1
    return draft.whole(-rank, rank - 1)


def some_axes(draft: Draft) -> int | tuple[int, ...]:
    """Return one axis, or several that are named once."""
    if draft.chance(2):
        return an_axis(draft)
    rank = len(draft.x)
    return tuple(draft.draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True)))


KERAS_INPUTS: dict[str, Inputs] = {
    **dict.fromkeys(("rnn", "lstm", "gru"), sequences),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), steps),
    "rnn_of_cells": stacked,
    "time_distributed": distributed,
    **{f"adaptive_{way}_pool{rank}d": maps for way in ("avg", "max") for rank in (1, 2, 3)},
    "bidirectional": both_ways,
    "spectral_norm": around,
    **dict.fromkeys(("multihead_attention", "grouped_query_attention"), attended),
    **dict.fromkeys(("attention", "additive_attention"), scored),
    "einsum_dense": by_equation,
    **dict.fromkeys(("average", "maximum", "minimum", "subtract"), merged),
    "dot": dotted,
    "reversible_embedding": looked_up,
    "rms_norm": of_sizes(2, 3, 4),
    "repeat_vector": of_sizes(2),
    **dict.fromkeys(("prelu", "masking", "normalization", "unit_normalization"), of_sizes(2, 3, 4)),
    **dict.fromkeys(("gaussian_noise", "gaussian_dropout", "activity_regularization"), of_sizes(2, 3)),
    "rescaling": of_sizes(2, 3, 4),
    **dict.fromkeys(("resizing", "center_crop", "random_crop"), of_sizes(3, 4)),
    "augmentation": lambda draft: ((draft.whole(1, 2), *sized(draft, 2), 3),),
    **{f"conv_lstm{rank}d": films for rank in (1, 2, 3)},
}
"""Kinds whose inputs are not just any map."""

KERAS_HINTS: dict[str, Callable[[Draft], Any]] = {
    "prelu.shared_axes": lambda draft: (
        len(draft.x) if draft.flaw == "bound" else draft.whole(1, max(len(draft.x) - 1, 1))
    ),
    "normalization.dim": lambda draft: None if draft.chance(4) else some_axes(draft),
    "unit_normalization.dim": some_axes,
    "resizing.mode": lambda draft: draft.draw(st.sampled_from(["bilinear", "nearest", "bicubic"])),
}
"""Fields that depend on what arrives, by `kind.name`."""
