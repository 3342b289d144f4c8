"""Whole networks in torch, in two ways that have nothing in common with each other.

`run_graph` builds the flat graph of a report: one counterpart per node, fed with the tensors that
the node's sources name. `run_tree` reads the tree by itself: it opens blocks, writes repeats out,
settles conditions with Python's own `eval`, finds names, ties shared weights, and never looks at our
expansion. So the first checks the layers in a network, and the second the expansion as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from math import ceil, floor
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models._utils import _make_divisible

from shapecalc import Block, Call, Model, Report, Sequential, Side, Step
from shapecalc.algebra.formula import Formula
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS, Sizes
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.layers import Embedding
from shapecalc.layers.base import Kind, Merge
from shapecalc.layers.registry import find, get

torch.set_num_threads(1)


NO_VALUE = (LookupError, NameError, ArithmeticError, ValueError)
"""What Python raises of a name that stands for nothing and of a formula without a value."""


class TorchRefuses(Exception):
    """Torch, or Python before torch is asked, raised an error at the layer or the step at a path."""

    def __init__(self, path: str, why: Exception) -> None:
        super().__init__(f"{path}: {type(why).__name__}: {why}")
        self.path = path


@dataclass
class Written:
    """A layer as it is written: torch is to judge its fields, so nothing here validates them."""

    cls: type[Kind]
    fields: dict[str, Any]
    trainable: bool


@dataclass
class TorchNode:
    """A layer that torch ran."""

    path: str
    kind: str
    module: nn.Module
    outputs: list[Tensor]
    trainable: bool = True


@dataclass
class TorchRun:
    """A network that torch ran: its layers in order, and what came out."""

    nodes: list[TorchNode] = field(default_factory=list)
    outputs: dict[str, Tensor] = field(default_factory=dict)

    def apply(
        self, path: str, layer: Written, owner: nn.Module | None, tensors: list[Tensor]
    ) -> list[Tensor]:
        """Build and run the counterpart of a layer, with the weights of its owner if it has one."""
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        if layer.cls is Embedding:  # what a spec says of an input is its shape
            tensors = [tensor.long() for tensor in tensors]
        try:
            with torch.device(tensors[0].device):
                made = twin_of(layer.cls).module(layer.fields, shapes)
                if owner is not None:
                    tie(made, owner)
                result = made(*tensors)
        except REJECTIONS as error:
            raise TorchRefuses(path, error) from error
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        self.nodes.append(TorchNode(path, layer.cls.kind, made, outputs, layer.trainable))
        return outputs

    def parameters(self) -> dict[int, tuple[nn.Parameter, bool]]:
        """Return every parameter once, with whether the first that has it trains it."""
        found: dict[int, tuple[nn.Parameter, bool]] = {}
        for node in self.nodes:
            for parameter in node.module.parameters():
                found.setdefault(id(parameter), (parameter, node.trainable))
        return found

    @property
    def params(self) -> int:
        return sum(parameter.numel() for parameter, _ in self.parameters().values())

    @property
    def trainable_params(self) -> int:
        return sum(parameter.numel() for parameter, trained in self.parameters().values() if trained)


def tie(module: nn.Module, owner: nn.Module) -> None:
    """Give a module the very weights of another, which has the same names for them."""
    theirs = dict(owner.named_parameters())
    assert {name: p.shape for name, p in theirs.items()} == {
        name: p.shape for name, p in module.named_parameters()
    }
    for name, parameter in theirs.items():
        holder, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(holder), attribute, parameter)


def tensors_of(shapes: Mapping[str, Sizes], device: str) -> dict[str, Tensor]:
    make = torch.zeros if device == "meta" else torch.rand
    return {name: make(shape, device=device) for name, shape in shapes.items()}


# ---- the flat graph


def run_graph(report: Report, device: str = "meta") -> TorchRun:
    """Run the nodes of a report's graph, one after the other."""
    run = TorchRun()
    slots: dict[int, Tensor] = dict(enumerate(tensors_of(report.inputs, device).values()))  # type: ignore[arg-type]
    for node in report.graph.nodes:
        owner = None if node.owner is None else run.nodes[node.owner].module
        layer = Written(type(node.layer), node.layer.fields_set(), node.trainable)
        outputs = run.apply(node.path, layer, owner, [slots[slot] for slot in node.sources])
        slots |= dict(enumerate(outputs, node.first_slot))
    run.outputs = {name: slots[slot] for name, slot in report.graph.outputs.items()}
    return run


# ---- the tree


@dataclass
class Place:
    """What a name stands for: results, the names inside, and what made them."""

    tensors: list[Tensor]
    inner: dict[str, Place] = field(default_factory=dict)
    step: Step | None = None
    scope: Scope | None = None
    nodes: list[TorchNode] = field(default_factory=list)

    def within(self, part: str) -> Place:
        return self.inner[part] if part in self.inner else Place([self.tensors[int(part)]])


