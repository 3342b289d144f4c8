"""How a layer is written in exported source: a call of a module class, or a function of tensors."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from torch import nn

from shapecalc.bridges.torch.twins.code import Code
from shapecalc.bridges.torch.twins.torch_names import Fields


@dataclass(frozen=True)
class ModuleSource:
    """A layer that is a module: a call of its class, or named modules one after the other."""

    target: Callable[..., nn.Module]
    arguments: Fields = field(default_factory=dict)
    written: Mapping[str, Any] = field(default_factory=dict)
    """Arguments as the spec writes them, formulas among them."""
    inferred: Collection[str] = ()
    """The arguments that are the channels or features of the input."""
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
    write: Callable[[Sequence[Code]], Code] = field(compare=False)


Source: TypeAlias = ModuleSource | FunctionSource
