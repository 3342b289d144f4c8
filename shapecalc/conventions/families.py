"""The kinds by what they do, as far as conventions tell them apart."""

from __future__ import annotations

from collections.abc import Iterable

_RANKS = (1, 2, 3)


def ranked(*names: str, ranks: Iterable[int] = _RANKS) -> tuple[str, ...]:
    """Return names with each number of axes: `conv` gives conv1d, conv2d, conv3d.

    >>> ranked("crop", ranks=(1, 2))
    ('crop1d', 'crop2d')
    """
    return tuple(f"{name}{rank}d" for name in names for rank in ranks)


PLAIN_CONVOLUTIONS = ranked("conv", "depthwise_conv")
SEPARABLE = ranked("separable_conv", ranks=(1, 2))
CONVOLUTIONS = (*PLAIN_CONVOLUTIONS, *SEPARABLE, "partial_conv2d")
TRANSPOSED = ranked("conv_transpose")

BATCH_NORMS = ranked("batch_norm")
SYNC = "sync_batch_norm"
"""Batch norm over all processes, which is a class of its own."""
INSTANCE_NORMS = ranked("instance_norm")
WITHIN_SAMPLE = ("group_norm", "layer_norm")
NORMS = (*BATCH_NORMS, *INSTANCE_NORMS, *WITHIN_SAMPLE, "rms_norm", "local_response_norm")

MAX_POOLS = ranked("max_pool")
AVG_POOLS = ranked("avg_pool")
POWER_POOLS = ranked("lp_pool")
ADAPTIVE_AVG = ranked("adaptive_avg_pool")
ADAPTIVE_MAX = ranked("adaptive_max_pool")
GLOBAL_AVG = ranked("global_avg_pool")
GLOBAL_MAX = ranked("global_max_pool")
FRACTIONAL_POOLS = ranked("fractional_max_pool", ranks=(2, 3))
POOLS = (*MAX_POOLS, *AVG_POOLS, *ADAPTIVE_AVG, *ADAPTIVE_MAX)
REDUCTIONS = (*GLOBAL_AVG, *GLOBAL_MAX, "mean")
"""Means and maxima over whole axes: to torch methods of a tensor, in which no tool sees a pooling layer."""

UPSAMPLING = ("upsample", "upsampling_bilinear2d", "upsampling_nearest2d")

ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "selu", "celu", "gelu", "silu", "mish"),
    *("hardswish", "softplus", "threshold", "sigmoid", "log_sigmoid", "hardsigmoid", "tanh", "hardtanh"),
    *("hardshrink", "softshrink", "tanhshrink", "softsign", "glu"),
)
OVER_AXIS = ("softmax", "softmin", "log_softmax", "softmax2d")

RECURRENT = ("rnn", "gru", "lstm")
CELLS = ("rnn_cell", "gru_cell", "lstm_cell")
BY_NAME = ("elementwise", "combine", "reduce")
"""Functions of torch that are kinds by their names."""
VECTORS = ("cosine_similarity", "pairwise_distance")
LOSSES = (
    *("l1_loss", "mse_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss", "kl_div_loss"),
    *("hinge_embedding_loss", "soft_margin_loss", "bce_loss", "bce_with_logits_loss", "gaussian_nll_loss"),
    *("margin_ranking_loss", "cosine_embedding_loss", "triplet_margin_loss"),
    *("triplet_margin_with_distance_loss", "nll_loss", "cross_entropy_loss", "multi_margin_loss"),
    *("multi_label_margin_loss", "multi_label_soft_margin_loss", "ctc_loss"),
)
"""Losses that multiply no matrices."""

UNSEEN = ("opaque",)
"""Operations that are known by their names alone, to us and to every tool."""

COPYING = (
    *("identity", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"),
    *("feature_alpha_dropout", "stochastic_depth", "divisible", "class_token", "concat"),
    *("flatten", "unflatten", "reshape", "permute", "transpose", "squeeze", "unsqueeze"),
    *("select", "slice", "split", "chunk", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
    *ranked("crop", "zero_pad", "constant_pad", "reflection_pad", "replication_pad", "circular_pad"),
    *("pad", "view", "broadcast_to", "unfold", "parameter", "constant", "require", "unused"),
    *ranked("max_unpool"),
)
"""Kinds that move values about, or hand them on: in evaluation they compute nothing."""
LEARNED_AND_POINTWISE = ("position_embedding", "layer_scale")
SUMS = ("add", "multiply")
OTHERS = (
    *(*REDUCTIONS, *FRACTIONAL_POOLS, *BY_NAME, *VECTORS, *LOSSES),
    *("subsample2d", "rbf", "embedding", "embedding_bag", "fold", "cross_map_lrn2d"),
)
"""What multiplies no matrices and has no rule in any tool but that of its weights."""
