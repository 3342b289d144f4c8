"""The functions that are given weights: layers whose parameters are free to take, and attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from shapecalc.bridges.torch.tracer.call_signatures import Handler, field_values, one_step
from shapecalc.bridges.torch.tracer.module_to_kind import made
from shapecalc.bridges.torch.tracer.traced_sizes import plain
from shapecalc.bridges.torch.tracer.tracing import Trace
from shapecalc.layers import registry
from shapecalc.layers.attention import MultiheadAttention
from shapecalc.layers.base import Kind
from shapecalc.layers.merge import Add, Matmul
from shapecalc.layers.reshape import Transpose
from shapecalc.layers.softmax import Softmax


def _weighted(
    trace: Trace, kind: type[Kind], fields: dict[str, Any], given: dict[str, Any], out: Any
) -> bool:
    """Append a layer whose weights a function was given, if they are parameters that are free to take."""
    own = {name: given[name] for name in ("weight", "bias") if isinstance(given.get(name), Tensor)}
    first = trace.parameters.get(id(own["weight"])) if "weight" in own else None
    holder = (first or "").rpartition(".")[0]
    if trace.called == "function" and _is_custom(trace, holder, own):
        trace.called = "custom"
    return _claimed(trace, made(kind, fields), own, [given["input"]], [out], holder)


def _is_custom(trace: Trace, holder: str, own: Mapping[str, Tensor]) -> bool:
    """Say whether the module that runs has these parameters as torch's modules name them, and none inside."""
    if not own or holder != (trace.scope[-1] if trace.scope else ""):
        return False
    named = {trace.parameters.get(id(one)): name for name, one in own.items()}
    alike = all(path == f"{holder}.{name}".lstrip(".") for path, name in named.items())
    return alike and not [*trace.module.get_submodule(holder).children()]


def _claimed(
    trace: Trace, layer: Kind, own: Mapping[str, Tensor], tensors: Sequence[Tensor], out: Any, name: str
) -> bool:
    """Append a layer that takes these parameters for its own, or shares them with the layer that has them."""
    ids = [id(one) for one in own.values()]
    if any(trace.parameters.get(one) is None for one in ids):
        return False
    owners = {trace.claimed.get(one) for one in ids}
    sources = [trace.ref(one) for one in tensors]
    if owners <= {None}:
        name = trace.unique(name) if name else trace.here(layer.kind)
        trace.claimed |= dict.fromkeys(ids, name)
        trace.emit(layer, sources, out, name)
        return True
    owner = owners.pop()
    step = next((one for one in trace.steps if one.name == owner), None)
    if owners or step is None or step.body != layer:
        return False
    trace.emit(layer, sources, out, trace.here(layer.kind), owner)
    return True


def _linear(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    weight, bias = given["weight"], given.get("bias")
    fields = {"in_features": weight.shape[-1], "out_features": weight.shape[0], "bias": bias is not None}
    if weight.dim() == 2 and _weighted(trace, registry.get("linear"), fields, given, out):
        return True
    turned = one_step(trace, Transpose(dim0=0, dim1=1), trace.ref(weight), None)
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


# ---- attention


def _attend(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    """Write attention out: query by key, softmax, by value."""
    if given.get("enable_gqa"):
        return False
    key = one_step(trace, Transpose(dim0=-2, dim1=-1), trace.ref(given["key"]), None)
    scores = trace.emit(Matmul(), [trace.ref(given["query"]), key], (), trace.here("scores"))
    mask = given.get("attn_mask")
    if isinstance(mask, Tensor):
        scores = trace.emit(Add(), [scores, trace.ref(mask)], (), trace.here("masked"))
    weights = one_step(trace, Softmax(dim=-1), scores, None)
    trace.emit(Matmul(), [weights, trace.ref(given["value"])], [out], trace.here("attend"))
    return True


def _multi_head(trace: Trace, name: str, given: dict[str, Any], out: Any) -> bool:
    """Write what `nn.MultiheadAttention` calls as that layer, its weights under the layer's names."""
    named = {
        "in_proj_weight": given.get("in_proj_weight"),
        **{key: given.get(key) for key in ("q_proj_weight", "k_proj_weight", "v_proj_weight")},
        "in_proj_bias": given.get("in_proj_bias"),
        "out_proj.weight": given.get("out_proj_weight"),
        "out_proj.bias": given.get("out_proj_bias"),
        **{key: given.get(key) for key in ("bias_k", "bias_v")},
    }
    if given.get("static_k") is not None or given.get("static_v") is not None:
        return False
    tensors = [given[key] for key in ("query", "key", "value")]
    embed_dim = given["embed_dim"]
    needs_weights = given.get("need_weights", True)
    fields = {
        "embed_dim": embed_dim,
        "num_heads": given["num_heads"],
        "dropout": given.get("dropout_p", 0),
        "bias": given.get("in_proj_bias") is not None,
        "add_bias_kv": given.get("bias_k") is not None,
        "add_zero_attn": bool(given.get("add_zero_attn")),
        "kdim": tensors[1].shape[-1] if tensors[1].shape[-1] != embed_dim else None,
        "vdim": tensors[2].shape[-1] if tensors[2].shape[-1] != embed_dim else None,
        "need_weights": needs_weights,
        "average_attn_weights": given.get("average_attn_weights", True),
    }
    own = {key: one for key, one in named.items() if isinstance(one, Tensor)}
    first = trace.parameters.get(id(next(iter(own.values())))) or ""
    alone = tensors[0] is tensors[1] is tensors[2]
    results = [one for one in out if one is not None]
    layer = made(MultiheadAttention, plain(fields))
    return _claimed(trace, layer, own, tensors[:1] if alone else tensors, results, first.rpartition(".")[0])


WITH_WEIGHTS: dict[str, Handler] = {
    "linear": _linear,
    **{f"conv{n}d": _conv for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _conv for n in (1, 2, 3)},
    **dict.fromkeys(("batch_norm", "layer_norm", "group_norm", "rms_norm"), _norm),
    "embedding": _embedding,
    "scaled_dot_product_attention": _attend,
    "multi_head_attention_forward": _multi_head,
}
"""By the name of the function."""
