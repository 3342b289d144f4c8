"""The config of a Keras model, as a `.keras` file has it, as calls: read as data, nothing of it is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shapecalc.bridges.keras.keras_graph import KerasCall, KerasGraph, needed
from shapecalc.bridges.keras.keras_layer import KerasLayer, Literal, OpenShape, Operand, with_tensors
from shapecalc.errors import SpecError, quote
from shapecalc.spec.tree import MOST_LAYERS

Key = tuple[str, int, int]
"""A result in a config: the layer, the number of its call, the number of the result."""


class ConfigGraph:
    """The calls of a model in a config."""

    def __init__(self) -> None:
        self.calls: list[KerasCall] = []
        self.names: dict[str, int] = {}

    def run(self, written: Mapping[str, Any]) -> tuple[KerasGraph, dict[str, OpenShape]]:
        """Return the calls of a model, and the shapes of its inputs without the batch."""
        config = written["config"]
        inputs = inputs_of(written)
        for name in inputs:
            self.names[name] = 1
        values = [Operand(shape, (name, 0)) for name, (shape, _) in inputs.items()]
        results = self.model(written, values, "")
        outputs = self.named(config, results)
        graph = KerasGraph(
            str(config.get("name", "model")),
            dict(zip(inputs, values, strict=True)),
            outputs,
            needed(self.calls, [*outputs.values()]),
            frozenset(name for name, (_, dtype) in inputs.items() if dtype.startswith(("int", "uint"))),
            channels_first=any(
                call.layer.config.get("data_format") == "channels_first" for call in self.calls
            ),
        )
        return graph, {name: shape[1:] for name, (shape, _) in inputs.items()}

    def named(self, config: Mapping[str, Any], results: Sequence[Operand]) -> dict[str, Operand]:
        """Return the outputs by name: the keys of a mapping, or the layers that give them."""
        written = config.get("output_layers")
        if len(results) == 1 and not isinstance(written, Mapping):
            return {"output": results[0]}
        names = [*written] if isinstance(written, Mapping) else [key[0] for key in keys_in(written)]
        if len({*names}) != len(results):
            names = [f"output_{number}" for number in range(1, len(results) + 1)]
        return dict(zip(names, results, strict=True))

    # ---- models

    def model(self, written: Mapping[str, Any], given: Sequence[Operand], path: str) -> list[Operand]:
        """Append the calls of a model on these tensors, and return its results."""
        if written["class_name"] == "Sequential":
            return self.sequence(written["config"]["layers"], given, path)
        return self.functional(written["config"], given, path)

    def sequence(self, layers: Sequence[Any], given: Sequence[Operand], path: str) -> list[Operand]:
        tensors, layers = [*given], [layer for layer in layers if layer["class_name"] != "InputLayer"]
        for layer, following in zip(layers, [*layers[1:], {}], strict=True):
            shape = (following.get("build_config") or {}).get("input_shape")
            results = (open_shape(shape),) if shape and not isinstance(shape[0], list) else None
            tensors = self.call(layer, (tensors[0],), {}, path, results)
        return tensors

    def functional(self, config: Mapping[str, Any], given: Sequence[Operand], path: str) -> list[Operand]:
        """Append the calls of a graph; a call comes when all that it takes is known."""
        layers = {layer["name"]: layer for layer in config["layers"]}
        inputs, outputs = keys_in(config["input_layers"]), keys_in(config["output_layers"])
        known = dict(zip(inputs, given, strict=True))
        shapes: dict[Key, OpenShape] = {}
        for layer in layers.values():
            tensors_in(layer["inbound_nodes"], shapes)
        opened: set[Key] = set()
        for name, number, result in outputs:
            wanted = [(name, number - is_graph(layers[name]), result)]
            while wanted:
                key = wanted[-1]
                if key in known:
                    wanted.pop()
                    continue
                node = without_masks(layers[key[0]]["inbound_nodes"][key[1]], layers)
                missing = [each for each in tensors_in(node, {}) if each not in known]
                if missing:
                    opened.add(key)
                    if not opened.isdisjoint(missing):
                        raise SpecError(f"the layer {quote(key[0])} takes its own result")
                    wanted += missing
                    continue
                args, kwargs = (plain(node[part], known) for part in ("args", "kwargs"))
                count = 1 + max((each[2] for each in shapes if each[:2] == key[:2]), default=0)
                seen = [shapes.get((*key[:2], number)) for number in range(count)]
                complete = None if None in seen else tuple(shape for shape in seen if shape is not None)
                results = self.call(layers[key[0]], args, kwargs, path, complete)
                known |= {(*key[:2], number): operand for number, operand in enumerate(results)}
                if key not in known:
                    raise SpecError(f"the layer {quote(key[0])} has no result {key[2]}")
        return [known[name, number - is_graph(layers[name]), result] for name, number, result in outputs]

    def call(
        self,
        written: Mapping[str, Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        path: str,
        results: tuple[OpenShape, ...] | None,
    ) -> list[Operand]:
        """Append the call of a layer, or those of a model, and return the results."""
        config = written["config"]
        name = str(config.get("name") or written["class_name"])
        inner = f"{path}.{name}" if path else name
        if is_model(written):
            given: list[Operand] = []
            with_tensors(args, given.append)
            return self.model(written, given, inner)
        if len(self.calls) >= MOST_LAYERS:
            raise SpecError(f"the model has more than {MOST_LAYERS:,} layers")
        number = self.names[inner] = self.names.get(inner, 0) + 1
        unique = inner if number == 1 else f"{inner}_call{number}"
        layer = KerasLayer(written["class_name"], config, args, kwargs, str(written.get("module")))
        trainable = config.get("trainable", True) is not False
        self.calls.append(KerasCall(unique, layer, inner, results, trainable=trainable))
        count = len(results or ()) or 1
        return [Operand((), (unique, number)) for number in range(count)]


def without_masks(node: Mapping[str, Any], layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call without the masks that Keras computed and added by itself: of places that are not 0."""
    kwargs = {
        key: value
        for key, value in node["kwargs"].items()
        if not (
            key.endswith("mask")
            and any(layers[each[0]]["class_name"] in ("Any", "NotEqual") for each in tensors_in(value, {}))
        )
    }
    return {"args": node["args"], "kwargs": kwargs}


