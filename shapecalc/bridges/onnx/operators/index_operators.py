"""Operators that pick elements by indices, or put them."""

from __future__ import annotations

from typing import Any

from shapecalc import layers
from shapecalc.bridges.onnx.held_operands import append_operator
from shapecalc.bridges.onnx.onnx_node import Node
from shapecalc.bridges.onnx.operators import operator
from shapecalc.bridges.onnx.size_values import field_value


@operator("Gather")
def _gather(node: Node) -> None:
    data, indices, axis = node.operand(0), node.operand(1), node.attribute("axis", 0)
    value = node.graph.value_of(indices) if indices.rank == 0 else None
    if value is not None and data.step is not None:
        node.ends(layers.Select(dim=axis, index=field_value(value.item())), data)
        return
    if axis in (0, -2) and data.rank == 2 and data.weight is not None:
        rows, width = data.shape
        if node.layer(layers.Embedding(num_embeddings=rows, embedding_dim=width), [data], indices):
            return
    append_operator(node, layers.OnnxGather, holds=False, dim=axis)


@operator("GatherElements")
def _gather_elements(node: Node) -> None:
    append_operator(node, layers.OnnxGatherElements, holds=False, dim=node.attribute("axis", 0))


@operator("GatherND")
def _gather_nd(node: Node) -> None:
    shared = node.attribute("batch_dims", 0)
    append_operator(node, layers.OnnxGatherND, holds=False, batch_dims=shared)


@operator("ScatterElements", "Scatter")
def _scatter_elements(node: Node) -> None:
    append_operator(node, layers.OnnxScatterElements, holds=False, dim=node.attribute("axis", 0))


@operator("ScatterND")
def _scatter_nd(node: Node) -> None:
    append_operator(node, layers.OnnxScatterND, holds=False)


@operator("TensorScatter")
def _tensor_scatter(node: Node) -> None:
    fields: dict[str, Any] = {"dim": node.attribute("axis", -2)}
    fields["circular"] = node.attribute("mode", "linear") == "circular"
    append_operator(node, layers.OnnxTensorScatter, holds=False, **fields)


@operator("TopK")
def _top_k(node: Node) -> None:
    k = node.numbers(1, "k")
    k = k[0] if isinstance(k, list) else k
    fields = {"k": field_value(k), "dim": node.attribute("axis", -1)}
    append_operator(node, layers.OnnxTopK, [node.operand(0)], holds=False, **fields)


@operator("OneHot")
def _one_hot(node: Node) -> None:
    depth = node.numbers(1)[0]
    depth = int(depth) if isinstance(depth, float) else depth
    fields = {"depth": field_value(depth), "dim": node.attribute("axis", -1)}
    append_operator(node, layers.OnnxOneHot, [node.operand(0), node.operand(2)], holds=False, **fields)


@operator("ArrayFeatureExtractor", domain="ai.onnx.ml")
def _features(node: Node) -> None:
    append_operator(node, layers.OnnxGather, holds=False, dim=-1)


@operator("Compress")
def _compress(node: Node) -> None:
    x, axis = node.operand(0), node.attribute("axis")
    kept = sum(map(bool, node.numbers(1)))
    if axis is None:
        flat = node.step(layers.View(shape=[-1]), x) if x.rank != 1 else x
        append_operator(node, layers.OnnxSlice, [flat], holds=False, dims=(0,), start=(0,), end=(kept,))
    else:
        append_operator(node, layers.OnnxSlice, [x], holds=False, dims=(axis,), start=(0,), end=(kept,))
