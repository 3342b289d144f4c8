"""What the forward of a module is called with in a trace, and the shapes of the tensors among it."""

from __future__ import annotations

import inspect
from collections.abc import Container, Mapping, Sequence
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

    def enter(self, trace: Trace, batch: int, integers: Container[str]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments with tensors without memory, which are the inputs of a trace."""
        names = iter(self.shapes)

        def tensor(value: Any) -> Any:
            name = next(names) if isinstance(value, (_Shape, Tensor)) else ""
            if isinstance(value, _Shape):
                dtype = torch.long if name in integers else torch.float32
                value = torch.empty((batch, *value), dtype=dtype, device="meta")
            elif isinstance(value, Tensor):
                value = torch.empty_like(value, device="meta", requires_grad=False)
            if isinstance(value, Tensor):
                trace.add_input(name, value)
            return value

        return [*map(tensor, self.args)], {name: tensor(value) for name, value in self.kwargs.items()}


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
