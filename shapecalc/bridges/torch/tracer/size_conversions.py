"""While a trace runs, Python's functions that need ordinary numbers take sizes.

Python's `int` and `len` return ordinary numbers for any argument. So the Python modules that hold the
forwards get other functions under their names, and nobody else does. A module that uses `int` as a value, as
`type(n) is int` does, keeps Python's, and what `int` makes of a size is pinned there.
"""

from __future__ import annotations

import dis
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache, partial
from threading import get_ident
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any, TypeAlias

from torch import Tensor, nn
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.module_parts import named_parts
from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import TracedNumber, is_integer
from shapecalc.bridges.torch.tracer.traced_sizes import Size, Sizes, greatest, least
from shapecalc.bridges.torch.tracer.user_caches import CACHED, keeping_caches

Namespace: TypeAlias = dict[str, Any]

_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")
_LONGEST = 100
"""A longer container holds data, not functions."""
_DEEPEST = 3
"""How many decorators and containers around a function are looked through."""


class Like(type):
    """A class that is the same as `like` for all but `is`."""

    like: type

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.like)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.like)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.like

    def __hash__(cls) -> int:
        return hash(cls.like)


class _Int(int, metaclass=Like):
    """`int` that leaves a traced number traced."""

    like = int

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and issubclass(type(args[0]), TracedNumber):
            return math.trunc(args[0])
        return int(*args, **kwargs)


@contextmanager
def tracing_conversions(trace: Trace) -> Iterator[None]:
    """Replace `int`, `len`, `min` and `max` in the Python modules that forwards of a trace are written in."""

    def length(value: Any) -> Any:
        if get_ident() != trace.thread:
            return len(value)
        with DisableTorchFunction():
            if isinstance(value, Tensor) and value.dim():
                return trace.sizes(value)[0]
        return len(value)

    def extreme(plain: Callable[..., Any], traced: Callable[..., Any]) -> Callable[..., Any]:
        def chosen(*args: Any, **kwargs: Any) -> Any:
            values = args[0] if len(args) == 1 and type(args[0]) in (tuple, list, Sizes) else args
            is_of_sizes = not kwargs and values and any(isinstance(value, Size) for value in values)
            if is_of_sizes and get_ident() == trace.thread and all(map(is_integer, values)):
                return traced(*values)
            return plain(*args, **kwargs)

        return chosen

    added: list[tuple[Namespace, str, Any]] = []
    namespaces = _namespaces(trace.module)
    with keeping_caches(_with_imported(namespaces)):
        try:
            for namespace in [] if trace.pinned else namespaces:
                functions: Namespace = {"len": length}
                functions |= {"min": extreme(min, least), "max": extreme(max, greatest)}
                functions |= {"int": _Int} if all(map(_only_calls_int, _codes(namespace))) else {}
                for name, value in functions.items():
                    if name not in namespace:
                        namespace[name] = value
                        added.append((namespace, name, value))
            yield
        finally:
            for namespace, name, value in added:
                if namespace.get(name) is value:
                    del namespace[name]


def keeping_users_state(module: nn.Module) -> AbstractContextManager[None]:
    """Keep the caches and globals of the Python modules that forwards are written in as they are."""
    return keeping_caches(_with_imported(_namespaces(module)))


def _namespaces(module: nn.Module) -> list[Namespace]:
    """Return the Python modules that forwards are written in, and those whose functions they import."""
    known: dict[int, Namespace] = {}

    def add(functions: Iterator[FunctionType]) -> None:
        known.update((id(function.__globals__), function.__globals__) for function in functions)

    users = [part for part in named_parts(module).values() if not _is_library(type(part).__module__)]
    for cls in {base for part in users for base in type(part).__mro__ if not _is_library(base.__module__)}:
        add(functions_in(vars(cls)))
    for part in users:
        add(functions_in(vars(part)))
    for namespace in [*known.values()]:
        add(value for value in namespace.values() if isinstance(value, FunctionType))
    return [namespace for namespace in known.values() if not _is_library(namespace.get("__name__", "torch"))]


def _with_imported(namespaces: list[Namespace]) -> list[Namespace]:
    """Return Python modules, those that they import, and those that these have functions of.

    What numpy keeps are no tensors.
    """
    known = {id(namespace): namespace for namespace in namespaces}
    for namespace in namespaces:
        for item in [*namespace.values()]:
            if type(item) is ModuleType and item.__name__ != "numpy" and not _is_library(item.__name__):
                # einops.rearrange is of einops.einops
                inner = (value.__globals__ for value in vars(item).values() if type(value) is FunctionType)
                known.update((id(each), each) for each in (vars(item), *inner))
    return [*known.values()]


def _is_library(name: str) -> bool:
    """Return whether a Python module is torch's or Python's, whose code needs ordinary numbers."""
    first = name.partition(".")[0]
    return first in ("torch", "shapecalc") or first in sys.stdlib_module_names


def functions_in(values: Mapping[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions among values, also those inside of decorators and containers, each once."""
    level = [value for name, value in [*values.items()] if name != "__builtins__"]
    seen: set[int] = set()
    for _ in range(_DEEPEST + 1):
        inside: list[Any] = []
        for value in level:
            if type(value) in _HOLDERS and id(value) not in seen:
                seen.add(id(value))
                if type(value) is FunctionType:
                    yield value
                inside += _inside(value)
        level = inside


def _inside(value: Any) -> list[Any]:
    """Return what a function, a decorator or a container that is not too long holds."""
    kind = type(value)
    if kind is FunctionType:
        return [cell.cell_contents for cell in value.__closure__ or () if cell != CellType()]
    if kind in (staticmethod, classmethod):
        return [value.__func__]
    if kind in (property, partial, CACHED):
        return [value.fget if kind is property else value.func if kind is partial else value.__wrapped__]
    values = value.values() if kind is dict else value
    return [*values] if len(value) <= _LONGEST else []


_HOLDERS = (FunctionType, staticmethod, classmethod, property, partial, CACHED, dict, list, tuple)


def _codes(namespace: Namespace) -> Iterator[CodeType]:
    """Yield the code in a Python module: of functions and methods, and of what is nested in them."""
    name = namespace.get("__name__")
    classes = [value for value in namespace.values() if isinstance(value, type) and value.__module__ == name]
    for values in (namespace, *map(vars, classes)):
        for function in functions_in(values):
            if function.__globals__ is namespace:
                yield from _nested(function.__code__)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


@lru_cache(maxsize=512)
def _only_calls_int(code: CodeType) -> bool:
    """Return whether code does nothing with `int` but call it, or check what is an instance of it."""
    if "int" not in code.co_names:
        return True
    instructions = [*dis.get_instructions(code)]
    loads = [load for load in instructions if load.opname in _LOADS and load.argval == "int"]
    if all(load.opname == "LOAD_GLOBAL" and (load.arg or 0) & 1 for load in loads):  # for a call
        return True
    return "isinstance" in code.co_names and not any(each.opname == "IS_OP" for each in instructions)
