"""The bodies of ONNX's own operators that the standard defines by others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx
from onnx import FunctionProto, TypeProto, defs
from onnx.helper import make_node, make_tensor_type_proto

from shapecalc.bridges.onnx.operators import fold_of, rule_of

if TYPE_CHECKING:
    from shapecalc.bridges.onnx.onnx_node import Node


def standard_function(node: Node) -> FunctionProto | None:
    """Return the operators that define an operator of the standard, where all have rules."""
    try:
        schema: Any = defs.get_schema(node.op, node.version, node.domain)
    except defs.SchemaError:
        return None
    if schema.has_function:
        body = schema.get_function_with_opset_version(schema.function_opset_versions[-1])
    elif schema.has_context_dependent_function:
        types = [_type_of(node, number) for number in range(len(node.operands))]
        version = schema.context_dependent_function_opset_versions[-1]
        body = schema.get_context_dependent_function_with_opset_version(
            version, _plain(node).SerializeToString(), [each.SerializeToString() for each in types]
        )
    else:
        return None
    function = FunctionProto.FromString(body)
    has_rules = all(rule_of("", each.op_type) or fold_of("", each.op_type) for each in function.node)
    return function if has_rules else None


def _type_of(node: Node, number: int) -> TypeProto:
    operand = node.given(number)
    return TypeProto() if operand is None else make_tensor_type_proto(operand.dtype, None)


def _plain(node: Node) -> onnx.NodeProto:
    """Return the node with the attributes of the function that it is in put in."""
    plain = make_node(node.op, [*node.proto.input], [*node.proto.output], domain=node.domain)
    plain.attribute.extend(node.attributes.values())
    return plain
