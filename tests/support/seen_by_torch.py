"""What torch's layers see of their input, found out by asking torch: the support of gradients.

Where a gradient would show one position of several (a maximum) or does not exist (whole numbers), positions
are changed one after the other instead, and what changes of the output is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.twins.twin import build_layer, twin_of
from shapecalc.engine.receptive import Part
from shapecalc.layers.base import Kind, Pointwise

Sizes = tuple[int, ...]
Support = list[list[set[int]]]
"""For every input and each of its axes: the positions that are seen."""

SAME_OR_NOT = {"soft_margin_loss", "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss"}
"""Losses whose target is 1 or -1."""

FAINTEST = 1e-12
"""A derivative of less is the rounding of one that is 0."""


@dataclass(frozen=True)
class Place:
    """All elements of a result at one position of one of its axes; the whole result if the axis is None."""

    result: int
    axis: int | None
    position: int = 0

    def of(self, results: list[Tensor]) -> Tensor:
        found = results[self.result]
        return found if self.axis is None else found.select(self.axis, self.position)


def results_of(module: nn.Module, inputs: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(0)  # for the windows at random distances
    found = module(*inputs)
    return list(found) if isinstance(found, (tuple, list)) else [found]


def made(layer: Kind, shapes: tuple[Sizes, ...]) -> nn.Module:
    """Return torch's layer in double precision, with weights that cancel nothing out and saturate nothing."""
    module = build_layer(layer, shapes).double()
    with torch.no_grad():
        for parameter in module.parameters():
            # a stack of small weights leaves nothing to measure, and one of large ones saturates
            span = parameter.shape[-1] if "transformer" in layer.kind else 10
            parameter.copy_((torch.rand(parameter.shape) + 0.5) / span)
    return module


def trials(layer: Kind, shapes: tuple[Sizes, ...]) -> Iterator[list[Tensor]]:
    """Yield inputs, for activations of several scales and signs: what is flat for some moves for others."""
    scales = (1.0, -1.0, 0.1, 4.0) if isinstance(layer, Pointwise) else (1.0,)
    for scale in (1.0, -1.0) if layer.kind.startswith("transformer") else scales:
        found = [
            numbers(layer, given.shape) * scale if given.dtype.is_floating_point else given
            for given in twin_of(layer).tensors(shapes, "cpu")
        ]
        if layer.kind in SAME_OR_NOT:
            found[-1] = torch.ones(found[-1].shape, dtype=torch.long)
        yield found


def numbers(layer: Kind, shape: Sizes) -> Tensor:
    """Return numbers around 1, or of a kind that looks for them probabilities."""
    below_one = layer.kind in ("bce_loss", "linear_cross_entropy_loss")
    return torch.rand(shape, dtype=torch.float64) + (0 if below_one else 0.5)


def positions(gradient: Tensor, axis: int) -> set[int]:
    """Return where along an axis a gradient is not 0."""
    others = [one for one in range(gradient.dim()) if one != axis]
    along = gradient.abs().amax(others) if others else gradient.abs()
    return {number for number, value in enumerate(along.tolist()) if value > FAINTEST}


@torch.enable_grad()
def by_gradient(module: nn.Module, inputs: list[Tensor], of: list[Place]) -> list[Support]:
    """Return what each place sees, from the gradients of a weighted sum of its elements."""
    smooth = [tensor.requires_grad_() for tensor in inputs if tensor.dtype.is_floating_point]
    results = results_of(module, [tensor.clone() for tensor in inputs])  # it may work in place
    found: list[Support] = []
    for place in of:
        chosen = place.of(results)
        weighted = (chosen * (torch.rand(chosen.shape, dtype=torch.float64) + 0.5)).sum()
        if not weighted.requires_grad:
            found.append([[set() for _ in tensor.shape] for tensor in inputs])
            continue
        gradients = iter(torch.autograd.grad(weighted, smooth, retain_graph=True, allow_unused=True))
        of_each = [next(gradients) if tensor.requires_grad else None for tensor in inputs]
        found.append(
            [
                [set() if gradient is None else positions(gradient, axis) for axis in range(tensor.dim())]
                for gradient, tensor in zip(of_each, inputs, strict=True)
            ]
        )
    return found


def by_change(module: nn.Module, inputs: list[Tensor], of: list[Place]) -> list[Support]:
    """Return what each place sees, from what changes when one position of an input after the other does."""
    with torch.no_grad():
        before = results_of(module, inputs)
        found: list[Support] = [[[set() for _ in tensor.shape] for tensor in inputs] for _ in of]
        for number, tensor in enumerate(inputs):
            for axis, size in enumerate(tensor.shape):
                for position in range(size):
                    changed = tensor.clone()
                    part = changed.select(axis, position)
                    part += 1 if tensor.dtype == torch.long else 10 + torch.rand(part.shape)
                    after = results_of(module, [*inputs[:number], changed, *inputs[number + 1 :]])
                    for support, place in zip(found, of, strict=True):
                        one, other = place.of(before), place.of(after)
                        if not torch.allclose(one, other, rtol=0, atol=0, equal_nan=True):
                            support[number][axis].add(position)
    return found


def seen(layer: Kind, shapes: tuple[Sizes, ...], of: list[Place], *, smooth: bool) -> list[Support]:
    """Return what each place of the results sees of the inputs."""
    torch.manual_seed(0)
    module = made(layer, shapes)
    if layer.kind == "embedding_bag" and len(shapes[0]) == 1:  # of which nothing is said
        return [[[set() for _ in shape] for shape in shapes] for _ in of]
    if layer.kind in ("embedding", "embedding_bag"):
        return by_change(module, next(trials(layer, shapes)), of)
    if not smooth:
        return by_change(module, [torch.rand(shape, dtype=torch.float64) for shape in shapes], of)
    found: list[Support] = [[[set() for _ in shape] for shape in shapes] for _ in of]
    for inputs in trials(layer, shapes):
        for support, more in zip(found, by_gradient(module, inputs, of), strict=True):
            for axes, others in zip(support, more, strict=True):
                for here, there in zip(axes, others, strict=True):
                    here.update(there)
    return found


def support(of: Tensor, source: Tensor, axis: int) -> tuple[int, int] | None:
    """Return the first and the last position of an input's axis that a gradient reaches."""
    (gradient,) = torch.autograd.grad(of.sum(), source, retain_graph=True, allow_unused=True)
    if gradient is None:
        return None
    along = gradient.abs().amax([one for one in range(gradient.dim()) if one != axis])
    found = along.nonzero().flatten().tolist()
    return (found[0], found[-1]) if found else None


def check_part(part: Part, tensor: Tensor, source: Tensor, axis: int) -> bool:
    """Assert that a tensor sees as much of an input as is said; return whether anything could be compared."""
    n = source.shape[axis]
    assert part.total is not None
    assert support(tensor, source, axis) == part.total
    if part.steps is None:
        return False
    if not part.axes:
        middle = tensor
        for number in range(2, tensor.dim()):
            middle = middle.narrow(number, tensor.shape[number] // 2, 1)
        found = support(middle, source, axis)
        assert found is None or found == part.total
        return True
    (along,) = part.axes
    inner = [
        position
        for position in range(tensor.shape[along])
        if (seen := part.steps.at(position)) is not None and seen[0] >= 0 and seen[1] < n
    ]
    if not inner:
        return False
    position = inner[len(inner) // 2]
    assert support(tensor.select(along, position), source, axis) == part.steps.at(position)
    return True
