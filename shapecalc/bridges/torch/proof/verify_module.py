"""The module of an import against the import: its forward in letters, at several sizes, and layer by layer.

The written spec has no part in it: what runs is a copy of the user's module, so that what was read wrongly
shows. Where torch has no symbolic shapes for the module, it is compared at sizes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from shapecalc.algebra.expr_text import grouped
from shapecalc.bridges.torch.build import numbers
from shapecalc.bridges.torch.proof.prove import Question, prove
from shapecalc.bridges.torch.proof.run_network import Forward, too_large
from shapecalc.bridges.torch.proof.symbolic_shapes import Answer, answer
from shapecalc.bridges.torch.proof.verdict import Verdict
from shapecalc.bridges.torch.proof.verify_layer import shapes_of
from shapecalc.bridges.torch.proof.verify_network import (
    at_point,
    free_sizes,
    network_question,
    with_free_sizes,
)
from shapecalc.bridges.torch.tracer.module_copy import ModuleState, copied
from shapecalc.bridges.torch.tracer.module_run import Run, error_text, outcome, outputs, unseen
from shapecalc.bridges.torch.tracer.rerun import NotRun, Rerun
from shapecalc.bridges.torch.tracer.size_conversions import keeping_users_state
from shapecalc.bridges.torch.tracer.witness import conditions, differences
from shapecalc.bridges.torch.twins.torch_names import REJECTIONS
from shapecalc.bridges.torch.twins.twin import twin_of
from shapecalc.engine.parameters import BATCH
from shapecalc.errors import ShapecalcError, Undecided
from shapecalc.layers.base import Shapes
from shapecalc.layers.requirement import Shape
from shapecalc.layers.traced import Opaque, Require
from shapecalc.model import Model
from shapecalc.report.report import Report

MOST_TRIED = 8
"""Sizes at which the module runs beside a proof."""
MOST_LAYERS_RUN = 600
"""Layers in all symbolic runs together: some ten seconds."""
MOST_EACH = 2
"""Larger and smaller sizes at which every layer is compared."""
MOST_NODES = 40
"""In a larger network no smallest counter-example is looked for."""


def verify_module(
    rerun: Rerun, model: Model, numeric: Report, shape: Any, values: Mapping[str, Any]
) -> Verdict:
    """Return whether the closed form of an import is what its module gives; `model` has no witness."""
    if isinstance(reason := outcome(lambda: rerun.at([*numeric.inputs.values()])), NotRun):
        return Verdict("uncovered", why=str(reason))
    at_sizes = [*differences(model, rerun, conditions(model), MOST_EACH)]
    if difference := next(filter(None, (difference for _, difference in at_sizes)), ""):
        return Verdict("refuted", why=difference)
    try:
        report = with_free_sizes(model, shape, values)
    except ShapecalcError as error:
        return Verdict("sampled", tried=len(at_sizes), why=str(error))
    if report is None:
        return Verdict("sampled", tried=len(at_sizes), why="no size of its input has a name")
    most_runs = max(2, MOST_LAYERS_RUN // len(report.nodes))
    return prove(_question(rerun, model, report, numeric, values), most_runs=most_runs, most_tried=MOST_TRIED)


def _question(
    rerun: Rerun, model: Model, report: Report, numeric: Report, values: Mapping[str, Any]
) -> Question:
    letters, names = tuple(report.inputs.values()), [*rerun.run.arguments.shapes]
    dtypes = [
        tensor.dtype for tensor in rerun.run.arguments.inputs(rerun.run.shapes, rerun.run.integers).values()
    ]

    def ours(point: Mapping[str, int]) -> Shapes | str:
        sizes = {name: size for name, size in point.items() if name != BATCH}
        try:
            inference, _ = model.infer_at(
                None, point.get(BATCH, 1), symbolic=False, values={**values, **sizes}
            )
        except ShapecalcError as error:
            return str(error)
        if inference.failures:
            return inference.failures[0].message
        return tuple(inference.shapes[slot] or () for slot in inference.graph.outputs.values())

    def theirs(point: Mapping[str, int]) -> Shapes | str:
        result = outcome(lambda: rerun.at([at_point(shape, point) for shape in letters]))
        if isinstance(result, Exception):
            return error_text(result)
        return shapes_of([*result[0].values()])

    def symbolic(point: Mapping[str, int]) -> Answer:
        with unseen(), keeping_users_state(rerun.run.module):
            return answer(lambda: _in_letters(rerun.run, names), letters, point, dtypes)

    held = any(isinstance(node.layer, (Require, Opaque)) for node in report.nodes)
    return replace(
        network_question(report, free_sizes(report, numeric)),
        symbolic=symbolic,
        ours=ours,
        theirs=theirs,
        stricter="the import refuses sizes at which it would have to know more than its trace"
        if held
        else "",
        least=len(report.nodes) <= MOST_NODES,
    )


def _in_letters(run: Run, names: list[str]) -> Callable[..., tuple[Tensor, ...]]:
    """Return a copy of the module, made where tensors have no memory and sizes are symbols."""
    run.state.restore()
    module = copied(run.module, lambda x: torch.empty_strided(x.shape, x.stride(), dtype=x.dtype))[0]

    def forward(*tensors: Tensor) -> tuple[Tensor, ...]:
        args, kwargs = run.arguments.call(dict(zip(names, tensors, strict=True)))
        result = outcome(lambda: tuple(outputs(module(*args, **kwargs)).values()))
        if isinstance(result, Exception) and not isinstance(result, REJECTIONS):
            raise Undecided(f"torch has no symbolic answer: {error_text(result)}") from result
        if isinstance(result, Exception):
            raise result
        return result

    return forward


# ---- the forward at the sizes of the model


def module_forward(rerun: Rerun, report: Report) -> Forward:
    """Run the module at the sizes of a report, and compare its layers, weights and cost.

    >>> from torch import nn
    >>> from shapecalc import from_torch
    >>> model = from_torch(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), input=(3, 8, 8))
    >>> print(module_forward(model.graphs.witness.rerun, model.analyze()))
    Sequential ran on numbers: its outputs, layers, parameters, buffers and MACs are those of the report
    """
    shapes, run = [*report.inputs.values()], rerun.run
    try:
        difference = rerun.difference(report.inference, shapes)
    except NotRun as reason:
        return Forward(why=str(reason), what=run.name)
    if not difference:
        with FlopCounterMode(display=False) as counter:
            rerun.at(shapes)
        difference = _costs(run.module, counter, report)
    why = too_large(report)
    if not why and not difference:
        try:
            difference = _on_numbers(rerun, report, shapes)
        except _NotOnNumbers as error:
            why = str(error)
    compared = "its outputs, layers, parameters, buffers" + (" and MACs" if _is_counted(report) else "")
    return Forward(
        len(report.nodes), not why, why, {"": difference} if difference else {}, run.name, compared
    )


def _is_counted(report: Report) -> bool:
    """Return whether torch counts the cost of every layer."""
    return report.complete and not any(twin_of(node.layer).macs_not_counted for node in report.nodes)


def _costs(module: nn.Module, counter: FlopCounterMode, report: Report) -> str:
    """Return how parameters, buffers or MACs differ from the report, or nothing."""
    pairs = {
        "parameters": (report.params, sum(weight.numel() for weight in module.parameters())),
        "numbers in buffers": (report.buffer_count, sum(buffer.numel() for buffer in module.buffers())),
    }
    if _is_counted(report):
        pairs["MACs"] = report.macs, counter.get_total_flops() // 2
    for what, (ours, theirs) in pairs.items():
        if ours != theirs:
            return f"{grouped(theirs)} {what}, and {grouped(ours)} in the report"
    return ""


class _NotOnNumbers(Exception):
    """A module runs on shapes alone."""


def _on_numbers(rerun: Rerun, report: Report, shapes: Sequence[Shape]) -> str:
    """Return how the module differs that runs on the CPU, all its numbers zero, or nothing."""
    rerun.run.state.restore()
    module = copied(rerun.run.module, lambda x: torch.zeros(x.shape, dtype=x.dtype))[0]
    run = replace(rerun.run, module=module, state=ModuleState(module), device="cpu")
    result = outcome(lambda: run.plain([*map(numbers, shapes)], rerun.leaves))
    if isinstance(result, Exception):
        raise _NotOnNumbers(f"on numbers it raises {error_text(result)}")
    return rerun.compared(report.inference, "on numbers", *result)