class Scope:
    """The names that a list of steps sees."""

    def __init__(self, outer: Scope | None, variables: dict[str, Any], places: dict[str, Place]) -> None:
        self.outer = outer
        self.variables = variables
        self.places = places

    def variable(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if self.outer is None:
            raise KeyError(name)
        return self.outer.variable(name)

    def place(self, reference: str) -> Place:
        first, *rest = reference.split(".")
        scope: Scope | None = self
        while scope is not None:
            candidate = scope.places.get(first, scope.variables.get(first))
            if isinstance(candidate, Place):
                for part in rest:
                    candidate = candidate.within(part)
                return candidate
            scope = scope.outer
        raise KeyError(reference)


class Names(dict[str, Any]):
    """The names of one expression for Python's `eval`."""

    def __init__(self, tree: Tree, scope: Scope, current: Tensor | None) -> None:
        super().__init__(min=min, max=max, len=len, sum=sum, ceil=ceil, floor=floor, true=True, false=False)
        self["make_divisible"] = _make_divisible
        self.tree, self.scope, self.current = tree, scope, current
        self["size"] = self.size

    def __missing__(self, name: str) -> Any:
        try:
            return self.scope.variable(name)
        except KeyError:
            pass
        if name in self.tree.model.parameters:
            return self.tree.parameter(name)
        if name == "in_channels":
            assert self.current is not None
            return self.current.shape[1]
        return self.scope.place(name)

    def size(self, *arguments: Any) -> int:
        *named, axis = arguments
        if not named:
            assert self.current is not None
            arriving: int = self.current.shape[axis]
            return arriving
        place = self.scope.place(named[0]) if isinstance(named[0], str) else named[0]
        size: int = place.tensors[0].shape[axis]
        return size


class Tree:
    """One run of a tree in torch."""

    def __init__(self, model: Model, values: Mapping[str, Any]) -> None:
        self.model = model
        self.values: dict[str, Any] = dict(values)
        self.run = TorchRun()
        self.sides: dict[str, Tensor] = {}
        self.trainable = True
        self.owners: Iterator[TorchNode] | None = None

    def parameter(self, name: str) -> Any:
        if name not in self.values:
            self.values[name] = self.soft(self.model.parameters[name], Scope(None, {}, {}), None)
        return self.values[name]

    # ---- values

    def value(self, value: Any, scope: Scope, current: Tensor | None) -> Any:
        """Return a field's value with the expressions in it computed."""
        if isinstance(value, Formula):
            return eval(value.text, {"__builtins__": {}}, Names(self, scope, current))
        if isinstance(value, (tuple, list)):
            return type(value)(self.value(item, scope, current) for item in value)
        return value

    def soft(self, value: Any, scope: Scope, current: Tensor | None) -> Any:
        """Return an argument's value: a word that names nothing is itself."""
        if isinstance(value, list):
            return [self.soft(item, scope, current) for item in value]
        if (
            isinstance(value, Formula)
            and value.text.isidentifier()
            and value.text not in ("true", "false", "null")
        ):
            try:
                found = Names(self, scope, current)[value.text]
            except KeyError:
                return value.text
            return value.text if isinstance(found, Place) and find(value.text) else found
        return self.value(value, scope, current)

    # ---- steps

    def steps(self, steps: tuple[Step, ...], scope: Scope, current: Tensor, prefix: str) -> Tensor:
        explicit = {step.name for step in steps if step.name}
        used: dict[str, int] = {}
        for step in steps:
            key = step.name or self.next_name(label(step), explicit, used)
            current = self.step(step, scope, current, key, prefix + key)
        return current

    def next_name(self, word: str, explicit: set[str], used: dict[str, int]) -> str:
        while True:
            used[word] = used.get(word, 0) + 1
            name = word if used[word] == 1 else f"{word}_{used[word]}"
            if name not in explicit:
                return name

    def step(self, step: Step, scope: Scope, current: Tensor, key: str, path: str) -> Tensor:
        try:
            return self.run_step(step, scope, current, key, path)
        except NO_VALUE as error:
            raise TorchRefuses(path, error) from error

    def run_step(self, step: Step, scope: Scope, current: Tensor, key: str, path: str) -> Tensor:
        condition = True if step.when is None else self.value(step.when, scope, current)
        if not condition:
            return current
        tensors = [current]
        if step.source is not None:
            tensors = [scope.place(name).tensors[0] for name in step.source]
        first = len(self.run.nodes)
        was_trainable, owners = self.trainable, self.owners
        self.trainable = was_trainable and step.trainable is not False
        if step.share is not None and owners is None:
            self.owners = cycle(scope.place(step.share).nodes)
        place = self.all_passes(step, scope, tensors, path)
        ran = len(self.run.nodes) - first
        if step.share is not None and owners is None:
            shared = len(scope.place(step.share).nodes)
            if shared != ran and (step.repeat is None or shared == 0 or ran % shared):
                raise TorchRefuses(path, AssertionError(f"{ran} layers cannot share {shared}"))
        self.trainable, self.owners = was_trainable, owners
        place.step, place.scope, place.nodes = step, scope, self.run.nodes[first:]
        scope.places[key] = place
        if isinstance(step.body, Side):
            self.sides[path] = place.tensors[0]
            return current
        return place.tensors[0]

    def all_passes(self, step: Step, scope: Scope, tensors: list[Tensor], path: str) -> Place:
        repeat = step.repeat
        if repeat is None:
            return self.once(step, scope, tensors, path)
        if isinstance(repeat, dict):
            columns = {name: self.soft(value, scope, tensors[0]) for name, value in repeat.items()}
            columns = {name: passes(c) if isinstance(c, int) else c for name, c in columns.items()}
            rounds = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        else:
            rounds = [{} for _ in passes(self.value(repeat, scope, tensors[0]))]
        inner: dict[str, Place] = {}
        for number, variables in enumerate(rounds):
            first, one = len(self.run.nodes), Scope(scope, variables, {})
            place = self.once(step, one, tensors, f"{path}.{number}")
            place.step, place.scope = step.model_copy(update={"repeat": None}), one
            place.nodes = self.run.nodes[first:]
            inner[str(number)] = place
            tensors = inner[str(number)].tensors[:1]
        return Place(tensors[:1], inner)

    def once(self, step: Step, scope: Scope, tensors: list[Tensor], path: str) -> Place:
        body = step.body
        current = tensors[0]
        if body is None:
            target = scope.place(step.share or "")
            assert target.step is not None
            assert target.scope is not None
            return self.all_passes(target.step, target.scope, tensors, path)
        if isinstance(body, Merge) and body.branches is not None:
            inner: dict[str, Place] = {}
            merged: list[Tensor] = []
            for name, branch in body.branches:
                if not isinstance(branch, str):
                    inner[name] = self.inside(branch, Scope(scope, {}, {}), current, f"{path}.{name}")
                merged.append((scope.place(branch) if isinstance(branch, str) else inner[name]).tensors[0])
            return Place(self.leaf(type(body), body.fields_set(), scope, merged, path), inner)
        if isinstance(body, Kind):
            return Place(self.leaf(type(body), body.fields_set(), scope, tensors, path))
        if isinstance(body, Sequential):
            return self.inside(body.steps, Scope(scope, {}, {}), current, path)
        assert isinstance(body, Call)
        return self.call(body, scope, current, path)

    def inside(self, steps: tuple[Step, ...], scope: Scope, current: Tensor, path: str) -> Place:
        return Place([self.steps(steps, scope, current, f"{path}.")], scope.places)

    def call(self, call: Call, scope: Scope, current: Tensor, path: str) -> Place:
        name = call.callee
        if name not in self.model.blocks:
            name = self.soft(Formula.parse(name), scope, current)
        given = {key: self.soft(value, scope, current) for key, value in call.arguments.items()}
        block: Block | None = self.model.blocks.get(name)
        if block is None:
            return Place(self.leaf(get(name), given, scope, [current], path))
        variables: dict[str, Any] = {}
        for key, default in block.args.items():
            own = Scope(None, variables, {})
            variables[key] = given[key] if key in given else self.soft(default, own, current)
        return self.inside(block.layers, Scope(None, variables, dict(self.inputs)), current, path)

    def leaf(
        self, cls: type[Kind], given: dict[str, Any], scope: Scope, tensors: list[Tensor], path: str
    ) -> list[Tensor]:
        owner = None
        if self.owners is not None:
            node = next(self.owners, None)
            if node is None:
                raise TorchRefuses(path, AssertionError("there is no layer to share with"))
            owner = node.module
        fields = {
            key: self.value(value, scope, tensors[0]) for key, value in given.items() if key != "branches"
        }
        return self.run.apply(path, Written(cls, fields, self.trainable), owner, tensors)

    # ---- the whole

    def whole(self, device: str, shapes: Mapping[str, Sizes] | None = None) -> TorchRun:
        nowhere = Scope(None, {}, {})
        shapes = shapes or {
            name: (1, *self.value(shape, nowhere, None)) for name, shape in self.model.input.items()
        }
        self.inputs = {name: Place([tensor]) for name, tensor in tensors_of(shapes, device).items()}
        scope = Scope(None, {}, dict(self.inputs))
        last = self.steps(self.model.layers, scope, next(iter(self.inputs.values())).tensors[0], "")
        if self.model.outputs is None:
            self.run.outputs = {"output": last, **self.sides}
        else:
            self.run.outputs = {
                name: scope.place(where).tensors[0] for name, where in self.model.outputs.items()
            }
        return self.run


def passes(count: int) -> range:
    """Return the numbers of so many passes; Python takes fewer than none for none, and a spec may not."""
    if count < 0:
        raise ValueError(f"{count} passes")
    return range(count)


def label(step: Step) -> str:
    """Return what an unnamed step is called."""
    match step.body:
        case Kind() as layer:
            return layer.kind
        case Call() as call:
            return call.callee
        case Side():
            return "side"
        case Sequential():
            return "sequential"
    assert step.share is not None
    return [part for part in step.share.split(".") if not part.isdigit()][-1]


def run_tree(model: Model, device: str = "meta", **values: Any) -> TorchRun:
    """Run a model as it is written, with these values for its parameters."""
    return Tree(model, values).whole(device)


__all__ = ["TorchRefuses", "TorchRun", "run_graph", "run_tree"]
