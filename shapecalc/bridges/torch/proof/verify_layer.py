"""Our layers against torch's: the question that is to be proved, its weights, and its cost."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import prod
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.bridges.torch.build import numbers
from shapecalc.bridges.torch.proof.cells import Every
from shapecalc.bridges.torch.proof.free_sizes import lettered
from shapecalc.bridges.torch.proof.prove import Question, prove
from shapecalc.bridges.torch.proof.symbolic_shapes import Answer, answer
from shapecalc.bridges.torch.proof.verdict import Verdict
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS, Sizes
from shapecalc.bridges.torch.twins.twin import build_layer, twin_of
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind, Named, Shapes

LARGEST_ON_CPU = 2_000_000
"""The most weights of a module that is built for real; a larger one has shapes only."""
LARGEST_RESULTS = 20_000_000
"""The most elements that it returns."""
LARGEST_MACS = 20_000_000
"""The most multiply-accumulates of a call on the CPU: many large layers would take long."""


def verify_layer(layer: Kind, shapes: tuple[Sizes, ...]) -> Verdict:
    """Return whether a layer's shapes and refusals are torch's, for all sizes that its weights leave free.

    >>> from shapecalc.layers import MaxPool2d
    >>> print(verify_layer(MaxPool2d(kernel_size=2), ((1, 8, 28, 28),)))
    proved for all N, C, H, W
    """
    why = twin_of(layer).uncovered(layer)
    if why:
        return Verdict("uncovered", why=why)
    specialized: tuple[str, ...] = ()
    while True:
        verdict = prove(question_of(layer, shapes, specialized))
        if verdict.outcome != "sampled" or not verdict.specialized:
            return verdict
        specialized += (verdict.specialized,)


def question_of(layer: Kind, shapes: tuple[Sizes, ...], specialized: tuple[str, ...] = ()) -> Question:
    """Return the question whether a layer's rule is torch's, its free sizes in letters.

    `specialized` are the sizes that torch is known not to leave free.
    """
    letters = lettered(layer, shapes).holding(specialized)
    effect = layer.apply(letters.proved)
    twin = twin_of(layer)
    dtypes = [tensor.dtype for tensor in twin.tensors(shapes, "meta")]

    def symbolic(hints: Mapping[str, int]) -> Answer:
        return answer(
            lambda: build_layer(layer, letters.at(hints)), letters.proved, hints, dtypes, fused=twin.fused
        )

    return Question(
        letters.free,
        letters.held,
        effect.outputs,
        Every(tuple(condition.relation for condition in effect.conditions)),
        symbolic,
        lambda point: _ours(layer, letters.at(point)),
        lambda point: _theirs(layer, letters.at(point)),
        twin.stricter(layer),
    )


def _ours(layer: Kind, shapes: tuple[Sizes, ...]) -> Shapes | str:
    try:
        return layer.apply(shapes).outputs
    except ShapecalcError as error:
        return str(error)


def _theirs(layer: Kind, shapes: tuple[Sizes, ...]) -> Shapes | str:
    """Return what the real module makes of numbers, or why it refuses; large ones have no memory."""
    results: Dim = 0
    macs: Dim = 0
    with suppress(ShapecalcError):
        effect = layer.apply(shapes)
        results, macs = sum(prod(numbers(shape)) for shape in effect.outputs), effect.macs or 0
    try:
        with quiet():
            with torch.device("meta"):
                module = build_layer(layer, shapes)
            weights = sum(weight.numel() for weight in module.parameters())
            small = weights <= LARGEST_ON_CPU and results <= LARGEST_RESULTS and macs <= LARGEST_MACS
            module = build_layer(layer, shapes) if small else module
            return shapes_of(module(*twin_of(layer).tensors(shapes, "cpu" if small else "meta")))
    except REJECTIONS as error:
        return f"{type(error).__name__}: {error}"


def shapes_of(result: Any) -> tuple[Sizes, ...]:
    """Return the shapes of what a module returned."""
    tensors = result if isinstance(result, (tuple, list)) else (result,)
    return tuple(tuple(map(int, tensor.shape)) for tensor in tensors)


def structure(
    layer: Kind, shapes: tuple[Sizes, ...], weights: Named, buffers: Named, macs: Dim | None
) -> str:
    """Return how weights, buffers or MACs differ from torch's at these sizes, or nothing."""
    counter = FlopCounterMode(display=False)
    twin = twin_of(layer)
    device = "cpu" if twin.on_cpu else "meta"
    with quiet(), torch.device(device):
        module = build_layer(layer, shapes)
        tensors = twin.tensors(shapes, device)
        try:
            with counter:
                module(*tensors)
        except REJECTIONS as error:
            return f"torch refuses it: {error}".splitlines()[0]
    return difference(layer, weights, buffers, macs, module, counter.get_total_flops(), "torch's")


def difference(
    layer: Kind,
    weights: Named,
    buffers: Named,
    macs: Dim | None,
    module: nn.Module,
    flops: int | None,
    whose: str,
) -> str:
    """Return how a module's weights and buffers, or the FLOPs that it took, differ from ours, or nothing."""
    held = {
        "weights": (weights, {name: tuple(weight.shape) for name, weight in module.named_parameters()}),
        "buffers": (buffers, {name: tuple(buffer.shape) for name, buffer in module.named_buffers()}),
    }
    for what, (ours, theirs) in held.items():
        if ours != theirs:
            return f"{what}: ours {ours}, {whose} {theirs}"
    if flops is None or macs is None or 2 * macs == flops or (not flops and twin_of(layer).macs_not_counted):
        return ""
    return f"MACs: ours {grouped(macs)}, {whose} {grouped(flops // 2)}"


@contextmanager
def quiet() -> Iterator[None]:
    """Run without gradients, and let torch warn of what it will; its warnings are not ours."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        yield
