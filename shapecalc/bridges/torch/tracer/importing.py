"""`from_torch`: a torch module as a `Model`, from one run of its forward on tensors without memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import torch
from torch import nn

from shapecalc import layers
from shapecalc.bridges.torch.tracer.active_experts import forget_partly_known
from shapecalc.bridges.torch.tracer.callers import is_of_torch
from shapecalc.bridges.torch.tracer.forward_arguments import Arguments, arguments_of
from shapecalc.bridges.torch.tracer.integer_inputs import IntegersNeeded
from shapecalc.bridges.torch.tracer.module_copy import ModuleState, copied, on_meta, small_originals
from shapecalc.bridges.torch.tracer.module_parts import named_parts, registered, tensors_of
from shapecalc.bridges.torch.tracer.module_run import Run, error_text, outcome, unseen
from shapecalc.bridges.torch.tracer.rerun import Rerun
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.trace_to_model import model_of
from shapecalc.bridges.torch.tracer.traced_sizes import Ratio, Size
from shapecalc.bridges.torch.tracer.value_reads import DependsOnData
from shapecalc.bridges.torch.tracer.witness import ModuleWitness
from shapecalc.engine.graph import Inference
from shapecalc.errors import ForwardError, ShapecalcError, ShapeError, SpecError, quote
from shapecalc.layers.requirement import Refused
from shapecalc.layers.traced import Require
from shapecalc.model import Model

_BATCHES = (11, 13, 17, 19, 23, 29, 31, 37)
"""Batches of a trace, one that is no other size: 1 could not be distinguished from axes that broadcast."""

_PACKED = ("_packed_params", "_packed_weight_ih", "_all_weight_values")
"""Where layers of integers have their weights, recurrent cells and recurrent layers too."""


def traced(
    module: nn.Module, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None, name: str | None
) -> Model:
    """Do what `from_torch` says: run with floats, and with integers for the inputs that have to be.

    Where a run fails, another has a batch of 2, and the last a batch of 1 with sizes as ordinary numbers.
    """
    if not isinstance(module, nn.Module):
        raise SpecError(f"{quote(type(module).__name__)} is not a torch module")
    _refuse_packed(module)
    bare, copies = copied(module, on_meta)
    has_batch = shape is not None
    arguments = arguments_of(bare, shape, args, kwargs)
    originals, title = small_originals(module, copies), name or type(module).__name__
    run = Run(bare, title, arguments, has_batch, copies, ModuleState(bare), originals)
    first_error: Exception | None = None
    attempts = _attempts(run)
    while attempts:
        try:
            return _with_any_batch(attempts.pop())
        except Refused as refused:
            raise _forward_error(replace(run, batch=1), refused) from refused
        except ShapecalcError:
            raise
        except IntegersNeeded as needed:
            run = replace(run, integers=run.integers | needed.names)
            attempts = _attempts(run)
        except Exception as error:  # noqa: BLE001  (whatever the module's own code raises)
            if first_error is None or _names_traced_numbers(first_error):
                first_error = error
    assert first_error is not None
    outcomes = None if isinstance(first_error, DependsOnData) else ()
    raise _forward_error(replace(run, batch=1, pinned=True, outcomes=outcomes), first_error) from first_error


def _forward_error(run: Run, error: Exception) -> ForwardError:
    """Return what a failed forward is raised as; what looks for its cause is loaded here."""
    from shapecalc.bridges.torch.tracer.failed_forward import forward_error

    return forward_error(run, error)


def _refuse_packed(module: nn.Module) -> None:
    """Refuse a module that was converted to integers: its kernels need the numbers that a trace has not."""
    for path, part in named_parts(module).items():
        if not is_of_torch(type(part)) and any(hasattr(part, name) for name in _PACKED):
            raise SpecError(
                f"{type(part).__name__} is a quantized layer, whose packed weights are no parameters",
                path=path,
                hint="trace the model before its conversion: its shapes and MACs are the same",
            )


def _attempts(run: Run) -> list[Run]:
    """Return the runs to try, the first at the end; without any success all inputs are integers."""
    batches = (2, _batch(run.module, run.arguments)) if run.has_batch else (2,)
    runs = [replace(run, batch=1, pinned=True), *(replace(run, batch=batch) for batch in batches)]
    names = frozenset(run.arguments.shapes)
    if not run.has_batch or run.integers == names:
        return runs
    return [*(replace(attempt, integers=names) for attempt in runs), *runs]


def _batch(module: nn.Module, arguments: Arguments) -> int:
    """Return a batch that no input, parameter or buffer has as a size."""
    shapes = (*arguments.shapes.values(), *(item.shape for item in registered(named_parts(module))))
    taken = set(chain.from_iterable(shapes))
    return next((batch for batch in _BATCHES if batch not in taken), max(taken) + 1)


def _names_traced_numbers(error: Exception) -> bool:
    """Return whether an error is of our numbers, so that the error without them is the better reason."""
    return any(cls.__name__ in str(error) for cls in (Size, Ratio))


def _with_any_batch(run: Run) -> Model:
    """Return the model of a run; of one with a batch of 1 where Python decided by the batch."""
    model = _traced(run)
    if any(isinstance(step.body, Require) for step in model.layers):
        try:
            model.analyze()
        except ShapeError:
            if run.has_batch and run.batch != 1:
                with suppress(RuntimeError):  # what runs at this batch alone
                    return _with_any_batch(replace(run, batch=1))
        except ShapecalcError:
            return model
        from shapecalc.bridges.torch.tracer.joined_branches import joined  # where Python decides by sizes

        return joined(model, lambda sizes: _traced(run, _with_sizes(run.arguments.shapes, model, sizes)))
    return model


def _with_sizes(
    shapes: Mapping[str, tuple[int, ...]], model: Model, sizes: Mapping[str, int]
) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the inputs with other values for the sizes that a model names."""
    named = {title: [*map(str, shape)] for title, shape in model.input.items()}
    return {
        title: tuple(sizes.get(name, size) for name, size in zip(named[title], shape, strict=True))
        for title, shape in shapes.items()
    }


