"""A run of a forward that failed, with repairs made on the copy of the module."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from shapecalc.bridges.torch.tracer.integer_inputs import IntegersNeeded
from shapecalc.bridges.torch.tracer.misfit import FailedCall, Misfit
from shapecalc.bridges.torch.tracer.module_copy import ModuleState
from shapecalc.bridges.torch.tracer.module_run import Run, outcome, unseen
from shapecalc.bridges.torch.twins.twin import ModuleTwin, twin_of
from shapecalc.layers.base import Kind


class _OtherArguments(TorchFunctionMode):
    """Calls a function with other arguments where it failed."""

    def __init__(self, call: FailedCall, args: tuple[Any, ...]) -> None:
        super().__init__()
        self.call, self.args = call, args

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        is_it = function is self.call.function and args[1:] == self.call.args[1:]
        shape = getattr(self.call.args[0], "shape", None)
        if is_it and getattr(args[0], "shape", None) == shape:
            args = (args[0], *self.args[1:])
        return function(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Attempt:
    """A run of a forward with some repairs, each described."""

    run: Run
    steps: tuple[str, ...] = ()
    shapes: tuple[tuple[int, ...], ...] | None = None
    """The shapes of the inputs, where they are not those of the run."""
    call: tuple[FailedCall, tuple[Any, ...]] | None = None

    def misfit(self) -> Misfit | None:
        """Run, and return what fails."""
        trace = self.run.trace()
        with unseen(), nullcontext() if self.call is None else _OtherArguments(*self.call):
            error = outcome(lambda: self.run.recorded(trace, self.shapes))
        if isinstance(error, IntegersNeeded):
            run = replace(self.run, integers=self.run.integers | error.names)
            return replace(self, run=run).misfit() if run.integers != self.run.integers else None
        return Misfit(error, trace) if isinstance(error, Exception) else None

    def with_layer(self, module: nn.Module, layer: Kind, x: tuple[int, ...], step: str) -> Attempt | None:
        """Return the attempt with other settings of a layer; None where torch does not make it."""
        twin = twin_of(layer)
        cls = next((base for base in type(module).__mro__ if base.__module__.startswith("torch.nn.")), None)
        if not isinstance(twin, ModuleTwin) or cls is None:
            return None
        self.run.state.restore()
        arguments = _accepted(cls, twin.arguments(layer.fields_set(), (x,)))
        with torch.device("meta"):
            built = outcome(lambda: cls(**arguments).eval())
        if isinstance(built, Exception):
            return None
        vars(module).update(vars(built))
        run = replace(self.run, state=ModuleState(self.run.module))
        return replace(self, run=run, steps=(*self.steps, step))

    def before_layer(self, module: nn.Module, step: str) -> Attempt:
        """Return the attempt with the input of a layer flattened."""
        self.run.state.restore()
        vars(module)["_forward_pre_hooks"] = OrderedDict()
        module.register_forward_pre_hook(lambda _, args: (args[0].flatten(1), *args[1:]))
        run = replace(self.run, state=ModuleState(self.run.module))
        return replace(self, run=run, steps=(*self.steps, step))


def _accepted(cls: type[nn.Module], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a class names, all where it takes any name."""
    takes = signature(cls).parameters
    takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in takes.values())
    return {name: value for name, value in arguments.items() if takes_any or name in takes}
