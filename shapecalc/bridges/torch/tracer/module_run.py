"""Runs of the copy of a user's module: recorded in a trace, or plain, to be compared with the recording."""

from __future__ import annotations

import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from threading import RLock, get_ident
from types import MappingProxyType
from typing import Any, TypeVar
from unittest import mock

import torch
from torch import Tensor, nn
from torch.backends import mha
from torch.distributions import Distribution
from torch.utils.hooks import RemovableHandle

from shapecalc.bridges.torch.tracer.call_log import CallLog
from shapecalc.bridges.torch.tracer.containers import named_tensors
from shapecalc.bridges.torch.tracer.cpu_device import ActingAsCpu
from shapecalc.bridges.torch.tracer.data_decisions import Decisions
from shapecalc.bridges.torch.tracer.forward_arguments import Arguments
from shapecalc.bridges.torch.tracer.function_calls import RecordingFunctions
from shapecalc.bridges.torch.tracer.module_calls import recording_modules
from shapecalc.bridges.torch.tracer.module_copy import ModuleState
from shapecalc.bridges.torch.tracer.size_conversions import keeping_users_state, tracing_conversions
from shapecalc.bridges.torch.tracer.tensor_lifetimes import Following, Storages
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.trace_to_model import output_name
from shapecalc.bridges.torch.tracer.traced_creation import tracing_creation
from shapecalc.bridges.torch.tracer.traced_number import concrete, tensors_in
from shapecalc.engine.lifetimes import Lifetimes
from shapecalc.errors import SpecError, quote

_T = TypeVar("_T")

