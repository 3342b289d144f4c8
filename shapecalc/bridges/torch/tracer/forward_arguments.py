"""What the forward of a module is called with in a trace, and the shapes of the tensors among it."""

from __future__ import annotations

import inspect
from collections.abc import Container, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.containers import ShapeOfTensor, named_tensors
from shapecalc.bridges.torch.tracer.trace_to_model import output_name
from shapecalc.errors import SpecError, quote

_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@dataclass(frozen=True, eq=False, repr=False)
class Arguments:
    """The arguments of a forward, and by its name in the spec each tensor in them, or the shape of one."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    tensors: Mapping[str, Tensor | ShapeOfTensor]
    dtype: torch.dtype = torch.float32
    """The dtype of tensors that are to be made: that of the module's parameters."""

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each input by its name in the spec."""
        return {
            name: tuple(value.shape if isinstance(value, Tensor) else value)
            for name, value in self.tensors.items()
        }

    def with_batch(self, batch: int) -> list[tuple[int, ...]]:
        """Return the shapes of the inputs, with a batch in front of those that are without."""
        return [
            tuple(value.shape) if isinstance(value, Tensor) else (batch, *value)
            for value in self.tensors.values()
        ]

    def inputs(
        self, shapes: Sequence[Sequence[int]], integers: Container[str], device: str = "meta"
    ) -> dict[str, Tensor]:
        """Return the inputs by name, of some shapes: zeros, or without memory."""
        tensors: dict[str, Tensor] = {}
        for (name, value), shape in zip(self.tensors.items(), shapes, strict=True):
            if isinstance(value, Tensor) and device == "meta" and value.shape == tuple(shape):
                tensors[name] = torch.empty_like(value, device=device, requires_grad=False)
            else:
                dtype = torch.long if name in integers else self.dtype
                dtype = value.dtype if isinstance(value, Tensor) else dtype
                tensors[name] = torch.zeros(tuple(shape), dtype=dtype, device=device)
        return tensors

    def call(self, inputs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with these tensors as the inputs."""
        memo = {id(value): inputs[name] for name, value in self.tensors.items()}
        args, kwargs = deepcopy((self.args, dict(self.kwargs)), memo)
        return args, kwargs


def arguments_of(
    module: nn.Module, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None
) -> Arguments:
    """Return the arguments that `from_torch` is called with; raise `SpecError` for what is no shape."""
    names = _parameter_names(module)
    if shape is None:
        if not args and not kwargs:
            raise SpecError("a torch module needs the shape of its input", hint="as in input=(3, 224, 224)")
        names += [f"{names[-1]}_{number}" for number in range(len(names), len(args))]
        named = dict(zip(names, args, strict=False)) | dict(kwargs or {})
        return _with_names(tuple(args), dict(kwargs or {}), named)
    shapes = _checked(shape)
    if not isinstance(shape, Mapping):
        return replace(_with_names((shapes,), {}, {names[0]: shapes}), dtype=_dtype(module))
    for key in shapes.keys() - set(names):
        if not _takes_any_name(module):
            raise SpecError(f"the forward has no argument {quote(key)}", hint=f"it has {', '.join(names)}")
    return replace(_with_names((), shapes, shapes), dtype=_dtype(module))


def _dtype(module: nn.Module) -> torch.dtype:
    dtypes = (parameter.dtype for parameter in module.parameters())
    return next((dtype for dtype in dtypes if dtype in _FLOATS), torch.float32)


def _checked(shape: Any) -> Any:
    """Return a shape, or shapes in a dictionary or a list, with the tensors to be made."""
    if isinstance(shape, Mapping):
        return {key: _checked(item) for key, item in shape.items()}
    is_list = isinstance(shape, (tuple, list))
    if is_list and shape and all(isinstance(item, (tuple, list, Mapping)) for item in shape):
        return [*map(_checked, shape)]
    if not is_list or not all(type(size) is int and size > 0 for size in shape):
        raise SpecError(f"{quote(shape)} is not a shape: give sizes without the batch, as in (3, 224, 224)")
    return ShapeOfTensor(shape)


def _with_names(args: tuple[Any, ...], kwargs: Mapping[str, Any], named: Mapping[str, Any]) -> Arguments:
    """Return arguments with the names of their tensors; a tensor that is there twice is one input."""
    tensors: dict[str, Tensor | ShapeOfTensor] = {}
    for path, value in named_tensors(named, in_objects=True):
        if not any(value is other for other in tensors.values()):
            tensors[output_name(path, tensors)] = value
    if not tensors:
        raise SpecError("no tensor among the arguments")
    if len(tensors) == 1:
        tensors = dict.fromkeys(["input"], next(iter(tensors.values())))
    return Arguments(args, kwargs, tensors)


_VAR_POSITIONAL, _VAR_KEYWORD = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


def _parameters(module: nn.Module) -> list[inspect.Parameter]:
    try:
        return [*inspect.signature(module.forward).parameters.values()]
    except (TypeError, ValueError):
        return []


def _takes_any_name(module: nn.Module) -> bool:
    return any(parameter.kind is _VAR_KEYWORD for parameter in _parameters(module))


def _parameter_names(module: nn.Module) -> list[str]:
    spread = (_VAR_POSITIONAL, _VAR_KEYWORD)
    return [item.name for item in _parameters(module) if item.kind not in spread] or ["input"]
