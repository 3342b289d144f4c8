"""Whether integers that are looked up in a table are less than its rows, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.tracer.tensor_values import Values
from shapecalc.bridges.torch.tracer.traced_number import concrete
from shapecalc.layers.requirement import DeclaredSize, Refused
from shapecalc.layers.table import Embedding


def end_of(name: str, tensors: Mapping[int, tuple[Tensor, str]], values: Values) -> int | None:
    """Return what fixed integers are less than, by the name of their tensor; None where unknown."""
    tensor = next((tensor for tensor, each in tensors.values() if each == name), None)
    extremes = None if tensor is None else values.extremes(tensor)
    return extremes[1] + 1 if extremes else None


def require_rows(layer: Embedding, end: Any) -> None:
    """Raise `Refused` unless the integers that are less than `end` have a row each."""
    if end is not None and not end <= layer.num_embeddings:
        rows, shape = "positions, each of which reads a row", (concrete(end),)
        size = layer.num_embeddings
        raise Refused(DeclaredSize(layer.kind, "num_embeddings", size, concrete(end), shape, rows))
