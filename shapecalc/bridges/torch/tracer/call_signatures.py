"""Torch's functions and tensor methods as steps: which kind each is, and how its arguments name the fields.

A function that no row and no rule here knows becomes `opaque`: named, with the shapes seen and no cost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from torch import Tensor

from shapecalc.bridges.torch.tracer.function_tables import BINARY, FROM_ZERO, UNARY
from shapecalc.bridges.torch.tracer.module_to_kind import made
from shapecalc.bridges.torch.tracer.traced_sizes import Size, held, plain, written
from shapecalc.bridges.torch.tracer.tracing import Trace, tensors_in
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.layers.by_name import Combine, Elementwise
from shapecalc.layers.merge import Add, Multiply

Handler: TypeAlias = Callable[[Trace, str, dict[str, Any], Any], bool]
"""Appends steps for a call with named arguments and its result; False where it has no rule after all."""


def value_of(value: Any) -> Any:
    """Return a value for a field: a size with its origin as spec arithmetic, others as they are."""
    if isinstance(value, Size):
        return written(value)
    if isinstance(value, (tuple, list)):
        return tuple(map(value_of, value))
    return plain(value)


def field_values(kind: type[Kind], given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that are fields of a kind, as values of fields."""
    return {
        name: value_of(value)
        for name, value in given.items()
        if name in kind.model_fields and value is not None
    }


def one_step(
    trace: Trace, layer: Kind, source: str, result: Any, name: str | None = None, share: str | None = None
) -> str:
    """Append a layer of one tensor, called as its kind unless it has a name."""
    return trace.emit(layer, [source], [result], name or trace.here(layer.kind), share)


def unary(trace: Trace, name: str, given: dict[str, Any], result: Any) -> bool:
    """Write down a function of one tensor that a row of the table tells."""
    kind = registry.get(UNARY[name][0])
    x = given.get("input")
    if not isinstance(x, Tensor) or given.get("return_indices"):
        return False
    fields = field_values(kind, given)
    if name in FROM_ZERO:
        fields.setdefault("start_dim" if name == "flatten" else "dim", 0)
    layer = made(kind, fields)
    results = [result] if isinstance(result, Tensor) else [*result]
    step = trace.here(kind.kind)
    trace.emit(layer, [trace.ref(x)], results, step)
    if len(results) == 1 and not isinstance(result, Tensor):
        trace.settle(step, results)
    return True


def counted(trace: Trace, name: str, given: dict[str, Any], count: int) -> None:
    """Note what the number of results depends on, where it is a size."""
    if name not in ("unbind", "chunk", "split"):
        return
    sizes, dim = trace.sizes(given["input"]), plain(given.get("dim", 0))
    size, parts = sizes[dim], given.get("chunks", given.get("split_size"))
    if name == "unbind":
        held(size)
    elif name == "chunk" and count == plain(parts):
        _ = (count - 1) * -(-size // count) < size
    elif name == "chunk":
        held(size)
    elif isinstance(parts, int):
        _ = -(-size // parts) == count


def binary(trace: Trace, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> bool:
    """Write down arithmetic on elements: of tensors a merge, with numbers a function of each element."""
    tensors = [one for one in tensors_in([args, kwargs]) if one.dim() or one.requires_grad]
    if not isinstance(result, Tensor) or not tensors:
        return False
    title = {"add": "add", "multiply": "multiply"}.get(BINARY[name], name)
    if len(tensors) == 1:
        if tensors[0].shape != result.shape:
            return False
        trace.emit(Elementwise(function=name), [trace.ref(tensors[0])], [result], trace.here(title))
        return True
    refs = [trace.ref(one) for one in tensors]
    layer = {"add": Add, "multiply": Multiply}.get(BINARY[name])
    trace.emit(layer() if layer else Combine(function=name), refs, [result], trace.here(title))
    return True
