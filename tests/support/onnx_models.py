"""ONNX models of a few nodes, made in the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from onnx import FunctionProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

FLOATS = TensorProto.FLOAT
INTS = TensorProto.INT64


def tensor(name: str, sizes: Sequence[int | str | None] | None, kind: int = FLOATS) -> ValueInfoProto:
    """Return the type of a tensor, some sizes of which may have names or be left open."""
    return helper.make_tensor_value_info(name, kind, sizes)


def weight(name: str, *sizes: int) -> TensorProto:
    """Return an initializer of zeros."""
    return helper.make_tensor(name, FLOATS, sizes, bytes(4 * prod(sizes)), raw=True)


def ints(name: str, *values: int) -> TensorProto:
    """Return an initializer of integers."""
    return helper.make_tensor(name, INTS, [len(values)], values)


def number(name: str, value: float) -> TensorProto:
    """Return an initializer of a single number without axes."""
    return helper.make_tensor(name, INTS if isinstance(value, int) else FLOATS, [], [value])


def node(op: str, inputs: str, outputs: str, name: str = "", **attributes: Any) -> NodeProto:
    """Return a node; names of tensors are words, `_` where one is left out."""
    read, made = (["" if word == "_" else word for word in text.split()] for text in (inputs, outputs))
    return helper.make_node(op, read, made, name=name, **attributes)


def onnx_model(
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, Sequence[int | str | None]],
    held: Sequence[TensorProto] = (),
    *,
    outputs: str = "y",
    opset: int = 17,
    shapes: Sequence[ValueInfoProto] = (),
    functions: Sequence[FunctionProto] = (),
    domains: Sequence[str] = (),
) -> ModelProto:
    """Return a model of some nodes, whose inputs are floats."""
    graph = helper.make_graph(
        [*nodes],
        "net",
        [tensor(name, sizes) for name, sizes in inputs.items()],
        [tensor(name, None) for name in outputs.split()],
        [*held],
        value_info=[*shapes],
    )
    versions = [helper.make_opsetid("", opset), *(helper.make_opsetid(each, 1) for each in domains)]
    return helper.make_model(graph, opset_imports=versions, functions=[*functions])
