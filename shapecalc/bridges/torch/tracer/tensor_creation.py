"""Tensors that a forward makes of numbers, in shapes that come from the sizes of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.tracer.trace import Call
from shapecalc.bridges.torch.tracer.traced_number import concrete, traced_in
from shapecalc.bridges.torch.tracer.traced_sizes import Size, greatest, spec_text


def record_new(call: Call) -> None:
    """Record a tensor that is made of numbers; its sizes may come from others."""
    trace, result = call.trace, call.result
    if not isinstance(result, Tensor) or not trace.inputs:
        return
    if call.name == "tensor" and not result.dim():
        trace.literals[id(result)] = result
        return
    sizes = _sizes(call.name, call.arguments)
    if traced_in(sizes) and tuple(concrete(sizes)) == tuple(result.shape):
        step = trace.append_new(sizes, result, trace.local(call.name))
        if call.name == "arange":
            start, end, step_size = _range(call.arguments)
            first, end = (start, end) if step_size > 0 else (end + 1, start + 1)
            is_counted_back = isinstance(first, Size) or first < 0  # from the end of an axis
            trace.ranges[step] = greatest(end, -first) if is_counted_back else end
        elif call.name == "randperm":
            trace.ranges[step] = call.arguments["n"]
    else:
        pin_all(call.arguments)
        trace.literals[id(result)] = result


def pin_all(value: Any) -> None:
    """Pin the sizes that went into a call of which only this outcome is known."""
    for number in traced_in(value):
        number.pin()


def _sizes(name: str, arguments: dict[str, Any]) -> Sequence[Any]:
    """Return the shape of a tensor that is made of numbers, as far as its arguments say it.

    The length of a range of integers is ⌈(end - start)/step⌉.
    """
    if isinstance(arguments.get("size"), (tuple, list)):
        return tuple(arguments["size"])
    if name == "arange":
        start, end, step = _range(arguments)
        if type(step) is not int or not isinstance(start, int) or not isinstance(end, int):
            return ()
        span = end if type(start) is int and start == 0 else end - start
        return (span if step == 1 else -(-span // step),)
    if name in ("tril_indices", "triu_indices"):
        return _triangle(arguments, is_upper=name == "triu_indices")
    if name == "eye":
        return (arguments["n"], arguments.get("m", arguments["n"]))
    keys = ("n",) if name == "randperm" else ("steps", "window_length")
    return next(((arguments[key],) for key in keys if key in arguments), ())


def _range(arguments: dict[str, Any]) -> tuple[Any, ...]:
    """Return start, end and step of a range, as integers where they are floats without a fraction."""
    values = (arguments.get("start", 0), arguments.get("end"), arguments.get("step", 1))
    return tuple(int(v) if type(v) is float and v.is_integer() else v for v in values)


def _triangle(arguments: dict[str, Any], *, is_upper: bool) -> Sequence[Any]:
    """Return the shape of the places in a triangle of a square, whose diagonal is off by 1 at most."""
    side, columns = arguments["row"], arguments["col"]
    offset = concrete(arguments["offset"]) * (-1 if is_upper else 1)
    if spec_text(side) != spec_text(columns) or abs(offset) > 1:
        return ()
    return (2, (side + offset) * (side + offset + 1) // 2 - 2 * (offset > 0))
