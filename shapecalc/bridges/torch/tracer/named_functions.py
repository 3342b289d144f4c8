"""Functions that need no rule of their own: pointwise ones, and those that are kinds by their names."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.trace import Call
from shapecalc.bridges.torch.tracer.traced_number import concrete, tensors_in
from shapecalc.bridges.torch.tracer.traced_sizes import field_value
from shapecalc.errors import ShapecalcError
from shapecalc.layers import registry
from shapecalc.layers.base import Kind, Layer
from shapecalc.layers.by_name import BROADCASTING, FUNCTIONS
from shapecalc.layers.index import KINDS

_KINDS = {
    "interpolate": "upsample",
    "logsigmoid": "log_sigmoid",
    **{f"max_pool{rank}d_with_indices": f"max_pool{rank}d" for rank in (1, 2, 3)},
    **{f"adaptive_max_pool{rank}d_with_indices": f"adaptive_max_pool{rank}d" for rank in (1, 2, 3)},
    "split_with_sizes": "split",
    "unsafe_chunk": "chunk",
    "unsafe_split": "split",
    "unsafe_split_with_sizes": "split",
    "swapaxes": "transpose",
    "swapdims": "transpose",
}
"""Functions that torch's module, after which a kind is called, has another name for."""
_FIELDS = {
    "axis0": "dim0",
    "axis1": "dim1",
    "sizes": "unflattened_size",
    "split_size_or_sections": "split_size",
    "split_sizes": "split_size",
}
"""Arguments that the field of a kind has another name for."""
_WITHOUT_EFFECT = frozenset(["antialias", "dtype", "inplace", "train", "training", "_stacklevel"])
"""Arguments that change no shape and no cost."""


def by_name(call: Call) -> bool:
    """Record a function that keeps a shape: of one tensor by its name, pointwise of several as a merge."""
    tensors = [*tensors_in(call.arguments)]
    operands = [tensor for tensor in tensors if tensor.dim() or tensor.requires_grad] or tensors
    if any(id(tensor) in call.trace.tensors for tensor in tensors if not any(tensor is x for x in operands)):
        call.trace.log.partial.add(len(call.trace.steps))
    name = {"max": "maximum", "min": "minimum"}.get(call.name, call.name) if len(tensors) == 2 else call.name
    if name not in FUNCTIONS or not isinstance(call.result, Tensor):
        return False
    if len(operands) == 1:
        if operands[0].shape != call.result.shape:
            return False
        title = {"mul": "multiply", "multiply": "multiply"}.get(name, name)
        return call.ends(layers.Elementwise(function=name), operands[0], name=title)
    if name not in BROADCASTING:
        return False
    if name == "add":
        return call.ends(layers.Add(), *operands)
    if name in ("mul", "multiply"):
        return call.ends(layers.Multiply(), *operands)
    return call.ends(layers.Combine(function=name), *operands, name=name)


def by_kind(call: Call) -> bool:
    """Record a function of one tensor that has the name and the arguments of a kind."""
    name = _KINDS.get(call.name, call.name)
    kind = registry.get(name) if name in KINDS else None
    x = call.arguments.get("input")
    if kind is None or not issubclass(kind, Layer) or not isinstance(x, Tensor):
        return False
    fields: dict[str, Any] = {}
    for argument, value in call.arguments.items():
        field = _FIELDS.get(argument, argument)
        if field in kind.model_fields:
            fields |= {} if value is None else {field: value}
        elif not (argument == "input" or argument in _WITHOUT_EFFECT or value is None or value is False):
            return False
    results = [*call.result] if isinstance(call.result, (tuple, list)) else [call.result]
    if not _makes(canonical(kind, concrete(fields)), x, results):
        return False
    call.step(
        canonical(kind, {field: field_value(value) for field, value in fields.items()}), x, results=results
    )
    return True


def _makes(layer: Kind, x: Tensor, results: list[Tensor]) -> bool:
    """Return whether a layer has no weights and makes results of these shapes of a tensor."""
    try:
        effect = layer.apply((tuple(x.shape),))
    except ShapecalcError:
        return False
    return not effect.weights and [*effect.outputs] == [tuple(result.shape) for result in results]
