"""Our layers against torch's: the question that is to be proved, its weights, and its cost."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.proof_cells import Every
from shapecalc.bridges.torch.proof.free_sizes import lettered
from shapecalc.bridges.torch.proof.prove import Question, prove
from shapecalc.bridges.torch.proof.symbolic_shapes import Answer, answer
from shapecalc.bridges.torch.proof.verdict import Verdict
from shapecalc.bridges.torch.tracer.module_to_kind import OWN
from shapecalc.bridges.torch.twins.build_layer import arguments, build_layer
from shapecalc.bridges.torch.twins.generic_modules import REJECTIONS, Sizes, absent
from shapecalc.bridges.torch.twins.pointwise_calls import stand_in
from shapecalc.errors import ShapecalcError
from shapecalc.layers.base import Kind, Named, Shapes
from shapecalc.layers.by_name import Function

LARGEST_ON_CPU = 2_000_000
"""The most weights of a module that is built for real; a larger one has shapes only."""


def verify_layer(layer: Kind, shapes: tuple[Sizes, ...]) -> Verdict:
    """Return whether a layer's shapes and refusals are torch's, for all sizes that its weights leave free.

    >>> from shapecalc.layers import MaxPool2d
    >>> print(verify_layer(MaxPool2d(kernel_size=2), ((1, 8, 28, 28),)))
    proved for all N, C, H, W
    """
    why = not_ours_to_prove(layer)
    if why:
        return Verdict("uncovered", why=why)
    settled: tuple[str, ...] = ()
    while True:
        verdict = prove(question_of(layer, shapes, settled))
        if verdict.outcome != "sampled" or not verdict.settled:
            return verdict
        settled += (verdict.settled,)


def not_ours_to_prove(layer: Kind | type[Kind]) -> str:
    """Return why there is nothing of torch's to compare a layer with, or nothing."""
    from shapecalc.bridges.torch.twins.build_layer import BUILDERS

    if layer.framework == "keras":
        return "a rule of Keras, and the proofs are against torch"
    if layer.kind == "opaque":
        return "nothing is known of it but the shapes that were seen"
    if isinstance(layer, Function) and stand_in(layer.function) is None:
        return f"what else {layer.function} takes is not known"
    if layer.torch is None and layer.kind not in BUILDERS:
        return f"torch has no counterpart of {layer.kind}"
    if layer.kind not in OWN and (why := absent(layer if isinstance(layer, type) else type(layer))):
        return why
    return ""


FUSED = frozenset({"lstm"})
"""Kinds of which torch answers for the fused kernel it runs; written out, their length is a number."""


def question_of(layer: Kind, shapes: tuple[Sizes, ...], settled: tuple[str, ...] = ()) -> Question:
    """Return the question whether a layer's rule is torch's, its free sizes in letters.

    `settled` are the sizes that torch is known not to leave free.
    """
    letters = lettered(layer, shapes).holding(settled)
    effect = layer.apply(letters.proved)
    dtypes = [one.dtype for one in arguments(layer.kind, shapes, "meta")]

    def symbolic(hints: Mapping[str, int]) -> Answer:
        fused = layer.kind in FUSED
        return answer(
            lambda: build_layer(layer, letters.at(hints)), letters.proved, hints, dtypes, fused=fused
        )

    return Question(
        letters.free,
        letters.held,
        effect.outputs,
        Every(tuple(one.relation for one in effect.conditions)),
        symbolic,
        lambda point: _ours(layer, letters.at(point)),
        lambda point: _theirs(layer, letters.at(point)),
        _stricter(layer),
    )


READS_UNWRITTEN_MEMORY = {f"circular_pad{rank}d" for rank in (1, 2, 3)}
"""Kinds for which torch, given a negative side, may return memory that it never wrote."""
UNWRITTEN = "refused on purpose where torch may return memory that it never wrote"


def _stricter(layer: Kind) -> str:
    crops = layer.kind in READS_UNWRITTEN_MEMORY and _is_negative(getattr(layer, "padding", 0))
    return UNWRITTEN if crops else ""


