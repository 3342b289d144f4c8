"""What the forward of a module is called with in a trace, and the shapes of the tensors among it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.errors import SpecError, quote


class _Shape(tuple[int, ...]):
    """A tensor that is to be made, by its shape without the batch."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a forward, and the shape of each input by its name in the spec."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]]

    def enter(
        self, trace: Trace, shapes: Iterable[Sequence[int]], dtype: torch.dtype
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments with tensors without memory, which are the inputs of a trace."""
        tensors = self.tensors(shapes, dtype)
        for name, tensor in zip(self.shapes, tensors, strict=True):
            trace.add_input(name, tensor)
        return self.call(tensors)

    def with_batch(self, batch: int) -> list[tuple[int, ...]]:
        """Return the shapes of the inputs, with a batch in front of those that are without."""
        return [(batch, *shape) if isinstance(shape, _Shape) else shape for shape in self.shapes.values()]

    def tensors(
        self, shapes: Iterable[Sequence[int]], dtype: torch.dtype, device: str = "meta"
    ) -> list[Tensor]:
        """Return a tensor for each input, of some shapes: zeros, or without memory."""
        examples = filter(_is_input, (*self.args, *self.kwargs.values()))
        return [
            torch.empty_like(example, device=device, requires_grad=False)
            if device == "meta" and isinstance(example, Tensor) and tuple(example.shape) == tuple(shape)
            else torch.zeros(tuple(shape), dtype=getattr(example, "dtype", dtype), device=device)
            for example, shape in zip(examples, shapes, strict=True)
        ]

    def call(self, tensors: Iterable[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments, with these tensors as the inputs."""
        inputs = iter(tensors)

        def filled(value: Any) -> Any:
            return next(inputs) if _is_input(value) else value

        return [*map(filled, self.args)], {name: filled(value) for name, value in self.kwargs.items()}


def _is_input(value: Any) -> bool:
    return isinstance(value, (_Shape, Tensor))


def arguments_of(
    module: nn.Module, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any] | None
) -> Arguments:
    """Return the arguments that `from_torch` is called with; raise `SpecError` for what is no shape."""
    names = _parameter_names(module)
    if shape is None:
        if not args and not kwargs:
            raise SpecError("a torch module needs the shape of its input", hint="as in input=(3, 224, 224)")
        named = dict(zip(names, args, strict=False)) | dict(kwargs or {})
        shapes = {name: tuple(value.shape) for name, value in named.items() if isinstance(value, Tensor)}
        if not shapes:
            raise SpecError("no tensor among the arguments")
        return Arguments(tuple(args), dict(kwargs or {}), _renamed(shapes))
    if not isinstance(shape, Mapping):
        sizes = _checked(shape)
        return Arguments((sizes,), {}, _renamed({names[0]: sizes}))
    shapes = {key: _checked(sizes) for key, sizes in shape.items()}
    for key in shapes.keys() - set(names):
        raise SpecError(f"the forward has no argument {quote(key)}", hint=f"it has {', '.join(names)}")
    return Arguments((), shapes, _renamed(shapes))


def _checked(sizes: Any) -> _Shape:
    is_list = isinstance(sizes, (tuple, list))
    if not is_list or not all(type(size) is int and size > 0 for size in sizes):
        raise SpecError(f"{quote(sizes)} is not a shape: give sizes without the batch, as in (3, 224, 224)")
    return _Shape(sizes)


def _renamed(shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, tuple[int, ...]]:
    return {"input": next(iter(shapes.values()))} if len(shapes) == 1 else shapes


def _parameter_names(module: nn.Module) -> list[str]:
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return ["input"]
    spread = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [parameter.name for parameter in parameters if parameter.kind not in spread] or ["input"]
