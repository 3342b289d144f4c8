"""Python's `int` and `len`, which return ordinary numbers whatever they are given.

So that `int(h * 0.5)` and `len(x)` stay arithmetic, the modules of Python that a forward is written in find
others under these names for the time of a trace, and nobody else does. Where such a module looks at `int`
itself, as `type(n) is int` does, it keeps Python's, and what `int` makes of a size holds for that size.
"""

from __future__ import annotations

import dis
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from types import CellType, CodeType, FunctionType
from typing import Any

from torch import Tensor, nn
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.traced_sizes import Ratio, Size
from shapecalc.bridges.torch.tracer.tracing import Trace

Namespace = dict[str, Any]


class _LikeInt(type):
    """What makes a class the same as `int` for all but `is`."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, int)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, int)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is int

    def __hash__(cls) -> int:
        return hash(int)


class _Int(int, metaclass=_LikeInt):
    """`int` that leaves a size a size."""

    def __new__(cls, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and type(given[0]) in (Size, Ratio):
            return math.trunc(given[0])
        return int(*given, **named)


@contextmanager
def conversions_seen(trace: Trace) -> Iterator[None]:
    """Let `int` and `len` keep where a size comes from, in the Python that the forwards are written in."""

    def length(value: Any) -> Any:
        with DisableTorchFunction():
            if isinstance(value, Tensor) and value.dim():
                return trace.sizes(value)[0]
        return len(value)

    lent: list[tuple[Namespace, str, Any]] = []
    try:
        for namespace in _namespaces(trace.module):
            words: Namespace = {"len": length}
            words |= {"int": _Int} if all(map(_only_calls_int, _codes(namespace))) else {}
            for name, value in words.items():
                if name not in namespace:
                    namespace[name] = value
                    lent.append((namespace, name, value))
        yield
    finally:
        for namespace, name, value in lent:
            if namespace.get(name) is value:
                del namespace[name]


def _namespaces(module: nn.Module) -> list[Namespace]:
    """Return the modules of Python that forwards are written in, and those whose functions these import."""
    found: dict[int, Namespace] = {}

    def add(functions: Iterator[FunctionType]) -> None:
        found.update((id(one.__globals__), one.__globals__) for one in functions)

    users = [one for one in module.modules() if not _is_known(type(one).__module__)]
    for cls in {base for one in users for base in type(one).__mro__ if not _is_known(base.__module__)}:
        add(_functions(vars(cls)))
    for one in users:
        add(_functions(vars(one)))
    for namespace in [*found.values()]:
        add(one for one in namespace.values() if isinstance(one, FunctionType))
    return [one for one in found.values() if not _is_known(one.get("__name__", "torch"))]


def _is_known(name: str) -> bool:
    """Whether a module of Python is torch's or Python's, whose code takes what `int` and `len` return."""
    first = name.partition(".")[0]
    return first in ("torch", "shapecalc") or first in sys.stdlib_module_names


def _functions(named: Mapping[str, Any]) -> Iterator[FunctionType]:
    """Yield the functions among values, those inside of decorators and containers too."""
    for name, value in [*named.items()]:
        if name != "__builtins__":
            yield from _inside(value)


def _inside(value: Any, depth: int = 3) -> Iterator[FunctionType]:
    kind = type(value)
    if kind is FunctionType:
        yield value
        inside = [one.cell_contents for one in value.__closure__ or () if one != CellType()]
    elif kind in (staticmethod, classmethod):
        inside = [value.__func__]
    elif kind in (property, partial, _Remembered):
        inside = [value.fget if kind is property else value.func if kind is partial else value.__wrapped__]
    elif kind in (dict, list, tuple) and len(value) <= _MANY:
        inside = [*value.values()] if kind is dict else [*value]
    else:
        return
    for one in inside if depth else ():
        yield from _inside(one, depth - 1)


_Remembered = type(cache(len))
_MANY = 100
"""A longer list holds data."""


def _codes(namespace: Namespace) -> Iterator[CodeType]:
    """Yield the code that a module of Python holds: of functions, methods, and what is inside them."""
    name = namespace.get("__name__")
    classes = [one for one in namespace.values() if isinstance(one, type) and one.__module__ == name]
    for place in (namespace, *map(vars, classes)):
        for function in _functions(place):
            if function.__globals__ is namespace:
                yield from _nested(function.__code__)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _nested(one)


@lru_cache(maxsize=512)
def _only_calls_int(code: CodeType) -> bool:
    """Say whether code does nothing with `int` but call it, or ask what is an instance of it."""
    if "int" not in code.co_names:
        return True
    steps = [*dis.get_instructions(code)]
    loads = [one for one in steps if one.opname in _LOADS and one.argval == "int"]
    if all(one.opname == "LOAD_GLOBAL" and (one.arg or 0) & 1 for one in loads):  # for a call
        return True
    return "isinstance" in code.co_names and not any(one.opname == "IS_OP" for one in steps)


_LOADS = ("LOAD_GLOBAL", "LOAD_NAME")
