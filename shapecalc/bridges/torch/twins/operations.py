"""Functions of tensors that can be called, by the module that `build` makes, and written, by `export`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Protocol

from torch import Tensor, nn

from shapecalc.bridges.torch.twins.code import call, infix, literal
from shapecalc.bridges.torch.twins.torch_names import Fields, named


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


@dataclass(frozen=True)
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
