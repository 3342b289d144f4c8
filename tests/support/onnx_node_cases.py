"""The ONNX standard's own cases of single nodes, with what the importer answers.

A tensor that decides a size and is an input of a case, as the shape of a Reshape is, has a value in networks: where a
case is refused as it is, its small inputs are made constants, with the values of the case.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper, shape_inference

from shapecalc.bridges.onnx import from_onnx
from shapecalc.errors import ShapecalcError
from shapecalc.layers.family import Family

Shapes: TypeAlias = "list[tuple[int, ...]]"

MOST = 64
"""An input of more elements is no size."""


class NodeCase(NamedTuple):
    """A model of a node, the values of its inputs, and the shapes of its results, if they are tensors."""

    name: str
    model: ModelProto
    inputs: Mapping[str, Any]
    results: Shapes | None


def node_cases() -> Iterator[NodeCase]:
    """Yield the cases that the installed `onnx` has, those of function bodies aside."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they compute with infinities
        loaded = load_model_tests(kind="node")
    for case in loaded:
        if "expanded" in case.name or case.model is None or case.data_sets is None:
            continue
        values, results = case.data_sets[0]
        names = [each.name for each in case.model.graph.input]
        shapes = [_shape(result) for result in results]
        known = [shape for shape in shapes if shape is not None]
        inputs = dict(zip(names, values, strict=False))
        yield NodeCase(case.name, case.model, inputs, known if len(known) == len(shapes) else None)


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, TensorProto):
        return tuple(value.dims)
    is_tensor = isinstance(value, (np.ndarray, np.generic, int, float, str))
    return np.asarray(value).shape if is_tensor else None


def copied(model: ModelProto) -> ModelProto:
    """Return a model that can be changed."""
    copy = ModelProto()
    copy.CopyFrom(model)
    return copy


def with_values(case: NodeCase) -> ModelProto | None:
    """Return the model with its small inputs behind the first as constants; None where there are none."""
    model = copied(case.model)
    kept = []
    for number, declared in enumerate(case.model.graph.input):
        value = case.inputs.get(declared.name)
        array = np.asarray(value) if isinstance(value, (np.ndarray, np.generic)) else None
        may_be = number > 0 or model.graph.node[0].op_type in _OF_NUMBERS
        if array is not None and array.size <= MOST and array.dtype.kind in "iufb" and may_be:
            model.graph.initializer.append(numpy_helper.from_array(array, declared.name))
        else:
            kept.append(declared)
    if len(kept) == len(case.model.graph.input):
        return None
    unused = helper.make_tensor_value_info("unused_input", TensorProto.FLOAT, [3])
    del model.graph.input[:]
    model.graph.input.extend(kept or [unused])
    return model


_OF_NUMBERS = {"Range", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix", "ConstantOfShape"}


def verdict(model: ModelProto, wanted: Shapes) -> str:
    """Return `exact`, `opaque`, `refused`, or what is wrong."""
    try:
        report = from_onnx(model).analyze()
    except ShapecalcError:
        return "refused"
    if any(node.layer.family is Family.OPAQUE for node in report.nodes):
        return "opaque"
    answer = [tuple(shape) for shape in report.outputs.values()]
    return "exact" if answer == wanted else f"{answer}, not {wanted}"


def best_verdict(case: NodeCase) -> str:
    """Return the verdict on a case; `by value` where it is exact with its small inputs known."""
    if case.results is None:
        return "refused"
    first = verdict(case.model, case.results)
    if first not in ("opaque", "refused") or (known := with_values(case)) is None:
        return first
    second = verdict(known, case.results)
    if second == "exact":
        return "by value"
    return first if second in ("opaque", "refused") else second


# ---- other sizes


def size_names(model: ModelProto) -> dict[int, str]:
    """Return a name for each size above 1 of the inputs."""
    sizes = {dim.dim_value for each in model.graph.input for dim in each.type.tensor_type.shape.dim}
    return {size: f"q{number}" for number, size in enumerate(sorted(sizes)) if size > 1}


def resized(model: ModelProto, sizes: Mapping[int, int | str]) -> ModelProto:
    """Return a model whose inputs have other sizes, numbers or names; nothing is declared of its results."""
    model = copied(model)
    for each in model.graph.input:
        for dim in each.type.tensor_type.shape.dim:
            size = sizes.get(dim.dim_value)
            if isinstance(size, str):
                dim.dim_param = size
            elif size is not None:
                dim.dim_value = size
    for each in model.graph.output:
        each.ClearField("type")
    return model


def inferred(model: ModelProto) -> Shapes | None:
    """Return the shapes of the results as ONNX infers them; None where it refuses or does not know all."""
    try:
        graph = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except shape_inference.InferenceError:
        return None
    shapes = []
    for each in graph.output:
        tensor = each.type.tensor_type
        dims = tensor.shape.dim
        if not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in dims):
            return None
        shapes.append(tuple(dim.dim_value for dim in dims))
    return shapes
