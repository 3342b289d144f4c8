"""How a layer is written in exported source: a call of a module class, or a function of tensors."""

from __future__ import annotations

import ast
import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from torch import nn

from shapecalc.bridges.torch.twins.torch_names import Fields, Shapes
from shapecalc.layers.base import Kind
from shapecalc.layers.roles import Declares, Makes, fields_with, sizes_inferred


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
