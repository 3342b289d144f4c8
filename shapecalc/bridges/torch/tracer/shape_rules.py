"""Functions whose results have a shape that their arguments say: what is picked, sorted, joined, transformed.

A rule returns the shape of the result, or the shapes of several, in traced sizes, so that one rule serves the
sizes of the trace and others. What it compares is a condition: torch refuses where it does not hold. A shape
that is not that of the trace is no rule for this call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod
from typing import Any, TypeAlias

from torch import Tensor

from shapecalc.bridges.torch.tracer.named_functions import by_kind
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete, pinned, tensors_in
from shapecalc.bridges.torch.tracer.traced_sizes import field_value, greatest, least
from shapecalc.layers.effect import replaced
from shapecalc.layers.traced import TracedFunction

Shape: TypeAlias = "tuple[Any, ...]"
ShapeRule: TypeAlias = Callable[[Call], "Shape | list[Shape] | None"]


def sized(call: Call, *shapes: Shape, name: str | None = None) -> bool:
    """Append a function with results of these shapes, or of one; return whether they are the trace's."""
    results = [*tensors_in(call.result)]
    if len(shapes) == 1:
        shapes *= len(results)
    if [concrete(shape) for shape in shapes] != [tuple(result.shape) for result in results]:
        return False
    operands = tensors_in(call.arguments)
    name = name or call.name
    if all(shape is shapes[0] for shape in shapes):
        count = {"results": len(results)} if len(results) > 1 else {}
        layer = TracedFunction(function=name, shape=field_value(shapes[0]), **count)
        call.step(layer, *operands, results=results, name=name)
        return True
    for shape, result in zip(shapes, results, strict=True):
        layer = TracedFunction(function=name, shape=field_value(shape))
        call.step(layer, *operands, results=[result], name=name)
    return True


def rule_of_shapes(shapes_of: ShapeRule) -> Rule:
    """Return the rule of a function that has the shapes of its results."""

    def rule(call: Call) -> bool:
        try:
            shapes = shapes_of(call)
        except KeyError:  # a call of no signature that is known
            return False
        if shapes is None:
            return by_kind(call)
        return sized(call, *shapes) if isinstance(shapes, list) else sized(call, shapes)

    return rule


def require(*conditions: Any) -> None:
    """Record conditions, which comparing sizes has done; what tensors without memory let pass is an error."""
    if not all(conditions):
        raise IndexError("index out of range, or sizes that do not match")