def _is_negative(value: object) -> bool:
    """Say whether a number, or one inside nested tuples, is negative."""
    if isinstance(value, tuple):
        return any(map(_is_negative, value))
    return isinstance(value, int) and value < 0


def _ours(layer: Kind, shapes: tuple[Sizes, ...]) -> Shapes | str:
    try:
        return layer.apply(shapes).outputs
    except ShapecalcError as error:
        return str(error)


def _theirs(layer: Kind, shapes: tuple[Sizes, ...]) -> Shapes | str:
    """Return what the real module makes of numbers, or why it refuses."""
    with quiet():
        try:
            with torch.device("meta"):
                module = build_layer(layer, shapes)
            small = sum(weight.numel() for weight in module.parameters()) <= LARGEST_ON_CPU
            device = "cpu" if small else "meta"
            if small:
                module = build_layer(layer, shapes)
            result = module(*arguments(layer.kind, shapes, device))
        except REJECTIONS as error:
            return f"{type(error).__name__}: {error}"
    return shapes_of(result)


def shapes_of(result: Any) -> tuple[Sizes, ...]:
    """Return the shapes of what a module returned."""
    tensors = result if isinstance(result, (tuple, list)) else (result,)
    return tuple(tuple(map(int, tensor.shape)) for tensor in tensors)


MACS_NOT_COUNTED = {
    "matmul": "a product with a vector is aten.mv or aten.dot, which are not counted",
    "bilinear": "it is one operation, aten._trilinear; as two matrix products it would be counted",
    "opaque": "what it costs is not known",
}
"""Kinds that multiply where FlopCounterMode reads 0, and why."""

ON_THE_CPU = {
    "gaussian_nll_loss": "it looks for variances below 0",
    "ctc_loss": "it reads the lengths",
    "adaptive_log_softmax_with_loss": "it sorts the rows by their class",
    "nll_loss": "on the meta device a target that is a list of one is refused",
    "cross_entropy_loss": "on the meta device a target that is a list of one is refused",
    "linear_cross_entropy_loss": "on the meta device a target that is a list of one is refused",
    "multi_margin_loss": "on the meta device one loss is a list of one",
    "multi_label_margin_loss": "on the meta device one loss is a list of one",
}
"""Kinds that are asked on the CPU, for on the meta device torch's layer has no numbers, or other rules."""

MACS_UNKNOWN = {
    "adaptive_log_softmax_with_loss": "the numbers of the classes tell how many rows are multiplied"
}
"""Kinds whose cost cannot be told from shapes, and why."""


def structure(
    layer: Kind, shapes: tuple[Sizes, ...], weights: Named, buffers: Named, macs: Dim | None
) -> str:
    """Return how weights, buffers or MACs differ from torch's at these sizes, or nothing."""
    counter = FlopCounterMode(display=False)
    device = "cpu" if layer.kind in ON_THE_CPU else "meta"
    with quiet(), torch.device(device):
        module = build_layer(layer, shapes)
        tensors = arguments(layer.kind, shapes, device)
        try:
            with counter:
                module(*tensors)
        except REJECTIONS as error:
            return f"torch refuses it: {error}".splitlines()[0]
    pairs = {
        "weights": (weights, {name: tuple(one.shape) for name, one in module.named_parameters()}),
        "buffers": (buffers, {name: tuple(one.shape) for name, one in module.named_buffers()}),
    }
    for what, (ours, theirs) in pairs.items():
        if ours != theirs:
            return f"{what}: ours {ours}, torch's {theirs}"
    flops = counter.get_total_flops()
    if macs is None or 2 * macs == flops or (flops == 0 and layer.kind in MACS_NOT_COUNTED):
        return ""
    return f"MACs: ours {grouped(macs)}, torch's {grouped(flops // 2)}"


@contextmanager
def quiet() -> Iterator[None]:
    """Run without gradients, and let torch warn of what it will; its warnings are not ours."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        yield