_PATCHED = RLock()
"""Held while functions of torch and Python are replaced: two threads would restore them out of order."""


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """How the copy of a module is run."""

    module: nn.Module
    name: str
    arguments: Arguments
    has_batch: bool
    copies: Mapping[int, Any]
    """Copies of the user's modules and tensors, by the identity of what was copied."""
    state: ModuleState
    originals: Mapping[int, Tensor]
    """The user's smaller tensors, by the identity of their copies."""
    integers: frozenset[str] = frozenset()
    """The inputs that are integers."""
    batch: int = 2
    pinned: bool = False
    device: str = "meta"
    outcomes: tuple[bool, ...] | None = ()
    """The first decisions by numbers of the input; None where none is to be taken."""

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of the inputs, the batch included."""
        return self.arguments.with_batch(self.batch)

    def trace(self) -> Trace:
        """Return an empty trace of the module as it was copied."""
        self.state.restore()
        options: dict[str, Any] = {"has_batch": self.has_batch, "pinned": self.pinned}
        trace = Trace(self.module, copies=self.copies, originals=self.originals, **options)
        trace.decisions = Decisions(self.outcomes)
        return trace

    def recorded(self, trace: Trace, shapes: Sequence[Sequence[int]] | None = None) -> dict[str, Tensor]:
        """Record one run of the forward and return its outputs by name."""
        inputs = self.arguments.inputs(shapes or self.shapes, self.integers)
        for name, tensor in inputs.items():
            trace.add_input(name, tensor)
        args, kwargs = self.arguments.call(inputs)
        with (
            _on("meta"),
            recording_modules(trace),
            _printing_sizes(),
            tracing_creation(trace),
            tracing_conversions(trace),
            RecordingFunctions(trace),
        ):
            return outputs(trace.module(*args, **kwargs))

    def plain(
        self, shapes: Sequence[Sequence[int]], leaves: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[dict[str, Tensor], dict[str, list[Tensor]]]:
        """Run the forward by torch alone; return its outputs by name, and what layers returned, by step.

        `leaves` has the path of the module that each of these steps is, in order.
        """
        self.state.restore()
        args, kwargs = self.arguments.call(self.arguments.inputs(shapes, self.integers, self.device))
        seen: dict[str, list[Tensor]] = {}
        steps: dict[str, list[str]] = {}
        for step, path in leaves.items():
            steps.setdefault(path, []).insert(0, step)

        def watched(path: str) -> RemovableHandle:
            def leave(_module: nn.Module, _args: Any, result: Any) -> None:
                if steps[path]:
                    seen[steps[path].pop()] = [tensor.detach() for tensor in tensors_in(result)]

            return self.module.get_submodule(path).register_forward_hook(leave)

        hooks = [*map(watched, steps)]
        try:
            with unseen(), _on(self.device), keeping_users_state(self.module):
                return outputs(self.module(*args, **kwargs)), seen
        finally:
            for hook in hooks:
                hook.remove()

    def lifetimes(self, log: CallLog) -> Lifetimes:
        """Run the forward by torch alone along the log of a recorded run; raise `Differs` at a difference."""
        self.state.restore()
        storages = Storages(self.arguments.dtype)
        parameters, buffers = [*self.module.parameters()], [*self.module.buffers()]
        inputs = self.arguments.inputs(self.shapes, self.integers)
        args, kwargs = self.arguments.call(inputs)
        held = frozenset(storages.made(tensor).storage for tensor in (*parameters, *buffers))
        taken = {name: storages.made(tensor) for name, tensor in inputs.items()}
        following = Following(self.module, log, storages)
        with unseen(), _on("meta"), keeping_users_state(self.module), following.modules(), following:
            result = self.module(*args, **kwargs)
        died = dict(storages.last)
        del result
        return Lifetimes(
            following.results,
            died,
            taken,
            held,
            storages.held(parameters),
            storages.held(buffers),
            tuple(following.copies),
            frozenset(following.parts),
        )


@contextmanager
def _on(device: str) -> Iterator[None]:
    context = ActingAsCpu() if device == "meta" else torch.device(device)
    with _PATCHED, _keeping_generators(), warnings.catch_warnings(), torch.no_grad(), context:
        warnings.simplefilter("ignore")
        with _transformers_in_parts(), _without_validation(), _eager():
            yield


@contextmanager
def _eager() -> Iterator[None]:
    """Run what `torch.compile` returned as it was written."""
    with torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext():
        yield


@contextmanager
def _keeping_generators() -> Iterator[None]:
    """Leave random numbers as they would be without a run: a forward may draw some, or set the seed."""
    state = random.getstate()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(state)


@contextmanager
def unseen() -> Iterator[None]:
    """Run a forward once more without what it prints and logs."""
    with _PATCHED, redirect_stdout(StringIO()):
        disabled = logging.root.manager.disable
        logging.disable()
        try:
            yield
        finally:
            logging.disable(disabled)


@contextmanager
def _transformers_in_parts() -> Iterator[None]:
    """Let transformers run as their parts, without reading from a mask whether it is causal.

    Fused kernels need the values of masks, and for neither shapes nor products it matters who masks.
    """

    def detected(mask: object, is_causal: bool | None = None, size: int | None = None) -> bool:
        return is_causal is True

    was_enabled = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        with mock.patch("torch.nn.modules.transformer._detect_is_causal_mask", detected):
            yield
    finally:
        mha.set_fastpath_enabled(was_enabled)


@contextmanager
def _without_validation() -> Iterator[None]:
    """Let distributions take parameters without numbers, which their validation would read."""
    thread, original = get_ident(), Distribution.__init__

    def init(self: Distribution, *args: Any, **kwargs: Any) -> None:
        if get_ident() == thread:
            args, kwargs = args[:2], kwargs | {"validate_args": False}
        original(self, *args, **kwargs)

    with mock.patch.object(Distribution, "__init__", init):
        yield


@contextmanager
def _printing_sizes() -> Iterator[None]:
    """Let a forward print sizes, which pins nothing; any other text that is made of one does."""
    original = print

    def printed(*values: Any, **options: Any) -> None:
        original(*concrete(values), **options)

    with mock.patch("builtins.print", printed):
        yield


def outcome(run: Callable[[], _T]) -> _T | Exception:
    """Return the result of a run, or the error that it raises."""
    try:
        return run()
    except Exception as error:  # noqa: BLE001  (whatever the module's own code raises)
        return error


def error_text(error: Exception) -> str:
    """Return the class of an error and its first line."""
    return f"{type(error).__name__}: {error}".strip().partition("\n")[0]


def outputs(result: Any) -> dict[str, Tensor]:
    """Return the tensors of a result by name: of a dict its keys, of a sequence their numbers."""
    tensors: dict[str, Tensor] = {}
    for in_objects in (False, True):
        for path, tensor in () if tensors else named_tensors(result, item="output_{}", in_objects=in_objects):
            tensors[output_name(path, tensors)] = tensor
    if not tensors:
        raise SpecError(f"the forward returns {quote(type(result).__name__)}, which holds no tensor")
    return tensors
