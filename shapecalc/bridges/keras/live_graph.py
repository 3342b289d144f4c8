"""A live Keras model as calls: its graph, and the calls of subclassed models and layers, run on symbols.

Every call is repeated on tensors without numbers (`KerasTensor`) whose sizes are all known, so that Keras
says the shape of every result. The model is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

import keras
from keras import tree
from keras.src import backend

from shapecalc.bridges.keras.keras_graph import KerasCall, KerasGraph, KerasWeight, needed
from shapecalc.bridges.keras.keras_layer import Literal, Operand, Variable
from shapecalc.bridges.keras.live_layer import described, is_functional, is_own, weight_name
from shapecalc.errors import SpecError
from shapecalc.layers.class_names import snake_case


class NotTraced(Exception):
    """The call of a class of the user's own cannot be run on symbols; the text says why."""


class LiveGraph:
    """One run of a model on tensors without numbers."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.calls: list[KerasCall] = []
        self.names: dict[str, int] = {}
        self.tensors: dict[int, tuple[Any, Operand]] = {}
        self.is_traced = False
        """Whether code of the user's own was run, which may depend on sizes."""

    def run(self, inputs: Mapping[str, tuple[tuple[int, ...], str]]) -> KerasGraph:
        """Return the calls for inputs of these shapes, batch included, and dtypes."""
        tensors = [keras.KerasTensor(shape, dtype=dtype) for shape, dtype in inputs.values()]
        for (name, (shape, _)), tensor in zip(inputs.items(), tensors, strict=True):
            self.names[name] = 1
            self.tensors[id(tensor)] = tensor, Operand(shape, (name, 0))
        given: Any = dict(zip(inputs, tensors, strict=True)) if len(inputs) > 1 else tensors[0]
        result = self.called(self.model, (given,), {}, "")
        outputs = {name: self.operand(tensor) for name, tensor in self.output_names(result).items()}
        floats = ("float", "bfloat", "complex")
        return KerasGraph(
            self.model.name,
            {name: self.tensors[id(tensor)][1] for name, tensor in zip(inputs, tensors, strict=True)},
            outputs,
            needed(self.calls, [*outputs.values()]),
            frozenset(name for name, (_, dtype) in inputs.items() if not dtype.startswith(floats)),
            any(call.layer.config.get("data_format") == "channels_first" for call in self.calls),
        )

    def output_names(self, result: Any) -> dict[str, Any]:
        if isinstance(result, Mapping):
            return {str(key): value for key, value in result.items()}
        tensors = tree.flatten(result)
        if len(tensors) == 1:
            return {"output": tensors[0]}
        names = getattr(self.model, "output_names", None) or []
        if len({*names}) != len(tensors):
            names = [f"output_{number}" for number in range(1, len(tensors) + 1)]
        return dict(zip(names, tensors, strict=True))

    # ---- calls

    def called(self, operation: Any, args: Any, kwargs: Any, path: str) -> Any:
        """Return the results of a call, and record it or the calls that it is made of."""
        if is_functional(operation):
            return self.graph_of(operation, args, path)
        if not is_own(operation) and isinstance(operation, keras.layers.Layer):
            before = len(self.calls), dict(self.names)
            try:
                return self.traced(operation, args, kwargs, path)
            except NotTraced as reason:
                del self.calls[before[0] :]
                self.names = before[1]
                if operation is self.model:
                    raise SpecError(
                        f"{type(operation).__name__}.call cannot be run on tensors without numbers: {reason}",
                        hint="its call may use layers and keras.ops only; or give a functional model",
                    ) from None
        return self.recorded(operation, args, kwargs, path)

    def recorded(self, operation: Any, args: Any, kwargs: Any, path: str) -> Any:
        """Record a call and return its results."""
        results = result_of(operation, args, kwargs)
        tensors = tree.flatten(results)
        name = self.unique(path or operation.name)
        weights = tuple(
            KerasWeight(weight_name(weight, operation), tuple(weight.shape), weight.trainable)
            for weight in getattr(operation, "weights", ())
        )
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        data = described(operation, *self.plain((tuple(args), dict(kwargs))))
        trainable = getattr(operation, "trainable", True)
        self.calls.append(KerasCall(name, data, id(operation), shapes, weights, trainable))
        for number, tensor in enumerate(tensors):
            self.tensors[id(tensor)] = tensor, Operand(tuple(tensor.shape), (name, number))
        return results

    def unique(self, name: str) -> str:
        """Return the name of a call: that of the layer, with a number behind it for a second one."""
        number = self.names[name] = self.names.get(name, 0) + 1
        return name if number == 1 else self.unique(f"{name}_call{number}")

    def name_of(self, operation: Any, *, is_new: bool) -> str:
        """Return the name of an operation; one that a call has just made has a number of the session."""
        if is_new and not isinstance(operation, keras.layers.Layer):
            return snake_case(type(operation).__name__)
        name: str = operation.name
        return name

    def plain(self, value: Any) -> Any:
        """Return arguments as data, with operands for tensors."""
        return tree.map_structure(self.operand, value)

    def operand(self, value: Any) -> Any:
        """Return what a value in a call is as data."""
        if id(value) in self.tensors:
            return self.tensors[id(value)][1]
        if isinstance(value, keras.Variable):
            return Variable(tuple(value.shape), (value.path.replace("/", "."), 0), value.trainable)
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            return Literal(tuple(value.shape)) if len(value.shape) else float(value)
        return value

    def graph_of(self, model: Any, args: Any, path: str) -> Any:
        """Run the calls of a functional or sequential model."""
        inner = model._functional if isinstance(model, keras.Sequential) else model
        names = [tensor._keras_history.operation.name for tensor in inner.inputs]
        given = args[0]
        ordered = [given[name] for name in names] if isinstance(given, Mapping) else tree.flatten(given)
        values = {id(tensor): value for tensor, value in zip(inner.inputs, ordered, strict=True)}
        return self.nodes(inner, values, path, inner._outputs_struct)

    def nodes(
        self, function: Any, values: dict[int, Any], path: str, outputs: Any, *, is_traced: bool = False
    ) -> Any:
        """Run the nodes of a graph whose inputs have these values."""
        by_depth = function._nodes_by_depth
        for depth in sorted(by_depth, reverse=True):
            for node in by_depth[depth]:
                if node.operation is None or node.is_input:
                    continue
                args, kwargs = node.arguments.fill_in(values)
                for key in implied_masks(node.arguments):
                    kwargs.pop(key)
                name = self.name_of(node.operation, is_new=is_traced)
                results = self.called(node.operation, args, kwargs, f"{path}.{name}" if path else name)
                pairs = zip(node.outputs, tree.flatten(results), strict=True)
                values |= {id(tensor): value for tensor, value in pairs}
        return tree.map_structure(lambda tensor: values[id(tensor)], outputs)

    # ---- classes of the user's own

    def traced(self, layer: Any, args: Any, kwargs: Any, path: str) -> Any:
        """Run the call of a layer or model of the user's own, and record the calls that it makes."""
        fresh: list[tuple[Any, Any]] = []

        def symbol(value: Any) -> Any:
            if not isinstance(value, keras.KerasTensor):
                return value
            fresh.append((keras.Input(batch_shape=value.shape, dtype=value.dtype), value))
            return fresh[-1][0]

        def constant(value: Any) -> Any:
            if not keras.ops.is_tensor(value) or isinstance(value, keras.KerasTensor):
                return value
            tensor = keras.KerasTensor(value.shape, dtype=keras.backend.standardize_dtype(value.dtype))
            self.tensors[id(tensor)] = tensor, Literal(tuple(value.shape))
            return symbol(tensor)

        given, named = tree.map_structure(symbol, (tuple(args), dict(kwargs)))
        with kept_nodes(layer), symbolic_calls(constant):
            try:
                outputs = layer.call(*given, **named)
                flat = tree.flatten(outputs)
                function = keras.Function([tensor for tensor, _ in fresh], flat)
            except Exception as error:  # whatever the user's code raises on tensors without numbers
                raise NotTraced(
                    f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
                ) from error
        first = len(self.calls)
        values = {id(tensor): value for tensor, value in fresh}
        results = self.nodes(function, values, path, outputs, is_traced=True)
        self.require_all_weights(layer, first)
        self.is_traced = True
        return results

    def require_all_weights(self, layer: Any, first: int) -> None:
        """Raise `NotTraced` for a weight of a layer that none of its calls takes."""
        calls = self.calls[first:]
        owners = {call.owner for call in calls}
        parts = layer._flatten_layers()
        held = {id(weight) for part in parts if id(part) in owners for weight in part.weights}
        operands = tree.flatten([(call.layer.args, call.layer.kwargs) for call in calls])
        taken = {operand.source for operand in operands if isinstance(operand, Variable)}
        for weight in layer.weights:
            if id(weight) not in held and self.operand(weight).source not in taken:
                raise NotTraced(f"the weight {weight.path} is used outside of layers and keras.ops")


