"""When the tensors of a forward die: one more run of the module, which holds none of them.

In eager execution a tensor lives as long as something refers to it: the argument of a function that is still
running, an entry of a list, an attribute. The run makes the same calls as the recorded one, in the same
order, and notes for each storage the step that had begun last when it died.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import get_ident
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch._C import DisableTorchFunction
from torch.overrides import TorchFunctionMode

from shapecalc.bridges.torch.tracer.call_log import MODULE, CallLog, Logged, called_name
from shapecalc.bridges.torch.tracer.traced_number import tensors_in
from shapecalc.engine.lifetimes import Copied, Held, Made


class Differs(Exception):
    """A run that does not make the calls of the recorded one."""


class Storages:
    """The storages that were seen in a run, by number, and after which step each died."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.numbers: dict[int, int] = {}
        self.watched: dict[int, weakref.ref[Any]] = {}
        self.last: dict[int, str] = {}
        self.step = ""
        """The step that began last."""
        self.count = 0

    def made(self, tensor: Tensor) -> Made:
        """Return a tensor's storage, watched from now on, and the bytes of an element."""
        storage = tensor.untyped_storage()
        address = storage._cdata  # noqa: SLF001  (the identity of a storage)
        if address not in self.numbers:
            self.count += 1
            self.numbers[address] = number = self.count

            def died(_: object) -> None:
                self.last[number] = self.step
                del self.numbers[address], self.watched[number]

            self.watched[number] = weakref.ref(storage, died)
        is_own = tensor.dtype is self.dtype
        return Made(self.numbers[address], 0 if is_own else tensor.element_size())

    def held(self, tensors: Sequence[Tensor]) -> Held:
        """Return how much a module holds in some tensors."""
        own = [tensor for tensor in tensors if tensor.dtype is self.dtype]
        others = sum(tensor.nbytes for tensor in tensors if tensor.dtype is not self.dtype)
        return Held(sum(tensor.numel() for tensor in own), others)


class Following(TorchFunctionMode):
    """Follows the calls of a run along the log of a recorded one."""

    def __init__(self, module: nn.Module, log: CallLog, storages: Storages) -> None:
        super().__init__()
        self.log = log
        self.paths = {id(part): path for path, part in module.named_modules()}
        self.storages = storages
        self.counts = CallLog()
        self.results: dict[str, tuple[Made, ...]] = {}
        self.copies: list[Copied] = []
        self.parts: set[str] = set()
        self.inside_leaf = False

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = self._begin(called_name(function))
        result = function(*args, **(kwargs or {}))
        if call is not None:
            with DisableTorchFunction():
                self._end(call, result)
        return result

    def _begin(self, name: str) -> Logged | None:
        call = self.log.calls.get(self.counts.next(name))
        if call is not None and call.steps:
            self.storages.step = call.steps[-1]
        return call

    def _end(self, call: Logged, result: Any) -> None:
        tensors = tensors_in(result)
        if [tuple(tensor.shape) for tensor in tensors] != call.shapes:
            raise Differs
        own: set[str] = set()
        for name, tensor in zip(call.names, tensors, strict=True):
            made = self.storages.made(tensor)
            step = next((step for step in call.steps if name == step or name.startswith(f"{step}.")), None)
            if step is not None:
                self.results[step] = (*self.results.get(step, ()), made)
                own.add(step)
            elif name:
                self.copies.append(Copied(self.storages.step, name, made))
        self.parts |= {*call.steps} - own if own else own

    @contextmanager
    def modules(self) -> Iterator[None]:
        """Follow the modules that are steps, without what they call."""
        original, thread = nn.Module.__call__, get_ident()

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            path = self.paths.get(id(module))
            if get_ident() != thread or self.inside_leaf or path is None:
                return original(module, *args, **kwargs)
            logged = self._begin(f"{MODULE}{path}")
            if logged is None or not logged.steps:
                return original(module, *args, **kwargs)
            self.inside_leaf = True
            try:
                with DisableTorchFunction():
                    result = original(module, *args, **kwargs)
                    self._end(logged, result)
                    return result
            finally:
                self.inside_leaf = False

        with mock.patch.object(nn.Module, "__call__", call):
            yield