def is_model(written: Mapping[str, Any]) -> bool:
    """Say whether a layer in a config is a model of Keras' own classes."""
    own = str(written.get("module")) == "keras" or str(written.get("module")).startswith("keras.src.models.")
    return own and written["class_name"] in ("Sequential", "Functional", "Model")


def is_graph(written: Mapping[str, Any]) -> bool:
    """Say whether the calls of a layer are counted from 1 where outputs are listed."""
    return is_model(written) and written["class_name"] != "Sequential"


def inputs_of(written: Mapping[str, Any]) -> dict[str, tuple[OpenShape, str]]:
    """Return the inputs of a model with their shapes, batch included, and dtypes."""
    config = written["config"]
    layers = [layer["config"] for layer in config["layers"] if layer["class_name"] == "InputLayer"]
    by_name = {str(layer["name"]): layer for layer in layers}
    names = (
        [key[0] for key in keys_in(config["input_layers"])] if "input_layers" in config else [*by_name][:1]
    )
    if not names:
        raise SpecError("the model does not say what it takes: it was saved before it was built")
    return {name: (open_shape(by_name[name]["batch_shape"]), str(by_name[name]["dtype"])) for name in names}


def open_shape(shape: Sequence[Any]) -> OpenShape:
    """Return a shape of a config; raise `SpecError` for what is none."""
    if not shape or not all(size is None or (type(size) is int and size >= 0) for size in shape):
        raise SpecError(f"{quote(shape)} is not the shape of a tensor")
    return tuple(shape)


def keys_in(value: Any) -> list[Key]:
    """Return the results that `input_layers` or `output_layers` name."""
    if isinstance(value, Mapping):
        return [key for item in value.values() for key in keys_in(item)]
    if len(value) == 3 and isinstance(value[0], str):
        return [(value[0], int(value[1]), int(value[2]))]
    return [key for item in value for key in keys_in(item)]


def tensors_in(value: Any, shapes: dict[Key, OpenShape]) -> list[Key]:
    """Return the results that a call in a config takes, and add their shapes."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            [key] = keys_in(value["config"]["keras_history"])
            shapes[key] = open_shape(value["config"]["shape"])
            return [key]
        value = [*value.values()]
    return [key for item in value for key in tensors_in(item, shapes)] if isinstance(value, list) else []


def plain(value: Any, known: Mapping[Key, Operand]) -> Any:
    """Return arguments of a call as data."""
    if isinstance(value, list):
        return tuple([plain(item, known) for item in value])
    if not isinstance(value, Mapping):
        return value
    title: Any = value.get("class_name")
    config: Any = value.get("config")
    if title == "__keras_tensor__":
        return known[keys_in(config["keras_history"])[0]]
    if title == "__slice__":
        return slice(config["start"], config["stop"], config["step"])
    if title == "__ellipsis__":
        return ...
    if title in ("__tensor__", "__numpy__"):
        return Literal(extent(config["value"])) if isinstance(config["value"], list) else config["value"]
    return {key: plain(item, known) for key, item in value.items()}


def extent(value: Any) -> tuple[int, ...]:
    """Return the shape of nested lists.

    >>> extent([[1, 2, 3], [4, 5, 6]])
    (2, 3)
    """
    return (len(value), *(extent(value[0]) if value else ())) if isinstance(value, list) else ()
