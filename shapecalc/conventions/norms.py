"""Single operations of norms, in evaluation."""

from __future__ import annotations

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.operations import ADD, DIVIDE, MULTIPLY, POWER, ROOT


def batch_norm(asked: LayerCall) -> Counts:
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


def _gathered(asked: LayerCall, groups: Dim) -> Counts:
    """A mean and a variance of every group first, then (x - mean)·(1/√(variance + eps))·weight + bias."""
    scale, shift = (asked.n_in if has else 0 for has in (asked.is_scaled, asked.is_shifted))
    return {
        MULTIPLY: 2 * asked.n_in + scale,
        ADD: 3 * asked.n_in - groups + shift,
        DIVIDE: 3 * groups,
        ROOT: groups,
    }


def instance_norm(asked: LayerCall) -> Counts:
    """One group for every channel of every sample, unless statistics were kept."""
    rank = getattr(asked.layer, "rank", 0)
    if asked.flag("track_running_stats"):
        channels = asked.x[-rank - 1]
        shift = asked.n_in if asked.is_shifted else 0
        return {MULTIPLY: asked.n_in, ADD: asked.n_in + shift + channels, DIVIDE: channels, ROOT: channels}
    return _gathered(asked, product(asked.x[:-rank]))


def group_norm(asked: LayerCall) -> Counts:
    """One group for every group of channels of every sample."""
    return _gathered(asked, asked.x[0] * asked.whole("num_groups"))


def _before_normalized(asked: LayerCall) -> Dim:
    given = getattr(asked.layer, "normalized_shape", None)
    axes = len(given) if isinstance(given, tuple) else 1
    return product(asked.x[:-axes])


def layer_norm(asked: LayerCall) -> Counts:
    """One group for every position in front of what is normalized."""
    return _gathered(asked, _before_normalized(asked))


def rms_norm(asked: LayerCall) -> Counts:
    """x·(1/√(mean of x² + eps))·weight."""
    groups = _before_normalized(asked)
    scale = asked.n_in if asked.is_scaled else 0
    return {MULTIPLY: 2 * asked.n_in + scale, ADD: asked.n_in, DIVIDE: 2 * groups, ROOT: groups}


def response_norm(asked: LayerCall) -> Counts:
    """x/(k + alpha/size·∑ x²)^beta, the sum over `size` channels, those outside the input included."""
    n = asked.n_in
    return {MULTIPLY: 2 * n, ADD: asked.whole("size") * n, POWER: n, DIVIDE: n}
