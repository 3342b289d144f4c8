"""Python's `int` and `len`, which return ordinary numbers whatever they are given.

So that `int(h * 0.5)` and `len(x)` stay arithmetic, the modules of Python that a forward is written in find
others under these names for the time of a trace, and nobody else does. Where such a module looks at `int`
itself, as `type(n) is int` does, it keeps Python's, and what `int` makes of a size holds for that size.
"""

from __future__ import annotations

import dis
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from inspect import getattr_static
from types import CodeType, FunctionType
from typing import Any
from unittest import mock

from torch import Tensor, nn
from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.numbers import Ratio, Size
from shapecalc.bridges.torch.trace import Trace

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

    with ExitStack() as stack:
        for namespace in _namespaces(trace.module):
            words: Namespace = {"len": length}
            words |= {"int": _Int} if all(map(_only_calls_int, _codes(namespace))) else {}
            new = {name: value for name, value in words.items() if name not in namespace}
            if new:
                stack.enter_context(mock.patch.dict(namespace, new))
        yield


def _namespaces(module: nn.Module) -> Iterator[Namespace]:
    """Yield the modules of Python that forwards are written in, and those whose functions these import."""
    found: dict[int, Namespace] = {}
    for cls in {base for one in module.modules() for base in type(one).__mro__}:
        for function in _functions(vars(cls)):
            found[id(function.__globals__)] = function.__globals__
    for one in module.modules():
        for function in _functions(vars(one)):
            found[id(function.__globals__)] = function.__globals__
    own = [one for one in found.values() if not _is_torchs(one)]
    for namespace in own:
        for function in _functions(namespace):
            found[id(function.__globals__)] = function.__globals__
    yield from (one for one in found.values() if not _is_torchs(one))


def _is_torchs(namespace: Namespace) -> bool:
    first = str(namespace.get("__name__", "")).partition(".")[0]
    return first in ("torch", "builtins", "typing", "shapecalc") or "__name__" not in namespace


def _functions(named: Any) -> Iterator[FunctionType]:
    """Yield the functions among values, those inside of decorators too."""
    for value in [*named.values()]:
        yield from _inside(value)


def _inside(value: Any, depth: int = 3) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
        if depth:
            for cell in value.__closure__ or ():
                try:
                    yield from _inside(cell.cell_contents, depth - 1)
                except ValueError:  # a cell that nothing is in yet
                    continue
    elif isinstance(value, (staticmethod, classmethod)):
        yield from _inside(value.__func__, depth)
    elif isinstance(value, property):
        yield from _inside(value.fget, depth)
    elif type(value) in (dict, list, tuple) and depth:
        for one in value.values() if isinstance(value, dict) else value:
            yield from _inside(one, depth - 1)
    elif isinstance(value, partial):
        yield from _inside(value.func, depth)
    elif depth and isinstance(wrapped := getattr_static(value, "__wrapped__", None), FunctionType):
        yield from _inside(wrapped, depth - 1)  # as functools leaves it


def _codes(namespace: Namespace) -> Iterator[CodeType]:
    """Yield the code that a module of Python holds: of functions, methods, and what is inside them."""
    classes = [one for one in namespace.values() if isinstance(one, type)]
    for place in (namespace, *map(vars, classes)):
        for function in _functions(place):
            if function.__globals__ is namespace:
                yield from _nested(function.__code__)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _nested(one)


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
