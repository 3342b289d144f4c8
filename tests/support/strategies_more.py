"""Inputs and fields of kinds with several tensors, for the strategies of `tests.support.strategies`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from shapecalc.layers import (
    LSTM,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    LayerNorm,
    Linear,
    MultiheadAttention,
    ReLU,
)
from shapecalc.layers.base import Kind

if TYPE_CHECKING:
    from tests.support.strategies import Draft, Sizes

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


# ---- maxima and their places, windows as columns


def unpooled(draft: Draft) -> Shapes:
    """Return maxima and their places, and now and then the size that they came from."""
    rank = draft.rank or 1
    sizes = sized(draft, rank, {1: 9, 2: 6, 3: 4}[rank])
    front = sized(draft, 1 if draft.chance(4) else 2, 3)
    kernel, stride = draft.whole(1, 4), draft.whole(1, 3)
    padding = draft.whole(0, kernel // 2)
    draft.fields |= {"kernel_size": kernel, "padding": padding}
    if draft.chance(2):
        draft.fields["stride"] = stride
    else:
        stride = kernel
    if draft.chance(2):
        reach = stride + (draft.flaw == "bound")
        usual = [(n - 1) * stride - 2 * padding + kernel for n in sizes]
        draft.fields["output_size"] = tuple(n + draft.whole(1 - reach, reach - 1) for n in usual)
    else:
        draft.fields["output_size"] = None
    x = bent(draft, (*front, *sizes))
    return of_count(draft, (x, bent(draft, x) if draft.chance(2) else x))


def fractional(draft: Draft) -> Shapes:
    """Return an input with room for the windows, mostly, and a size or a ratio."""
    rank = draft.rank or 2
    kernel = draft.whole(1, 3)
    outs = sized(draft, rank, 4)
    sizes = tuple(out + kernel - 1 + draft.whole(-1 if draft.flaw == "bound" else 0, 6) for out in outs)
    draft.fields["kernel_size"] = kernel
    ratios = [Fraction(n, d) for n, d in [(1, 2), (1, 4), (3, 4), (7, 10), (1, 3), (3, 8)]]
    if draft.chance(2):
        draft.fields |= {"output_size": outs, "output_ratio": None}
    else:
        ratio = tuple(draft.draw(st.sampled_from(ratios)) for _ in range(rank))
        draft.fields |= {"output_ratio": ratio[0] if draft.chance(2) else ratio, "output_size": None}
    if draft.wild and draft.chance(3):
        draft.fields |= {"output_size": outs}
    return (bent(draft, (*sized(draft, 1 if draft.chance(4) else 2, 3), *map(abs, sizes))),)


def columns(draft: Draft) -> Shapes:
    """Return columns, and the image that they fold to."""
    pairs = {name: (draft.whole(low, 3), draft.whole(low, 3)) for name, low in _WINDOW.items()}
    draft.fields |= {name: pair[0] if pair[0] == pair[1] else pair for name, pair in pairs.items()}
    spans = [d * (k - 1) + 1 for k, d in zip(pairs["kernel_size"], pairs["dilation"], strict=True)]
    counts = (draft.whole(1, 4), draft.whole(1, 4))
    output = tuple(
        max((count - 1) * s + span - 2 * p + draft.whole(0, s - 1), 1)
        for count, s, span, p in zip(counts, pairs["stride"], spans, pairs["padding"], strict=True)
    )
    draft.fields["output_size"] = output[0] if output[0] == output[1] else output
    channels = draft.whole(1, 3) * pairs["kernel_size"][0] * pairs["kernel_size"][1]
    batch = () if draft.chance(4) else (draft.whole(1, 3),)
    return (bent(draft, (*batch, channels + (draft.flaw == "divisor"), counts[0] * counts[1])),)


_WINDOW = {"kernel_size": 1, "dilation": 1, "padding": 0, "stride": 1}


# ---- bags, and pairs of tensors


def bagged(draft: Draft) -> Shapes:
    """Return indices in bags, or in a row with where the bags begin; and weights or none."""
    x = sized(draft, 1 if draft.chance(2) else 2)
    begins = [sized(draft, 1)] if len(x) == 1 else []
    weights = []
    if draft.chance(3):
        weights = [x]
        draft.fields["mode"] = "mean" if draft.flaw == "bound" else "sum"
    draft.fields["num_embeddings"] = draft.whole(3, 7)
    x = bent(draft, x)
    return of_count(draft, (x, *(bent(draft, shape) for shape in (*begins, *weights))))


def paired(draft: Draft) -> Shapes:
    """Return two tensors that agree in all axes but the last."""
    front = sized(draft, draft.whole(0, 3), 3)
    return of_count(
        draft, (bent(draft, (*front, draft.whole(1, 5))), bent(draft, (*front, draft.whole(1, 5))))
    )


# ---- layers around a layer

HELD: list[tuple[Kind, Shapes, tuple[str, ...]]] = [
    (Linear(out_features=3), ((2, 4),), ("weight", "bias")),
    (Linear(out_features=1, bias=False), ((5,),), ("weight", "bias")),
    (Conv1d(out_channels=4, kernel_size=3, groups=2), ((2, 4, 7),), ("weight",)),
    (Conv2d(out_channels=4, kernel_size=[1, 2]), ((2, 3, 4, 5),), ("weight", "bias")),
    (ConvTranspose2d(out_channels=5, kernel_size=2), ((2, 3, 4, 5),), ("weight", "bias")),
    (LayerNorm(), ((2, 6),), ("weight",)),
    (LSTM(hidden_size=3), ((4, 2, 5),), ("weight_hh_l0", "weight_ih_l0", "bias_ih_l0")),
    (MultiheadAttention(num_heads=2), ((4, 2, 6),), ("in_proj_weight", "out_proj.weight")),
    (LSTM(hidden_size=3), ((4, 2, 5), (1, 2, 3), (1, 2, 3)), ("bias_hh_l0",)),
    (ReLU(), ((2, 3),), ("weight",)),
]


def wrapped(draft: Draft) -> Shapes:
    """Return what a layer takes, and the layer, with the name of a weight."""
    layer, shapes, names = draft.draw(st.sampled_from(HELD))
    draft.fields["layer"] = layer
    name = "nothing" if draft.flaw == "declared" else draft.draw(st.sampled_from(names))
    if name != "weight" or draft.chance(2):
        draft.fields["name"] = name
    return of_count(draft, tuple(bent(draft, x) if draft.flaw == "rank" else x for x in shapes))


def by_a_weight(draft: Draft) -> Shapes:
    """Return an input, a weight for its channels in groups, and now and then a bias."""
    rank = draft.rank or 2
    groups = draft.fields["groups"] = draft.draw(st.sampled_from([1, 1, 2, 3]))
    ends = [groups * draft.whole(1, 2), draft.whole(1, 2)]  # the channels of one side, and per group
    kernel = sized(draft, rank, 3)
    per_group = ends[1] + (draft.flaw == "divisor")
    weight = (ends[0] + (draft.flaw == "divisor" and groups > 1), per_group, *kernel)
    channels, made = ends[1] * groups, weight[0]
    if "transpose" in draft.cls.kind:
        channels, made = ends[0], per_group * groups
    front = () if draft.chance(4) else (draft.whole(1, 2),)
    x = (*front, channels, *sized(draft, rank, 3 if draft.flaw == "bound" else 7))
    bias = (bent(draft, (made,)),) if draft.chance(2) else ()
    return of_count(draft, (bent(draft, x), bent(draft, weight), *bias))


def by_a_table(draft: Draft) -> Shapes:
    """Return integers, and a table of vectors."""
    weight = sized(draft, 2, 9)
    rows = weight[0] + (draft.flaw == "bound")
    draft.fields["padding_idx"] = draft.whole(-rows, rows - 1) if draft.chance(2) else None
    return of_count(draft, (sized(draft, draft.whole(0, 3), 4), bent(draft, weight)))


# ---- losses and distances


def stretched(count: int, *ranks: int) -> Callable[[Draft], Shapes]:
    """Return so many tensors that are broadcast, mostly of one shape."""

    def inputs(draft: Draft) -> Shapes:
        shape = sized(draft, draft.draw(st.sampled_from(ranks or (0, 1, 2, 2, 3, 4))), 4)
        alike = draft.chance(2)
        found = []
        for _ in range(count):
            x = [1 if not alike and draft.chance(4) else size for size in shape]
            found.append(bent(draft, tuple(x if alike or ranks or not draft.chance(4) else x[1:])))
        return of_count(draft, tuple(found))

    return inputs


def gaussian(draft: Draft) -> Shapes:
    """Return an input, a target, and a variance of the input's shape, or one per row."""
    x, target = stretched(2, 1, 2, 3, 4)(draft)[:2] if not draft.wild else (sized(draft, 2), sized(draft, 2))
    variance = list(x)
    if variance and draft.chance(2):
        variance[draft.whole(0, len(x) - 1)] = 1
        if draft.chance(4):
            variance[draft.whole(0, len(x) - 1)] = 1
    elif draft.chance(2):
        variance = variance[:-1]
    return of_count(draft, (x, target, bent(draft, tuple(variance))))


