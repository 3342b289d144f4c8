"""Single operations of functions that are kinds by their names, of sums over letters, and of distances.

A name that stands in no table here is not counted.
"""

from __future__ import annotations

from fractions import Fraction

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.operations import (
    ADD,
    COMPARE,
    DIVIDE,
    ERF,
    EXP,
    LOG,
    MULTIPLY,
    POWER,
    ROOT,
    SIGMOID,
    each,
)

_ONE = {
    ADD: "add sub rsub subtract iadd isub",
    MULTIPLY: "mul multiply imul square",
    DIVIDE: "div divide true_divide truediv rtruediv reciprocal",
    COMPARE: "maximum minimum max min abs sign threshold eq ne lt le gt ge clamp_min clamp_max",
    EXP: "exp exp2",
    LOG: "log log2 log10",
    POWER: "pow float_power",
    ERF: "erf erfc",
    ROOT: "sqrt",
}
_NONE = """
    neg positive detach_ flip roll rot90 masked_fill fill tril triu zeros_like ones_like full_like empty_like
"""
_EACH: dict[str, dict[str, int]] = {
    **{name: {part: 1} for part, names in _ONE.items() for name in names.split()},
    **{name: {} for name in _NONE.split()},
    "clamp": {COMPARE: 2},
    "clip": {COMPARE: 2},
    "expm1": {EXP: 1, ADD: 1},
    "log1p": {LOG: 1, ADD: 1},
    "rsqrt": {ROOT: 1, DIVIDE: 1},
    "sigmoid_": SIGMOID,
}
"""What a function takes for each number of its result, by torch's name of it."""


def by_name(asked: LayerCall) -> Counts | None:
    """So many operations for each number that leaves, None for a function that no row tells."""
    row = _EACH.get(asked.word("function"))
    return None if row is None else each(row, asked.n_out)


def reduced(asked: LayerCall) -> Counts | None:
    """Sums, greatest and least of whole axes; a variance is a mean of squares about a mean."""
    left = asked.n_in - asked.n_out
    found: dict[str, Counts] = {
        "sum": {ADD: left},
        "amax": {COMPARE: left},
        "amin": {COMPARE: left},
        "var": {ADD: 2 * left + asked.n_in, MULTIPLY: asked.n_in, DIVIDE: 2 * asked.n_out},
    }
    found["std"] = found["var"] | {ROOT: asked.n_out}
    return found.get(asked.word("function"))


def einsum(asked: LayerCall) -> Counts | None:
    """Of two tensors: each is summed over the letters that it alone has, then products, then their sum."""
    left, _, right = asked.word("equation").partition("->")
    terms = left.split(",")
    if len(terms) == 1:
        return {ADD: asked.n_in - asked.n_out}
    if len(terms) > 2:
        return None
    kept: dict[str, Dim] = {}
    added: Dim = 0
    for term, x, others in zip(terms, asked.inputs, reversed(terms), strict=True):
        sizes = {letter: n for letter, n in zip(term, x, strict=True) if letter in others or letter in right}
        added = added + product(x) - product(sizes.values())
        kept |= {letter: n for letter, n in sizes.items() if kept.get(letter, 1) == 1}
    products = product(kept.values())
    return {MULTIPLY: products, ADD: added + products - asked.n_out}


def bilinear(asked: LayerCall) -> Counts | None:
    """For each result and feature of the second the first's sum of products, times it, and their sum."""
    if asked.macs is None:
        return None
    inner = asked.n_out * asked.inputs[1][-1]
    return {MULTIPLY: asked.macs, ADD: asked.macs - inner - asked.n_out + asked.bias}


# ---- distances


def norm(power: object, number: Dim, rows: Dim) -> Counts:
    """The p-norm of rows of numbers: |x| or x², or a power, their sum, and its root."""
    if power in ("inf", "-inf"):
        return {COMPARE: 2 * number - rows}
    if power == 2:
        return {MULTIPLY: number, ADD: number - rows, ROOT: rows}
    sums = {COMPARE: number, ADD: number - rows}
    return sums if power == 1 else sums | {POWER: number + rows}


def distance(asked: LayerCall) -> Counts:
    """The norm of x - y + eps over the last axis."""
    whole = _stretched(asked)
    power = getattr(asked.layer, "p", 2)
    found = norm(power if isinstance(power, (int, Fraction, str)) else 2, product(whole), product(whole[:-1]))
    return found | {ADD: found.get(ADD, 0) + 2 * product(whole)}


def cosine(asked: LayerCall, rows: Dim | None = None) -> Counts:
    """Three sums of products; two norms, held above eps, whose product divides the first."""
    number = product(_stretched(asked))
    rows = asked.n_out if rows is None else rows
    return {
        MULTIPLY: 3 * number + rows,
        ADD: 3 * (number - rows),
        ROOT: 2 * rows,
        COMPARE: 2 * rows,
        DIVIDE: rows,
    }


def _stretched(asked: LayerCall) -> tuple[Dim, ...]:
    from shapecalc.layers.merge import broadcast

    return broadcast(asked.inputs)


# ---- what is read by index, and folded


def bag(asked: LayerCall) -> Counts | None:
    """Bags of one length: their sum, mean or maximum; of bags in one row the lengths are not known."""
    if len(asked.x) == 1:
        return None
    features = asked.n_out // asked.x[0]
    weights = asked.n_in * features if len(asked.inputs) > 1 else 0
    left = (asked.n_in - asked.x[0]) * features
    found: dict[str, Counts] = {
        "sum": {ADD: left, MULTIPLY: weights},
        "mean": {ADD: left, DIVIDE: asked.n_out},
        "max": {COMPARE: left},
    }
    return found[asked.word("mode")]


def folded(asked: LayerCall) -> Counts:
    """Every number is added where it belongs, onto zero."""
    return {ADD: asked.n_in}
