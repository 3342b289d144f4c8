"""The functions that take more than a row of a table: those with weights, several steps, or whole shapes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.functions import Handler, field_values, value_of
from shapecalc.bridges.torch.leaves import made
from shapecalc.bridges.torch.numbers import plain, written
from shapecalc.bridges.torch.trace import Trace
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.layers.by_name import Function, Reduce
from shapecalc.layers.einsum import Einsum
from shapecalc.layers.merge import Add, Concat, Matmul
from shapecalc.layers.reshape import Permute, Reshape, Squeeze, Transpose, Unsqueeze
from shapecalc.layers.select import Mean, Select, Slice
from shapecalc.layers.softmax import Softmax
from shapecalc.layers.whole import Expand, PadAny, View


def _one(
    trace: Trace, layer: Kind, source: str, result: Any, name: str | None = None, share: str | None = None
) -> str:
    return trace.emit(layer, [source], [result], name or trace.here(layer.kind), share)


# ---- weights


def _weighted(
    trace: Trace, kind: type[Kind], fields: dict[str, Any], given: dict[str, Any], out: Any
) -> bool:
    """Append a layer whose weights a function was given, if they are parameters that are free to take."""
    own = {name: given[name] for name in ("weight", "bias") if isinstance(given.get(name), Tensor)}
    layer = made(kind, fields)
    names = {id(one): trace.parameters.get(id(one)) for one in own.values()}
    if None in names.values():
        return False
    holder = (names[id(own["weight"])] or "").rpartition(".")[0] if "weight" in own else ""
    owners = {trace.claimed.get(id(one)) for one in own.values()}
    source = trace.ref(given["input"])
    if owners <= {None}:
        here = trace.scope[-1] if trace.scope else ""
        name = trace.unique(holder) if holder and holder != here else trace.here(kind.kind)
        trace.claimed |= dict.fromkeys(names, name)
        _one(trace, layer, source, out, name)
        return True
    owner = owners.pop()
    step = next((one for one in trace.steps if one.name == owner), None)
    if owners or step is None or step.body != layer:
        return False
    _one(trace, layer, source, out, trace.here(kind.kind), owner)
    return True


def _linear(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    weight, bias = given["weight"], given.get("bias")
    fields = {"in_features": weight.shape[-1], "out_features": weight.shape[0], "bias": bias is not None}
    if weight.dim() == 2 and _weighted(trace, registry.get("linear"), fields, given, out):
        return True
    turned = _one(trace, Transpose(dim0=0, dim1=1), trace.ref(weight), None)
    source = trace.ref(given["input"])
    last = trace.emit(Matmul(), [source, turned], [out], trace.here("matmul"))
    if bias is not None:
        trace.emit(Add(), [last, trace.ref(bias)], [out], trace.here("add"))
    return True


def _conv(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    weight, groups = given["weight"], plain(given.get("groups", 1))
    first, second = weight.shape[:2]
    inward, outward = (first, second * groups) if "transpose" in name else (second * groups, first)
    kind = registry.get(name)
    fields = {
        **field_values(kind, given),
        "in_channels": inward,
        "out_channels": outward,
        "kernel_size": tuple(weight.shape[2:]),
        "bias": given.get("bias") is not None,
    }
    return _weighted(trace, kind, fields, given, out)


def _norm(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    x, weight = given["input"], given.get("weight")
    kind = registry.get(f"batch_norm{max(x.dim() - 2, 1)}d" if name == "batch_norm" else name)
    fields = field_values(kind, given)
    fields["bias"] = given.get("bias") is not None
    fields["elementwise_affine"] = fields["affine"] = weight is not None
    if name == "batch_norm":
        fields["num_features"] = x.shape[1]
        fields["track_running_stats"] = given.get("running_mean") is not None
    if name == "group_norm":
        fields["num_channels"] = x.shape[1]
    return _weighted(trace, kind, fields, given, out)


def _embedding(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    rows, width = given["weight"].shape
    fields = {"num_embeddings": rows, "embedding_dim": width}
    return _weighted(trace, registry.get("embedding"), fields, given, out)


# ---- products


def _matmul(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    refs = [trace.ref(given["left"]), trace.ref(given["right"])]
    last = trace.emit(Matmul(), refs, [out], trace.here("matmul"))
    if isinstance(given.get("input"), Tensor):  # addmm and baddbmm
        trace.emit(Add(), [trace.ref(given["input"]), last], [out], trace.here("add"))
    return True


def _attention(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    """Write attention out: query by key, softmax, by value."""
    if given.get("enable_gqa"):
        return False
    key = _one(trace, Transpose(dim0=-2, dim1=-1), trace.ref(given["key"]), None)
    scores = trace.emit(Matmul(), [trace.ref(given["query"]), key], (), trace.here("scores"))
    mask = given.get("attn_mask")
    if isinstance(mask, Tensor):
        scores = trace.emit(Add(), [scores, trace.ref(mask)], (), trace.here("masked"))
    weights = _one(trace, Softmax(dim=-1), scores, None)
    trace.emit(Matmul(), [weights, trace.ref(given["value"])], [out], trace.here("attend"))
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
        _one(trace, made(Reshape, {"shape": sizes[1:]}), trace.ref(x), out)
    else:
        _one(trace, View(shape=sizes), trace.ref(x), out)
    return True


def _is_batch(trace: Trace, x: Tensor) -> bool:
    return bool(x.dim()) and x.shape[0] == trace.batch_of(trace.inputs[0])


def _expand(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    shape = given.get("shape", given.get("other"))
    sizes = trace.sizes(shape) if isinstance(shape, Tensor) else shape
    sizes = sizes if isinstance(sizes, (tuple, list)) else (sizes,)
    _one(trace, Expand(shape=value_of(sizes)), trace.ref(given["input"]), out)
    return True


def _permute(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    _one(trace, Permute(dims=tuple(plain(given["dims"]))), trace.ref(given["input"]), out)
    return True


def _t(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    if out.dim() < 2:
        trace.alias(out, given["input"])
    else:
        _one(trace, Transpose(dim0=0, dim1=1), trace.ref(given["input"]), out)
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
    _one(trace, Permute(dims=tuple(dims)), trace.ref(given["input"]), out)
    return True


def _squeeze(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    dim = plain(given.get("dim"))
    if dim is None:
        dim = tuple(axis for axis, n in enumerate(trace.sizes(given["input"])) if n == 1)
    _one(trace, Squeeze(dim=dim), trace.ref(given["input"]), out)
    return True


def _mean(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    x, dim = given["input"], plain(given.get("dim"))
    fields = {"dim": tuple(range(x.dim())) if dim is None else dim, "keepdim": bool(given.get("keepdim"))}
    if not isinstance(out, Tensor) or not x.dim():
        return False
    layer = made(Mean, fields) if name == "mean" else made(Reduce, {"function": name, **fields})
    _one(trace, layer, trace.ref(x), out)
    return True


def _cat(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    dim = plain(given.get("dim", 0))
    refs = [trace.ref(one) for one in given["tensors"]]
    if name == "stack":
        refs = [_one(trace, Unsqueeze(dim=dim), ref, None) for ref in refs]
    trace.emit(made(Concat, {"dim": dim}), refs, [out], trace.here("concat"))
    return True


def _unbind(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    source, dim = trace.ref(given["input"]), plain(given.get("dim", 0))
    for index, one in enumerate(out):
        _one(trace, Select(dim=dim, index=index), source, one)
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
        _one(trace, made(kind, {"padding": tuple(value for side in sides for value in side)}), source, out)
        return True
    if mode != "constant":
        return False
    _one(trace, PadAny(pad=value_of(pad)), source, out)
    return True


def _narrow(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    start, length = given["start"], given["length"]
    fields = {"dim": plain(given["dim"]), "start": value_of(start), "end": value_of(start + length)}
    _one(trace, made(Slice, fields), trace.ref(given["input"]), out)
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
            source = _one(trace, Select(dim=axis, index=value_of(part)), source, None)
            continue
        if part is None:
            source = _one(trace, Unsqueeze(dim=axis), source, None)
        elif part != slice(None):
            fields = {"start": part.start, "end": part.stop, "step": part.step}
            told = {key: value_of(one) for key, one in fields.items() if one is not None}
            source = _one(trace, made(Slice, {"dim": axis, **told}), source, None)
        axis += 1
    trace.settle(source, [out])
    return True


def _setitem(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    x = given["input"]
    _one(trace, Function(function="setitem"), trace.ref(x), x, trace.here("setitem"))
    return True


RULES: dict[str, Handler] = {
    "linear": _linear,
    **{f"conv{n}d": _conv for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _conv for n in (1, 2, 3)},
    **dict.fromkeys(("batch_norm", "layer_norm", "group_norm", "rms_norm"), _norm),
    "embedding": _embedding,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "addmm", "baddbmm"), _matmul),
    "scaled_dot_product_attention": _attention,
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
