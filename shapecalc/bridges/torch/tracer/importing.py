"""`from_torch`: a torch module as a `Model`, from one run of its forward on tensors without memory."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import chain
from threading import RLock
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from shapecalc import layers
from shapecalc.bridges.torch.tracer.failed_forward import forward_error
from shapecalc.bridges.torch.tracer.forward_arguments import Arguments, arguments_of
from shapecalc.bridges.torch.tracer.function_calls import RecordingFunctions
from shapecalc.bridges.torch.tracer.module_calls import recording_modules
from shapecalc.bridges.torch.tracer.size_conversions import tracing_conversions, tracing_creation
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.trace_to_model import model_of, output_name
from shapecalc.bridges.torch.tracer.traced_number import concrete
from shapecalc.bridges.torch.tracer.traced_sizes import Ratio, Size, Sizes
from shapecalc.errors import ShapecalcError, ShapeError, SpecError, quote
from shapecalc.layers.traced import Require
from shapecalc.model import Model

_BATCHES = (11, 13, 17, 19, 23, 29, 31, 37)
"""Batches of a trace, one that is no other size: 1 could not be distinguished from axes that broadcast."""


@dataclass(frozen=True)
class _Run:
    """How a module is run."""

    name: str
    arguments: Arguments
    has_batch: bool
    copies: Mapping[int, Any]
    """Copies of the user's modules and tensors, by the identity of what was copied."""
    dtype: torch.dtype = torch.float32
    batch: int = 2
    pinned: bool = False


def traced(
    module: nn.Module, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None, name: str | None
) -> Model:
    """Do what `from_torch` says: run with floats, else with integers.

    Where a run fails, another has a batch of 2, and the last a batch of 1 with sizes as ordinary numbers.
    """
    if not isinstance(module, nn.Module):
        raise SpecError(f"{quote(type(module).__name__)} is not a torch module")
    bare, copies = _copied_to_meta(module)
    has_batch = shape is not None
    run = _Run(name or type(module).__name__, arguments_of(bare, shape, args, kwargs), has_batch, copies)
    batches = (_batch(bare, run.arguments), 2) if has_batch else (2,)
    first_error: Exception | None = None
    for dtype in (torch.float32, torch.long) if has_batch else (torch.float32,):
        attempts = [replace(run, dtype=dtype, batch=batch) for batch in batches]
        for attempt in (*attempts, replace(run, dtype=dtype, batch=1, pinned=True)):
            try:
                return _with_any_batch(bare, attempt)
            except ShapecalcError:
                raise
            except Exception as error:  # noqa: BLE001  (whatever the module's own code raises)
                if first_error is None or _names_traced_numbers(first_error):
                    first_error = error
    assert first_error is not None
    raise _explained(bare, replace(run, batch=1, pinned=True), first_error) from first_error


def _batch(module: nn.Module, arguments: Arguments) -> int:
    """Return a batch that no input, parameter or buffer has as a size."""
    shapes = (*arguments.shapes.values(), *(item.shape for item in (*module.parameters(), *module.buffers())))
    taken = set(chain.from_iterable(shapes))
    return next((batch for batch in _BATCHES if batch not in taken), max(taken) + 1)


def _explained(module: nn.Module, run: _Run, error: Exception) -> SpecError:
    """Return an error with its reason; its sizes are of a batch of 1 where that fails too."""
    trace = _trace(module, run)
    try:
        _run_forward(trace, run)
    except Exception as plain_error:  # noqa: BLE001  (whatever the module's own code raises)
        if type(plain_error) is type(error):
            return forward_error(plain_error, trace, has_steps=True)
    return forward_error(error, trace, has_steps=False)


def _names_traced_numbers(error: Exception) -> bool:
    """Return whether an error is of our numbers, so that the error without them is the better reason."""
    return any(cls.__name__ in str(error) for cls in (Size, Ratio))


def _with_any_batch(module: nn.Module, run: _Run) -> Model:
    """Return the model of a run; of one with a batch of 1 where Python decided by the batch."""
    model = _traced(module, run)
    if run.has_batch and any(isinstance(step.body, Require) for step in model.layers):
        try:
            model.analyze()
        except ShapeError:
            return _traced(module, replace(run, batch=1))
        except ShapecalcError:
            return model
    return model


_PATCHED = RLock()
"""Held while functions of torch and Python are replaced: two threads would restore them out of order."""


def _traced(module: nn.Module, run: _Run) -> Model:
    """Run the forward once and return its model."""
    trace = _trace(module, run)
    result = _run_forward(trace, run)
    with torch.no_grad():
        outputs = _outputs(trace, result)
    if not trace.steps:
        raise SpecError(f"{type(module).__name__} does nothing with its input")
    if trace.has_unknown and not run.pinned:
        return _traced(module, replace(run, batch=1, pinned=True))
    _append_unused(trace, outputs)
    return model_of(trace, run.arguments.shapes, outputs, run.name)


