"""Single operations beside the layers that a layer is made of: a weight that is computed, what joins them."""

from __future__ import annotations

from shapecalc.algebra import Dim, product
from shapecalc.conventions.composites import TRANSFORMERS, held, stacks
from shapecalc.conventions.convention import Counts
from shapecalc.conventions.layer_call import LayerCall
from shapecalc.conventions.operations import (
    ACTIVATIONS,
    ADD,
    COMPARE,
    DIVIDE,
    GELU,
    MULTIPLY,
    ROOT,
    each,
    together,
)


def beside(asked: LayerCall) -> Counts:
    """Return what a layer made of others does beside them."""
    if asked.kind in TRANSFORMERS:
        return _joining(asked)
    weight = held(asked).weights[asked.word("name")]
    return _directed(asked, weight) if asked.kind == "weight_norm" else _spectral(asked, weight)


def _directed(asked: LayerCall, weight: tuple[Dim, ...]) -> Counts:
    """g·v/|v|: the norm of every direction, the factor g/|v|, and every number times it."""
    number = product(weight)
    lengths = next(
        product(shape) for name, shape in asked.weights.items() if name.endswith(("_g", ".original0"))
    )
    return {MULTIPLY: 2 * number, ADD: number - lengths, ROOT: lengths, DIVIDE: lengths}


def _spectral(asked: LayerCall, weight: tuple[Dim, ...]) -> Counts:
    """W/(uᵀ·W·v), u and v being kept; a weight of one axis is divided by its length, held above eps."""
    number = product(weight)
    kept = [product(shape) for name, shape in asked.effect.buffers.items() if name.endswith("_u")]
    if not kept:
        return {MULTIPLY: number, ADD: number - 1, ROOT: 1, COMPARE: 1, DIVIDE: number}
    (rows,) = kept
    return {MULTIPLY: number + rows, ADD: number - 1, DIVIDE: number}


def _joining(asked: LayerCall) -> Counts:
    """The activation between the two linear layers, and the sums of what is read and what was made of it."""
    functions = {"relu": ACTIVATIONS["relu"], "gelu": GELU["none"]}
    found: list[Counts] = []
    for x, memory, layers, _ in stacks(asked):
        between = product(x[:-1]) * asked.whole("dim_feedforward")
        sums = (2 if memory is None else 3) * product(x)
        found.append(each(functions[asked.word("activation")], layers * between))
        found.append({ADD: layers * sums})
    return together(*found)