def result_of(operation: Any, args: Any, kwargs: Any) -> Any:
    """Return the tensors that a call gives, their shapes computed by Keras; raise what Keras raises."""
    if isinstance(operation, keras.layers.Layer) and args:
        operation._assert_input_compatibility(args[0])  # `__call__` does, and would record a node
    results = operation.compute_output_spec(*args, **kwargs)
    if all(None not in tensor.shape for tensor in tree.flatten(results)):
        return results
    # sizes that the layer was made to leave open
    is_quantized = getattr(operation, "quantization_mode", None) is not None
    call = operation.quantized_call if is_quantized else operation.call
    return backend.compute_output_spec(call, *args, **kwargs)


def implied_masks(arguments: Any) -> Iterator[str]:
    """Yield the keywords whose masks Keras took from the tensors that they belong to."""
    known = {id(getattr(tensor, "_keras_mask", None)) for tensor in arguments.keras_tensors}
    for key, value in arguments.kwargs.items():
        if key.endswith("mask") and isinstance(value, keras.KerasTensor) and id(value) in known:
            yield key


@contextmanager
def kept_nodes(layer: Any) -> Iterator[None]:
    """Forget the nodes that calls add to the layers below a layer."""
    parts = layer._flatten_layers()
    kept = [(part, [*part._inbound_nodes], [*part._outbound_nodes]) for part in parts]
    try:
        yield
    finally:
        for part, inbound, outbound in kept:
            part._inbound_nodes, part._outbound_nodes = inbound, outbound


@contextmanager
def symbolic_calls(constant: Callable[[Any], Any]) -> Iterator[None]:
    """Let layers that are called on numbers alone be recorded too, as on constants."""
    original = keras.layers.Layer.__call__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not any(isinstance(each, keras.KerasTensor) for each in tree.flatten((args, kwargs))):
            args, kwargs = tree.map_structure(constant, (args, kwargs))
        return original(self, *args, **kwargs)

    with mock.patch.object(keras.layers.Layer, "__call__", call):
        yield