def _trace(module: nn.Module, run: _Run) -> Trace:
    return Trace(module, copies=run.copies, has_batch=run.has_batch, pinned=run.pinned)


def _run_forward(trace: Trace, run: _Run) -> Any:
    """Record one run of the forward and return its result."""
    args, kwargs = run.arguments.enter(trace, run.batch, run.dtype)
    with (
        _PATCHED,
        warnings.catch_warnings(),
        torch.no_grad(),
        torch.device("meta"),
        recording_modules(trace),
        _printing_sizes(),
        tracing_creation(trace),
        tracing_conversions(trace),
        RecordingFunctions(trace),
    ):
        warnings.simplefilter("ignore")
        return trace.module(*args, **kwargs)


@contextmanager
def _printing_sizes() -> Iterator[None]:
    """Let a forward print sizes, which pins nothing; any other text that is made of one does."""
    original = print

    def printed(*values: Any, **options: Any) -> None:
        original(*concrete(values), **options)

    with mock.patch("builtins.print", printed):
        yield


def _outputs(trace: Trace, result: Any) -> dict[str, str]:
    """Return the outputs by name: of a dict its keys, of a sequence their numbers."""
    outputs: dict[str, str] = {}

    def add(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, Tensor):
            outputs[output_name(path, outputs)] = trace.name_of(value)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                add(item, (*path, str(key)))
        elif isinstance(value, (tuple, list)) and not isinstance(value, Sizes):
            fields = getattr(value, "_fields", None) or [f"output_{number}" for number in range(len(value))]
            for key, item in zip(fields, value, strict=False):
                add(item, (*path, str(key)))

    add(result, ())
    if not outputs:
        raise SpecError(f"the forward returns {quote(type(result).__name__)}, which holds no tensor")
    return outputs


def _append_unused(trace: Trace, outputs: dict[str, str]) -> None:
    """Append the parameters that no step has, so that they are counted; the trained ones first."""
    unused = {name: item for name, item in trace.module.named_parameters() if id(item) not in trace.owners}
    for is_trained in (True, False):
        tensors = {name: item for name, item in unused.items() if item.requires_grad is is_trained}
        if tensors:
            last = trace.last
            layer = layers.Unused(tensors={name: tuple(item.shape) for name, item in tensors.items()})
            step = trace.append(layer, [last], (), trace.unique("unused"), parameters=tensors.values())
            if [*outputs.values()] == [last]:
                outputs[next(iter(outputs))] = step


# ---- a copy without numbers

_PLAIN = (bool, int, float, str, type(None))
_COPYING = (
    "__deepcopy__",
    "__reduce_ex__",
    "__reduce__",
    "__getstate__",
    "__setstate__",
    "__new__",
    "__slots__",
)


def _copied_to_meta(module: nn.Module) -> tuple[nn.Module, Mapping[int, Any]]:
    """Return the module on the meta device, in evaluation mode, and what was copied by identity."""
    tensors = (*module.parameters(), *module.buffers())
    try:
        copies: dict[int, Any] = {id(tensor): _without_numbers(tensor) for tensor in tensors}
        twins = [(part.__getstate__(), _empty_twin(part, copies)) for part in module.modules()]
        for state, twin in twins:
            if twin is not None:
                twin.__setstate__({name: _copied(value, copies) for name, value in state.items()})
        return deepcopy(module, copies).eval(), copies
    except Exception as error:
        raise SpecError(f"{type(module).__name__} cannot be copied: {error}") from error


def _empty_twin(part: nn.Module, copies: dict[int, Any]) -> nn.Module | None:
    """Return a module of the same class without attributes, None where its class has a copy of its own."""
    cls = type(part)
    if any(getattr(cls, name, None) is not getattr(nn.Module, name, None) for name in _COPYING):
        return None
    twin: nn.Module = cls.__new__(cls)
    copies[id(part)] = twin
    return twin


def _copied(value: Any, copies: dict[int, Any]) -> Any:
    """Return what `deepcopy` makes of an attribute; it is slow at plain values and empty tables."""
    if type(value) in _PLAIN or (type(value) is tuple and all(type(item) in _PLAIN for item in value)):
        return value
    if not value and type(value) in (OrderedDict, dict, set):
        return copies.setdefault(id(value), type(value)())
    return deepcopy(value, copies)


def _without_numbers(tensor: Tensor) -> Tensor:
    bare = torch.empty_like(tensor, device="meta")
    return nn.Parameter(bare, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else bare
