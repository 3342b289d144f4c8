"""`export --to keras`: a model in the rules of Keras as source of a functional model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import signature
from keyword import iskeyword
from typing import Any

import keras

from shapecalc.bridges.canonical import short
from shapecalc.bridges.keras.keras_layer import function_name, tuples
from shapecalc.bridges.keras.keras_twins import KerasTwin, called, twin_of
from shapecalc.bridges.torch.twins.code import WIDTH, expression, laid, quoted
from shapecalc.engine.graph import GraphNode
from shapecalc.engine.limits import refuse_too_long
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind
from shapecalc.layers.family import Family
from shapecalc.model import Model

_INITIAL = ("_initializer", "_regularizer", "_constraint")
_TAKEN = {"keras", "layers", "ops", "model"}


class Name(str):
    """The name of a variable, which is written without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def source(model: Model, input_shape: Any, values: Mapping[str, Any]) -> str:
    """Return a model as Keras source; raise `SpecError` where Keras has no counterpart."""
    if model.framework != "keras":
        raise SpecError(f"{model.name} is written in the rules of torch: its source is that of torch")
    report = model.analyze(input=input_shape, **values)
    refuse_too_long(len(report.nodes), "exported source")
    return _Source(report.inference.graph.nodes, report).text()


class _Source:
    """The statements of a function that builds a model."""

    def __init__(self, nodes: Sequence[GraphNode], report: Any) -> None:
        self.nodes, self.report = nodes, report
        self.shapes = report.inference.shapes
        self.names: dict[int, Name] = {}
        self.taken: set[str] = set(_TAKEN)
        self.owned = {node.owner for node in nodes if node.owner is not None}
        self.layers: dict[int, Name] = {}
        self.lines: list[str] = []

    def text(self) -> str:
        """Return the module."""
        indices = {
            slot for node in self.nodes if node.layer.family is Family.EMBEDDING for slot in node.sources
        }
        for slot, (name, shape) in enumerate(self.report.inputs.items()):
            self.names[slot] = self.variable(name)
            dtype = ', dtype="int32"' if slot in indices else ""
            self.add(self.names[slot], f"keras.Input({shape[1:]}, name={quoted(name)}{dtype})")
        for number, node in enumerate(self.nodes):
            self.write(number, node)
        outputs = {name: self.names[slot] for name, slot in self.report.inference.graph.outputs.items()}
        inputs = [self.names[slot] for slot in range(len(self.report.inputs))]
        result = next(iter(outputs.values())) if len(outputs) == 1 else outputs
        returned = f"keras.Model({inputs}, {result}, name={quoted(self.report.name)})"
        self.lines.append(laid(expression(returned), 4, "return "))
        head = f'"""{self.report.title or self.report.name}: a functional Keras model."""'
        uses_ops = any("ops." in line for line in self.lines)
        imports = ["import keras", f"from keras import layers{', ops' if uses_ops else ''}"]
        body = ["def model():", f'    """Return {self.report.name}, not trained."""', *self.lines]
        return "\n".join([head, "", *imports, "", "", *body, ""])

    def write(self, number: int, node: GraphNode) -> None:
        """Write the statements of a node."""
        twin = twin_of(node.layer)
        shapes = tuple([self.shapes[slot] for slot in node.sources])
        tensors = [self.names[slot] for slot in node.sources]
        results = [
            self.variable(node.path if not more else f"{node.path}_{more}") for more in range(node.results)
        ]
        self.names |= dict(zip(node.slots, results, strict=True))
        target = ", ".join(results)
        function = twin.expression(node.layer, shapes)
        if function is not None:
            self.add(target, function.format(*tensors))
            return
        layer, fields = self.live(twin, node, shapes), node.layer.fields_set()
        made = _written(layer, node.path.replace(".", "_"), trainable=node.trainable)
        if node.owner is not None:
            made = self.layers[node.owner]
        elif number in self.owned:
            self.layers[number] = self.variable(f"{node.path}_layer")
            self.add(self.layers[number], made)
            made = self.layers[number]
        args, states = called(layer, tensors)
        given = [*map(repr, args)]
        named = [f"{key}={value!r}" for key, value in {**states, **twin.call_settings(fields)}.items()]
        arguments = ", ".join([*given, *named])
        if len(f"    {target} = {made}({arguments})") > WIDTH:
            self.add(results[0], made)
            made = results[0]
        self.add(target, f"{made}({arguments})")

    def live(self, twin: KerasTwin[Kind], node: GraphNode, shapes: Any) -> Any:
        """Return the layer of a node, not built."""
        try:
            return twin.layer(node.layer.fields_set(), shapes)
        except (LookupError, TypeError, ValueError, NotImplementedError) as error:
            raise SpecError(
                f"Keras has no counterpart of {node.layer.kind} with these settings: {error}", path=node.path
            ) from error

    def variable(self, path: str) -> Name:
        """Return a name of Python that is not taken."""
        name = plain = re.sub(r"\W", "_", path, flags=re.ASCII)
        if not name.isidentifier() or iskeyword(name):
            name = plain = f"x_{name}"
        number = 1
        while name in self.taken:
            number += 1
            name = f"{plain}_{number}"
        self.taken.add(name)
        return Name(name)

    def add(self, target: str, text: str) -> None:
        """Append an assignment."""
        self.lines.append(laid(expression(text), 4, f"{target} = "))


def _written(layer: Any, name: str = "", *, trainable: bool = True) -> str:
    """Return the call that makes a layer, with the arguments that are not defaults."""
    config, parameters = layer.get_config(), signature(type(layer).__init__).parameters
    given: dict[str, str] = {}
    for key, value in config.items():
        default = getattr(parameters.get(key), "default", None)
        if key not in parameters or key.endswith(_INITIAL) or key in ("name", "dtype", "seed"):
            continue
        is_default = short(tuples(value)) == short(tuples(default))
        if not is_default and (value, default) != (function_name(None), None):
            inside = getattr(layer, {"layer": "forward_layer"}.get(key, key), getattr(layer, key, None))
            given[key] = _value(inside if isinstance(inside, keras.layers.Layer) else value)
    if name:
        given["name"] = quoted(name)
    if not trainable:
        given["trainable"] = "False"
    return f"layers.{type(layer).__name__}({', '.join(f'{key}={value}' for key, value in given.items())})"


def _value(value: Any) -> str:
    """Return a setting as Python writes it."""
    if isinstance(value, keras.layers.Layer):
        return _written(value)
    if isinstance(value, (list, tuple)) and any(isinstance(item, keras.layers.Layer) for item in value):
        return f"[{', '.join(map(_value, value))}]"
    return quoted(value) if isinstance(value, str) else repr(tuples(value))
