"""Functions of torch that take ordinary numbers only, given sizes: for new tensors, or to compute with.

Their numbers are read before anybody could see the call, so that they stand under other names meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

import torch
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.traced_sizes import plain, sizes_in
from shapecalc.bridges.torch.tracer.tracing import Trace

_FUNCTIONS = ("arange", "empty", "eye", "full", "linspace", "ones", "rand", "randn", "zeros")
_METHODS = ("new_empty", "new_full", "new_ones", "new_zeros")
_WITH_NUMBERS = (
    *("add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow"),
    *("eq", "ne", "lt", "le", "gt", "ge", "clamp", "clamp_min", "clamp_max", "masked_fill"),
)
_ON_TENSORS = (*_WITH_NUMBERS, *(f"{name}_" for name in _WITH_NUMBERS), "fill_")
"""Functions of each element, to whose shapes no number matters."""


@contextmanager
def creation_seen(trace: Trace, translate: Callable[..., Any]) -> Iterator[None]:
    """Let torch's functions that take ordinary numbers take sizes with an origin.

    Those that make tensors of them are shown to the trace, with their origin; the others show themselves.
    """

    def seeing(honest: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(honest)
        def made(*args: Any, **kwargs: Any) -> Any:
            if not sizes_in((args, kwargs)):
                return honest(*args, **kwargs)
            with DisableTorchFunction():
                result = honest(*plain(args), **(plain(kwargs) | {"device": "meta"}))
                return translate(trace, honest, args, kwargs, result)

        made.__name__ = name
        return made

    def computing(honest: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(honest)
        def computed(*args: Any, **kwargs: Any) -> Any:
            if not sizes_in((args, kwargs)):
                return honest(*args, **kwargs)
            return honest(*plain(args), **plain(kwargs))

        return computed

    with torch.device("meta"):
        torch.empty(0)  # at the first call torch keeps for good which functions heed a device: its own ones
    with ExitStack() as stack:
        for home, names, other in (
            (torch, _FUNCTIONS, seeing),
            (torch.Tensor, _METHODS, seeing),
            (torch, _WITH_NUMBERS, computing),
            (torch.Tensor, _ON_TENSORS, computing),
        ):
            for name in names:
                if (honest := getattr(home, name, None)) is not None:
                    stack.enter_context(mock.patch.object(home, name, other(honest, name)))
        yield
