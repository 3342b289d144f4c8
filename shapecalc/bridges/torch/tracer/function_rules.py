"""The functions that take more than a row of a table: several steps, or whole shapes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.tracer.call_signatures import Handler, one_step, value_of
from shapecalc.bridges.torch.tracer.module_to_kind import made
from shapecalc.bridges.torch.tracer.traced_sizes import plain, written
from shapecalc.bridges.torch.tracer.tracing import Trace
from shapecalc.bridges.torch.tracer.weighted_functions import WITH_WEIGHTS
from shapecalc.layers import registry
from shapecalc.layers.batch_shape_ops import BroadcastTo, Pad, View
from shapecalc.layers.by_name import Elementwise, Reduce
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.merge import Add, Concat, Matmul
from shapecalc.layers.reshape import Permute, Reshape, Squeeze, Transpose, Unsqueeze
from shapecalc.layers.select import Mean, Select, Slice

# ---- products


def _matmul(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    refs = [trace.ref(given["left"]), trace.ref(given["right"])]
    last = trace.emit(Matmul(), refs, [out], trace.here("matmul"))
    if isinstance(given.get("input"), Tensor):  # addmm and baddbmm
        trace.emit(Add(), [trace.ref(given["input"]), last], [out], trace.here("add"))
    return True


def _einsum(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    """Write an equation out in full: its result named, dots as letters of their own."""
    operands = given["operands"]
    if isinstance(operands, Tensor):
        operands = [operands]
    elif len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = operands[0]
    equation = given["equation"].replace(" ", "")
    if "..." in equation:
        left = equation.partition("->")[0].split(",")
        extra = {
            len(one.shape) - len(term.replace("...", "")) for one, term in zip(operands, left, strict=True)
        }
        if len(extra) != 1:
            return False
        spare = [letter for letter in "ZYXWVUTSRQPONM" if letter not in equation][: extra.pop()]
        equation = equation.replace("...", "".join(spare))
    left, arrow, right = equation.partition("->")
    if not arrow:
        right = "".join(sorted(one for one in set(left) - {","} if left.count(one) == 1))
    layer = Einsum(equation=f"{left}->{right}")
    trace.emit(layer, [trace.ref(one) for one in operands], [out], trace.here("einsum"))
    return True


# ---- arranging


def _reshape(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    shape, x = given.get("shape", given.get("other")), given["input"]
    if isinstance(shape, Tensor):
        shape = trace.sizes(shape)
    if not isinstance(shape, (tuple, list)):
        if not isinstance(shape, int):
            return False  # a view as another number format
        shape = (shape,)
    sizes = value_of(shape)
    kept = plain(shape[0]) == -1 or written(shape[0]) == f"size('{trace.ref(x)}', 0)"
    if out.dim() > 1 and x.dim() and out.shape[0] == x.shape[0] and _is_batch(trace, x) and kept:
        one_step(trace, made(Reshape, {"shape": sizes[1:]}), trace.ref(x), out)
    else:
        one_step(trace, View(shape=sizes), trace.ref(x), out)
    return True


def _is_batch(trace: Trace, x: Tensor) -> bool:
    return bool(x.dim()) and x.shape[0] == trace.batch_of(trace.inputs[0])


def _expand(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    shape = given.get("shape", given.get("other"))
    sizes = trace.sizes(shape) if isinstance(shape, Tensor) else shape
    sizes = sizes if isinstance(sizes, (tuple, list)) else (sizes,)
    one_step(trace, BroadcastTo(shape=value_of(sizes)), trace.ref(given["input"]), out)
    return True


def _permute(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    one_step(trace, Permute(dims=tuple(plain(given["dims"]))), trace.ref(given["input"]), out)
    return True


def _t(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    if out.dim() < 2:
        trace.alias(out, given["input"])
    else:
        one_step(trace, Transpose(dim0=0, dim1=1), trace.ref(given["input"]), out)
    return True


def _movedim(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    rank = out.dim()
    pairs = [
        [axis % rank for axis in ((given[key],) if isinstance(given[key], int) else given[key])]
        for key in ("source", "destination")
    ]
    dims = [axis for axis in range(rank) if axis not in pairs[0]]
    for to, axis in sorted(zip(pairs[1], pairs[0], strict=True)):
        dims.insert(to, axis)
    one_step(trace, Permute(dims=tuple(dims)), trace.ref(given["input"]), out)
    return True


def _squeeze(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    dim = plain(given.get("dim"))
    if dim is None:
        dim = tuple(axis for axis, n in enumerate(trace.sizes(given["input"])) if n == 1)
    one_step(trace, Squeeze(dim=dim), trace.ref(given["input"]), out)
    return True


def _mean(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    x, dim = given["input"], plain(given.get("dim"))
    fields = {"dim": tuple(range(x.dim())) if dim is None else dim, "keepdim": bool(given.get("keepdim"))}
    if not isinstance(out, Tensor) or not x.dim():
        return False
    layer = made(Mean, fields) if name == "mean" else made(Reduce, {"function": name, **fields})
    one_step(trace, layer, trace.ref(x), out)
    return True


def _cat(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    dim = plain(given.get("dim", 0))
    refs = [trace.ref(one) for one in given["tensors"]]
    if name == "stack":
        refs = [one_step(trace, Unsqueeze(dim=dim), ref, None) for ref in refs]
    trace.emit(made(Concat, {"dim": dim}), refs, [out], trace.here("concat"))
    return True


def _unbind(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    source, dim = trace.ref(given["input"]), plain(given.get("dim", 0))
    for index, one in enumerate(out):
        one_step(trace, Select(dim=dim, index=index), source, one)
    return True


def _pad(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    x, pad = given["input"], [*given["pad"]]
    mode = {"reflect": "reflection", "replicate": "replication"}.get(given.get("mode", "constant"))
    mode = mode or given.get("mode", "constant")
    sides = [tuple(value_of(pad[2 * axis : 2 * axis + 2])) for axis in range(len(pad) // 2)]
    rank = x.dim() - 2
    source = trace.ref(x)
    if len(sides) <= rank <= 3 and mode in ("constant", "reflection", "replication", "circular"):
        sides += [(0, 0)] * (rank - len(sides)) if mode == "constant" else []
        kind = registry.get(f"{'zero' if mode == 'constant' else mode}_pad{len(sides)}d")
        one_step(
            trace, made(kind, {"padding": tuple(value for side in sides for value in side)}), source, out
        )
        return True
    if mode != "constant":
        return False
    one_step(trace, Pad(pad=value_of(pad)), source, out)
    return True


def _narrow(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    start, length = given["start"], given["length"]
    fields = {"dim": plain(given["dim"]), "start": value_of(start), "end": value_of(start + length)}
    one_step(trace, made(Slice, fields), trace.ref(given["input"]), out)
    return True


def _getitem(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    """Write an index out, axis by axis: numbers select, slices cut, None inserts."""
    x, index = given["input"], given["index"]
    parts = [*index] if isinstance(index, tuple) else [index]
    if not all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in parts):
        return False
    if any(isinstance(part, bool) for part in parts):
        return False
    rest = x.dim() - sum(part is not None and part is not Ellipsis for part in parts)
    where = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    parts[where : where + 1] = [slice(None)] * rest
    source, axis = trace.ref(x), 0
    for part in parts:
        if isinstance(part, int):
            source = one_step(trace, Select(dim=axis, index=value_of(part)), source, None)
            continue
        if part is None:
            source = one_step(trace, Unsqueeze(dim=axis), source, None)
        elif part != slice(None):
            fields = {"start": part.start, "end": part.stop, "step": part.step}
            told = {key: value_of(one) for key, one in fields.items() if one is not None}
            source = one_step(trace, made(Slice, {"dim": axis, **told}), source, None)
        axis += 1
    trace.settle(source, [out])
    return True


def _setitem(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    x = given["input"]
    one_step(trace, Elementwise(function="setitem"), trace.ref(x), x, trace.here("setitem"))
    return True


RULES: dict[str, Handler] = {
    **WITH_WEIGHTS,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "addmm", "baddbmm"), _matmul),
    **dict.fromkeys(("view", "reshape", "view_as", "reshape_as"), _reshape),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), _expand),
    "einsum": _einsum,
    "permute": _permute,
    "t": _t,
    "movedim": _movedim,
    "squeeze": _squeeze,
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std"), _mean),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _cat),
    "unbind": _unbind,
    "pad": _pad,
    "narrow": _narrow,
    "getitem": _getitem,
    "setitem": _setitem,
}
