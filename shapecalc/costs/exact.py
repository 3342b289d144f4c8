"""Every operation by itself: multiplications, additions, comparisons, divisions, exponentials, others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.costs import families as of
from shapecalc.costs.asked import Asked
from shapecalc.costs.convention import Convention, Counts
from shapecalc.costs.operations import (
    ACTIVATIONS,
    ADD,
    COMPARE,
    DIVIDE,
    MULTIPLY,
    PARTS,
    POWER,
    ROOT,
    Operations,
    activation,
    gelu,
    glu,
    log_softmax,
    multiplied,
    softmax,
    softmax_of,
    summed,
)
from shapecalc.layers.spatial import Spatial


def _products(asked: Asked) -> Counts | None:
    """K products make a result, with K - 1 additions, and one more where there is a bias."""
    if asked.macs is None:
        return None
    return {MULTIPLY: asked.macs, ADD: asked.macs - asked.n_out + asked.bias}


def _separable(asked: Asked) -> Counts | None:
    """Two convolutions; the channels between them are results, too."""
    depthwise = asked.weights.get("depthwise.weight") or asked.weights["depthwise_kernel"]
    if asked.macs is None or not isinstance(asked.layer, Spatial):
        return None
    middle = product(asked.layer.resized(asked.output, asked.layer.sizes(asked.output), depthwise[0]))
    return {MULTIPLY: asked.macs, ADD: asked.macs - middle - asked.n_out + asked.bias}


def _scattered(asked: Asked) -> Counts | None:
    """Every product is added where it belongs, onto the bias or onto zero."""
    return None if asked.macs is None else {MULTIPLY: asked.macs, ADD: asked.macs}


def _attention(asked: Asked) -> Counts | None:
    """Three projections, scores of scaled queries, a softmax of every row of them, values, one projection."""
    if asked.macs is None:
        return None
    heads, numbers = asked.whole("num_heads"), asked.n_in
    length = asked.x[-2] if asked.flag("batch_first") or len(asked.x) == 2 else asked.x[0]
    rows = product(asked.x[:-1]) * heads
    softmaxes = softmax_of(rows * length, rows)
    biases = 4 * numbers if asked.flag("bias") else 0
    results = 5 * numbers + rows * length
    return softmaxes | {
        MULTIPLY: asked.macs + numbers,
        ADD: asked.macs - results + biases + softmaxes[ADD],
    }


# ---- norms


def _batch_norm(asked: Asked) -> Counts:
    """(x - mean)·(weight/√(variance + eps)) + bias, the factor once a channel."""
    if getattr(asked.layer, "track_running_stats", True) is False:
        return _gathered(asked, asked.x[1])
    last = len(asked.x) - 1
    channels = asked.x[last if asked.layer.framework == "keras" else 1]
    shift = asked.n_in if asked.is_shifted else 0
    return {
        MULTIPLY: asked.n_in,
        ADD: asked.n_in + shift + channels,
        DIVIDE: channels,
        ROOT: channels,
    }


def _gathered(asked: Asked, groups: Dim) -> Counts:
    """A mean and a variance of every group first, then (x - mean)·(1/√(variance + eps))·weight + bias."""
    scale, shift = (asked.n_in if has else 0 for has in (asked.is_scaled, asked.is_shifted))
    return {
        MULTIPLY: 2 * asked.n_in + scale,
        ADD: 3 * asked.n_in - groups + shift,
        DIVIDE: 3 * groups,
        ROOT: groups,
    }


def _instance_norm(asked: Asked) -> Counts:
    """One group for every channel of every sample, unless statistics were kept."""
    rank = getattr(asked.layer, "rank", 0)
    if asked.flag("track_running_stats"):
        channels = asked.x[-rank - 1]
        shift = asked.n_in if asked.is_shifted else 0
        return {MULTIPLY: asked.n_in, ADD: asked.n_in + shift + channels, DIVIDE: channels, ROOT: channels}
    return _gathered(asked, product(asked.x[:-rank]))


def _group_norm(asked: Asked) -> Counts:
    return _gathered(asked, asked.x[0] * asked.whole("num_groups"))


def _before_normalized(asked: Asked) -> Dim:
    given = getattr(asked.layer, "normalized_shape", None)
    axes = len(given) if isinstance(given, tuple) else 1
    return product(asked.x[:-axes])


def _layer_norm(asked: Asked) -> Counts:
    return _gathered(asked, _before_normalized(asked))


def _rms_norm(asked: Asked) -> Counts:
    """x·(1/√(mean of x² + eps))·weight."""
    groups = _before_normalized(asked)
    scale = asked.n_in if asked.is_scaled else 0
    return {MULTIPLY: 2 * asked.n_in + scale, ADD: asked.n_in, DIVIDE: 2 * groups, ROOT: groups}


def _response_norm(asked: Asked) -> Counts:
    """x/(k + alpha/size·∑ x²)^beta, the sum over `size` channels, those outside the input included."""
    n = asked.n_in
    return {MULTIPLY: 2 * n, ADD: asked.whole("size") * n, POWER: n, DIVIDE: n}


# ---- pooling


def _window(asked: Asked) -> Dim | None:
    return None if asked.effect.window is None else product(asked.effect.window.kernel)


def _largest(asked: Asked) -> Counts | None:
    """K - 1 comparisons a window of K; windows are whole, their padding is looked at."""
    size = _window(asked)
    return None if size is None else {COMPARE: (size - 1) * asked.n_out}


def _average(asked: Asked) -> Counts | None:
    """K - 1 additions and a division a window of K; windows are whole, their padding is added."""
    size = _window(asked)
    return None if size is None else {ADD: (size - 1) * asked.n_out, DIVIDE: asked.n_out}


def _subsampled(asked: Asked) -> Counts | None:
    """The sum of a window, times a coefficient, plus a bias."""
    size = _window(asked)
    return None if size is None else {ADD: size * asked.n_out, MULTIPLY: asked.n_out}


def _looked_at(asked: Asked) -> Dim | None:
    """How many numbers the windows of adaptive pooling hold together; None where that is not known."""
    if asked.kind in of.REDUCTIONS:
        return asked.n_in
    axes = range(len(asked.x) - getattr(asked.layer, "rank", 0), len(asked.x))
    sums: list[Dim] = []
    for axis in axes:
        n, out = asked.x[axis], asked.output[axis]
        if out in (1, n):
            sums.append(n)
        elif isinstance(n, int) and isinstance(out, int):
            sums.append(sum(-(-(i + 1) * n // out) - i * n // out for i in range(out)))
        else:
            return None
    return product(asked.x[: axes.start]) * product(sums)


def _adaptive_average(asked: Asked) -> Counts | None:
    seen = _looked_at(asked)
    return None if seen is None else {ADD: seen - asked.n_out, DIVIDE: asked.n_out}


def _adaptive_largest(asked: Asked) -> Counts | None:
    seen = _looked_at(asked)
    return None if seen is None else {COMPARE: seen - asked.n_out}


# ---- the rest


def _nearest(asked: Asked) -> Counts | None:
    """Copies for `nearest`; how the others interpolate is not counted."""
    is_nearest = asked.kind == "upsampling_nearest2d" or asked.word("mode").startswith("nearest")
    return {} if is_nearest else None


def _distances(asked: Asked) -> Counts:
    """The squared distance to each centre: a difference and a square a feature, and their sum."""
    terms = asked.n_out * asked.x[-1]
    return {ADD: 2 * terms - asked.n_out, MULTIPLY: terms}


def _positions(asked: Asked) -> Counts:
    return {ADD: asked.n_in}


def _scaled(asked: Asked) -> Counts:
    return {MULTIPLY: asked.n_in}


def _copied(asked: Asked) -> Counts:
    """Nothing is computed."""
    return {}


def _table(*families: tuple[tuple[str, ...], Operations]) -> dict[str, Operations]:
    return {kind: rule for kinds, rule in families for kind in kinds}


class Exact(Convention):
    """Every operation counted by kind; what is known by a formula alone, such as bicubic, is not counted."""

    name: ClassVar[str] = "exact"
    unit: ClassVar[str] = "operations"
    per_mac: ClassVar[Mapping[str, int]] = {part: int(part in {MULTIPLY, ADD}) for part in PARTS}
    sentence: ClassVar[str] = (
        "operations: every multiplication, addition or subtraction, comparison, division, exponential, root, "
        "logarithm, power and error function counts one; in evaluation; padding is computed with."
    )
    table: ClassVar[Mapping[str, Operations]] = _table(
        ((*of.PLAIN_CONVOLUTIONS, "partial_conv2d", "linear", "matmul"), _products),
        (of.SEPARABLE, _separable),
        (of.TRANSPOSED, _scattered),
        (("multihead_attention",), _attention),
        (of.BATCH_NORMS, _batch_norm),
        (of.INSTANCE_NORMS, _instance_norm),
        (("group_norm",), _group_norm),
        (("layer_norm",), _layer_norm),
        (("rms_norm",), _rms_norm),
        (("local_response_norm",), _response_norm),
        (of.MAX_POOLS, _largest),
        (of.AVG_POOLS, _average),
        (("subsample2d",), _subsampled),
        ((*of.ADAPTIVE_AVG, *of.GLOBAL_AVG, "mean"), _adaptive_average),
        ((*of.ADAPTIVE_MAX, *of.GLOBAL_MAX), _adaptive_largest),
        (tuple(ACTIVATIONS), activation),
        (("gelu",), gelu),
        (("glu",), glu),
        (("softmax", "softmin", "softmax2d"), softmax),
        (("log_softmax",), log_softmax),
        (("add",), summed),
        (("multiply",), multiplied),
        (of.UPSAMPLING, _nearest),
        (("rbf",), _distances),
        (("position_embedding",), _positions),
        (("layer_scale",), _scaled),
        ((*of.COPYING, "embedding"), _copied),
    )

    def counts(self, asked: Asked) -> Counts | None:
        rule = self.table.get(asked.kind)
        found = None if rule is None else rule(asked)
        if found is None:
            return None
        every: Counts = dict.fromkeys(PARTS, 0)
        return every | found

    def knows(self, kind: str) -> bool:
        return kind in self.table

    def total(self, counts: Counts) -> Dim:
        result: Dim = 0
        for number in counts.values():
            result = result + number
        return result
