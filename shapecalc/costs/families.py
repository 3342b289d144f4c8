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

COPYING = (
    *("identity", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"),
    *("feature_alpha_dropout", "stochastic_depth", "divisible", "class_token", "concat"),
    *("flatten", "unflatten", "reshape", "permute", "transpose", "squeeze", "unsqueeze"),
    *("select", "slice", "split", "chunk", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle"),
    *ranked("crop", "zero_pad", "constant_pad", "reflection_pad", "replication_pad", "circular_pad"),
)
"""Kinds that move values about, or hand them on: in evaluation they compute nothing."""
LEARNED_AND_POINTWISE = ("position_embedding", "layer_scale")
SUMS = ("add", "multiply")
OTHERS = (*REDUCTIONS, "subsample2d", "rbf", "embedding")
