"""From the calls of a Keras model to the steps of a spec."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from itertools import chain, count
from typing import Any

from pydantic import ValidationError

from shapecalc.algebra import Dim
from shapecalc.bridges.keras.keras_graph import KerasCall, KerasGraph
from shapecalc.bridges.keras.keras_layer import (
    KerasLayer,
    Literal,
    OpenShape,
    Operand,
    Variable,
    function_name,
    has_other_weights,
    layer_in,
    operands_in,
    with_tensors,
)
from shapecalc.bridges.keras.keras_operations import Part, parts_of
from shapecalc.bridges.keras.keras_twins import activation, kind_of, layer_of, twin_of
from shapecalc.errors import ShapecalcError, SpecError
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.requirement import Refused, Shape
from shapecalc.layers.reshape import Permute
from shapecalc.layers.traced import Constant, Opaque, Parameter, Unused
from shapecalc.spec.tree import Step

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.]")
_WITHOUT_WEIGHTS = ("Lambda",)
"""Layers of Keras' own that no rule is for, and that have no weights."""
_UNREAD = (ValidationError, ShapecalcError, Refused, LookupError, TypeError, ValueError)
"""What a config raises that says what no rule has: its call is then known by its shapes."""


class Steps:
    """The steps of calls, with the shape of every result; the batch is in front."""

    def __init__(self, graph: KerasGraph, shapes: Mapping[str, tuple[int, ...]], batch: int) -> None:
        self.graph, self.batch = graph, batch
        self.steps: list[Step] = []
        self.held: list[list[tuple[str, Shape, bool]]] = []
        """The weights of the layer of each step, and whether they are trained."""
        self.names = {*shapes}
        self.calls = {step_name(call.name) for call in graph.calls}
        self.shapes: dict[str, tuple[int, ...]] = {name: (batch, *shape) for name, shape in shapes.items()}
        self.references = {(name, 0): name for name in shapes}
        """What a spec calls the results of calls, and the weights that operations take."""
        self.owners: dict[Hashable, tuple[str, Kind]] = {}
        self.last = next(iter(shapes))
        self.call = ""
        """The call whose steps are appended."""
        for call in graph.calls:
            self.add(call)

    def reference(self, operand: Operand) -> str:
        """Return what a spec calls a tensor; a weight or an array becomes a step where it is first used."""
        first = next(iter(self.shapes))
        if isinstance(operand, Literal):
            shape = [size or 1 for size in operand.shape]
            return self.append(Constant(shape=shape), [first], f"{self.last}.constant")[0]
        if isinstance(operand, Variable) and operand.source not in self.references:
            trainable = None if operand.trainable else False
            layer = Parameter(shape=operand.shape)
            [name] = self.append(layer, [first], operand.source[0], trainable=trainable)
            self.references[operand.source] = name
        return self.references[operand.source]

    # ---- calls

    def add(self, call: KerasCall) -> None:
        """Append the steps of a call."""
        self.call = call.name
        layer = KerasLayer(
            call.layer.class_name,
            call.layer.config,
            with_tensors(call.layer.args, self._with_shape),
            with_tensors(call.layer.kwargs, self._with_shape),
            call.layer.module,
        )
        if call.weights is None and has_other_weights(layer.config):
            raise unknown(
                call.name, f"{layer.class_name} is quantized or has LoRA: its weights are not in the file"
            )
        before = len(self.steps), set(self.names), dict(self.shapes), self.last, dict(self.owners)
        try:
            results = self.known(call, layer)
        except _UNREAD:
            results = None
        if results is None or not self.is_right(call, results, before[0]):
            del self.steps[before[0] :], self.held[before[0] :]
            self.names, self.shapes, self.last, self.owners = before[1:]
            results = self.opaque(call, layer)
        for number, result in enumerate(results):
            self.references[call.name, number] = result

    def _with_shape(self, operand: Operand) -> Operand:
        """Return a tensor with the sizes that are known here; what is no batch is a number."""
        if isinstance(operand, (Literal, Variable)):
            return operand
        shape = self.shapes[self.references[operand.source]]
        return Operand((None if shape[:1] == (self.batch,) else shape[0], *shape[1:]), operand.source)

    def known(self, call: KerasCall, layer: KerasLayer) -> list[str] | None:
        """Append the steps of a call that has a kind or a rule, and return its results."""
        if not layer.is_own:
            parts = parts_of(layer, self.batch, call.results)
            return None if parts is None else self.chained(call, parts)
        kind = layer_of(layer)
        if kind is None:
            return None
        if layer.class_name == "Activation" or kind_of(layer) is None:
            return self.chained(call, [Part(kind, tuple(operands_in(layer.args)))])
        twin = twin_of(kind)
        operands = twin.operands(layer)
        if operands is None:
            return None
        references = [self.reference(operand) for operand in operands]
        results = self.laid_out(call, kind, references, twin.channel_axis(layer))
        written = layer.config.get(twin.activation) if twin.activation else None
        return self.activated(call, written, results)

    def chained(self, call: KerasCall, parts: Sequence[Part]) -> list[str]:
        """Append parts of a call, each of which reads its tensors or the results of the part before it."""
        results: list[str] = []
        made: list[str] = []
        for number, part in enumerate(parts):
            before = results if part.operands is None else made
            references = [*map(self.reference, part.operands)] if part.operands else before
            named = call.name if number == len(parts) - 1 else f"{call.name}_{part.layer.kind}"
            results = self.append(part.layer, references, named)
            made += results
        return results

    def laid_out(self, call: KerasCall, kind: Kind, references: list[str], axis: int) -> list[str]:
        """Append a layer, between steps that move the axis of the channels where it is not the last."""
        rank = len(self.shapes[references[0]])
        axis %= rank
        if axis == rank - 1:
            return self.owned(call, kind, references)
        order = [*(each for each in range(rank) if each != axis), axis]
        moved = [
            name
            for reference in references
            for name in self.append(Permute(dims=order), [reference], f"{call.name}_channels_last")
        ]
        results = self.owned(call, kind, moved)
        back = [order.index(each) for each in range(rank)]
        return [
            self.append(Permute(dims=back), [name], f"{call.name}_channels_first")[0]
            if len(self.shapes[name]) == rank
            else name
            for name in results
        ]

    def owned(self, call: KerasCall, kind: Kind, references: list[str]) -> list[str]:
        """Append a layer with its weights, or one that shares those of an earlier call."""
        owner, known = self.owners.get(call.owner, ("", kind))
        if known != kind:
            raise LookupError("a layer that is another kind on other tensors")
        trainable = None if call.trainable else False
        results = self.append(kind, references, call.name, share=owner or None, trainable=trainable)
        if self.held[-1]:
            self.owners.setdefault(call.owner, (results[0], kind))
        return results

    def activated(self, call: KerasCall, written: Any, results: list[str]) -> list[str]:
        """Append the activation that a layer has in its config, if it has one."""
        name = function_name(written)
        if name == function_name(None):
            return results
        if name is not None:
            kind = activation(name)
        else:
            inner = layer_in(written, self.shapes[results[0]])
            kind = layer_of(inner) if inner.is_own else None
        first, *others = results
        shown = f"{call.name}_{name or 'activation'}"
        if kind is None:
            seen = self.seen(first)
            kind = Opaque(function=name or "activation", takes=[seen], gives=[seen])
        return [*self.append(kind, [first], shown), *others]

    # ---- steps

    def append(
        self, layer: Kind, references: Sequence[str], name: str, *, share: str | None = None,
        trainable: bool | None = None,
    ) -> list[str]:  # fmt: skip
        """Append a step and return the references to its results; raise what the layer's rules raise."""
        effect = layer.apply(tuple([self.shapes[reference] for reference in references]))
        name = self.unique(name, self.call)
        data: dict[str, Any] = {"name": name}
        if [*references] != [self.last] or isinstance(layer, Merge):
            data["from"] = tuple(references)
        if share is None and trainable is False and effect.weights:
            data["trainable"] = False
        self.steps.append(Step(layer, **data) if share is None else Step(share=share, **data))
        is_layer = not isinstance(layer, Parameter)
        self.held.append(
            [
                (weight, shape, trainable is not False and weight not in layer.gathered)
                for weight, shape in (effect.weights.items() if is_layer else ())
            ]
        )
        self.last = name
        results = [name, *(f"{name}.{number}" for number in range(1, len(effect.outputs)))]
        shapes = [tuple([number_of(size) for size in shape]) for shape in effect.outputs]
        self.shapes |= dict(zip(results, shapes, strict=True))
        return results

    def unique(self, name: str, call: str) -> str:
        """Return a name that no step has yet: this one, or with a number behind it.

        The names of calls are for the calls, not for what else a call becomes.
        """
        name = plain = step_name(name)
        for number in count(2):
            if name not in self.names and (name == step_name(call) or name not in self.calls):
                break
            name = f"{plain}_{number}"
        self.names.add(name)
        return name

    def is_right(self, call: KerasCall, results: Sequence[str], first: int) -> bool:
        """Say whether steps give the shapes that Keras computes, and have the weights of the live layer.

        Names are compared without those of layers inside, which Keras numbers: `lstm_cell_1.kernel`.
        """
        shapes = [self.shapes[name] for name in results]
        if call.results is not None and not all_fit(shapes, call.results):
            return False
        found = [(own_name(name), *others) for name, *others in chain.from_iterable(self.held[first:])]
        return call.weights is None or found == [
            (own_name(each.name), each.shape, each.trainable) for each in call.weights
        ]

    def seen(self, reference: str) -> list[int]:
        """Return the shape of a tensor as an opaque step has it; -1 is the batch."""
        shape = self.shapes[reference]
        return [-1, *shape[1:]] if shape[:1] == (self.batch,) else [*shape]

    def opaque(self, call: KerasCall, layer: KerasLayer) -> list[str]:
        """Append a call that no rule is known for: its shapes are those that Keras computes."""
        if call.weights is None and not (layer.is_operation or layer.class_name in _WITHOUT_WEIGHTS):
            raise unknown(call.name, f"{layer.class_name} has no rule, and its weights are not in the file")
        if call.results is None or any(None in shape[1:] for shape in call.results):
            raise unknown(
                call.name, f"{layer.class_name} has no rule, and the shape of its result is not in the file"
            )
        operands = [*operands_in((layer.args, layer.kwargs))]
        references = [self.reference(operand) for operand in operands] or [next(iter(self.shapes))]
        gives = [
            [-1 if size in (self.batch, None) and not axis else size for axis, size in enumerate(shape)]
            for shape in call.results
        ]
        trained, frozen = (
            {each.name: each.shape for each in call.weights or () if each.trainable is trainable}
            for trainable in (True, False)
        )
        if call.owner in self.owners:
            trained = frozen = {}
        layer_of_shapes = Opaque(
            function=re.sub(r"\W", "_", layer.class_name),
            takes=[self.seen(reference) for reference in references],
            gives=gives,
            tensors=trained or frozen,
        )
        if trained and frozen:
            beside = Unused(tensors=frozen)
            self.append(beside, references[:1], f"{call.name}_frozen", trainable=False)
        results = self.append(layer_of_shapes, references, call.name, trainable=bool(trained))
        self.owners.setdefault(call.owner, (results[0], layer_of_shapes))
        return results


def own_name(path: str) -> str:
    """Return the name of a weight without those of the layers that it is in."""
    return path.rpartition(".")[2]


def all_fit(shapes: Sequence[Shape], seen: Sequence[OpenShape]) -> bool:
    """Say whether shapes are those that Keras computes, as far as these are fixed."""
    return len(shapes) == len(seen) and all(
        len(shape) == len(other) and all(m in (None, n) for n, m in zip(shape, other, strict=True))
        for shape, other in zip(shapes, seen, strict=True)
    )


def number_of(size: Dim) -> int:
    """Return a size of numeric inference as what it is."""
    assert isinstance(size, int)
    return size


def step_name(name: str) -> str:
    """Return the name of a call as that of a step."""
    name = _NOT_IN_NAMES.sub("_", name).strip(".") or "step"
    return name if name[0].isalnum() or name[0] == "_" else f"_{name}"


def unknown(path: str, message: str) -> SpecError:
    """Return the error for a layer in a file that would have to be run."""
    hint = "build the model in Python, and give it to shapecalc.from_keras"
    return SpecError(message, path=path, hint=hint)
