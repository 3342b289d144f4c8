"""The functions that take weights: layers that own the parameters, or share them, and attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.torch.tracer.trace import Call, Rule, Trace
from shapecalc.bridges.torch.tracer.traced_number import concrete
from shapecalc.bridges.torch.tracer.traced_sizes import Size, field_value
from shapecalc.layers import registry
from shapecalc.layers.base import Kind


def _layer(call: Call, kind: type[Kind], fields: dict[str, Any]) -> bool:
    """Append a layer with the fields of a kind among the arguments, and others, for `weight` and `bias`."""
    settings = {
        name: field_value(value) for name, value in call.arguments.items() if name in kind.model_fields
    }
    own = {name: call.arguments.get(name) for name in ("weight", "bias")}
    fields = {**settings, "bias": own["bias"] is not None, **fields}
    if call.trace.called == "function" and _is_custom(call.trace, own):
        call.trace.called = "custom"
    known = {name: value for name, value in fields.items() if value is not None}
    return _owned(call, canonical(kind, known), [*own.values()], [call.input], [call.result])


def _is_custom(trace: Trace, own: Mapping[str, Any]) -> bool:
    """Return whether the module that runs has the weights as torch's modules name them, and no parts."""
    holder = trace.scope[-1] if trace.scope else ""
    paths = {name: trace.parameters.get(id(item)) for name, item in own.items() if isinstance(item, Tensor)}
    is_alike = all(path == f"{holder}.{name}".lstrip(".") for name, path in paths.items())
    return bool(paths) and is_alike and not [*trace.module.get_submodule(holder).children()]


def _owned(
    call: Call, layer: Kind, own: list[Any], tensors: Sequence[Tensor], results: Sequence[Any]
) -> bool:
    """Append a layer for these weights, named by the module that holds them, if they are parameters."""
    trace, weights = call.trace, [weight for weight in own if isinstance(weight, Tensor)]
    paths = [trace.parameters.get(id(weight)) for weight in weights]
    if None in paths:
        return False
    holder = str(paths[0]).rpartition(".")[0] if paths else ""
    name = holder or ".".join([*filter(None, trace.scope[-1:]), layer.kind])
    return trace.claim(layer, weights, [*map(trace.name_of, tensors)], results, name)


def _linear(call: Call) -> bool:
    """A linear layer; with a weight that is computed or another's, a product with it."""
    weight, bias = call.arguments["weight"], call.arguments["bias"]
    sizes = {"in_features": weight.shape[-1], "out_features": weight.shape[0]}
    if weight.dim() == 2 and _layer(call, layers.Linear, sizes):
        return True
    turned = call.step(layers.Transpose(dim0=0, dim1=1), weight)
    product = call.step(layers.Matmul(), call.input, turned, results=[call.result])
    return True if bias is None else call.ends(layers.Add(), product, bias)


def _convolution(call: Call) -> bool:
    weight, groups = call.arguments["weight"], concrete(call.arguments["groups"])
    first, second = weight.shape[:2]
    channels = (first, second * groups) if "transpose" in call.name else (second * groups, first)
    sizes = {"in_channels": channels[0], "out_channels": channels[1], "kernel_size": tuple(weight.shape[2:])}
    return _layer(call, registry.get(call.name), sizes) or _by_operands(call)


def _by_operands(call: Call) -> bool:
    """A function whose weight and bias are tensors: computed, another's, or trained only in part."""
    kind = registry.get(f"functional_{call.name}")
    fields = {name: field_value(call.arguments[name]) for name in kind.model_fields}
    operands = [call.arguments.get(name) for name in ("weight", "bias")]
    tensors = [operand for operand in operands if isinstance(operand, Tensor)]
    return call.ends(canonical(kind, fields), call.input, *tensors, name=call.name)


def _norm(call: Call) -> bool:
    """A normalization; with a weight that is computed or has no bias where one belongs, by operations."""
    x, weight, bias = call.input, call.arguments.get("weight"), call.arguments.get("bias")
    by_channel = call.name in ("batch_norm", "group_norm", "instance_norm")
    has_rank = call.name in ("batch_norm", "instance_norm")
    fields: dict[str, Any] = {"num_channels": x.shape[1 if x.dim() > 1 else 0]}
    kind = registry.get(f"{call.name}{max(x.dim() - 2, 1)}d" if has_rank else call.name)
    if has_rank:
        running = call.arguments["running_mean"]
        is_of_input = running is None or call.arguments.get("use_input_stats")
        _ = running is None or call.trace.sizes(x)[1] == running.numel()  # a guard
        fields = {"num_features": x.shape[1], "track_running_stats": not is_of_input}
        call.trace.own_buffers(running, call.arguments["running_var"])
    is_affine = weight is not None
    is_settable = (bias is not None) == is_affine if by_channel else is_affine or bias is None
    if is_settable and _layer(call, kind, {**fields, "elementwise_affine": is_affine, "affine": is_affine}):
        return True
    if weight is None and bias is None:
        return False
    call.arguments |= {"weight": None, "bias": None}
    if not _layer(call, kind, {**fields, "elementwise_affine": False, "affine": False}):
        return False
    scaled: Tensor | str = call.trace.last
    for merge, operand in ((layers.Multiply(), weight), (layers.Add(), bias)):
        if operand is not None:
            view = layers.View(shape=[-1, *[1] * (x.dim() - 2)])
            other = call.step(view, operand) if by_channel and x.dim() > 2 else operand
            scaled = call.step(merge, scaled, other, results=[call.result])
    return True


