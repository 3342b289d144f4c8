"""A whole model as a live torch module, its submodules named by the paths of the layers."""

from __future__ import annotations

from collections.abc import Sequence
from keyword import iskeyword
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins.torch_names import REJECTIONS, Shapes
from shapecalc.bridges.torch.twins.twin import build_layer, twin_of
from shapecalc.engine.graph import GraphNode, Inference
from shapecalc.errors import SpecError, quote
from shapecalc.model import Model


class Part(nn.Module):
    """Layers under one name: a block, a branch, a pass; where branches meet, what they meet in."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label
        self.meeting: list[nn.Module] = []
        """The layer that stands under the very name of the part; in a list, so that it is no part itself."""

    def forward(self, *inputs: Tensor) -> Any:
        """Let the branches meet; any other part is run layer by layer, by the network it stands in."""
        if not self.meeting:
            raise NotImplementedError(f"{self.label} is a part of a network and does not run by itself")
        return self.meeting[0](*inputs)

    def _get_name(self) -> str:
        return self.label or "branch"


class Network(Part):
    """A model that torch runs: layers one after the other, each on the tensors that its sources name."""

    def __init__(self, name: str, inputs: Sequence[str], outputs: dict[str, int]) -> None:
        super().__init__(name)
        self.inputs = tuple(inputs)
        self.outputs = outputs
        self.steps: list[tuple[str, tuple[int, ...], int]] = []
        """The path of each layer, the slots that it reads, and the first that it writes."""

    def forward(self, *inputs: Tensor, **named: Tensor) -> Tensor | dict[str, Tensor]:
        """Take the inputs in the order of the spec or by name; return the output, or all by name."""
        slots = dict(enumerate(self._arranged(inputs, named)))
        for path, sources, first in self.steps:
            found = submodule(self, path)(*(slots[slot] for slot in sources))
            results = found if isinstance(found, (tuple, list)) else (found,)
            slots |= dict(enumerate(results, first))
        if len(self.outputs) == 1:
            return slots[next(iter(self.outputs.values()))]
        return {name: slots[slot] for name, slot in self.outputs.items()}

    def _arranged(self, inputs: tuple[Tensor, ...], named: dict[str, Tensor]) -> list[Tensor]:
        given = dict(zip(self.inputs, inputs, strict=False))
        twice = given.keys() & named.keys()
        given |= named
        if len(inputs) > len(self.inputs) or twice or given.keys() != set(self.inputs):
            raise TypeError(f"{self.label} takes {', '.join(self.inputs)}, each once")
        return [given[name] for name in self.inputs]


def build(
    model: Model,
    *,
    device: torch.device | str = "cpu",
    input: Any = None,  # noqa: A002  (the word that a spec uses)
    **parameters: Any,
) -> nn.Module:
    """Return a model as a live module whose named parameters are those of its report.

    Every submodule stands under the path of its layer, `stage1.0.add.main.conv1.conv2d`, and shared weights
    are one parameter. Weights are drawn as torch's own layers draw them, and the module is in training
    mode, as theirs are. `device="meta"` makes shapes only. The module takes the inputs in order or by
    name, in batches of any size, and returns the output, or a dict where the spec has several.

    Raises `ShapeError` where the model does not hold, and `SpecError` for a model of Keras or a layer that
    torch has no counterpart of.

    >>> from shapecalc import load
    >>> module = build(load("lenet5"), device="meta")
    >>> {name: tuple(weight.shape) for name, weight in module.named_parameters()}["c3.weight"]
    (16, 6, 5, 5)
    """
    refuse_keras(model)
    report = model.analyze(input=input, **parameters)
    inference = report.inference
    labels = {group.path: group.label for group in inference.graph.groups}
    network = Network(model.name, [*report.inputs], dict(inference.graph.outputs))
    for node in inference.graph.nodes:
        made = _made(node, inference, device)
        if node.owner is not None:
            tie(made, submodule(network, inference.graph.nodes[node.owner].path))
        if not node.trainable:
            made.requires_grad_(requires_grad=False)
        try:
            _place(network, node.path, made, labels)
        except KeyError:
            told = f"{quote(node.path)} is what torch calls a weight of the layer that it would stand in"
            hint = "name the step otherwise"
            raise SpecError(told, place=node.place, path=node.path, hint=hint) from None
        network.steps.append((node.path, node.sources, node.first_slot))
    return network.train()


def refuse_keras(model: Model) -> None:
    """Raise `SpecError` for a model in the rules of Keras."""
    if model.framework == "keras":
        raise SpecError(
            f"{model.name} is written in the rules of Keras (padding to the same size, channels last), "
            "which torch has no modules for",
            place=model.place.of("framework"),
        )


def refuse_unbuildable(node: GraphNode) -> None:
    """Raise `SpecError` for a layer that torch has no counterpart of, or whose name torch has taken."""
    if why := twin_of(node.layer).absent():
        raise SpecError(why, place=node.place, path=node.path)
    for part in node.path.split("."):
        if hasattr(nn.Module, part) or iskeyword(part):
            raise SpecError(
                f"torch cannot call a part of a module {quote(part)}: the word has a meaning of its own",
                place=node.place,
                path=node.path,
                hint="name the step otherwise",
            )


def _made(node: GraphNode, inference: Inference, device: torch.device | str) -> nn.Module:
    refuse_unbuildable(node)
    with torch.device(device):
        try:
            return build_layer(node.layer, shapes_before(node, inference))
        except (*REJECTIONS, ImportError) as error:
            told = f"torch does not build this {node.layer.kind}: {error}"
            raise SpecError(told, place=node.place, path=node.path) from error


def shapes_before(node: GraphNode, inference: Inference) -> Shapes:
    """Return the shapes, all numbers, of the tensors that a node reads."""
    return tuple(
        tuple(size for size in inference.shapes[slot] or () if isinstance(size, int)) for slot in node.sources
    )


def _place(network: Network, path: str, made: nn.Module, labels: dict[str, str]) -> None:
    """Put a layer where its path says; where branches meet, the part is there already."""
    holder: nn.Module = network
    above, _, name = path.rpartition(".")
    done = ""
    for part in above.split(".") if above else ():
        done = f"{done}.{part}" if done else part
        if part not in holder._modules:  # noqa: SLF001  (torch's way in for names of digits)
            holder.add_module(part, Part(labels.get(done, "")))
        holder = holder.get_submodule(part)
    there = dict(holder.named_children()).get(name)
    if isinstance(there, Part):
        there.meeting = [made]
    else:
        holder.add_module(name, made)


def submodule(module: nn.Module, path: str) -> nn.Module:
    """Return the part of a module at a path."""
    return module.get_submodule(path)


def tie(module: nn.Module, owner: nn.Module) -> None:
    """Give a module the very weights of another, which may hold those of its branches too."""
    for name in [name for name, _ in module.named_parameters()]:
        holder, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(holder), attribute, owner.get_parameter(name))
