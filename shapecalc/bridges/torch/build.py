"""A model as a live torch module, its submodules named by the paths of the layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from keyword import iskeyword
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins.torch_names import REJECTIONS, Shapes, Sizes
from shapecalc.bridges.torch.twins.twin import build_layer, twin_of
from shapecalc.engine.graph import GraphNode
from shapecalc.errors import SpecError, quote
from shapecalc.layers.requirement import Shape
from shapecalc.model import Model


class Part(nn.Module):
    """Layers under one name: a block, a branch, a pass, or the branches of a merge."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label
        self.merging: list[nn.Module] = []
        """The layer at the path of the part itself; in a list, so that it is no submodule."""

    def forward(self, *inputs: Tensor) -> Any:
        """Merge the branches; any other part is run layer by layer, by the network that holds it."""
        if not self.merging:
            raise NotImplementedError(f"{self.label} is a part of a network and does not run alone")
        return self.merging[0](*inputs)

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
        tensors = dict(zip(self.inputs, inputs, strict=False))
        if len(inputs) > len(self.inputs) or tensors.keys() & named.keys():
            raise TypeError(self._usage())
        tensors |= named
        if tensors.keys() != set(self.inputs):
            raise TypeError(self._usage())
        steps = ((self.get_submodule(path), sources, first) for path, sources, first in self.steps)
        slots = run_steps(steps, [tensors[name] for name in self.inputs])
        outputs = {name: slots[slot] for name, slot in self.outputs.items()}
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def _usage(self) -> str:
        return f"{self.label} takes {', '.join(self.inputs)}, each once"

    def place(self, path: str, module: nn.Module, labels: dict[str, str]) -> None:
        """Put a layer at its path; where branches are merged, the part is there already."""
        holder: nn.Module = self
        *above, name = path.split(".")
        for end, part in enumerate(above, 1):
            if part not in holder._modules:  # noqa: SLF001  (torch's way in for names of digits)
                holder.add_module(part, Part(labels.get(".".join(above[:end]), "")))
            holder = holder.get_submodule(part)
        existing = dict(holder.named_children()).get(name)
        if isinstance(existing, Part):
            existing.merging = [module]
        else:
            holder.add_module(name, module)


def run_steps(
    steps: Iterable[tuple[nn.Module, tuple[int, ...], int]], inputs: Sequence[Tensor]
) -> dict[int, Any]:
    """Return the tensor of every slot, after each module has read some slots and written others."""
    slots: dict[int, Any] = dict(enumerate(inputs))
    for module, sources, first in steps:
        result = module(*(slots[slot] for slot in sources))
        slots |= dict(enumerate(result if isinstance(result, (tuple, list)) else (result,), first))
    return slots


def build(
    model: Model, device: torch.device | str, input_shape: Any, parameters: Mapping[str, Any]
) -> nn.Module:
    """Return a model as a live module; see `shapecalc.build`."""
    refuse_keras(model)
    report = model.analyze(input=input_shape, **parameters)
    inference = report.inference
    graph = inference.graph
    labels = {group.path: group.label for group in graph.groups}
    network = Network(model.name, [*report.inputs], dict(graph.outputs))
    for node in graph.nodes:
        module = _module(node, shapes_before(node, inference.shapes), device)
        if node.owner is not None:
            tie(module, network.get_submodule(graph.nodes[node.owner].path))
        if not node.trainable:
            module.requires_grad_(requires_grad=False)
        try:
            network.place(node.path, module, labels)
        except KeyError:
            message = f"{quote(node.path)} is what torch calls a weight of the layer that would hold it"
            hint = "name the step otherwise"
            raise SpecError(message, place=node.place, path=node.path, hint=hint) from None
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
    message, hint = twin_of(node.layer).absent(), ""
    for part in node.path.split("."):
        if not message and (hasattr(nn.Module, part) or iskeyword(part)):
            message = f"torch cannot call a part of a module {quote(part)}: the word has a meaning of its own"
            hint = "name the step otherwise"
    if message:
        raise SpecError(message, place=node.place, path=node.path, hint=hint)


def _module(node: GraphNode, shapes: Shapes, device: torch.device | str) -> nn.Module:
    refuse_unbuildable(node)
    try:
        with torch.device(device):
            return build_layer(node.layer, shapes)
    except REJECTIONS as error:
        message = f"torch does not build this {node.layer.kind}: {error}"
        raise SpecError(message, place=node.place, path=node.path) from error


def shapes_before(node: GraphNode, shapes: Sequence[Shape | None]) -> Shapes:
    """Return the shapes, all numbers, of the tensors that a node reads."""
    return tuple(numbers(shapes[slot] or ()) for slot in node.sources)


def numbers(shape: Shape) -> Sizes:
    """Return a shape of numbers as torch takes it."""
    return tuple(size for size in shape if isinstance(size, int))


def tie(module: nn.Module, owner: nn.Module) -> None:
    """Give a module the very weights of another, which may hold those of its branches too."""
    for name in [name for name, _ in module.named_parameters()]:
        holder, _, attribute = name.rpartition(".")
        setattr(module.get_submodule(holder), attribute, owner.get_parameter(name))
