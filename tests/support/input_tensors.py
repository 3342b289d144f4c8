"""The inputs of a report as torch takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shapecalc import Report
from shapecalc.layers import Embedding


def input_tensors(
    report: Report, make: Callable[..., Tensor] = torch.zeros, device: str = "meta"
) -> list[Tensor]:
    """Return a tensor for each input, of integers where a table is read by it."""
    read = {slot for node in report.graph.nodes if isinstance(node.layer, Embedding) for slot in node.sources}
    shapes: list[Any] = [*report.inputs.values()]
    return [
        torch.zeros(shape, dtype=torch.long, device=device) if slot in read else make(shape, device=device)
        for slot, shape in enumerate(shapes)
    ]
