"""Why a forward fails: the module and the line, the layer with its sizes, what to change, what ran before."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

import shapecalc
from shapecalc.bridges.torch.tracer.module_to_kind import as_layer
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.errors import Place, ShapecalcError, SpecError
from shapecalc.layers.base import Kind
from shapecalc.layers.requirement import DeclaredSize, Refused, Requirement, shown

_LIBRARIES = tuple(str(Path(library.__file__ or "").parent) for library in (torch, shapecalc))
_LONGEST = 400
"""Of a longer message only the first sentence is quoted: torch lists its backends there."""
_GENERAL_HINT = "check the input's shape; a forward that reads values of tensors has no shape to report"


def forward_error(error: Exception, trace: Trace, *, has_steps: bool) -> SpecError:
    """Return what is wrong with a forward that raised an error in a run that was recorded.

    The steps of the trace are those before the error where `has_steps`.
    """
    frames = [*traceback.walk_tb(error.__traceback__)]
    path = ""
    refused: Requirement | None = None
    for frame, _ in frames:
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and frame.f_code.co_name == "forward":
            path = trace.paths.get(id(module), path)
            refused = _refusal(module, frame)
    text = str(error).strip().partition("\n")[0]
    text = text if len(text) <= _LONGEST else text.partition(". ")[0][:_LONGEST]
    message = f"{type(trace.module).__name__} cannot be traced on tensors without memory: "
    message += f"{type(error).__name__}: {text}".rstrip(":. ")
    hint = _GENERAL_HINT
    if refused is not None:
        message += f"; {refused.message}"
        hint = (
            f"{refused.name}: {refused.right}"
            if isinstance(refused, DeclaredSize)
            else refused.advice or hint
        )
    if has_steps and (ran := ", ".join(_last_steps(trace))):
        message += f"; the layers before it: {ran}"
    return SpecError(message, place=_place_of_call(frames), path=path, hint=hint)


def _refusal(module: nn.Module, frame: FrameType) -> Requirement | None:
    """Return what the rule of a module's kind requires of the tensor that its forward was called with."""
    names = frame.f_code.co_varnames[1 : frame.f_code.co_argcount]
    x = frame.f_locals.get(names[0]) if names else None
    layer: Kind | None = as_layer(module)
    if layer is None or not isinstance(x, Tensor):
        return None
    try:
        layer.apply((tuple(x.shape),))
    except Refused as error:
        return error.requirement
    except ShapecalcError:
        return None
    return None


def _last_steps(trace: Trace) -> Iterator[str]:
    """Yield the last steps that were recorded, each with the shape of its result."""
    shapes: dict[str, Any] = {name: tuple(tensor.shape) for tensor, name in trace.tensors.values()}
    names = [step.name for step in trace.steps if step.name in shapes]
    for name in names[-3:]:
        yield f"{name} {shown(shapes[name])}"


def _place_of_call(frames: list[tuple[FrameType, int]]) -> Place:
    """Return the innermost line that is neither of torch nor of this package."""
    for frame, line in reversed(frames):
        file = frame.f_code.co_filename
        if not file.startswith((*_LIBRARIES, "<")):
            return Place(file, line)
    return Place()