def embedded(draft: Draft) -> Shapes:
    """Return two vectors, or rows of them, and whether they belong together."""
    first, second = (
        stretched(2, draft.draw(st.sampled_from((1, 2, 2))))(draft)[:2] if not draft.wild else [(2, 3)] * 2
    )
    return of_count(draft, (first, second, bent(draft, first[:-1])))


def judged(draft: Draft) -> Shapes:
    """Return scores for classes, and a class for each position, or probabilities."""
    few = draft.cls.kind == "multi_margin_loss"
    scores = sized(draft, draft.draw(st.sampled_from((1, 2, 2) if few else (1, 2, 3, 4, 5))), 4)
    target = (*scores[:1], *scores[2:]) if len(scores) > 1 else ((1,) if draft.chance(4) else ())
    if draft.cls.kind == "cross_entropy_loss" and draft.chance(3):
        target = scores
    return of_count(draft, (bent(draft, scores), bent(draft, target)))


def labelled(draft: Draft) -> Shapes:
    """Return scores for classes, and a list of the right ones for each row."""
    scores = sized(draft, draft.draw(st.sampled_from((0, 1, 2, 2))), 4)
    return of_count(draft, (bent(draft, scores), bent(draft, scores)))


def scored(draft: Draft) -> Shapes:
    """Return the features of rows, and the classes of what a layer makes of them."""
    x = sized(draft, 1 if draft.chance(3) else 2, 4)
    fields = draft.fields
    fields["num_classes"] = draft.whole(1, 4)
    fields["out_features"] = sized(draft, draft.whole(0, 2), 3) if len(x) == 2 or draft.chance(4) else ()
    target: Sizes = (*x[:-1], *fields["out_features"])
    if draft.chance(3):
        target = (*x[:-1], fields["num_classes"], *fields["out_features"])
    return of_count(draft, (bent(draft, x), bent(draft, target)))