def _prelu(call: Call) -> bool:
    """A rectifier with a slope for each channel; with slopes that are computed, by operations."""
    x, weight = call.input, call.arguments["weight"]
    if _owned(call, layers.PReLU(num_parameters=weight.numel()), [weight], [x], [call.result]):
        return True
    if weight.numel() == 1 or x.dim() < 2:
        return call.ends(layers.Combine(function="prelu"), x, weight, name="prelu")
    view = call.step(layers.View(shape=[-1, *[1] * (x.dim() - 2)]), weight)
    return call.ends(layers.Combine(function="prelu"), x, view, name="prelu")


def _embedding(call: Call) -> bool:
    rows, width = call.arguments["weight"].shape
    if _layer(call, layers.Embedding, {"num_embeddings": rows, "embedding_dim": width}):
        return True
    end = call.trace.ranges.get(call.trace.name_of(call.input))
    if isinstance(end, Size):
        _ = end <= call.trace.sizes(call.arguments["weight"])[0]  # a guard: each position has a row
    return _by_operands(call)


# ---- attention


def _attention(call: Call) -> bool:
    """Attention as its parts: query by key, softmax, by value."""
    query, key, value = (call.arguments[name] for name in ("query", "key", "value"))
    mask = call.arguments.get("attn_mask")
    keys, values = (
        _for_each_head(call, query, tensor) if call.arguments.get("enable_gqa") else tensor
        for tensor in (key, value)
    )
    turned = call.step(layers.Transpose(dim0=-2, dim1=-1), keys)
    scores = call.step(layers.Matmul(), query, turned, name="scores")
    if isinstance(mask, Tensor):
        call.trace.guard_expansion(mask, scores, (*query.shape[:-1], key.shape[-2]))
        scores = call.step(layers.Add(), scores, mask, name="masked")
    weights = call.step(layers.Softmax(dim=-1), scores)
    return call.ends(layers.Matmul(), weights, values, name="attend")


def _for_each_head(call: Call, query: Tensor, tensor: Tensor) -> str:
    """Repeat each head of keys or values for the heads of queries in its group."""
    heads, sizes = call.trace.sizes(query)[-3], call.trace.sizes(tensor)
    _ = heads % sizes[-3] == 0  # a guard
    apart = call.step(layers.Unsqueeze(dim=-3), tensor)
    shape = (*sizes[:-2], heads // sizes[-3], *sizes[-2:])
    copies = call.step(layers.BroadcastTo(shape=field_value(shape)), apart)
    return call.step(layers.View(shape=field_value((*sizes[:-3], heads, *sizes[-2:]))), copies)


_PROJECTIONS = (
    *("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "out_proj_weight"),
    *("in_proj_bias", "bias_k", "bias_v", "out_proj_bias"),
)
"""The arguments of `multi_head_attention_forward` that are weights of `nn.MultiheadAttention`."""


def _multi_head_attention(call: Call) -> bool:
    """What `nn.MultiheadAttention` calls, as that layer."""
    if call.first("static_k", "static_v") is not None:
        return False
    arguments = call.arguments
    query, key, value = tensors = [arguments[name] for name in ("query", "key", "value")]
    _guard_masks(call, query, key)
    embed_dim = arguments["embed_dim_to_check"]
    fields = {
        "embed_dim": embed_dim,
        "num_heads": arguments["num_heads"],
        "dropout": arguments["dropout_p"],
        "bias": arguments["in_proj_bias"] is not None,
        "add_bias_kv": arguments["bias_k"] is not None,
        "add_zero_attn": bool(arguments["add_zero_attn"]),
        "kdim": key.shape[-1] if key.shape[-1] != embed_dim else None,
        "vdim": value.shape[-1] if value.shape[-1] != embed_dim else None,
        "need_weights": arguments["need_weights"],
        "average_attn_weights": arguments["average_attn_weights"],
    }
    layer = canonical(layers.MultiheadAttention, concrete(fields))
    results = [result for result in call.result if result is not None]
    own = [arguments.get(name) for name in _PROJECTIONS]
    return _owned(call, layer, own, tensors[:1] if query is key is value else tensors, results)


def _guard_masks(call: Call, query: Tensor, key: Tensor) -> None:
    """Record the sizes that masks have: of queries by keys, each head's of its own, and of keys."""
    sizes, mask, padding = call.trace.sizes, *map(call.arguments.get, ("attn_mask", "key_padding_mask"))
    batch = sizes(query)[1:-1]
    expected: list[tuple[Tensor, tuple[Any, ...]]] = []
    if isinstance(mask, Tensor):
        heads = [size * call.arguments["num_heads"] for size in batch or (1,)] if mask.dim() > 2 else []
        expected.append((mask, (*heads, sizes(query)[0], sizes(key)[0])))
    if isinstance(padding, Tensor):
        expected.append((padding, (*batch, sizes(key)[0])))
    for tensor, wanted in expected:
        _ = [size == other for size, other in zip(sizes(tensor), wanted, strict=True)]  # guards


WITH_WEIGHTS: dict[str, Rule] = {
    "linear": _linear,
    **{f"conv{rank}d": _convolution for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": _convolution for rank in (1, 2, 3)},
    **dict.fromkeys(("batch_norm", "instance_norm", "layer_norm", "group_norm", "rms_norm"), _norm),
    "prelu": _prelu,
    "embedding": _embedding,
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head_attention,
}
"""By the name of the function."""
