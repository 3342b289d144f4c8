"""Every operation by itself: multiplications, additions, comparisons, divisions, exponentials, others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shapecalc.algebra import Dim, product
from shapecalc.conventions import families as of
from shapecalc.conventions.computed_weights import beside
from shapecalc.conventions.convention import Convention, Counts
from shapecalc.conventions.elementwise_ops import (
    bag,
    bilinear,
    by_name,
    cosine,
    distance,
    einsum,
    folded,
    reduced,
)
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.losses import (
    ELEMENTWISE_LOSSES,
    cosine_embedding,
    cross_entropy,
    elementwise_loss,
    label_loss,
    linear_cross_entropy,
    margins,
    right_class,
    triplet,
)
from shapecalc.conventions.norms import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    response_norm,
    rms_norm,
)
from shapecalc.conventions.operations import (
    ACTIVATIONS,
    ADD,
    MULTIPLY,
    PARTS,
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
from shapecalc.conventions.pooling import (
    adaptive_average,
    adaptive_largest,
    average,
    largest,
    largest_of_drawn,
    powers,
    subsampled,
)
from shapecalc.conventions.recurrent_ops import every_operation
from shapecalc.layers.spatial import Spatial


def _products(asked: LayerCall) -> Counts | None:
    """K products make a result, with K - 1 additions, and one more where there is a bias."""
    if asked.macs is None:
        return None
    return {MULTIPLY: asked.macs, ADD: asked.macs - asked.n_out + asked.bias}


def _separable(asked: LayerCall) -> Counts | None:
    """Two convolutions; the channels between them are results, too."""
    depthwise = asked.weights.get("depthwise.weight") or asked.weights["depthwise_kernel"]
    if asked.macs is None or not isinstance(asked.layer, Spatial):
        return None
    middle = product(asked.layer.resized(asked.output, asked.layer.sizes(asked.output), depthwise[0]))
    return {MULTIPLY: asked.macs, ADD: asked.macs - middle - asked.n_out + asked.bias}


def _scattered(asked: LayerCall) -> Counts | None:
    """Every product is added where it belongs, onto the bias or onto zero."""
    return None if asked.macs is None else {MULTIPLY: asked.macs, ADD: asked.macs}


def _attention(asked: LayerCall) -> Counts | None:
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


# ---- the rest


def _nearest(asked: LayerCall) -> Counts | None:
    """Copies for `nearest`; how the others interpolate is not counted."""
    is_nearest = asked.kind == "upsampling_nearest2d" or asked.word("mode").startswith("nearest")
    return {} if is_nearest else None


def _distances(asked: LayerCall) -> Counts:
    """The squared distance to each centre: a difference and a square a feature, and their sum."""
    terms = asked.n_out * asked.x[-1]
    return {ADD: 2 * terms - asked.n_out, MULTIPLY: terms}


def _positions(asked: LayerCall) -> Counts:
    return {ADD: asked.n_in}


def _scaled(asked: LayerCall) -> Counts:
    return {MULTIPLY: asked.n_in}


def _copied(asked: LayerCall) -> Counts:
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
        ((*of.BATCH_NORMS, of.SYNC), batch_norm),
        (of.INSTANCE_NORMS, instance_norm),
        (("group_norm",), group_norm),
        (("layer_norm",), layer_norm),
        (("rms_norm",), rms_norm),
        (("local_response_norm", "cross_map_lrn2d"), response_norm),
        (of.MAX_POOLS, largest),
        (of.FRACTIONAL_POOLS, largest_of_drawn),
        (of.AVG_POOLS, average),
        (of.POWER_POOLS, powers),
        (("subsample2d",), subsampled),
        ((*of.ADAPTIVE_AVG, *of.GLOBAL_AVG, "mean"), adaptive_average),
        ((*of.ADAPTIVE_MAX, *of.GLOBAL_MAX), adaptive_largest),
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
        ((*of.RECURRENT, *of.CELLS), every_operation),
        (("elementwise", "combine"), by_name),
        (("reduce",), reduced),
        (("einsum",), einsum),
        (("bilinear",), bilinear),
        (("pairwise_distance",), distance),
        (("cosine_similarity",), cosine),
        (("embedding_bag",), bag),
        (("fold",), folded),
        (ELEMENTWISE_LOSSES, elementwise_loss),
        (("multi_label_soft_margin_loss",), label_loss),
        (("nll_loss",), right_class),
        (("multi_margin_loss",), margins),
        (("cross_entropy_loss",), cross_entropy),
        (("linear_cross_entropy_loss",), linear_cross_entropy),
        (("triplet_margin_loss", "triplet_margin_with_distance_loss"), triplet),
        (("cosine_embedding_loss",), cosine_embedding),
    )

    def beside(self, asked: LayerCall) -> Counts:
        return beside(asked)

    def single(self, asked: LayerCall) -> Counts | None:
        rule = self.table.get(asked.kind)
        found = None if rule is None else rule(asked)
        if found is None:
            return None
        every: Counts = dict.fromkeys(PARTS, 0)
        return every | found

    def knows_single(self, kind: str) -> bool:
        return kind in self.table

    def total(self, counts: Counts) -> Dim:
        result: Dim = 0
        for number in counts.values():
            result = result + number
        return result
