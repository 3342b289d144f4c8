"""The two ways to write a layer: a module with arguments, or a function of tensors; torch's own classes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from shapecalc.bridges.torch.export.code import Code
from shapecalc.bridges.torch.export.symbols import translated
from shapecalc.bridges.torch.twins.generic_modules import Fields, Sizes, inferred, named
from shapecalc.layers.base import Kind
from shapecalc.layers.roles import Inferred, fields_with

UNSAID = inspect.Parameter.empty


@dataclass(frozen=True)
class Argument:
    """One argument of a module: its value, how the spec writes it, and what torch takes for it if unsaid."""

    name: str
    value: Any
    written: ast.expr | None = None
    default: Any = UNSAID
    inward: bool = False
    """Whether it is the number of channels or features that arrive."""


@dataclass(frozen=True)
class ModuleSource:
    """A layer that is a module: `callee(arguments)`."""

    callee: str
    arguments: tuple[Argument, ...] = ()
    inside: tuple[tuple[str, ModuleSource], ...] = ()
    """Named modules that it runs one after the other, in place of arguments."""


@dataclass(frozen=True)
class FunctionSource:
    """A layer that is a function of tensors; equal keys write equal code."""

    key: tuple[Any, ...]
    write: Callable[[Sequence[Code]], Code] = field(compare=False)


Source: TypeAlias = ModuleSource | FunctionSource
Rule: TypeAlias = "Callable[[Kind, Fields, tuple[Sizes, ...], Fields], Source]"
"""Writes a layer with these fields for the shapes that arrive, given the fields as the spec has them."""


def module(layer: Kind, fields: Fields, shapes: tuple[Sizes, ...], written: Fields) -> ModuleSource:
    """Write a layer as torch's own class, its fields under the same names."""
    target = named(str(layer.torch))
    return ModuleSource(f"nn.{target.__name__}", arguments(target, type(layer), fields, shapes[0], written))


def arguments(
    target: Any, cls: type[Kind], fields: Fields, x: Sizes, written: Fields
) -> tuple[Argument, ...]:
    """Return the arguments of a class of torch in its own order, what must be inferred among them."""
    found: list[Argument] = []
    sizes = fields_with(cls, Inferred)
    for name, parameter in inspect.signature(target).parameters.items():
        default = UNSAID if parameter.default is UNSAID else parameter.default
        if name in fields and not (name in sizes and fields[name] is None):
            found.append(Argument(name, fields[name], translated(written.get(name)), default, name in sizes))
        elif name in sizes and default is UNSAID:
            found.append(Argument(name, inferred(cls, name, x), None, default, inward=True))
    return tuple(found)
