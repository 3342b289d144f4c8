"""While a trace runs, torch's functions that take shapes or numbers take sizes.

They read them as ordinary numbers before a mode could see the call, so they are replaced meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import get_ident
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch._C import DisableTorchFunction
from torch.autograd import Variable
from torch.distributions import Distribution

from shapecalc.bridges.torch.tracer.function_calls import record
from shapecalc.bridges.torch.tracer.size_conversions import Like
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import concrete, is_integer, passing, traced_in
from shapecalc.bridges.torch.tracer.traced_sizes import Sizes

_NEW = (
    *("arange", "empty", "eye", "full", "linspace", "logspace", "ones", "rand", "randn", "zeros"),
    *("bartlett_window", "blackman_window", "hamming_window", "hann_window", "tril_indices", "triu_indices"),
)
_NEW_BY_METHOD = ("new_empty", "new_full", "new_ones", "new_zeros")
_WITH_NUMBERS = (
    *("add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow"),
    *("eq", "ne", "lt", "le", "gt", "ge", "clamp", "clamp_min", "clamp_max", "masked_fill", "full_like"),
)
"""Functions of torch that take a number on which no shape depends."""

_empty, _new, _variable = torch.empty, torch.Tensor.new, Variable.__new__


class _TorchSize(metaclass=Like):
    """`torch.Size` that leaves traced sizes traced."""

    like = torch.Size

    def __new__(cls, sizes: Iterable[Any] = ()) -> Any:
        sizes = Sizes(sizes)
        return sizes if traced_in(sizes) else cls.like(sizes)


@contextmanager
def tracing_creation(trace: Trace) -> Iterator[None]:
    """Let torch's functions take traced sizes; those that make tensors of them are recorded with them."""

    def replaced(original: Callable[..., Any], name: str, *, is_new: bool) -> Callable[..., Any]:
        @wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            if not (is_new and get_ident() == trace.thread and traced_in((args, kwargs))):
                with passing(*traced_in((args, kwargs))):
                    return original(*concrete(args), **concrete(kwargs))
            with DisableTorchFunction():
                result = original(*concrete(args), **(concrete(kwargs) | {"device": "meta"}))
                return record(trace, original, args, kwargs, result)

        call.__name__ = name
        return call

    def new(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Return `tensor.new(...)`, of sizes, by the function whose shape rule is known."""
        if get_ident() != trace.thread:
            return _new(tensor, *args, **kwargs)
        sizes: Any = args[0] if len(args) == 1 and isinstance(args[0], torch.Size) else args
        if (args or not kwargs) and all(map(is_integer, sizes)):
            return tensor.new_empty(sizes or (0,), **kwargs)
        is_data = bool(args) and isinstance(args[0], (list, tuple))
        return (Tensor.new_tensor if is_data else _new)(tensor, *args, **kwargs)

    def variable(cls: type, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return the tensor that a `Variable` of older code holds."""
        is_traced = get_ident() == trace.thread and isinstance(data, Tensor)
        return data if is_traced else _variable(cls, data, *args, **kwargs)

    def extended_shape(distribution: Distribution, sample_shape: Iterable[Any] = ()) -> Any:
        """Join the sizes of a distribution, which `torch.Size` would read as ordinary numbers."""
        return _TorchSize((*sample_shape, *distribution.batch_shape, *distribution.event_shape))

    with torch.device("meta"):
        _empty(0)  # at the first call torch keeps for good which functions heed a device: its own ones
    methods = (*_WITH_NUMBERS, *(f"{name}_" for name in _WITH_NUMBERS), "fill_")
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(torch, "Size", _TorchSize))
        stack.enter_context(mock.patch.object(Distribution, "_extended_shape", extended_shape))
        stack.enter_context(mock.patch.object(torch.Tensor, "new", new))
        stack.enter_context(mock.patch.object(Variable, "__new__", variable))
        for home, names, is_new in (
            (torch, _NEW, True),
            (torch.Tensor, _NEW_BY_METHOD, True),
            (torch, _WITH_NUMBERS, False),
            (torch.Tensor, methods, False),
        ):
            for name in names:
                if (original := getattr(home, name, None)) is not None:
                    stack.enter_context(
                        mock.patch.object(home, name, replaced(original, name, is_new=is_new))
                    )
        yield
