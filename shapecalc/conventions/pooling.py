"""Single operations of pooling: comparisons and additions in every window."""

from __future__ import annotations

from shapecalc.algebra import Dim, product
from shapecalc.conventions import families as of
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.elementwise_ops import norm
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.operations import ADD, COMPARE, DIVIDE, MULTIPLY
from shapecalc.layers.spatial import Spatial


def _window(asked: LayerCall) -> Dim | None:
    return None if asked.effect.window is None else product(asked.effect.window.kernel)


def largest(asked: LayerCall) -> Counts | None:
    """K - 1 comparisons a window of K; windows are whole, their padding is looked at."""
    size = _window(asked)
    return None if size is None else {COMPARE: (size - 1) * asked.n_out}


def largest_of_drawn(asked: LayerCall) -> Counts:
    """K - 1 comparisons a window of K, wherever it is drawn."""
    assert isinstance(asked.layer, Spatial)
    kernel = product(asked.layer.spread(asked.layer.fields_set()["kernel_size"]))
    return {COMPARE: (kernel - 1) * asked.n_out}


def average(asked: LayerCall) -> Counts | None:
    """K - 1 additions and a division a window of K; windows are whole, their padding is added."""
    size = _window(asked)
    return None if size is None else {ADD: (size - 1) * asked.n_out, DIVIDE: asked.n_out}


def powers(asked: LayerCall) -> Counts | None:
    """The p-norm of every window; of no finite power its largest number."""
    size = _window(asked)
    if size is None:
        return None
    power = asked.layer.fields_set()["norm_type"]
    return largest(asked) if asked.word("norm_type") else norm(power, size * asked.n_out, asked.n_out)


def subsampled(asked: LayerCall) -> Counts | None:
    """The sum of a window, times a coefficient, plus a bias."""
    size = _window(asked)
    return None if size is None else {ADD: size * asked.n_out, MULTIPLY: asked.n_out}


def _looked_at(asked: LayerCall) -> Dim | None:
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


def adaptive_average(asked: LayerCall) -> Counts | None:
    """One addition less than a window holds, and a division; None where windows are not known."""
    seen = _looked_at(asked)
    return None if seen is None else {ADD: seen - asked.n_out, DIVIDE: asked.n_out}


def adaptive_largest(asked: LayerCall) -> Counts | None:
    """One comparison less than a window holds; None where windows are not known."""
    seen = _looked_at(asked)
    return None if seen is None else {COMPARE: seen - asked.n_out}
