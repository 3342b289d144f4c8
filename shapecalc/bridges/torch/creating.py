"""Tensors made of nothing, by sizes: torch's functions for that take ordinary numbers only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest import mock

import torch
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.numbers import plain, sizes_in
from shapecalc.bridges.torch.trace import Trace

_FUNCTIONS = ("arange", "empty", "eye", "full", "linspace", "ones", "rand", "randn", "zeros")
_METHODS = ("new_empty", "new_full", "new_ones", "new_zeros")


@contextmanager
def creation_seen(trace: Trace, translate: Callable[..., Any]) -> Iterator[None]:
    """Let torch's functions that make tensors take sizes with an origin, and show them to the trace."""

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

    with torch.device("meta"):
        torch.empty(0)  # at the first call torch keeps for good which functions heed a device: its own ones
    with ExitStack() as stack:
        for home, names in ((torch, _FUNCTIONS), (torch.Tensor, _METHODS)):
            for name in names:
                stack.enter_context(mock.patch.object(home, name, seeing(getattr(home, name), name)))
        yield
