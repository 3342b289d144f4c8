"""Inputs and fields of kinds with several tensors, for the strategies of `tests.strategies`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.strategies import Draft, Sizes

    Shapes = tuple[Sizes, ...]


def sized(draft: Draft, rank: int, largest: int = 5) -> Sizes:
    """Return a shape of small sizes."""
    return tuple(draft.whole(1, largest) for _ in range(rank))


def bent(draft: Draft, shape: Sizes) -> Sizes:
    """Return a shape that is wrong in one place, where the draft is to have such a flaw."""
    if draft.flaw == "rank" and draft.chance(2):
        return shape[1:] if draft.chance(2) else (1, *shape)
    if shape and (draft.flaw == "declared" or (draft.wild and draft.chance(2))) and draft.chance(2):
        axis = draft.whole(0, len(shape) - 1)
        return (*shape[:axis], shape[axis] + draft.whole(1, 2), *shape[axis + 1 :])
    return shape


def of_count(draft: Draft, shapes: Shapes) -> Shapes:
    """Return the shapes, or in a wild draft sometimes one more or fewer."""
    if draft.wild and draft.chance(6):
        return shapes[:-1] if draft.chance(2) else (*shapes, shapes[-1] if shapes else (2, 2))
    return shapes


# ---- recurrent layers


def sequences(draft: Draft) -> Shapes:
    """Return a sequence for a recurrent layer, and its initial states or none."""
    batched = not draft.chance(4)
    x = sized(draft, 3 if batched else 2, 4)
    fields = draft.fields
    fields["hidden_size"] = draft.whole(1, 4)
    fields["num_layers"] = draft.whole(1, 3)
    fields["bidirectional"], fields["batch_first"] = draft.chance(2), draft.chance(2)
    state = fields["hidden_size"]
    if draft.cls.kind == "lstm" and draft.chance(2):
        state = draft.whole(1, 5) if draft.flaw == "bound" else draft.whole(0, state - 1)
        fields["proj_size"] = state
    batch = (x[0] if fields["batch_first"] else x[1],) if batched else ()
    front = ((1 + fields["bidirectional"]) * fields["num_layers"], *batch)
    states = [(*front, state or fields["hidden_size"]), (*front, fields["hidden_size"])]
    return _with_states(draft, x, states)


def steps(draft: Draft) -> Shapes:
    """Return one position for a recurrent cell, and its states or none."""
    x = sized(draft, 1 if draft.chance(3) else 2, 4)
    draft.fields["hidden_size"] = draft.whole(1, 4)
    return _with_states(draft, x, [(*x[:-1], draft.fields["hidden_size"])] * 2)


def _with_states(draft: Draft, x: Sizes, states: list[Sizes]) -> Shapes:
    given = states[: 2 if draft.cls.kind.startswith("lstm") else 1] if draft.chance(2) else []
    return of_count(draft, (bent(draft, x), *(bent(draft, state) for state in given)))


# ---- attention and transformers


def attended(draft: Draft) -> Shapes:
    """Return a sequence alone, or with keys and values of other lengths and widths."""
    heads = draft.whole(1, 3)
    e = heads * draft.whole(1, 4) + (draft.flaw == "divisor")
    draft.fields["num_heads"] = heads
    if draft.chance(2):
        return of_count(draft, (bent(draft, _sequence(draft, e)[0]),))
    fields, sizes = draft.fields, [e, e]
    for number, name in enumerate(("kdim", "vdim")):
        if draft.chance(3):
            fields[name] = sizes[number] = draft.whole(1, 6)
    first, second = _sequence(draft, e, sizes[0])
    third = (*second[:-1], sizes[1])
    return of_count(draft, (bent(draft, first), bent(draft, second), bent(draft, third)))


def _sequence(draft: Draft, *widths: int) -> list[Sizes]:
    """Return sequences of these widths and any length, in one batch or in none."""
    first = draft.fields.setdefault("batch_first", draft.chance(2))
    batch = [] if draft.chance(4) else [draft.whole(1, 3)]
    found = []
    for width in widths:
        length = [draft.whole(1, 4)]
        found.append((*(batch + length if first else length + batch), width))
    return found


def transformed(draft: Draft) -> Shapes:
    """Return the sequences of a transformer, or of a part of one."""
    heads = draft.whole(1, 3)
    e = heads * draft.whole(1, 3) + (draft.flaw == "divisor")
    draft.fields["nhead"] = heads
    for name in ("num_layers", "num_encoder_layers", "num_decoder_layers"):
        if name in draft.cls.model_fields:
            draft.fields[name] = draft.whole(1, 2)
    count = 1 if "encoder" in draft.cls.kind else 2
    return of_count(draft, tuple(bent(draft, x) for x in _sequence(draft, *[e] * count)))


MORE_INPUTS: dict[str, Callable[[Draft], Shapes]] = {
    **dict.fromkeys(("rnn", "lstm", "gru"), sequences),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), steps),
    "multihead_attention": attended,
    **dict.fromkeys(
        (
            "transformer",
            "transformer_encoder",
            "transformer_decoder",
            "transformer_encoder_layer",
            "transformer_decoder_layer",
        ),
        transformed,
    ),
}
"""Kinds whose inputs are not just any shape."""


def _last(draft: Draft) -> int:
    """Return the size of the last axis, or another one where the draft is to have such a flaw."""
    return (draft.x[-1] if draft.x else 1) + draft.whole(1, 3) * (draft.flaw == "declared")


MORE_HINTS: dict[str, Callable[[Draft], Any]] = {
    "input_size": _last,
    "d_model": _last,
    "kdim": _last,
    "vdim": _last,
    "dim_feedforward": lambda draft: draft.whole(1, 5),
}
"""Fields that depend on what arrives."""
