"""Single operations of losses: those of each element by its formula, then the mean or the sum.

As in evaluation; a class that a target says to ignore is computed with like the others.
"""

from __future__ import annotations

from collections.abc import Callable

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.elementwise_ops import cosine, distance
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.operations import (
    ADD,
    COMPARE,
    DIVIDE,
    EXP,
    LOG,
    MULTIPLY,
    SIGMOID,
    each,
    together,
)

_EACH: dict[str, dict[str, int]] = {
    "l1_loss": {ADD: 1, COMPARE: 1},
    "mse_loss": {ADD: 1, MULTIPLY: 1},
    "smooth_l1_loss": {ADD: 2, COMPARE: 2, MULTIPLY: 1, DIVIDE: 1},
    "huber_loss": {ADD: 2, COMPARE: 2, MULTIPLY: 3},
    "hinge_embedding_loss": {ADD: 1, COMPARE: 2},
    "soft_margin_loss": {MULTIPLY: 1, EXP: 1, ADD: 1, LOG: 1},
    "bce_loss": {LOG: 2, MULTIPLY: 2, ADD: 3},
    "bce_with_logits_loss": {COMPARE: 2, MULTIPLY: 1, ADD: 3, EXP: 1, LOG: 1},
    "margin_ranking_loss": {ADD: 2, MULTIPLY: 1, COMPARE: 1},
}
"""What each takes for an element, by its formula in the kind's own docstring."""


def _poisson(asked: LayerCall) -> dict[str, int] | None:
    """E^x - y·x, or x - y·log(x + eps); of Stirling's term, which goes by values, it is not known."""
    if asked.flag("full"):
        return None
    return {MULTIPLY: 1, ADD: 1, EXP: 1} if asked.flag("log_input") else {MULTIPLY: 1, ADD: 2, LOG: 1}


def _divergence(asked: LayerCall) -> dict[str, int]:
    """y·(log y - x), or eʸ·(y - x)."""
    return {MULTIPLY: 1, ADD: 1, EXP if asked.flag("log_target") else LOG: 1}


def _gaussian(asked: LayerCall) -> dict[str, int]:
    """(log v + (x - y)²/v)/2 with v held above eps; one addition more for the constant."""
    return {COMPARE: 1, LOG: 1, ADD: 3 if asked.flag("full") else 2, MULTIPLY: 2, DIVIDE: 1}


def _labels(asked: LayerCall) -> dict[str, int]:
    """y·log σ(x) + (1 - y)·log σ(-x) for each label."""
    return {EXP: 2 * SIGMOID[EXP], ADD: 2 * SIGMOID[ADD] + 2, DIVIDE: 2, LOG: 2, MULTIPLY: 2}


_BY_FIELDS: dict[str, Callable[[LayerCall], dict[str, int] | None]] = {
    "poisson_nll_loss": _poisson,
    "kl_div_loss": _divergence,
    "gaussian_nll_loss": _gaussian,
}


ELEMENTWISE_LOSSES = (*_EACH, *_BY_FIELDS)
"""Losses that take the same operations for every element."""


def _finished(asked: LayerCall, losses: Dim) -> Counts:
    """The mean or the sum of so many losses."""
    if asked.word("reduction") == "none":
        return {}
    return {ADD: losses - 1} | ({} if asked.word("reduction") == "sum" else {DIVIDE: 1})


def elementwise_loss(asked: LayerCall) -> Counts | None:
    """So many operations an element, and the reduction."""
    from shapecalc.layers.merge import broadcast

    rule = _BY_FIELDS.get(asked.kind)
    row = _EACH[asked.kind] if rule is None else rule(asked)
    if row is None:
        return None
    inputs = asked.inputs[:2] if asked.kind == "gaussian_nll_loss" else asked.inputs
    losses = product(broadcast(inputs))
    return together(each(row, losses), _finished(asked, losses))


def label_loss(asked: LayerCall) -> Counts | None:
    """The labels of a row one by one, their mean with a change of sign, and the reduction."""
    if asked.flag("weight"):
        return None
    from shapecalc.layers.merge import broadcast

    whole = broadcast(asked.inputs)
    number, rows = product(whole), product(whole[:-1])
    mean = {ADD: number - rows, DIVIDE: rows}
    return together(each(_labels(asked), number), mean, _finished(asked, rows))


def margins(asked: LayerCall) -> Counts | None:
    """Of every wrong class margin - x[y] + x[i], held above 0, maybe squared, and added onto zero."""
    if asked.flag("weight"):
        return None
    rows = product(asked.inputs[1])
    wrong = asked.n_in - rows
    squares = wrong if asked.whole("p") == 2 else 0
    own = {ADD: 3 * wrong, COMPARE: wrong, MULTIPLY: squares, DIVIDE: rows}
    return together(own, _finished(asked, rows))


def right_class(asked: LayerCall) -> Counts | None:
    """Of logarithms the right one is read, its sign changed; weights of classes go by the target."""
    if asked.flag("weight"):
        return None
    return _finished(asked, product(asked.inputs[1]))


def cross_entropy(asked: LayerCall, scores: tuple[Dim, ...] | None = None) -> Counts | None:
    """Logarithms of the softmax over the classes, of which the right one is read."""
    x = asked.x if scores is None else scores
    by_number = len(asked.inputs[1]) == len(x) - 1
    if asked.flag("weight") or not by_number or getattr(asked.layer, "label_smoothing", 0) != 0:
        return None
    number, rows = product(x), product((*x[:1], *x[2:])) if len(x) > 1 else 1
    softmax = {COMPARE: number - rows, ADD: 3 * number - rows, EXP: number, LOG: rows}
    return together(softmax, _finished(asked, rows))


def linear_cross_entropy(asked: LayerCall) -> Counts | None:
    """A linear layer, then the loss of its scores."""
    scores = (*asked.x[:-1], asked.whole("num_classes"), *getattr(asked.layer, "out_features", ()))
    loss = cross_entropy(asked, scores)
    if loss is None or asked.macs is None:
        return None
    made = product(scores)
    biases = made if asked.has_bias else 0
    return together({MULTIPLY: asked.macs, ADD: asked.macs - made + biases}, loss)


def _pair(asked: LayerCall, first: int, second: int) -> LayerCall:
    return LayerCall(asked.layer, (asked.inputs[first], asked.inputs[second]), asked.effect)


def triplet(asked: LayerCall) -> Counts:
    """Two distances, their difference, the margin and what is not below 0; with swap a third distance."""
    pairs = [(0, 1), (0, 2), *([(1, 2)] if asked.flag("swap") else [])]
    from shapecalc.layers.merge import broadcast

    losses = product(broadcast(asked.inputs)[:-1])
    swapped = {COMPARE: losses} if asked.flag("swap") else {}
    own = {ADD: 2 * losses, COMPARE: losses}
    found = [distance(_pair(asked, *pair)) for pair in pairs]
    return together(*found, own, swapped, _finished(asked, losses))


def cosine_embedding(asked: LayerCall) -> Counts:
    """A cosine; 1 - cos, cos - margin held above 0, and which of them the target says."""
    from shapecalc.layers.merge import broadcast

    losses = product(broadcast(asked.inputs[:2])[:-1])
    rows = LayerCall(asked.layer, asked.inputs[:2], asked.effect)
    return together(cosine(rows, losses), {ADD: 2 * losses, COMPARE: 2 * losses}, _finished(asked, losses))
