"""Indexing: integers, slices, lists and tensors of places."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete
from shapecalc.bridges.torch.tracer.traced_sizes import Size, field_value

_MOST_PLACES = 64
"""A longer list of places is not selected one by one."""


def _narrow(call: Call) -> bool:
    """A part of an axis, which has to reach to its end."""
    dim, start, length = (call.arguments[name] for name in ("dim", "start", "length"))
    if isinstance(start, Tensor):
        return False
    size = call.trace.sizes(call.input)[concrete(dim)]
    if type(length) is int and not length:
        _ = start <= size, -size <= start  # guards
        return call.ends(layers.EmptySlice(dim=concrete(dim)), call.input)
    if start < 0:
        start = start + size
    _ = start >= 0, size >= start + length  # guards
    fields = {"start": field_value(start), "end": field_value(start + length)}
    return call.ends(canonical(layers.Slice, {"dim": concrete(dim), **fields}), call.input)


def _is_index(part: Any) -> bool:
    """Return whether an index says what it takes by its shape: masks do not."""
    if isinstance(part, Tensor):
        return part.dtype not in (torch.bool, torch.uint8)
    if isinstance(part, list):
        return all(type(place) is int for place in part)
    return part is None or part is Ellipsis or isinstance(part, (int, slice))


def _by_places(call: Call, parts: list[Any]) -> bool:
    """An index with one list of places, or with tensors of them, beside complete slices."""
    others = [part for part in parts if not isinstance(part, (Tensor, list))]
    if any(part is not Ellipsis and part != slice(None) for part in others):
        return False
    where = next((number for number, part in enumerate(parts) if part is Ellipsis), len(parts))
    parts[where : where + 1] = [slice(None)] * (call.input.dim() - len(parts) + (where < len(parts)))
    axes = [axis for axis, part in enumerate(parts) if isinstance(part, (Tensor, list))]
    if axes != [*range(axes[0], axes[-1] + 1)]:
        return False
    places = [parts[axis] for axis in axes]
    if len(places) == 1 and isinstance(places[0], list):
        return _listed_places(call, axes[0], places[0])
    return _placed(call, axes, places) if all(isinstance(index, Tensor) for index in places) else False


def _listed_places(call: Call, axis: int, places: list[int]) -> bool:
    """Places that are known: each is selected, and they are joined."""
    if not 0 < len(places) <= _MOST_PLACES:
        return False
    rows = []
    for place in places:
        row = call.step(layers.Select(dim=axis, index=place), call.input)
        rows.append(call.step(layers.Unsqueeze(dim=axis), row))
    return call.ends(canonical(layers.Concat, {"dim": axis}), *rows) if len(rows) > 1 else _is(call, rows[0])


def _is(call: Call, step: str) -> bool:
    call.trace.bind(step, [call.result])
    return True


def _placed(call: Call, axes: list[int], places: list[Tensor]) -> bool:
    """Places in tensors: an element at each place, so that the axes are those of the places, broadcast."""
    rank, behind = max(index.dim() for index in places), call.input.dim() - axes[-1] - 1
    for axis, index in zip(axes, places, strict=True):
        if id(index) in call.trace.literals:  # its places are those of the trace
            size = call.trace.sizes(call.input)[axis]
            _ = size >= concrete(size)  # a guard
    source: Tensor | str = call.input
    for axis in axes:
        source = call.step(layers.Slice(dim=axis, end=1), source)
    for _ in range(rank, len(axes)):
        source = call.step(layers.Select(dim=axes[0], index=0), source)
    for _ in range(len(axes), rank):
        source = call.step(layers.Unsqueeze(dim=axes[0]), source)
    operands: list[Tensor | str] = [source]
    for index in places:
        operand: Tensor | str = index
        for axis in range(index.dim(), index.dim() + behind):
            operand = call.step(layers.Unsqueeze(dim=axis), operand)
        operands.append(operand)
    return call.ends(layers.Combine(function="index"), *operands, name="index")


def _index_select(call: Call) -> bool:
    index, dim = call.arguments["index"], concrete(call.arguments["dim"])
    return index.dim() == 1 and _placed(call, [dim % call.input.dim()], [index])


def _end(value: Any) -> Any:
    """Return the end of a slice, at least 0 if it is a difference of sizes that counted from the front.

    Where the difference is negative, the slice is refused as empty: torch would count from the back.
    """
    if isinstance(value, Size) and "-" in value.text and value.value >= 0:
        return f"max({value.text}, 0)"
    return field_value(value)


def _is_always_empty(parts: list[Any], x: Tensor) -> bool:
    """Return whether the slices that take nothing do so at any size: `x[:, :0]`, `x[:, 3:2]`."""
    pairs = zip((part for part in parts if part is not None), x.shape, strict=True)
    return all(
        not n or len(range(*concrete(part).indices(n))) or _takes_nothing(part)
        for part, n in pairs
        if isinstance(part, slice)
    )


def _takes_nothing(part: slice) -> bool:
    start, stop = part.start or 0, part.stop
    if type(start) is not int or type(stop) is not int:
        return False
    return stop == 0 or ((start < 0) == (stop < 0) and stop <= start)


def _getitem(call: Call) -> bool:
    """An index, axis by axis: integers select, slices cut, None inserts; others have no rule."""
    x, index = call.input, call.arguments["idx"]
    parts = [*index] if isinstance(index, tuple) else [index]
    if any(isinstance(part, bool) or not _is_index(part) for part in parts):
        return False
    if any(isinstance(part, (Tensor, list)) for part in parts):
        return _by_places(call, parts)
    rest = x.dim() - sum(part is not None and part is not Ellipsis for part in parts)
    where = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    parts[where : where + 1] = [slice(None)] * rest
    source, axis = call.trace.name_of(x), 0
    if not call.result.numel() and not _is_always_empty(parts, x):
        return False
    for part in parts:
        if isinstance(part, int):
            source = call.step(layers.Select(dim=axis, index=field_value(part)), source)
            continue
        if part is None:
            source = call.step(layers.Unsqueeze(dim=axis), source)
        elif part != slice(None) and not call.result.shape[axis]:
            source = call.step(layers.EmptySlice(dim=axis), source)
        elif part != slice(None):
            bounds = {
                "start": field_value(part.start),
                "end": _end(part.stop),
                "step": field_value(part.step),
            }
            fields = {name: bound for name, bound in bounds.items() if bound is not None}
            source = call.step(canonical(layers.Slice, {"dim": axis, **fields}), source)
        axis += 1
    call.trace.bind(source, [call.result])
    return True


def _copy(call: Call) -> bool:
    """The numbers of another tensor, which broadcasts to the shape of the input."""
    source = call.first("src", "other")
    if not isinstance(source, Tensor):
        return False
    return call.ends(layers.BroadcastTo(shape=field_value(call.trace.sizes(call.input))), source)


def _setitem(call: Call) -> bool:
    """A part that is written to: a tensor broadcasts to its sizes, axis by axis as in the trace."""
    x, index, value = call.input, call.arguments["k"], call.arguments["v"]
    if isinstance(value, Tensor) and value.dim():
        part = x[concrete(index)]
        if value.dim() <= part.dim() and _getitem(
            Call(call.trace, "getitem", {"input": x, "idx": index}, part)
        ):
            call.trace.guard_expansion(value, call.trace.name_of(part), part.shape)
        else:
            call.trace.has_unknown = True  # a part without a rule
    call.step(layers.Elementwise(function="setitem"), x, results=[x], name="setitem")
    return True


INDEXING: dict[str, Rule] = {
    "copy": _copy,
    "getitem": _getitem,
    "index_select": _index_select,
    "narrow": _narrow,
    "setitem": _setitem,
}
"""By the name of the function."""
