"""Attention as torch computes it step by step: projections, heads, scores, weights, values, a projection.

Without weights as a result it is `scaled_dot_product_attention`, here as on devices without a fused kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shapecalc.algebra import Dim, quotient
from shapecalc.layers.batch_shape_ops import View
from shapecalc.layers.by_name import Elementwise
from shapecalc.layers.dropout import Dropout
from shapecalc.layers.effect import Shapes
from shapecalc.layers.linear import Linear
from shapecalc.layers.memory_traits import Step
from shapecalc.layers.merge import Matmul
from shapecalc.layers.reshape import Permute, Squeeze, Transpose, Unflatten, Unsqueeze
from shapecalc.layers.select import Mean, Select
from shapecalc.layers.softmax import Softmax
from shapecalc.layers.step_list import Contiguous, StepList

if TYPE_CHECKING:
    from shapecalc.layers.attention import MultiheadAttention

_SCALED = Elementwise(function="mul")
_TURNED = Transpose(dim0=-2, dim1=-1)


def attention_steps(
    layer: MultiheadAttention, inputs: Shapes, *, is_memory: bool = False
) -> tuple[Step, ...]:
    """Return the steps of an attention: of one tensor, of a query and a memory, or of three."""
    steps = StepList(inputs)
    e, heads = inputs[0][-1], layer.num_heads
    batched = len(inputs[0]) == 3
    slots = [*range(2 if is_memory and batched else len(inputs))]
    if not batched:  # torch puts a batch in front of each, and sees no more that they are one
        numbers = slots * 3 if len(slots) == 1 else (slots[0], slots[1], slots[-1])
        slots = [steps.add(Unsqueeze(dim=1), number, keep=True) for number in numbers]
    elif layer.batch_first:
        slots = [steps.add(Transpose(dim0=0, dim1=1), number, keep=True) for number in slots]
    length, batch = steps.shapes[slots[0]][:2]
    query, key, value = _projected(steps, layer, slots, e)
    features = quotient(e, heads)
    rows = batch * heads
    by_head = [
        steps.add(
            Transpose(dim0=0, dim1=1),
            steps.add(View(shape=(steps.shapes[slot][0], rows, features)), slot),
            keep=True,
        )
        for slot in (query, key, value)
    ]
    weights: int | None = None
    if layer.need_weights:
        scaled = steps.add(_SCALED, by_head[0], keep=True)
        scores = steps.add(Matmul(), scaled, steps.add(_TURNED, by_head[1]))
        weights = steps.add(Dropout(p=layer.dropout), steps.add(Softmax(dim=-1), scores))
        made = steps.add(Transpose(dim0=0, dim1=1), steps.add(Matmul(), weights, by_head[2]))
    else:
        query, key, value = (
            steps.add(View(shape=(batch, heads, steps.shapes[slot][1], features)), slot, keep=True)
            for slot in by_head
        )
        made = steps.add(Permute(dims=(2, 0, 1, 3)), _fused(steps, layer, query, key, value))
    rowed = steps.add(View(shape=(length * batch, e)), steps.add(Contiguous(), made))
    out = steps.add(
        Linear(out_features=e, bias=layer.bias), rowed, weights=("out_proj.weight", "out_proj.bias")
    )
    result = steps.add(View(shape=(length, batch, e)), out)
    if not batched:
        result = steps.add(Squeeze(dim=1), result)
    elif layer.batch_first:
        result = steps.add(Transpose(dim0=0, dim1=1), result)
    if weights is None:
        return steps.finish(result)
    shape = (batch, heads, length, steps.shapes[weights][-1])
    looked = steps.add(View(shape=shape), weights)
    looked = steps.add(Mean(dim=1), looked) if layer.average_attn_weights else looked
    return steps.finish(result, looked if batched else steps.add(Squeeze(dim=0), looked))


def _fused(steps: StepList, layer: MultiheadAttention, query: int, key: int, value: int) -> int:
    """Add softmax(Q·Kᵀ/√d)·V, each of Q and K scaled by the root of the scale."""
    scaled = steps.add(_SCALED, query, keep=True)  # a variable has it until the end
    turned = steps.add(_SCALED, steps.add(_TURNED, key))
    weights = steps.add(Softmax(dim=-1), steps.add(Matmul(), scaled, turned))
    if layer.dropout != 0:
        weights = steps.add(Dropout(p=layer.dropout), weights)
    return steps.add(Matmul(), weights, value)


def _projected(steps: StepList, layer: MultiheadAttention, slots: list[int], e: Dim) -> tuple[int, int, int]:
    """Add the projections: of one tensor by one matrix, of a query and of what it looks at, or of three."""
    packed = ("in_proj_weight", "in_proj_bias")
    if len(slots) == 1:
        query, key, value = _parts(steps, layer, slots[0], e, 3)
        return query, key, value
    if len(slots) == 2:
        query = steps.add(Linear(out_features=e, bias=layer.bias), slots[0], weights=packed, keep=True)
        key, value = _parts(steps, layer, slots[1], e, 2)
        return query, key, value
    named = [packed] * 3
    if any(steps.shapes[slot][-1] != e for slot in slots):
        named = [(f"{letter}_proj_weight", "in_proj_bias") for letter in "qkv"]
    query, key, value = (
        steps.add(Linear(out_features=e, bias=layer.bias), slot, weights=names, keep=True)
        for slot, names in zip(slots, named, strict=True)
    )
    return query, key, value


def _parts(steps: StepList, layer: MultiheadAttention, slot: int, e: Dim, count: int) -> list[int]:
    """Add a projection to several parts at once, which are then copied to lie behind one another."""
    names = ("in_proj_weight", "in_proj_bias")
    joint = steps.add(Linear(out_features=count * e, bias=layer.bias), slot, weights=names)
    apart = steps.add(Unflatten(dim=-1, unflattened_size=(count, e)), joint)
    front = steps.add(Transpose(dim0=0, dim1=-2), steps.add(Unsqueeze(dim=0), apart))
    lying = steps.add(Contiguous(), steps.add(Squeeze(dim=-2), front), keep=True)
    return [steps.add(Select(dim=0, index=number), lying, keep=True) for number in range(count)]