def equal(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Require equal sizes; return whether they are those of the trace."""
    return len(left) == len(right) and all(a == b for a, b in zip(left, right, strict=True))


def stretched(*shapes: Shape) -> Shape:
    """Return the shape that several broadcast to: an axis of 1 in the trace stretches, others are equal."""
    rank = max(map(len, shapes))
    sizes = []
    for axis in range(-rank, 0):
        size = next((x[axis] for x in shapes if len(x) >= -axis and concrete(x[axis]) != 1), 1)
        require(*(x[axis] == (1 if concrete(x[axis]) == 1 else size) for x in shapes if len(x) >= -axis))
        sizes.append(size)
    return tuple(sizes)


# ---- parts of a shape


def sizes_of(call: Call, name: str = "input") -> Shape:
    """Return the sizes of an argument."""
    return tuple(call.trace.sizes(call.arguments[name]))


def axis_of(call: Call, rank: int, name: str = "dim") -> int:
    """Return an axis, counted from the first."""
    dim = concrete(call.arguments.get(name))
    return int(dim) % max(rank, 1)


def _input(call: Call) -> Shape:
    return sizes_of(call) if isinstance(call.input, Tensor) else ()


def _reduced(call: Call) -> Shape:
    """Without an axis, several or all of them, or with 1 in their place."""
    x, dim = sizes_of(call), concrete(call.arguments.get("dim"))
    dims = range(len(x)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    axes = [each % max(len(x), 1) for each in dims]
    keep = call.arguments.get("keepdim")
    return tuple(1 if axis in axes else n for axis, n in enumerate(x) if keep or axis not in axes)


def _ranked(call: Call) -> Shape:
    x = sizes_of(call)
    require(call.arguments["k"] <= x[axis_of(call, len(x))])
    return _reduced(call)


def _topk(call: Call) -> Shape:
    x, k = sizes_of(call), call.arguments["k"]
    axis = axis_of(call, len(x))
    require(k <= x[axis])
    return replaced(x, axis, k)


def _quantile(call: Call) -> Shape:
    q = call.arguments["q"]
    return (*(call.trace.sizes(q) if isinstance(q, Tensor) else ()), *_reduced(call))


def _multinomial(call: Call) -> Shape:
    x, count = sizes_of(call), call.arguments["num_samples"]
    require(call.arguments.get("replacement") or count <= x[-1])
    return replaced(x, -1, count)


# ---- windows, diagonals, differences


def _unfold(call: Call) -> Shape | None:
    """Windows of one axis; those of an image are a kind."""
    x = sizes_of(call)
    if "kernel_size" in call.arguments:
        return None
    axis, size, step = axis_of(call, len(x), "dimension"), call.arguments["size"], call.arguments["step"]
    require(size <= x[axis])
    return (*replaced(x, axis, (x[axis] - size) // step + 1), size)


def _diagonal(call: Call) -> Shape:
    x, offset = sizes_of(call), concrete(call.arguments["offset"])
    rows, columns = (axis_of(call, len(x), name) for name in ("dim1", "dim2"))
    length = least(x[rows] + min(offset, 0), x[columns] - max(offset, 0))
    require(length >= 0)
    return (*(n for axis, n in enumerate(x) if axis not in (rows, columns)), length)


def _diag(call: Call) -> Shape:
    x, offset = sizes_of(call), concrete(call.arguments["diagonal"])
    if len(x) == 2:
        return (least(x[0] + min(offset, 0), x[1] - max(offset, 0)),)
    return (x[0] + abs(offset),) * 2


def _diag_embed(call: Call) -> Shape:
    x = sizes_of(call)
    axes = sorted(axis_of(call, len(x) + 1, name) for name in ("dim1", "dim2"))
    result, side = [*x[:-1]], x[-1] + abs(concrete(call.arguments["offset"]))
    for axis in axes:
        result.insert(axis, side)
    return tuple(result)


def _diff(call: Call) -> Shape | None:
    """Differences of neighbours, of a tensor with others in front of it and behind it."""
    x, count = sizes_of(call), call.arguments["n"]
    axis, length = axis_of(call, len(x)), x[axis_of(call, len(x))]
    for name in ("prepend", "append"):
        if call.arguments[name] is not None:
            other = sizes_of(call, name)
            if len(other) != len(x) or not equal(replaced(other, axis, 1), replaced(x, axis, 1)):
                return None
            length += other[axis]
    return replaced(x, axis, greatest(length - count, 0))


def _tensor_split(call: Call) -> list[Shape] | None:
    """Parts that differ by 1 at most: part i of s has ⌈(n - i)/s⌉."""
    x, parts = sizes_of(call), call.first("sections", "indices", "indices_or_sections")
    if call.name != "tensor_split":
        axis = {"hsplit": int(len(x) > 1), "vsplit": 0, "dsplit": 2}[call.name]
    else:
        axis = axis_of(call, len(x))
    if isinstance(parts, (tuple, list)):
        ends = [0, *(least(x[axis], end if end >= 0 else x[axis] + end) for end in parts), x[axis]]
        return [replaced(x, axis, end - start) for start, end in pairwise(ends)]
    if not isinstance(parts, int):
        return None
    if call.name != "tensor_split":
        require(x[axis] % parts == 0)
        return [replaced(x, axis, x[axis] // parts)]
    return [replaced(x, axis, (x[axis] + (parts - 1 - part)) // parts) for part in range(len(call.result))]


# ---- several tensors


def _broadcast(call: Call) -> Shape:
    return stretched(*map(tuple, map(call.trace.sizes, tensors_in(call.arguments))))


def _cross(call: Call) -> Shape | None:
    if call.arguments["dim"] is None:  # the first axis of 3
        return None
    shape = _broadcast(call)
    require(shape[axis_of(call, len(shape))] == 3)
    return shape


def _cdist(call: Call) -> Shape | None:
    x, y = sizes_of(call), call.trace.sizes(call.arguments["x2"])
    return (*stretched(x[:-2], y[:-2]), x[-2], y[-2]) if equal(x[-1:], y[-1:]) else None


def _kron(call: Call) -> Shape:
    x, y = sizes_of(call), sizes_of(call, "other")
    rank = max(len(x), len(y))
    padded = [(*[1] * (rank - len(shape)), *shape) for shape in (x, y)]
    return tuple(m * n for m, n in zip(*padded, strict=True))


def _block_diag(call: Call) -> Shape:
    shapes = [(*[1] * (2 - tensor.dim()), *call.trace.sizes(tensor)) for tensor in tensors_in(call.arguments)]
    return tuple(map(sum, zip(*shapes, strict=True)))


def _cartesian(call: Call) -> Shape:
    lengths = [call.trace.sizes(tensor)[0] for tensor in tensors_in(call.arguments)]
    return (prod(lengths), len(lengths)) if len(lengths) > 1 else tuple(lengths)


def _combinations(call: Call) -> Shape | None:
    """Pairs of different numbers of a vector."""
    (n,) = sizes_of(call)
    is_of_pairs = call.arguments["r"] == 2 and not call.arguments["with_replacement"]
    return (n * (n - 1) // 2, 2) if is_of_pairs else None


def _searchsorted(call: Call) -> Shape | None:
    rows = sizes_of(call, "sorted_sequence")
    x = sizes_of(call)
    return x if len(rows) == 1 or equal(rows[:-1], x[:-1]) else None


def _grid_sample(call: Call) -> Shape | None:
    x, grid = sizes_of(call), sizes_of(call, "grid")
    return (*x[:2], *grid[1:-1]) if equal((x[0], len(x) - 2), (grid[0], grid[-1])) else None


def _scattered(call: Call) -> Shape:
    """The first tensor; what is written into it has the shape of the part that is replaced."""
    x, part = sizes_of(call), sizes_of(call, "src")
    if call.name == "diagonal_scatter":
        replaced = _diagonal(call)
    else:
        dim = axis_of(call, len(x))
        taken = () if call.name == "select_scatter" else (_taken(call, x[dim]),)
        if not taken:
            index = call.arguments["index"]
            require(index < x[dim], index >= -x[dim])
        replaced = (*x[:dim], *taken, *x[dim + 1 :])
    require(equal(part, replaced))
    return x


def _taken(call: Call, size: Any) -> int:
    start, end, step = (pinned(call.arguments.get(name)) for name in ("start", "end", "step"))
    return len(range(pinned(size))[start:end:step])


def _affine_grid(call: Call) -> Shape | None:
    size, theta = tuple(call.arguments["size"]), sizes_of(call)
    return (size[0], *size[2:], len(size) - 2) if equal(size[:1], theta[:1]) else None


_OF_SHAPES: dict[str, ShapeRule] = {
    **dict.fromkeys(("sort", "cummax", "cummin", "bucketize"), _input),
    "isin": lambda call: tuple(call.trace.sizes(call.arguments["elements"])),
    **dict.fromkeys(("mode", "median", "nanmedian", "count_nonzero", "nansum", "nanmean"), _reduced),
    "kthvalue": _ranked,
    "topk": _topk,
    **dict.fromkeys(("quantile", "nanquantile"), _quantile),
    "unfold": _unfold,
    "diagonal": _diagonal,
    **dict.fromkeys(("diagonal_scatter", "select_scatter", "slice_scatter"), _scattered),
    "diag": _diag,
    "diag_embed": _diag_embed,
    "trace": lambda call: (),
    "diff": _diff,
    **dict.fromkeys(("tensor_split", "hsplit", "vsplit", "dsplit"), _tensor_split),
    **dict.fromkeys(("complex", "polar"), _broadcast),
    **dict.fromkeys(("cross", "linalg_cross"), _cross),
    "masked_scatter": lambda call: stretched(sizes_of(call), sizes_of(call, "mask")),
    "cdist": _cdist,
    "kron": _kron,
    "block_diag": _block_diag,
    "cartesian_prod": _cartesian,
    "searchsorted": _searchsorted,
    "grid_sample": _grid_sample,
    "affine_grid": _affine_grid,
    "multinomial": _multinomial,
    "histc": lambda call: (call.arguments["bins"],),
    "view_as_complex": lambda call: sizes_of(call)[:-1] if equal(sizes_of(call)[-1:], [2]) else (),
    "view_as_real": lambda call: (*sizes_of(call), 2),
    "combinations": _combinations,
}
BY_SHAPE: dict[str, Rule] = {name: rule_of_shapes(rule) for name, rule in _OF_SHAPES.items()}
"""By the name of the function."""
