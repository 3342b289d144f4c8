"""Attention, and normalizations with tensors for scale and shift, of ONNX and of onnxruntime."""

from __future__ import annotations

from typing import Any

from shapecalc import layers
from shapecalc.bridges.canonical import canonical
from shapecalc.bridges.onnx.held_operands import append_operator, result_count
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator


@operator("Attention")
@operator("FlexAttention", domain="ai.onnx.preview")
def _attention(node: Node) -> None:
    names = ("q_num_heads", "kv_num_heads") if node.operand(0).rank == 3 else ()
    fields = {name: node.attribute(name) for name in names}
    append_operator(node, layers.OnnxAttention, results=result_count(node), **fields)


@operator("GroupQueryAttention", domain="com.microsoft")
def _grouped(node: Node) -> None:
    fields = {name: node.attribute(name) for name in ("num_heads", "kv_num_heads")}
    append_operator(node, layers.OnnxGroupQueryAttention, results=result_count(node), **fields)


@operator("MultiHeadAttention", domain="com.microsoft")
def _heads(node: Node) -> None:
    if node.given(1) is None or node.given(2) is None or node.operand(0).rank != 3:
        node.opaque()  # queries, keys and values in one tensor
        return
    fields = {"num_heads": node.attribute("num_heads")}
    append_operator(node, layers.OnnxMultiHeadAttention, results=result_count(node), **fields)


@operator("Attention", domain="com.microsoft")
def _fused(node: Node) -> None:
    widths = node.attribute("qkv_hidden_sizes")
    fields = {"num_heads": node.attribute("num_heads"), "qkv_hidden_sizes": widths and tuple(widths)}
    append_operator(node, layers.OnnxFusedAttention, results=result_count(node), **fields)


@operator("EmbedLayerNormalization", domain="com.microsoft")
def _embedding(node: Node) -> None:
    append_operator(node, layers.OnnxFusedEmbedding, results=result_count(node))


@operator("LinearAttention")
def _linear(node: Node) -> None:
    fields = {name: node.attribute(name) for name in ("q_num_heads", "kv_num_heads")}
    append_operator(node, layers.OnnxLinearAttention, **fields)


# ---- normalizations


@operator("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
@operator("SimplifiedLayerNormalization", domain="com.microsoft")
def _layer_norm(node: Node) -> None:
    x, scale, shift = node.operand(0), node.operand(1), node.given(2)
    axis, results = node.attribute("axis", -1), result_count(node)
    fields: dict[str, Any] = {"normalized_shape": scale.shape, "eps": node.decimal("epsilon", 1e-5)}
    shapes = {each.shape for each in (scale, shift) if each is not None}
    if (results == 1 and shapes == {x.shape[axis:]} and axis < 0) or shapes == {x.shape[axis:]}:
        is_full = node.op == "LayerNormalization"
        kind = layers.LayerNorm if is_full else layers.RMSNorm
        own = {**fields, "bias": shift is not None} if is_full else fields
        if results == 1 and node.layer(canonical(kind, own), [scale, shift], x):
            return
    append_operator(node, layers.OnnxLayerNorm, dim=axis, results=results)


@operator("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", domain="com.microsoft")
def _skip_norm(node: Node) -> None:
    operands = [*node.operands]
    if node.op.startswith("SkipSimplified"):
        operands.insert(3, None)
    append_operator(node, layers.OnnxSkipLayerNorm, operands, results=result_count(node))


@operator("InstanceNormalization")
def _instance_norm(node: Node) -> None:
    append_operator(node, layers.OnnxChannelNorm)


@operator("GroupNormalization")
def _group_norm(node: Node) -> None:
    x, scale, shift = node.operand(0), node.operand(1), node.operand(2)
    groups = node.attribute("num_groups")
    per_group = node.version < 21
    if not per_group or groups == x.shape[1]:
        fields = {"num_groups": groups, "eps": node.decimal("epsilon", 1e-5)}
        if node.layer(
            canonical(layers.GroupNorm, {**fields, "num_channels": scale.numel}), [scale, shift], x
        ):
            return
    append_operator(node, layers.OnnxChannelNorm, groups=groups, per_group=per_group)


@operator("LRN")
def _response_norm(node: Node) -> None:
    x, size = node.operand(0), node.attribute("size")
    if x.rank >= 3:
        node.ends(layers.LocalResponseNorm(size=size), x)
    else:
        node.ends(layers.Elementwise(function="local_response_norm"), x)
