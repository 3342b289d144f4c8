"""Inputs and fields of the kinds with rules of ONNX, for the strategies of `tests.support.strategies`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from hypothesis import strategies as st

from shapecalc.layers.onnx_operator import OnnxOperator
from tests.support.strategies_more import bent, by_a_weight, of_count, sized

if TYPE_CHECKING:
    from tests.support.strategies import Draft, Sizes

    Shapes = tuple[Sizes, ...]
    Operands: TypeAlias = dict[str, Sizes]


def operands(build: Callable[[Draft], Operands]) -> Callable[[Draft], Shapes]:
    """Return what draws the operands of an operator: some that may be left out are, and some are held."""

    def inputs(draft: Draft) -> Shapes:
        cls = cast("type[OnnxOperator]", draft.cls)
        shapes = build(draft)
        names = [name for name in cls.operands.split() if name.rstrip("?") in shapes]
        present = [name.rstrip("?") for name in names if not (name.endswith("?") and draft.chance(3))]
        order = [name.rstrip("?") for name in cls.operands.split()]
        last = max(map(order.index, present))
        skipped = tuple(name for name in order[:last] if name not in present)
        held = {}
        if len(present) > 1 and draft.chance(3):
            held = {name: bent(draft, shapes[name]) for name in present[1:] if draft.chance(2)}
        draft.fields |= {"held": held, "skipped": skipped}
        return of_count(draft, tuple(bent(draft, shapes[name]) for name in present if name not in held))

    return inputs


def fields(draft: Draft, **values: Any) -> None:
    """Set fields, those with their neutral value None now and then left out."""
    draft.fields |= values


def axis_of(draft: Draft, rank: int) -> int:
    """Return an axis counted from either end, sometimes one that there is not."""
    axis = draft.whole(-rank, rank - 1)
    return axis + rank if draft.flaw == "bound" and draft.chance(2) else axis


def some(draft: Draft, rank: int) -> tuple[int, ...]:
    """Return different axes, in any order."""
    axes = draft.draw(st.lists(st.integers(0, rank - 1), min_size=1, max_size=rank, unique=True))
    return tuple(axis - rank if draft.chance(3) else axis for axis in axes)


# ---- one tensor


def reshaped(draft: Draft) -> Operands:
    x = sized(draft, 3, 4)
    a, b, c = x
    forms = [(0, -1), (0, 0, c), (a * b, c), (-1,), (a, 0, -1), (1, a, b * c), (0, 0, 0, -1), (b + 1, -1)]
    fields(draft, shape=draft.draw(st.sampled_from(forms)), allowzero=draft.wild)
    return {"data": x}


def flattened(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 4), 4)
    fields(draft, dim=draft.whole(-len(x), len(x) + (draft.flaw == "bound")))
    return {"data": x}


def squeezed(draft: Draft) -> Operands:
    x = [*sized(draft, 4, 3)]
    axes = some(draft, 4)
    for axis in axes:
        x[axis] = 2 if draft.flaw == "divisor" else 1
    fields(draft, dims=axes)
    return {"data": tuple(x)}


def expanded(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 4)
    shape = [draft.whole(2, 4) if n == 1 else draft.draw(st.sampled_from([1, n])) for n in x]
    shape = [draft.whole(1, 3)] * draft.whole(0, 1) + shape
    if draft.flaw == "divisor":
        shape[-1] = x[-1] + 1
    fields(draft, shape=tuple(shape))
    return {"data": x}


def tiled(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 4)
    fields(draft, repeats=sized(draft, len(x) + (draft.flaw == "divisor"), 3))
    return {"data": x}


def sliced(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 6)
    axes = some(draft, len(x))
    place = st.none() | st.integers(-7, 7)
    places = [tuple(draft.draw(place) for _ in axes) for _ in range(2)]
    steps = tuple(draft.draw(st.sampled_from([-2, -1, 1, 1, 2, 0 if draft.wild else 3])) for _ in axes)
    fields(draft, dims=axes, start=places[0], end=places[1], step=steps if draft.chance(2) else None)
    return {"data": x}


def split(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 6)
    axis = axis_of(draft, len(x))
    fields(draft, dim=axis, even=draft.chance(3), chunks=draft.whole(1, 3), sizes=None)
    if draft.chance(2) and -len(x) <= axis < len(x):
        first = draft.whole(0, x[axis])
        draft.fields["sizes"] = (first, x[axis] - first + (draft.flaw == "divisor"))
    return {"data": x}


def blocks(draft: Draft) -> Operands:
    b = draft.whole(1, 3)
    n, c, h, w = sized(draft, 4, 3)
    fields(draft, block_size=b)
    if draft.cls.kind == "onnx_depth_to_space":
        return {"data": (n, c * b * b + (draft.flaw == "divisor"), h, w)}
    return {"data": (n, c, h * b + (draft.flaw == "divisor"), w * b)}


def padded(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 5)
    axes = some(draft, len(x))
    low = -6 if draft.flaw == "bound" else -1
    amounts = tuple(draft.whole(low, 3) for _ in range(2 * len(axes) + (draft.flaw == "divisor")))
    fields(draft, pads=amounts, dims=axes)
    return {"data": x}


def centred(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 5)
    axes = some(draft, len(x))
    fields(draft, shape=sized(draft, len(axes) + (draft.flaw == "divisor"), 6), dims=axes)
    return {"data": x}


def columns(draft: Draft) -> Operands:
    image, block, strides = sized(draft, 2, 6), sized(draft, 2, 2), sized(draft, 2, 2)
    pads = tuple(draft.whole(0, 1) for _ in range(4))
    counts = [
        (n + p + q - k) // s + 1 for n, k, s, p, q in zip(image, block, strides, pads, pads[2:], strict=False)
    ]
    length = counts[0] * counts[1] + (draft.flaw == "bound")
    fields(draft, output_size=image, block=block, strides=strides, pads=pads, dilations=None)
    return {"data": (draft.whole(1, 2), 2 * block[0] * block[1] + (draft.flaw == "divisor"), max(length, 1))}


def resized(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 6)
    axes = some(draft, len(x))
    fields(draft, dims=axes, sizes=None, scales=None, policy="stretch")
    if draft.chance(2):
        draft.fields["sizes"] = sized(draft, len(axes) + (draft.flaw == "divisor"), 8)
        if draft.chance(3):
            draft.fields["policy"] = draft.draw(st.sampled_from(["not_larger", "not_smaller"]))
    else:
        scales = [Fraction(n, d) for n, d in [(2, 1), (1, 1), (3, 2), (1, 2), (7, 4), (3, 5), (1, 5)]]
        draft.fields["scales"] = tuple(draft.draw(st.sampled_from(scales)) for _ in axes)
    return {"X": x}


def top(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 6)
    axis = axis_of(draft, len(x))
    most = x[axis] if -len(x) <= axis < len(x) else 3
    fields(draft, dim=axis, k=most + 1 if draft.flaw == "divisor" else draft.whole(1, most))
    return {"data": x}


def one_hot(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(0, 3), 4)
    fields(draft, dim=axis_of(draft, len(x) + 1), depth=draft.whole(1, 5))
    return {"indices": x, "values": (2,)}


def transformed(draft: Draft) -> Operands:
    x = (*sized(draft, draft.whole(1, 3), 6), draft.whole(1, 3 if draft.wild else 2))
    fields(draft, dim=axis_of(draft, len(x) - (0 if draft.wild else 1)) if draft.chance(2) else 0)
    fields(draft, length=draft.whole(1, 7) if draft.chance(2) else None)
    return {"input": x}


def frames(draft: Draft) -> Operands:
    length = draft.whole(1, 5)
    fields(draft, step=draft.whole(1, 3), length=length)
    return {
        "signal": (draft.whole(1, 2), length + draft.whole(-1 if draft.flaw == "bound" else 0, 9), 1),
        "window": (length,),
    }


def unpooled(draft: Draft) -> Operands:
    x = sized(draft, 4, 4)
    fields(draft, kernel=sized(draft, 2, 3), strides=sized(draft, 2, 3) if draft.chance(2) else None)
    fields(draft, pads=(0, 0, 0, draft.whole(0, 1)) if draft.chance(2) else None, output_size=None)
    return {"X": x, "I": x}


# ---- several tensors


def gathered(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 3), 4)
    fields(draft, dim=axis_of(draft, len(x)))
    same = draft.cls.kind != "onnx_gather"
    index = sized(draft, len(x) if same else draft.whole(0, 2), 3)
    return {"data": x, "indices": index, "updates": index}


def gathered_nd(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(2, 4), 3)
    shared = draft.whole(0, 1) if draft.cls.kind == "onnx_gather_nd" else 0
    count = draft.whole(1, len(x) - shared + (draft.flaw == "bound"))
    index = (*x[:shared], *sized(draft, draft.whole(0, 2), 3), count)
    if draft.cls.kind == "onnx_gather_nd":
        fields(draft, batch_dims=shared)
    return {"data": x, "indices": index, "updates": (*index[:-1], *x[count:])}


def cached(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(2, 4), 4)
    axis = draft.whole(0, len(x) - 1)
    fields(draft, dim=axis)
    update = (*x[:axis], draft.whole(1, x[axis] + (draft.flaw == "bound")), *x[axis + 1 :])
    return {"past_cache": x, "update": update, "write_indices": x[:1]}


def like(draft: Draft) -> Operands:
    fields(draft, function="CumSum", of=draft.whole(0, 1), results=draft.whole(1, 2))
    return {"x": sized(draft, 3), "y": sized(draft, 2)}


def matrices(draft: Draft) -> Operands:
    m, k, n = sized(draft, 3, 4)
    if draft.cls.kind == "onnx_gemm":
        turned = draft.chance(2), draft.chance(2)
        fields(draft, trans_a=turned[0], trans_b=turned[1])
        pair = (m, k)[:: -1 if turned[0] else 1], (k, n)[:: -1 if turned[1] else 1]
        return {
            "A": pair[0],
            "B": pair[1],
            "C": draft.draw(st.sampled_from([(), (n,), (m, n), (1, n), (m, 1)])),
        }
    batch = sized(draft, draft.whole(0, 2), 3)
    left, right = (*batch, m, k), ((*batch, k, n) if draft.chance(2) else (k, n))
    scalars = dict.fromkeys(
        ("a_zero_point", "b_zero_point", "a_scale", "b_scale", "y_scale", "y_zero_point"), ()
    )
    return {"A": left, "B": right, "a": left, "b": right, **scalars}


def packed(draft: Draft) -> Operands:
    k, n = draft.whole(1, 40), draft.whole(1, 5)
    fields(draft, in_features=k, out_features=n)
    return {"A": (*sized(draft, draft.whole(0, 2), 3), k), "B": (n, 2, 16), "scales": (n * 2,), "bias": (n,)}


def integer_convolution(draft: Draft) -> Operands:
    rank = draft.whole(1, 2)
    groups, each, out = draft.whole(1, 2), draft.whole(1, 2), draft.whole(1, 2)
    fields(draft, groups=groups, stride=draft.whole(1, 2), dilation=draft.whole(1, 2))
    fields(draft, padding=draft.draw(st.sampled_from(["same_upper", "same_lower", "valid", 1])))
    x = (draft.whole(1, 2), groups * each, *sized(draft, rank, 7))
    weight = (groups * out + (draft.flaw == "divisor"), each, *sized(draft, rank, 3))
    names = ("x_scale", "x_zero_point", "w_scale", "w_zero_point", "y_scale", "y_zero_point")
    return {"x": x, "w": weight, **dict.fromkeys(names, ()), "B": weight[:1]}


def deformed(draft: Draft) -> Operands:
    groups, each, out, moved = draft.whole(1, 2), draft.whole(1, 2), draft.whole(1, 2), draft.whole(1, 2)
    kernel = sized(draft, 2, 2)
    strides, dilations = sized(draft, 2, 2), sized(draft, 2, 2)
    pads = tuple(draft.whole(0, 1) for _ in range(4))
    fields(draft, groups=groups, offset_group=moved, strides=strides, dilations=dilations, pads=pads)
    sizes = tuple(draft.whole(1 if draft.flaw == "bound" else 3, 6) for _ in range(2))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    result = [
        max((n + p + q - e) // s + 1, 1)
        for n, e, s, p, q in zip(sizes, spans, strides, pads, pads[2:], strict=False)
    ]
    taps = moved * kernel[0] * kernel[1]
    n = draft.whole(1, 2)
    weight = (groups * out + (draft.flaw == "divisor"), each, *kernel)
    offsets = {"offset": (n, 2 * taps, *result), "mask": (n, taps, *result)}
    return {"X": (n, groups * each, *sizes), "W": weight, "B": weight[:1], **offsets}


def normalized(draft: Draft) -> Operands:
    x = sized(draft, draft.whole(1, 4), 4)
    axis = axis_of(draft, len(x))
    fields(draft, dim=axis, results=draft.whole(1, 3))
    scale = x[axis % len(x) :]
    return {"X": x, "scale": scale, "bias": scale[-1:] if draft.chance(3) else scale}


def skipped(draft: Draft) -> Operands:
    x = sized(draft, 3, 4)
    fields(draft, results=draft.whole(1, 4))
    return {
        "input": x,
        "skip": x[1:] if draft.chance(3) else x,
        **dict.fromkeys(("gamma", "beta", "bias"), x[-1:]),
    }


def channels(draft: Draft) -> Operands:
    groups = draft.whole(1, 3)
    x = (
        draft.whole(1, 3),
        groups * draft.whole(1, 3) + (draft.flaw == "divisor"),
        *sized(draft, draft.whole(0, 2), 4),
    )
    apart = draft.chance(3)
    fields(draft, groups=groups, per_group=apart, results=draft.whole(1, 3))
    return {"X": x, **dict.fromkeys(("scale", "bias", "mean", "var"), (groups if apart else x[1],))}


def recurrent(draft: Draft) -> Operands:
    length, batch, inward, hidden = sized(draft, 4, 4)
    directions = draft.whole(1, 2) + 2 * (draft.flaw == "bound")
    first = draft.chance(2)
    fields(draft, batch_first=first)
    gates = {"onnx_rnn": 1, "onnx_gru": 3, "onnx_lstm": 4}[draft.cls.kind]
    state = (batch, directions, hidden) if first else (directions, batch, hidden)
    return {
        "X": (batch, length, inward) if first else (length, batch, inward),
        "W": (directions, gates * hidden, inward),
        "R": (directions, gates * hidden, hidden),
        "B": (directions, 2 * gates * hidden),
        "sequence_lens": (batch,),
        "initial_h": state,
        "initial_c": state,
        "P": (directions, 3 * hidden),
    }


def attended(draft: Draft) -> Operands:
    n, length, keys, size, wide = sized(draft, 5, 4)
    kv = draft.whole(1, 2)
    heads = kv * draft.whole(1, 2) + (draft.flaw == "divisor" and kv > 1)
    fields(draft, results=draft.whole(1, 4))
    past = draft.whole(1, 3)
    caches = {"past_key": (n, kv, past, size), "past_value": (n, kv, past, wide)}
    if draft.chance(2):
        fields(draft, q_num_heads=None, kv_num_heads=None)
        apart = {"Q": (n, heads, length, size), "K": (n, kv, keys, size), "V": (n, kv, keys, wide)}
        return apart | caches | {"attn_mask": (length, keys)}
    fields(draft, q_num_heads=heads, kv_num_heads=kv)
    return {"Q": (n, length, heads * size), "K": (n, keys, kv * size), "V": (n, keys, kv * wide), **caches}


def grouped(draft: Draft) -> Operands:
    n, length, size, past = sized(draft, 4, 4)
    kv = draft.whole(1, 2)
    heads = kv * draft.whole(1, 2)
    fields(draft, num_heads=heads + (draft.flaw == "divisor"), kv_num_heads=kv, results=draft.whole(1, 3))
    cache = (n, kv, past, size)
    caches = {"past_key": cache, "past_value": cache, "seqlens_k": (n,), "total_sequence_length": ()}
    if draft.chance(2):
        return {"query": (n, length, (heads + 2 * kv) * size), **caches}
    return {
        "query": (n, length, heads * size),
        **dict.fromkeys(("key", "value"), (n, length, kv * size)),
        **caches,
    }


def several_heads(draft: Draft) -> Operands:
    n, length, keys, size, wide = sized(draft, 5, 4)
    heads = draft.whole(1, 3)
    fields(draft, num_heads=heads + (draft.flaw == "divisor"), results=draft.whole(1, 3))
    past = draft.whole(1, 3)
    found = {
        "query": (n, length, heads * size),
        "past_key": (n, heads, past, size),
        "past_value": (n, heads, past, wide),
    }
    if draft.chance(3):
        return found | {"key": (n, heads, keys, size), "value": (n, heads, keys, wide)}
    return found | {"key": (n, keys, heads * size), "value": (n, keys, heads * wide)}


def fused(draft: Draft) -> Operands:
    n, length, inward, size, past = sized(draft, 5, 4)
    heads = draft.whole(1, 3)
    width = heads * size
    fields(draft, num_heads=heads + (draft.flaw == "divisor"), results=draft.whole(1, 2))
    wide = draft.chance(3)
    total = 2 * width + heads if wide else 3 * width
    fields(draft, qkv_hidden_sizes=(width, width, heads) if wide else None)
    cache = (2, n, heads, past, size)
    return {"input": (n, length, inward), "weights": (inward, total), "bias": (total,), "past": cache}


def embedded(draft: Draft) -> Operands:
    n, length, width, rows = sized(draft, 4, 4)
    fields(draft, results=draft.whole(1, 3))
    tables = dict.fromkeys(("word_embedding", "position_embedding", "segment_embedding"), (rows, width))
    ids = dict.fromkeys(("input_ids", "segment_ids", "mask", "position_ids"), (n, length))
    return ids | tables | {"gamma": (width,), "beta": (width,)}


def linear(draft: Draft) -> Operands:
    n, length, size, wide = sized(draft, 4, 4)
    kv = draft.whole(1, 2)
    heads = kv * draft.whole(1, 2)
    fields(draft, q_num_heads=heads + (draft.flaw == "divisor"), kv_num_heads=kv)
    return {
        "query": (n, length, heads * size),
        "key": (n, length, kv * size),
        "value": (n, length, kv * wide),
        "past_state": (n, kv, size, wide),
    }


def causal(draft: Draft) -> Operands:
    n, c, length, k = sized(draft, 4, 4)
    return {"input": (n, c, length), "weight": (c, 1, k + 1), "bias": (c,), "past_state": (n, c, k)}


def sampled(draft: Draft) -> Operands:
    rank = draft.whole(1, 3)
    n, c, *sizes = sized(draft, rank + 2, 4)
    return {"X": (n, c, *sizes), "grid": (n, *sized(draft, rank, 4), rank)}


def affine(draft: Draft) -> Operands:
    rank = draft.whole(2, 3)
    size = sized(draft, rank + 2, 4)
    fields(draft, size=size)
    return {"theta": (size[0], rank, rank + 1)}


def regions(draft: Draft) -> Operands:
    fields(draft, output_size=sized(draft, 2 + (draft.flaw == "divisor"), 4))
    count = draft.whole(1, 4)
    if draft.chance(3):
        return {"X": sized(draft, 4, 4), "rois": (count, 5)}
    return {"X": sized(draft, 4, 4), "rois": (count, 4), "batch_indices": (count,)}


def scored(draft: Draft) -> Operands:
    scores = sized(draft, draft.whole(2, 4), 4)
    fields(draft, results=draft.whole(1, 2))
    return {"scores": scores, "labels": (scores[0], *scores[2:]), "weights": (scores[1],)}


def reduced(draft: Draft) -> Shapes:
    x = sized(draft, draft.whole(1, 4), 4)
    axes = some(draft, len(x))
    fields(draft, dim=(*axes, axes[0]) if draft.flaw == "bound" else axes)
    return (x,)


def transposed(draft: Draft) -> Shapes:
    """Return an input of a transposed convolution, whose size may be given instead of its padding."""
    rank = draft.rank or 2
    fields(
        draft,
        output_size=sized(draft, rank, 4) if draft.chance(4) else None,
        output_padding=int(draft.chance(5)),
    )
    functional = by_a_weight(draft)
    if "functional" in draft.cls.kind:
        return functional
    return (bent(draft, (draft.whole(1, 2), draft.whole(1, 4), *sized(draft, rank, 6))),)


def by_letters(draft: Draft) -> Shapes:
    """Return tensors for an equation in which one names a letter twice."""
    equation = draft.draw(st.sampled_from(["bii->bi", "ii->", "iji,jk->ik", "bij,jj->b", "ij,ij->ij"]))
    fields(draft, equation=equation)
    sizes = dict(zip("bijk", sized(draft, 4, 4), strict=True))
    terms = equation.partition("->")[0].split(",")
    return of_count(draft, tuple(bent(draft, tuple(sizes[letter] for letter in term)) for term in terms))


_OPERATORS: dict[str, Callable[[Draft], Operands]] = {
    "reshape": reshaped,
    "flatten": flattened,
    "squeeze": squeezed,
    "expand": expanded,
    "tile": tiled,
    "slice": sliced,
    "split": split,
    **dict.fromkeys(("depth_to_space", "space_to_depth"), blocks),
    "pad": padded,
    "center_crop_pad": centred,
    "col2im": columns,
    "resize": resized,
    "top_k": top,
    "one_hot": one_hot,
    "dft": transformed,
    "stft": frames,
    "max_unpool": unpooled,
    **dict.fromkeys(("gather", "gather_elements", "scatter_elements"), gathered),
    **dict.fromkeys(("gather_nd", "scatter_nd"), gathered_nd),
    "tensor_scatter": cached,
    "like": like,
    **dict.fromkeys(("gemm", "mat_mul_integer", "q_linear_mat_mul"), matrices),
    "mat_mul_n_bits": packed,
    **dict.fromkeys(("conv_integer", "q_linear_conv"), integer_convolution),
    "deform_conv": deformed,
    "dynamic_quantize_linear": lambda draft: {"x": sized(draft, draft.whole(0, 3))},
    "layer_norm": normalized,
    "skip_layer_norm": skipped,
    "channel_norm": channels,
    **dict.fromkeys(("rnn", "gru", "lstm"), recurrent),
    "attention": attended,
    "group_query_attention": grouped,
    "multi_head_attention": several_heads,
    "fused_attention": fused,
    "fused_embedding": embedded,
    "linear_attention": linear,
    "causal_conv": causal,
    "grid_sample": sampled,
    "affine_grid": affine,
    "roi_align": regions,
    "class_loss": scored,
}

ONNX_INPUTS: dict[str, Callable[[Draft], Shapes]] = {
    **{f"onnx_{name}": operands(build) for name, build in _OPERATORS.items()},
    "onnx_einsum": by_letters,
    "onnx_reduce": reduced,
    **{f"onnx_functional_conv{rank}d": by_a_weight for rank in (1, 2, 3)},
    **{f"onnx_{way}conv_transpose{rank}d": transposed for way in ("", "functional_") for rank in (1, 2, 3)},
}
"""Kinds with rules of ONNX whose inputs are not just any shape."""