def clustered(draft: Draft) -> Shapes:
    """Return the features of rows, and their classes, of which there are clusters."""
    x = (*sized(draft, 0 if draft.chance(3) else 1, 4), draft.whole(1, 40))
    cuts = sorted(draft.draw(st.sets(st.integers(1, 9), min_size=1, max_size=3)))
    if draft.wild and draft.chance(3):
        cuts = cuts[::-1]
    draft.fields |= {
        "cutoffs": tuple(cuts),
        "n_classes": max(cuts) + draft.whole(0 if draft.flaw == "bound" else 1, 3),
    }
    return of_count(draft, (bent(draft, x), bent(draft, x[:-1])))


def aligned(draft: Draft) -> Shapes:
    """Return logarithms, targets in one table or in a row, and the lengths of both."""
    steps, batch, symbols = draft.whole(1, 5), draft.whole(1, 3), draft.whole(1, 5)
    draft.fields["blank"] = draft.whole(0, symbols - (draft.flaw != "bound"))
    alone = draft.chance(3)
    x: Sizes = (steps, symbols) if alone else (steps, batch, symbols)
    target: Sizes = (draft.whole(1, 6),) if alone or draft.chance(2) else (batch, draft.whole(1, 4))
    length: Sizes = () if alone else (batch,)
    return of_count(draft, (bent(draft, x), bent(draft, target), bent(draft, length), bent(draft, length)))


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


