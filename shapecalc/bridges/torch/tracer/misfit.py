"""What a forward fails at: the module, the user's line, the layer or function, and what that requires."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer import module_calls
from shapecalc.bridges.torch.tracer.function_calls import RecordingFunctions, record
from shapecalc.bridges.torch.tracer.module_run import outcome
from shapecalc.bridges.torch.tracer.module_to_kind import as_layer
from shapecalc.bridges.torch.tracer.plain_names import plain_name
from shapecalc.bridges.torch.tracer.source_lines import place_in
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import concrete, mapped, tensors_in
from shapecalc.errors import Place, ShapecalcError
from shapecalc.layers.base import Kind
from shapecalc.layers.requirement import Refused, Requirement, Shape, shown

_LONGEST = 400
"""Of a longer message only the first sentence is quoted: torch lists its backends there."""
_MOST_NUMBERS = 10_000_000
"""With more numbers in its tensors a call is not repeated for the words of the CPU."""


@dataclass(frozen=True)
class FailedCall:
    """A call of a function of torch."""

    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the function, without the marks of an operator."""
        return plain_name(getattr(self.function, "__name__", "function"))

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the tensors in the call."""
        return [tuple(tensor.shape) for tensor in tensors_in((self.args, self.kwargs))]


@dataclass(frozen=True)
class LayerCalled:
    """A module that is a layer, its path, and the shape that came in."""

    module: nn.Module
    path: str
    kind: Kind
    x: tuple[int, ...]


class Misfit:
    """An error that a forward raised while it was recorded; `trace` has the steps before it."""

    def __init__(self, error: Exception, trace: Trace) -> None:
        self.error = error
        self.trace = trace
        self.path = ""
        self.layer: LayerCalled | None = None
        self.call: FailedCall | None = None
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        self.place: Place = place_in(reversed(frames))
        for frame in frames:
            values = frame.f_locals
            module = values.get("self")
            if frame.f_code.co_filename == module_calls.__file__ and {"module", "args"} <= values.keys():
                self.layer = _layer(trace, values["module"], values["args"]) or self.layer
            elif isinstance(module, nn.Module) and frame.f_code.co_name == "forward":
                self.path, self.call = trace.paths.get(id(module), self.path), None
            elif isinstance(module, RecordingFunctions) and "function" in values:
                self.call = FailedCall(
                    values["function"], concrete(values["args"]), concrete(values["kwargs"])
                )
        if isinstance(error, Refused) and self.layer is not None:
            self.path = self.layer.path
        self.shapes: dict[str, tuple[int, ...]] = {
            name: tuple(tensor.shape) for tensor, name in trace.tensors.values()
        }
        """The shape of each tensor that is known, by its name."""

    @cached_property
    def requirement(self) -> Requirement | None:
        """What the rule of the layer, or of the function, does not find in its tensors."""
        if isinstance(self.error, Refused):
            return self.error.requirement
        if self.layer is not None:
            return _refusal(self.layer.kind, (self.layer.x,))
        return None if self.call is None else self._of_call(self.call)

    def _of_call(self, call: FailedCall) -> Requirement | None:
        """Return what the kind requires that the call would be a step of, whatever its result."""
        before, last = len(self.trace.steps), self.trace.last
        fake = torch.empty((1,) * max(map(len, call.shapes), default=0), device="meta")
        recorded = outcome(lambda: record(self.trace, call.function, call.args, call.kwargs, fake))
        steps = self.trace.steps[before:]
        del self.trace.steps[before:]
        if isinstance(recorded, Exception):  # for the result is made up
            return None
        for step in steps:
            sources = step.source or (last,)
            if isinstance(step.body, Kind) and self.shapes.keys() >= {*sources}:
                refused = _refusal(step.body, tuple(self.shapes[name] for name in sources))
                if refused is not None:
                    return refused
            last = step.name or last
        return None

    @property
    def is_of_shapes(self) -> bool:
        """Whether torch may have refused the shapes of several tensors, rather than values or a device."""
        several = self.call is not None and len(self.call.shapes) > 1
        return several and type(self.error) is RuntimeError and "meta" not in str(self.error)

    @property
    def says(self) -> str:
        """What torch says: on the CPU where that can be tried, as a user knows it, else without memory."""
        return words(self._on_cpu or self.error)

    @cached_property
    def _on_cpu(self) -> Exception | None:
        """Return the error of the same call on the CPU."""
        call: Any
        if self.layer is not None:
            module, x = self.layer.module, torch.empty(self.layer.x, device="meta")
            call = FailedCall(deepcopy(module).to_empty(device="cpu"), (x,), {})
            tensors = [*module.parameters(), x]
        elif self.call is not None:
            call, tensors = self.call, tensors_in((self.call.args, self.call.kwargs))
        else:
            return None
        if sum(tensor.numel() for tensor in tensors) > _MOST_NUMBERS:
            return None
        args, kwargs = mapped(_with_memory, (call.args, call.kwargs))
        with torch.no_grad():
            error = outcome(lambda: call.function(*args, **kwargs))
        return error if isinstance(error, Exception) and type(error) is type(self.error) else None

    @property
    def last_steps(self) -> Iterator[str]:
        """The last steps before the error, each with the shape of its result."""
        names = [step.name for step in self.trace.steps if step.name in self.shapes]
        return (f"{name} {shown(self.shapes[name])}" for name in names[-3:] if name is not None)


def _layer(trace: Trace, module: nn.Module, args: tuple[Any, ...]) -> LayerCalled | None:
    """Return the layer that a module is, with the tensor that it was called with."""
    x = args[0] if args else None
    kind = as_layer(module) if isinstance(x, Tensor) else None
    if kind is None or x is None:
        return None
    return LayerCalled(module, trace.paths.get(id(module), ""), kind, tuple(concrete(tuple(x.shape))))


def _refusal(layer: Kind, shapes: tuple[Shape, ...]) -> Requirement | None:
    try:
        layer.apply(shapes)
    except Refused as error:
        return error.requirement
    except ShapecalcError:
        return None
    return None


def _with_memory(leaf: Any) -> Any:
    return torch.zeros_like(leaf, device="cpu") if isinstance(leaf, Tensor) and leaf.is_meta else leaf


def words(error: BaseException) -> str:
    """Return the class of an error and its sentence, complete unless it is very long."""
    text = " ".join(str(error).split())
    if len(text) > _LONGEST:
        text = text.partition(". ")[0][:_LONGEST]
    return f"{type(error).__name__}: {text}".rstrip(":. ")
