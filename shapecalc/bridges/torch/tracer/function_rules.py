"""Functions that are several steps or take the sizes of their results: views, padding, parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.grouped_products import grouped_mm
from shapecalc.bridges.torch.tracer.index_rules import INDEXING
from shapecalc.bridges.torch.tracer.named_functions import by_kind
from shapecalc.bridges.torch.tracer.product_rules import PRODUCTS
from shapecalc.bridges.torch.tracer.reduction_rules import REDUCTIONS
from shapecalc.bridges.torch.tracer.shape_rules import BY_SHAPE, stretched
from shapecalc.bridges.torch.tracer.trace import Call, Rule
from shapecalc.bridges.torch.tracer.traced_number import concrete, pinned, tensors_in
from shapecalc.bridges.torch.tracer.traced_sizes import field_value, spec_text
from shapecalc.bridges.torch.tracer.transform_rules import TRANSFORMS
from shapecalc.bridges.torch.tracer.weighted_functions import WITH_WEIGHTS
from shapecalc.layers import registry

# ---- shapes


def _target_shape(call: Call) -> tuple[Any, ...] | None:
    """Return the sizes that a tensor is viewed or expanded to; None where it is viewed as other numbers."""
    other = call.first("size", "shape", "other")
    if isinstance(other, Tensor):
        return call.trace.sizes(other)
    return tuple(other) if isinstance(other, (tuple, list)) else None if other is None else (other,)


def _of_nothing(call: Call, shape: tuple[Any, ...]) -> bool:
    """A view without elements: new, where the tensor has an axis of 0; what is left open is 0."""
    _ = [pinned(size) for size in call.trace.sizes(call.input) if not concrete(size)]
    sizes = [0 if concrete(size) == -1 else size for size in shape]
    call.trace.append_new(sizes, call.result, call.trace.local(call.name))
    return True


def _reshape(call: Call) -> bool:
    """A view: of what is behind the batch where the batch stays, otherwise of the complete shape."""
    shape, x, out = _target_shape(call), call.input, call.result
    if shape is None:
        return False
    if not out.numel():
        return _of_nothing(call, shape)
    sizes = field_value(shape)
    if out.dim() > 1 and x.dim() and out.shape[0] == x.shape[0] == call.trace.batch():
        if concrete(shape[0]) == -1 or spec_text(shape[0]) == f"size('{call.trace.name_of(x)}', 0)":
            return call.ends(canonical(layers.Reshape, {"shape": sizes[1:]}), x)
    return call.ends(layers.View(shape=sizes), x)


def _expand(call: Call) -> bool:
    return call.ends(layers.BroadcastTo(shape=field_value(_target_shape(call))), call.input)


def transposed(call: Call) -> bool:
    """A matrix, or the last two axes; `.T` and `.H` reverse all axes, and a vector is the same."""
    rank = call.result.dim()
    if rank < 2:
        call.trace.alias(call.result, call.input)
        return True
    if rank > 2 and call.name in ("T", "H"):
        return call.ends(layers.Permute(dims=tuple(reversed(range(rank)))), call.input)
    axes = {"dim0": 0, "dim1": 1} if call.name == "t" else {"dim0": -2, "dim1": -1}
    return call.ends(layers.Transpose(**axes), call.input)


def _movedim(call: Call) -> bool:
    """Axes in another order: torch moves those of a tensor whose sizes are the numbers of its axes."""
    numbered = torch.empty([*range(call.input.dim())], device="meta")
    moved = torch.movedim(numbered, *concrete((call.arguments["source"], call.arguments["destination"])))
    return call.ends(layers.Permute(dims=tuple(moved.shape)), call.input)


def _squeeze(call: Call) -> bool:
    dim = concrete(call.arguments.get("dim"))
    if dim is None:
        dim = tuple(axis for axis, size in enumerate(call.trace.sizes(call.input)) if size == 1)
    return call.ends(layers.Squeeze(dim=dim), call.input)


def _meshgrid(call: Call) -> bool:
    """Each row as a view along an axis of its own, expanded along the others."""
    tensors = call.arguments["tensors"]
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    if any(tensor.dim() != 1 for tensor in tensors):
        return False
    order = [*range(len(tensors))]
    if call.arguments.get("indexing") == "xy":
        order[:2] = reversed(order[:2])
    shape = field_value([call.trace.sizes(tensors[number])[0] for number in order])
    for number, (tensor, result) in enumerate(zip(tensors, call.result, strict=True)):
        view = layers.View(shape=[-1 if place == number else 1 for place in order])
        call.step(layers.BroadcastTo(shape=shape), call.step(view, tensor), results=[result])
    return True


def _repeat(call: Call) -> bool:
    """Copies along each axis: an axis of size 1 in front of it is expanded, and both are viewed as one."""
    counts, sizes = call.first("repeats", "dims"), call.trace.sizes(call.input)
    rank = max(len(counts), len(sizes))
    pairs = zip((*[1] * (rank - len(counts)), *counts), (*[1] * (rank - len(sizes)), *sizes), strict=True)
    apart: list[Any] = []
    expanded: list[Any] = []
    joined: list[Any] = []
    for count, size in pairs:
        is_once = type(count) is int and count == 1
        apart += [size] if is_once else [1, size]
        expanded += [size] if is_once else [count, size]
        joined += [size if is_once else count * size]
    view = call.step(layers.View(shape=field_value(apart)), call.input)
    copies = call.step(layers.BroadcastTo(shape=field_value(expanded)), view)
    return call.ends(layers.View(shape=field_value(joined)), copies)


def _ravel(call: Call) -> bool:
    return call.ends(layers.View(shape=(-1,)), call.input)


def _broadcast_tensors(call: Call) -> bool:
    tensors = tensors_in(call.arguments)
    shape = field_value(stretched(*map(tuple, map(call.trace.sizes, tensors))))
    for tensor, result in zip(tensors, call.result, strict=True):
        call.step(layers.BroadcastTo(shape=shape), tensor, results=[result])
    return True


def _at_least(call: Call, tensor: Tensor, rank: int) -> Tensor | str:
    """Return a tensor of at least so many axes, as `atleast_1d` to `3d` make it."""
    dims = {1: ((0,),), 2: ((0, 0), (0,)), 3: ((0, 0, 0), (0, 2), (2,))}[rank]
    source: Tensor | str = tensor
    for dim in dims[tensor.dim()] if tensor.dim() < rank else ():
        source = call.step(layers.Unsqueeze(dim=dim), source)
    return source


def _atleast(call: Call) -> bool:
    results = tensors_in(call.result)
    for tensor, result in zip(tensors_in(call.arguments), results, strict=True):
        source = _at_least(call, tensor, int(call.name[-2]))
        if isinstance(source, str):
            call.trace.bind(source, [result])
        else:
            call.trace.alias(result, source)
    return True


# ---- joining and parts


def _softmax(call: Call) -> bool:
    """A softmax, whose axis torch chooses where it is not given."""
    if call.arguments.get("dim") is None:
        call.arguments["dim"] = 0 if call.input.dim() in (0, 1, 3) else 1
    return by_kind(call)


def _cat(call: Call) -> bool:
    dim, tensors = concrete(call.arguments["dim"]), call.arguments["tensors"]
    if call.name != "stack":  # torch leaves out vectors of no element, whatever the rank of the others
        tensors = [tensor for tensor in tensors if tensor.shape != (0,)] or tensors
    operands = (
        [call.step(layers.Unsqueeze(dim=dim), tensor) for tensor in tensors]
        if call.name == "stack"
        else tensors
    )
    return call.ends(canonical(layers.Concat, {"dim": dim}), *operands)


def _stacked(call: Call) -> bool:
    """Tensors joined that first get the axes that they lack."""
    tensors = tensors_in(call.arguments)
    dim = {"vstack": 0, "row_stack": 0, "hstack": int(tensors[0].dim() > 1), "dstack": 2, "column_stack": 1}
    rank = 1 + dim[call.name]
    if call.name == "column_stack":
        operands = [call.step(layers.Unsqueeze(dim=1), x) if x.dim() == 1 else x for x in tensors]
    else:
        rank = 2 if call.name.endswith(("vstack", "row_stack")) else 1 if call.name == "hstack" else rank
        operands = [_at_least(call, x, rank) for x in tensors]
    return call.ends(canonical(layers.Concat, {"dim": dim[call.name]}), *operands)


def _unbind(call: Call) -> bool:
    dim = concrete(call.arguments["dim"])
    for index, result in enumerate(call.result):
        call.step(layers.Select(dim=dim, index=index), call.input, results=[result])
    return True


def _compare(call: Call) -> bool:
    """A similarity or distance of vectors, by the layer of that name."""
    kind = registry.get(call.name)
    fields = {name: call.arguments[name] for name in ("dim", "p", "keepdim") if name in call.arguments}
    return call.ends(canonical(kind, concrete(fields)), *tensors_in(call.arguments))


_LOSSES = {
    "binary_cross_entropy": "bce_loss",
    "binary_cross_entropy_with_logits": "bce_with_logits_loss",
    "cross_entropy": "cross_entropy_loss",
    "kl_div": "kl_div_loss",
    **{name: name for name in ("huber_loss", "l1_loss", "mse_loss", "nll_loss", "smooth_l1_loss")},
}
"""The kind of each loss of an input and a target."""


def _loss(call: Call) -> bool:
    """A loss without weights, by the layer of its name."""
    kind, tensors = registry.get(_LOSSES[call.name]), tensors_in(call.arguments)
    if len(tensors) != 2:
        return False
    settings = ("reduction", "beta", "delta", "ignore_index", "label_smoothing", "log_target")
    fields = {name: call.arguments[name] for name in settings if name in kind.model_fields}
    known = {name: value for name, value in fields.items() if value is not None}
    return call.ends(canonical(kind, concrete(known)), *tensors)


def _pad(call: Call) -> bool:
    """Padding by the layer for that many axes, or by one for any axes."""
    x, pad, mode = call.input, field_value([*call.arguments["pad"]]), call.arguments["mode"]
    mode = {"reflect": "reflection", "replicate": "replication", "constant": "zero"}.get(mode, mode)
    rank, axes = x.dim() - 2, len(pad) // 2
    if axes <= rank <= 3 and mode in ("zero", "reflection", "replication", "circular"):
        if mode == "zero":
            pad, axes = (*pad, *[0] * 2 * (rank - axes)), rank
        return call.ends(canonical(registry.get(f"{mode}_pad{axes}d"), {"padding": pad}), x)
    return call.ends(layers.Pad(pad=pad), x) if mode == "zero" else False


def _rot90(call: Call) -> bool:
    """A rotation of a plane: its axes change places at odd numbers of turns; elements move."""
    source: Tensor | str = call.input
    if concrete(call.arguments["k"]) % 2:
        first, second = call.arguments["dims"]
        source = call.step(layers.Transpose(dim0=first, dim1=second), source)
    return call.ends(layers.Elementwise(function="flip"), source)


def _weight_norm(call: Call) -> bool:
    """A weight from a direction and a length, which broadcasts."""
    return call.ends(layers.Combine(function=call.name), *tensors_in(call.arguments), name=call.name)


def _max_unpool(call: Call) -> bool:
    """An unpooling, whose output_size may be the complete shape."""
    kind = registry.get(call.name)
    fields = {name: call.arguments[name] for name in ("kernel_size", "stride", "padding")}
    if (size := call.arguments.get("output_size")) is not None:
        fields["output_size"] = tuple(size)[-int(call.name[-2]) :]
    known = {name: field_value(value) for name, value in fields.items() if value is not None}
    return call.ends(canonical(kind, known), call.input, call.arguments["indices"])


RULES: dict[str, Rule] = {
    **WITH_WEIGHTS,
    **INDEXING,
    **BY_SHAPE,
    **PRODUCTS,
    **REDUCTIONS,
    **TRANSFORMS,
    **dict.fromkeys(("view", "reshape", "view_as", "reshape_as"), _reshape),
    **dict.fromkeys(("expand", "expand_as", "broadcast_to"), _expand),
    **dict.fromkeys(("softmax", "log_softmax", "softmin"), _softmax),
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _cat),
    "_weight_norm": _weight_norm,
    **dict.fromkeys(("vstack", "row_stack", "hstack", "dstack", "column_stack"), _stacked),
    **dict.fromkeys(("cosine_similarity", "pairwise_distance"), _compare),
    **dict.fromkeys(_LOSSES, _loss),
    **{f"atleast_{rank}d": _atleast for rank in (1, 2, 3)},
    "broadcast_tensors": _broadcast_tensors,
    "ravel": _ravel,
    **dict.fromkeys(("grouped_mm", "_grouped_mm"), grouped_mm),
    "t": transposed,
    **dict.fromkeys(("movedim", "moveaxis"), _movedim),
    "squeeze": _squeeze,
    "meshgrid": _meshgrid,
    **dict.fromkeys(("repeat", "tile"), _repeat),
    "unbind": _unbind,
    "pad": _pad,
    "rot90": _rot90,
    **{f"max_unpool{rank}d": _max_unpool for rank in (1, 2, 3)},
}
"""By the name of the function."""