PAIRS_OF_ELEMENTS = {
    "l1_loss",
    "mse_loss",
    "smooth_l1_loss",
    "huber_loss",
    "poisson_nll_loss",
    "kl_div_loss",
    "hinge_embedding_loss",
    "soft_margin_loss",
    "multi_label_soft_margin_loss",
}
"""Losses of two tensors that are broadcast."""

VECTORS = {"cosine_similarity": 2, "pairwise_distance": 2, "margin_ranking_loss": 3} | {
    "triplet_margin_loss": 3,
    "triplet_margin_with_distance_loss": 3,
}
"""Kinds of vectors that are broadcast, and of how many."""

BROADCAST = {*PAIRS_OF_ELEMENTS, *VECTORS, "gaussian_nll_loss", "cosine_embedding_loss"}
"""Kinds with several tensors that are stretched to one another."""

MORE_INPUTS: dict[str, Callable[[Draft], Shapes]] = {
    **dict.fromkeys(("rnn", "lstm", "gru"), sequences),
    **dict.fromkeys(("rnn_cell", "lstm_cell", "gru_cell"), steps),
    **{f"max_unpool{rank}d": unpooled for rank in (1, 2, 3)},
    **{f"fractional_max_pool{rank}d": fractional for rank in (2, 3)},
    "fold": columns,
    **dict.fromkeys(("weight_norm", "spectral_norm"), wrapped),
    **{f"functional_conv{way}{rank}d": by_a_weight for way in ("", "_transpose") for rank in (1, 2, 3)},
    "functional_embedding": by_a_table,
    "embedding_bag": bagged,
    **dict.fromkeys((*PAIRS_OF_ELEMENTS, "bce_loss", "bce_with_logits_loss"), stretched(2)),
    **{kind: stretched(count, 1, 2, 3, 4) for kind, count in VECTORS.items()},
    "gaussian_nll_loss": gaussian,
    "cosine_embedding_loss": embedded,
    **dict.fromkeys(("nll_loss", "cross_entropy_loss", "multi_margin_loss"), judged),
    "multi_label_margin_loss": labelled,
    "linear_cross_entropy_loss": scored,
    "adaptive_log_softmax_with_loss": clustered,
    "ctc_loss": aligned,
    "cross_map_lrn2d": lambda draft: (bent(draft, sized(draft, 4, 6)),),
    "bilinear": paired,
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


_NORMED = ("weight_norm", "spectral_norm")

MORE_HINTS: dict[str, Callable[[Draft], Any]] = {
    **{
        f"{kind}.dim": lambda draft: draft.draw(st.sampled_from([None, -3, -2, -1, 0, 1, 2]))
        for kind in _NORMED
    },
    "cosine_similarity.dim": lambda draft: draft.whole(
        -len(draft.x) - draft.chance(6), max(len(draft.x) - 1, 0)
    ),
    "dim_feedforward": lambda draft: draft.whole(1, 5),
}
"""Fields that depend on what arrives."""
