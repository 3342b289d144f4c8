"""One call of one of torch's functions, written down: by a rule, by a table, or as `opaque`."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from shapecalc.bridges.torch.tracer.call_signatures import binary, counted, unary, value_of
from shapecalc.bridges.torch.tracer.function_rules import RULES
from shapecalc.bridges.torch.tracer.function_tables import (
    BINARY,
    CREATED,
    ELEMENTWISE,
    NO_MACS,
    SAME,
    UNARY,
    bound,
    normal,
)
from shapecalc.bridges.torch.tracer.traced_sizes import Size, held, plain, sizes_in, written
from shapecalc.bridges.torch.tracer.tracing import Trace, tensors_in
from shapecalc.layers.by_name import Elementwise
from shapecalc.layers.reshape import Transpose
from shapecalc.layers.traced import Constant


def translate(trace: Trace, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """Write down one call of one of torch's functions; return its result, sizes with their origin."""
    raw = getattr(func, "__name__", "function")
    if raw == "__get__":
        return _got(trace, func, args[0], result)
    name = normal(raw)
    if name in ("size", "numel", "nelement") and isinstance(args[0], Tensor):
        return _sized(trace, name, args, kwargs, result)
    if name == "len":
        return held(trace.sizes(args[0])[0])
    if name == "iter":
        rows = [*result]
        _known(trace, "unbind", args, kwargs, rows)
        return iter(rows)
    found = [*tensors_in(result)]
    if not found and name not in ("setitem",):
        return result
    if name in CREATED or not any(True for _ in tensors_in([args, kwargs])):
        _created(trace, name, args, kwargs, result)
        return result
    if name in SAME:
        trace.alias(result, args[0] if args else kwargs["input"])
        return result
    if not _known(trace, name, args, kwargs, result):
        costs = {"macs_known": 0} if name in NO_MACS else {}
        _held(args, kwargs)
        trace.opaque(trace.here(name), name, [*tensors_in([args, kwargs])], found, **costs)
    return result


def _known(trace: Trace, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> bool:
    """Write a call down by a rule or a table; say whether there was one."""
    given = bound(name, args, kwargs)
    x = given.get("input")
    try:
        if isinstance(result, (tuple, list)) and isinstance(x, Tensor):
            counted(trace, name, given, len(result))
        rule = RULES.get(name)
        if rule is not None and rule(trace, name, given, result):
            return True
        if name in UNARY and unary(trace, name, given, result):
            return True
        if name in BINARY and binary(trace, name, args, kwargs, result):
            return True
        if (
            name in ELEMENTWISE
            and isinstance(result, Tensor)
            and isinstance(x, Tensor)
            and result.shape == x.shape
        ):
            trace.emit(Elementwise(function=name), [trace.ref(x)], [result], trace.here(name))
            return True
    except ValidationError:
        pass  # settings that the kind does not know: told as an operation without a rule
    return False


def _got(trace: Trace, func: Any, tensor: Tensor, result: Any) -> Any:
    """Return a property: sizes with their origin; `.T` and its like are steps."""
    if isinstance(result, torch.Size):
        return trace.sizes(tensor)
    if isinstance(result, Tensor) and result is not tensor:
        if result.shape == tensor.shape and func is torch.Tensor.data.__get__:  # type: ignore[attr-defined]
            trace.alias(result, tensor)
        elif result.dim() >= 2 and result.shape == tensor.mT.shape:
            layer = Transpose(dim0=-2, dim1=-1)
            trace.emit(layer, [trace.ref(tensor)], [result], trace.here("transpose"))
        elif result.shape == tensor.shape:
            trace.alias(result, tensor)
    return result


def _sized(trace: Trace, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    sizes = trace.sizes(args[0])
    if name != "size":
        return sizes.numel()
    dim = args[1] if len(args) > 1 else kwargs.get("dim")
    return sizes if dim is None else sizes[dim]


def _created(trace: Trace, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    """Note a tensor made of nothing; its sizes may come from others."""
    if not isinstance(result, Tensor) or (name == "tensor" and not result.dim()) or not trace.inputs:
        return
    shape = [*args[1 if args and isinstance(args[0], Tensor) else 0 :]]
    sizes = kwargs.get("size", shape[0] if shape and isinstance(shape[0], (tuple, list)) else shape)
    fits = isinstance(sizes, (tuple, list)) and tuple(map(plain, sizes)) == tuple(result.shape)
    told = value_of(sizes) if fits else tuple(result.shape)
    if name == "arange" and len(args) == 1 and isinstance(args[0], Size):
        told = (written(args[0]),)
    if any(isinstance(size, str) for size in told):
        trace.emit(Constant(shape=told), [trace.inputs[0]], [result], trace.here(name))
    else:
        _held(args, kwargs)


def _held(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Note the sizes that went into a call of which only this outcome is known."""
    for one in sizes_in((args, kwargs)):
        one.hold()
