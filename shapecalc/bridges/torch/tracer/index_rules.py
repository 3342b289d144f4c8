"""Indexing: integers, slices, lists and tensors of places."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.active_experts import note_active
from shapecalc.bridges.torch.tracer.shape_rules import (
    Shape,
    ShapeRule,
    axis_of,
    equal,
    require,
    rule_of_shapes,
    sized,
    sizes_of,
    stretched,
)
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete
from shapecalc.bridges.torch.tracer.traced_sizes import Size, field_value
from shapecalc.bridges.torch.tracer.value_reads import axes_of_index, is_mask
from shapecalc.layers.effect import replaced

_COUNTING = ("more", "at_least")
"""Relations to 0 of a start that counts from the front."""


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
    _ = start >= 0, length >= 0, size >= start + length  # guards
    fields = {"start": field_value(start), "end": field_value(start + length)}
    return call.ends(canonical(layers.Slice, {"dim": concrete(dim), **fields}), call.input)


def _is_index(part: Any) -> bool:
    """Return whether an index says what it takes by its shape: masks do not."""
    if isinstance(part, Tensor):
        return not is_mask(part)
    if isinstance(part, list):
        return all(type(place) is int for place in part)
    return part is None or part is Ellipsis or isinstance(part, (int, slice))


def _by_places(call: Call, parts: list[Any]) -> bool:
    """Tensors and lists of places: their shape comes where their axes are, in front if others lie between.

    Integers, slices and None beside them come first, as torch has it.
    """
    x, sizes = call.input, call.trace.sizes
    rest = tuple(slice(None) if _is_places(part) else part for part in parts)
    part = x[concrete(rest)]
    _getitem(Call(call.trace, "getitem", {"input": x, "idx": rest}, part))
    shape, axes, shapes = tuple(sizes(part)), [], []
    where = parts.index(Ellipsis) if Ellipsis in rest else len(parts)
    for number, places in enumerate(parts):
        if not _is_places(places):
            continue
        before = sum(not isinstance(each, int) for each in rest[:number])
        behind = sum(not isinstance(each, int) for each in rest[number:])
        axes.append(before if number < where else len(shape) - behind)
        shapes.append(tuple(sizes(places)) if isinstance(places, Tensor) else (len(places),))
        within(call, places, shape[axes[-1]])
    others = [size for axis, size in enumerate(shape) if axis not in axes]
    first = axes[0] if axes == [*range(axes[0], axes[-1] + 1)] else 0
    places = [part for part in parts if isinstance(part, Tensor)]
    if len(parts) == len(places) == 1:
        note_active(call.trace, x, places[0])
    index = Call(call.trace, "index", {"input": part, "index": places}, call.result)
    return sized(index, (*others[:first], *stretched(*shapes), *others[first:]))


def _is_places(part: Any) -> bool:
    return isinstance(part, (Tensor, list))


def _start(call: Call, value: Any) -> Any:
    """Return the start of a slice, at least 0 where Python decided that it is: `max(0, n - m)`."""
    if isinstance(value, Size) and any((value.text, sign, "0") in call.trace.guards for sign in _COUNTING):
        return f"max({value.text}, 0)"
    return field_value(value)


def _end(value: Any) -> Any:
    """Return the end of a slice, at least 0 if it is made of sizes and counted from the front.

    Where a difference is negative, the slice is refused as empty: torch would count from the back.
    """
    if isinstance(value, Size) and value.value >= 0:
        return f"max({value.text}, 0)"
    return field_value(value)


def _are_empty(call: Call, parts: list[Any]) -> bool:
    """Return whether the slices that take nothing do so at any size, or past the end of the axis: a guard."""
    sizes = call.trace.sizes(call.input)
    for part, size in zip((part for part in parts if part is not None), sizes, strict=True):
        n = concrete(size)
        if not isinstance(part, slice) or not n or range(*concrete(part).indices(n)):
            continue
        if _takes_nothing(part):
            continue
        if concrete(part.start or 0) < n or concrete(part.step) not in (None, 1):
            return False
        _ = size <= part.start  # a guard
    return True


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
    if not call.result.numel() and not _are_empty(call, parts):
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
                "start": _start(call, part.start),
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
    _require_inside(call, index if isinstance(index, tuple) else (index,))
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


def _index(call: Call) -> Shape:
    return sizes_of(call, "index")


def _gather(call: Call) -> Shape:
    x, index = sizes_of(call), _index(call)
    axis = axis_of(call, len(x))
    within(call, call.arguments["index"], x[axis])
    require(*(m <= n for other, (m, n) in enumerate(zip(index, x, strict=True)) if other != axis))
    return index


def _scatter(call: Call) -> Shape:
    x, source = sizes_of(call), call.arguments.get("src")
    _gather(call)
    if isinstance(source, Tensor):
        require(*(m <= n for m, n in zip(_index(call), call.trace.sizes(source), strict=True)))
    return x


def _take(call: Call) -> Shape:
    within(call, call.arguments["index"], prod(sizes_of(call)))
    return _index(call)


def _take_along(call: Call) -> Shape:
    x, index = sizes_of(call), sizes_of(call, "indices")
    is_flat = concrete(call.arguments.get("dim")) is None
    axis = axis_of(call, len(x)) if not is_flat else 0
    within(call, call.arguments["indices"], prod(x) if is_flat else x[axis])
    if is_flat:
        return (prod(index),)
    return replaced(stretched(replaced(x, axis, 1), replaced(index, axis, 1)), axis, index[axis])


def _index_add(call: Call) -> Shape | None:
    x, index, source = _index_fill(call), _index(call), call.trace.sizes(call.arguments["source"])
    return x if len(index) == 1 and equal(source, replaced(x, axis_of(call, len(x)), index[0])) else None


def _index_fill(call: Call) -> Shape:
    x = sizes_of(call)
    within(call, call.arguments["index"], x[axis_of(call, len(x))])
    return x


def _index_put(call: Call) -> Shape | None:
    _require_inside(call, call.arguments["indices"])
    return sizes_of(call) if not call.arguments["values"].dim() else None


def within(call: Call, places: Any, size: Any) -> None:
    """Require that places are inside an axis, as far as it is known what they are.

    Of a tensor whose values are those of the trace, at least the size of the trace is required.
    """
    if isinstance(places, list):
        require(size > max(places, default=-1), size >= -min(places, default=0))
    elif (end := call.trace.ranges.get(call.trace.name_of(places))) is not None:
        require(end <= size)
    elif (extremes := call.trace.values.extremes(places)) is not None:
        within(call, extremes, size)
    elif id(places) in call.trace.literals:
        require(size >= concrete(size))


def _require_inside(call: Call, index: Sequence[Any]) -> None:
    """Require that an index is inside the axes of the input, and that its masks have their sizes."""
    sizes = call.trace.sizes(call.input)
    axis, left = 0, len(sizes) - sum(map(axes_of_index, index))
    for part in index:
        count = left if part is Ellipsis else axes_of_index(part)
        if isinstance(part, Tensor) and is_mask(part):
            require(equal(call.trace.sizes(part), sizes[axis : axis + count]))
        elif isinstance(part, (Tensor, list)) and _is_index(part):
            within(call, part, sizes[axis])
        elif isinstance(part, int) and count:
            within(call, [part], sizes[axis])
        axis += count


def _index_select(call: Call) -> Shape:
    x, index = sizes_of(call), _index(call)
    axis = axis_of(call, len(x))
    within(call, call.arguments["index"], x[axis])
    return replaced(x, axis, *index or (1,))


def _repeat_interleave(call: Call) -> Shape | None:
    x, repeats, dim = sizes_of(call), call.arguments["repeats"], call.arguments.get("dim")
    length = call.arguments.get("output_size")
    if length is None and isinstance(repeats, Tensor):
        return None
    if dim is None:
        return (prod(x) * repeats if length is None else length,)
    axis = axis_of(call, len(x))
    return replaced(x, axis, x[axis] * repeats if length is None else length)


def _one_hot(call: Call) -> Shape | None:
    classes = call.arguments["num_classes"]
    return None if concrete(classes) < 1 else (*sizes_of(call), classes)


def _embedding_bag(call: Call) -> Shape | None:
    x, offsets = sizes_of(call), call.arguments["offsets"]
    width = call.trace.sizes(call.arguments["weight"])[1]
    if offsets is None:
        return (x[0], width) if len(x) == 2 else None
    within(call, offsets, x[0] + 1)
    return (call.trace.sizes(offsets)[0] - bool(call.arguments["include_last_offset"]), width)


_OF_SHAPES: dict[str, ShapeRule] = {
    "gather": _gather,
    "index_select": _index_select,
    **dict.fromkeys(("scatter", "scatter_add", "scatter_reduce"), _scatter),
    "take": _take,
    "take_along_dim": _take_along,
    **dict.fromkeys(("index_add", "index_copy"), _index_add),
    "index_fill": _index_fill,
    "index_put": _index_put,
    "embedding_bag": _embedding_bag,
    "repeat_interleave": _repeat_interleave,
    "one_hot": _one_hot,
}
INDEXING: dict[str, Rule] = {
    **{name: rule_of_shapes(rule) for name, rule in _OF_SHAPES.items()},
    "copy": _copy,
    "getitem": _getitem,
    "narrow": _narrow,
    "setitem": _setitem,
}
"""By the name of the function."""
