"""How a layer is computed and written: a call of a module class, or a function of tensors."""

from __future__ import annotations

import ast
import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any, Protocol, TypeAlias

from torch import Tensor, nn

from shapecalc.bridges.torch.twins.code import call, infix, literal
from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes, named
from shapecalc.layers.base import Kind
from shapecalc.layers.roles import Declares, Makes, fields_with, sizes_inferred
from shapecalc.record import record


@dataclass(frozen=True)
class ModuleSource:
    """A layer that is a module: a call of its class, or named modules one after the other."""

    kind: type[Kind]
    target: Callable[..., nn.Module]
    arguments: Fields = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)
    """Arguments as the spec writes them, formulas among them."""
    shapes: Shapes = ()
    """The shapes of the inputs."""
    inside: Mapping[str, ModuleSource] = field(default_factory=dict)

    @property
    def callee(self) -> str:
        """The class as exported source names it."""
        name = getattr(self.target, "__name__", "")
        return f"nn.{name}" if self.target.__module__.startswith("torch.") else name

    @property
    def in_order(self) -> list[str]:
        """The names of the arguments in the order of the class."""
        known = [*defaults(self.target)]
        return sorted(self.arguments, key=lambda name: known.index(name) if name in known else len(known))

    def is_inferred(self, name: str) -> bool:
        """Say whether an argument is the channels or features of the input."""
        if name in self.kind.model_fields:
            return name in sizes_inferred(self.kind)
        return bool(self.arguments[name] == Declares().size(self.kind, self.shapes))

    def is_made(self, name: str) -> bool:
        """Say whether an argument is the channels or features of the result."""
        return name in fields_with(self.kind, Makes)

    def is_size(self, name: str) -> bool:
        """Say whether an argument declares or makes channels or features, or is computed from the shapes."""
        is_computed = name not in self.kind.model_fields
        return is_computed or name in fields_with(self.kind, Declares) or self.is_made(name)

    def module(self) -> nn.Module:
        """Return the module that the source makes."""
        if self.inside:
            return nn.Sequential(OrderedDict((name, source.module()) for name, source in self.inside.items()))
        return self.target(**self.arguments)


@lru_cache(maxsize=256)
def defaults(target: Callable[..., nn.Module]) -> dict[str, Any]:
    """Return the arguments of a class and what it takes for each if it is left out."""
    return {name: parameter.default for name, parameter in inspect.signature(target).parameters.items()}


@dataclass(frozen=True)
class FunctionSource:
    """A layer that is a function of tensors; equal keys write equal code."""

    key: tuple[Any, ...]
    write: Callable[[Sequence[ast.expr]], ast.expr] = field(compare=False)


Source: TypeAlias = ModuleSource | FunctionSource


# ---- functions of tensors


class Operation(Protocol):
    """A function of tensors."""

    def __call__(self, *inputs: Tensor) -> Any:
        """Return the result for these tensors."""

    def write(self, inputs: Sequence[ast.expr]) -> ast.expr:
        """Return the expression for tensors that are written like this."""


@dataclass(frozen=True)
class TorchCall:
    """A call of a function of torch: `before`, the tensors, `after`, then keyword arguments."""

    function: str
    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] = ()
    settings: Fields = field(default_factory=dict)
    is_listed: bool = False
    """Whether the function takes the tensors as one list."""

    def __call__(self, *inputs: Tensor) -> Any:
        tensors = ([*inputs],) if self.is_listed else inputs
        return named(self.function)(*self.before, *tensors, *self.after, **self.settings)

    def write(self, inputs: Sequence[ast.expr]) -> ast.expr:
        tensors = [ast.List([*inputs])] if self.is_listed else inputs
        settings = {name: literal(value) for name, value in self.settings.items()}
        before, after = map(literal, self.before), map(literal, self.after)
        return call(self.function, *before, *tensors, *after, **settings)


@record
class Fold:
    """A function of two tensors, applied to the first and each of the others in turn."""

    function: str
    sign: ast.operator | None = None
    """The operator that is written in place of the function."""

    def __call__(self, *inputs: Tensor) -> Tensor:
        return reduce(named(self.function), inputs)

    def write(self, inputs: Sequence[ast.expr]) -> ast.expr:
        if self.sign:
            return infix(self.sign, inputs)
        return reduce(lambda total, other: call(self.function, total, other), inputs)


class Function(nn.Module):
    """A function of tensors as a module without weights."""

    def __init__(self, function: Callable[..., Any], kind: str, fields: Fields) -> None:
        super().__init__()
        self.function = function
        self.kind = kind
        self.fields = fields

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)

    def _get_name(self) -> str:
        return self.kind

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.fields.items())
