"""The product of rows by matrices of their groups, as experts multiply the tokens that are theirs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.torch.tracer.active_experts import note_active
from shapecalc.bridges.torch.tracer.trace import Call

_empty = torch.empty  # while a trace runs, torch.empty is another function
_ALIGNED = 16
"""Bytes of which torch requires multiples between rows."""


def predicted_grouped_mm(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the result for rows in float32, which torch takes on the CPU and not on the meta device."""
    tensors = [value for value in (*args, *kwargs.values()) if value is not None]
    if not all(isinstance(value, Tensor) for value in tensors) or len(args) != 2 or len(tensors) != 3:
        return None
    rows, matrices, ends = tensors
    if (rows.dim(), matrices.dim(), *ends.shape) != (2, 3, len(matrices)) or "offs" not in kwargs:
        return None
    steps = {tensor.stride(axis) * tensor.element_size() for tensor in (rows, matrices) for axis in (-1, -2)}
    steps -= {rows.element_size()}
    is_float = rows.dtype is matrices.dtype is torch.float32
    if not is_float or rows.shape[1] != matrices.shape[1] or any(step % _ALIGNED for step in steps):
        return None
    return _empty(rows.shape[0], matrices.shape[2], dtype=rows.dtype, device=rows.device)


def grouped_mm(call: Call) -> bool:
    """Each row by a matrix of its group: by any of them, as they are alike; or matrix by matrix.

    Rows that no group has are counted too.
    """
    left, right, ends = call.first("input", "mat_a"), call.first("mat_b", "mat2"), call.first("offs")
    if call.first("bias") is not None:
        return False
    if left.dim() == right.dim() == 3 and ends is None:
        return call.ends(layers.Matmul(), left, right)
    if (left.dim(), right.dim()) != (2, 3) or not isinstance(ends, Tensor):
        return False
    _ = call.trace.sizes(ends)[0] == call.trace.sizes(right)[0]  # a guard
    product = call.ends(layers.Matmul(), left, call.step(layers.Select(dim=0, index=0), right))
    note_active(call.trace, right, ends)
    return product
