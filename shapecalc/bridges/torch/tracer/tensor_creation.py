"""While a trace runs, torch's functions that need ordinary numbers take sizes: as shapes, or to compute with.

torch reads the numbers of these functions before a mode could see the call, so they are replaced meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

import torch
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.function_calls import record
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import concrete, traced_in

_NEW = ("arange", "empty", "eye", "full", "linspace", "ones", "rand", "randn", "zeros")
_NEW_BY_METHOD = ("new_empty", "new_full", "new_ones", "new_zeros")
_WITH_NUMBERS = (
    *("add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow"),
    *("eq", "ne", "lt", "le", "gt", "ge", "clamp", "clamp_min", "clamp_max", "masked_fill", "full_like"),
)
"""Functions of torch that take a number on which no shape depends."""

_empty = torch.empty


@contextmanager
def tracing_creation(trace: Trace) -> Iterator[None]:
    """Let torch's functions take traced sizes; those that make tensors of them are recorded with them."""

    def new(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not traced_in((args, kwargs)):
                return original(*args, **kwargs)
            with DisableTorchFunction():
                result = original(*concrete(args), **(concrete(kwargs) | {"device": "meta"}))
                return record(trace, original, args, kwargs, result)

        call.__name__ = name
        return call

    def computing(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            return original(*concrete(args), **concrete(kwargs))

        call.__name__ = name
        return call

    with torch.device("meta"):
        _empty(0)  # at the first call torch keeps for good which functions heed a device: its own ones
    methods = (*_WITH_NUMBERS, *(f"{name}_" for name in _WITH_NUMBERS), "fill_")
    with ExitStack() as stack:
        for home, names, replacement in (
            (torch, _NEW, new),
            (torch.Tensor, _NEW_BY_METHOD, new),
            (torch, _WITH_NUMBERS, computing),
            (torch.Tensor, methods, computing),
        ):
            for name in names:
                if (original := getattr(home, name, None)) is not None:
                    stack.enter_context(mock.patch.object(home, name, replacement(original, name)))
        yield
