"""Single operations by kind: what a function of each number, or of a row of numbers, takes.

Written as the textbooks write the function, once for every number it is taken of: where a definition has two
branches, both are computed. A change of sign costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from shapecalc.algebra import Dim, product
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.layer_call import LayerCall

MULTIPLY, ADD, COMPARE, DIVIDE = "multiplications", "additions", "comparisons", "divisions"
EXP, ROOT, LOG, POWER, ERF = "exponentials", "roots", "logarithms", "powers", "error functions"
PARTS = (MULTIPLY, ADD, COMPARE, DIVIDE, EXP, ROOT, LOG, POWER, ERF)

Operations: TypeAlias = Callable[[LayerCall], Counts | None]

SIGMOID = {EXP: 1, ADD: 1, DIVIDE: 1}
"""1/(1 + e⁻ˣ)"""
TANH = {EXP: 2, ADD: 2, DIVIDE: 1}
"""(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ)"""
SOFTPLUS = {EXP: 1, ADD: 1, LOG: 1}
"""log(1 + eˣ)"""


def joined(*counts: dict[str, int]) -> dict[str, int]:
    """Return what several functions take together.

    >>> joined(SIGMOID, {MULTIPLY: 1})
    {'exponentials': 1, 'additions': 1, 'divisions': 1, 'multiplications': 1}
    """
    found: dict[str, int] = {}
    for one in counts:
        for part, number in one.items():
            found[part] = found.get(part, 0) + number
    return found


ACTIVATIONS: dict[str, dict[str, int]] = {
    "relu": {COMPARE: 1},
    "threshold": {COMPARE: 1},
    "relu6": {COMPARE: 2},
    "hardtanh": {COMPARE: 2},
    "hardshrink": {COMPARE: 2},
    "softshrink": {COMPARE: 2, ADD: 1},
    "leaky_relu": {COMPARE: 2, MULTIPLY: 1, ADD: 1},
    "prelu": {COMPARE: 2, MULTIPLY: 1, ADD: 1},
    "rrelu": {COMPARE: 2, MULTIPLY: 1, ADD: 1},
    "elu": {COMPARE: 2, EXP: 1, MULTIPLY: 1, ADD: 2},
    "selu": {COMPARE: 2, EXP: 1, MULTIPLY: 2, ADD: 2},
    "celu": {COMPARE: 2, EXP: 1, MULTIPLY: 1, DIVIDE: 1, ADD: 2},
    "sigmoid": SIGMOID,
    "log_sigmoid": joined(SIGMOID, {LOG: 1}),
    "silu": joined(SIGMOID, {MULTIPLY: 1}),
    "hardsigmoid": {ADD: 1, COMPARE: 2, DIVIDE: 1},
    "hardswish": {ADD: 1, COMPARE: 2, DIVIDE: 1, MULTIPLY: 1},
    "tanh": TANH,
    "tanhshrink": joined(TANH, {ADD: 1}),
    "softsign": {COMPARE: 1, ADD: 1, DIVIDE: 1},
    "softplus": joined(SOFTPLUS, {COMPARE: 1, MULTIPLY: 1, DIVIDE: 1}),
    "mish": joined(SOFTPLUS, TANH, {MULTIPLY: 1}),
}
"""What each takes for a number, by its formula in the kind's own docstring."""

GELU = {
    "none": {MULTIPLY: 2, DIVIDE: 1, ERF: 1, ADD: 1},
    "tanh": joined(TANH, {MULTIPLY: 6, ADD: 2}),
}
"""x·½·(1 + erf(x/√2)), or ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))."""


def each(counts: dict[str, int], number: Dim) -> Counts:
    """Return what so many numbers take."""
    return {part: many * number for part, many in counts.items()}


def together(*counts: Counts) -> Counts:
    """Return what several layers take together."""
    found: Counts = {}
    for one in counts:
        for part, number in one.items():
            found[part] = found.get(part, 0) + number
    return found


def activation(asked: LayerCall) -> Counts:
    """So many operations for each number that arrives."""
    return each(ACTIVATIONS[asked.kind], asked.n_in)


def gelu(asked: LayerCall) -> Counts:
    """By the exact formula or by the one with tanh."""
    return each(GELU[asked.word("approximate") or "none"], asked.n_in)


def glu(asked: LayerCall) -> Counts:
    """One half times the sigmoid of the other."""
    return each(joined(SIGMOID, {MULTIPLY: 1}), asked.n_out)


def softmax_of(number: Dim, rows: Dim) -> Counts:
    """The largest is looked for and subtracted, as frameworks do against overflow; then eˣ/∑eˣ."""
    return {COMPARE: number - rows, ADD: 2 * number - rows, EXP: number, DIVIDE: number}


def _rows(asked: LayerCall) -> Dim:
    axis = len(asked.x) - 3 if asked.kind == "softmax2d" else asked.axis("dim")
    return product((*asked.x[:axis], *asked.x[axis + 1 :]))


def softmax(asked: LayerCall) -> Counts:
    """One softmax for every row along the axis."""
    return softmax_of(asked.n_in, _rows(asked))


def log_softmax(asked: LayerCall) -> Counts:
    """X - max - log ∑ e^(x - max)."""
    number, rows = asked.n_in, _rows(asked)
    return {COMPARE: number - rows, ADD: 3 * number - rows, EXP: number, LOG: rows}


def summed(asked: LayerCall) -> Counts:
    """An addition for each result and each tensor after the first."""
    return {ADD: (len(asked.inputs) - 1) * asked.n_out}


def multiplied(asked: LayerCall) -> Counts:
    """A multiplication for each result and each tensor after the first."""
    return {MULTIPLY: (len(asked.inputs) - 1) * asked.n_out}
