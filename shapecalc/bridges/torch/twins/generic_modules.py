"""Modules that torch has no class for, and the generic counterpart: torch's own class with our fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from shapecalc.layers.base import Kind
from shapecalc.layers.roles import Inferred, fields_with
from shapecalc.layers.spatial import OverAxes

Sizes: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = tuple[Sizes, ...]
Fields: TypeAlias = dict[str, Any]
Builder: TypeAlias = Callable[[type[Kind], Fields, Shapes], nn.Module]

REJECTIONS = (
    RuntimeError,
    ValueError,
    IndexError,
    NotImplementedError,
    AssertionError,
    TypeError,
    ZeroDivisionError,
    OverflowError,
)
"""What torch raises, depending on where it notices, for a layer or an input that is not legal."""


class Function(nn.Module):
    """A function of tensors as a module without weights."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        self.kind = "Function"
        self.fields: Fields = {}

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(*inputs)

    def _get_name(self) -> str:
        return self.kind

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value!r}" for name, value in self.fields.items())


class Chain(nn.Module):
    """Named modules one after another; names become the prefix of their weights."""

    def __init__(self, **modules: nn.Module) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Any:
        for module in self.children():
            x = module(x)
        return x


def plain(value: Any) -> Any:
    """Return a field's value as torch takes it: fractions and infinities as floats."""
    if value in ("inf", "-inf"):
        return float(value)
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value


def generic(cls: type[Kind], fields: Fields, shapes: Shapes) -> nn.Module:
    """Call what `cls.torch` names with our fields under the same names."""
    if cls.torch is None:
        raise LookupError(f"{cls.kind} names no counterpart in torch and has no builder")
    target = named(cls.torch)
    if not inspect.isclass(target):
        return Function(lambda *inputs: target(*inputs, **fields))
    wanted = inspect.signature(target).parameters
    missing = {
        name: inferred(cls, name, *shapes)
        for name in fields_with(cls, Inferred)
        if name in wanted and wanted[name].default is inspect.Parameter.empty and fields.get(name) is None
    }
    module: Any = target(**{**fields, **missing})
    assert isinstance(module, nn.Module)
    return module


def named(path: str) -> Any:
    """Return what a dotted name stands for; raise `ImportError` where that is not installed, or too old."""
    module, _, attribute = path.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError as error:
        raise ImportError(f"torch {torch.__version__} has no {path}, which newer ones have") from error


def absent(cls: type[Kind]) -> str:
    """Return why the counterpart that a kind names is not there, or nothing: torch 2.6 lacks the newest."""
    try:
        if cls.torch is not None:
            named(cls.torch)
    except ImportError as error:
        return str(error)
    return ""


def rank_of(kind: Kind | type[Kind]) -> int:
    """Return over how many spatial axes a kind goes; only kinds over axes are asked."""
    cls = kind if isinstance(kind, type) else type(kind)
    assert issubclass(cls, OverAxes)
    return cls.rank


def inferred(cls: type[Kind], name: str, *shapes: Sizes) -> int:
    """Return a size of the input that torch takes as an argument; 1 where the input has no such axis."""
    size = fields_with(cls, Inferred)[name].size(cls, shapes)
    return size if isinstance(size, int) else 1