def _traced(run: Run, shapes: Mapping[str, tuple[int, ...]] | None = None) -> Model:
    """Run the forward once and return its model; `shapes` may be others than those of the run."""
    trace = run.trace()
    shapes = shapes or run.arguments.shapes
    sizes = [(run.batch, *shape) if run.has_batch else shape for shape in shapes.values()]
    outputs = outcome(lambda: _recorded(run, trace, sizes))
    decided = bool(trace.decisions.taken) and not isinstance(outputs, IntegersNeeded)
    if decided and not _is_same_either_way(run, trace, sizes, outputs):
        return _traced(replace(run, outcomes=None), shapes)
    if isinstance(outputs, Exception):
        raise outputs
    if not trace.steps:
        raise SpecError(f"{type(run.module).__name__} does nothing with its input")
    if trace.has_unknown and not run.pinned:
        return _traced(replace(run, batch=1, pinned=True), shapes)
    forget_partly_known(trace)
    _append_unused(trace, outputs)
    model = model_of(trace, shapes, outputs, run.name)
    steps = trace.log.partial & {*range(len(trace.steps))}
    partial_steps = frozenset(trace.steps[number].name or "" for number in steps)
    rerun = Rerun(run, trace.leaves, trace.tests.by_step, trace.log, partial_steps)
    in_training = None if run.module.training else partial(_in_training, run)
    model.graphs.witness = ModuleWitness(
        rerun, partial(_at, run), in_training, at_traced=not trace.has_opaque_batch
    )
    return model


def _in_training(run: Run) -> Model:
    """Return the model of the module in training mode, where its forward may be another."""
    run.state.restore()
    run.module.train()
    return _traced(replace(run, state=ModuleState(run.module)))


def _at(run: Run, inputs: Mapping[str, tuple[int, ...]]) -> tuple[Inference, Rerun]:
    """Return the inference over a module recorded at inputs of other sizes, the batch included."""
    batch = None
    if run.has_batch:
        (batch,) = {shape[0] for shape in inputs.values()}
        run, inputs = replace(run, batch=batch), {name: shape[1:] for name, shape in inputs.items()}
    for attempt in (run, replace(run, pinned=True)):
        model = _traced(attempt, inputs)
        witness, model.graphs.witness = model.graphs.witness, None
        inference = model.infer_at(dict(inputs), batch, symbolic=False, values={})[0]
        if not inference.failures:
            break
    assert isinstance(witness, ModuleWitness)
    return inference, witness.rerun


def _recorded(run: Run, trace: Trace, sizes: Sequence[Sequence[int]]) -> dict[str, str]:
    """Record a run; return the steps that give the outputs, by the names of these."""
    tensors = run.recorded(trace, sizes)
    with torch.no_grad():
        return {name: trace.name_of(tensor) for name, tensor in tensors.items()}


def _is_same_either_way(run: Run, trace: Trace, sizes: Sequence[Sequence[int]], outputs: object) -> bool:
    """Return whether a run records the same whichever way its decisions by numbers of the input go.

    The same error is the same too.
    """

    def comparable(result: object) -> object:
        return error_text(result) if isinstance(result, Exception) else result

    ways = trace.decisions.other_ways()
    with unseen():  # what is printed does not happen
        while ways:
            other = replace(run, outcomes=ways.pop())
            theirs = other.trace()
            result = outcome(partial(_recorded, other, theirs, sizes))
            if comparable(result) != comparable(outputs):
                return False
            if (theirs.steps, theirs.guards) != (trace.steps, trace.guards):
                return False
            ways += theirs.decisions.other_ways()
    return not ways


def _append_unused(trace: Trace, outputs: dict[str, str]) -> None:
    """Append what no step has, so that it is counted: trained parameters, frozen ones, and buffers."""
    parts = named_parts(trace.module)
    unused, buffers = (
        {name: item for name, item in tensors_of(parts, table).items() if id(item) not in trace.owners}
        for table in ("_parameters", "_buffers")
    )
    trained = {name: item for name, item in unused.items() if item.requires_grad}
    frozen = {name: item for name, item in unused.items() if name not in trained}
    for field, tensors in (("tensors", trained), ("tensors", frozen), ("kept", buffers)):
        if tensors:
            last = trace.last
            layer = layers.Unused(**{field: {name: tuple(item.shape) for name, item in tensors.items()}})
            learned = () if tensors is buffers else tensors.values()
            step = trace.append(layer, [last], (), trace.unique("unused"), parameters=learned)
            if [*outputs.values()] == [last]:
                outputs[next(iter(outputs))] = step
