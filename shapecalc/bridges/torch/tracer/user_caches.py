"""What the user's Python modules remember is, after a trace, what it was before.

A forward may call functions under `lru_cache`, or keep tensors in globals by their sizes. Those of a trace
have no memory, and would be handed out to later forwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from itertools import chain
from operator import is_
from types import CellType, FunctionType
from typing import Any
from unittest import mock

from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.traced_number import tensors_in

CACHED = type(cache(len))
_WRAPPED = (CACHED, staticmethod, classmethod)
_DEEPEST = 1
_LONGEST = 100
"""How deep containers are looked through for others, and the longest of them."""


@contextmanager
def keeping_caches(namespaces: Iterable[dict[str, Any]]) -> Iterator[None]:
    """Run cached functions of some Python modules without their caches; restore what globals hold."""
    namespaces = [*namespaces]
    classes = [cls for namespace in namespaces for cls in _classes(namespace)]
    users = {*map(id, classes)}
    before = [(holder, _contents(holder)) for holder in (*namespaces, *classes)]
    held = [value for _, contents in before for value in _containers(contents.values(), users)]
    before += [(value, _contents(value)) for value in held]
    try:
        with ExitStack() as stack:
            for namespace in namespaces:
                plain = _uncached(namespace)
                stack.callback(namespace.update, {name: namespace[name] for name in plain})
                namespace.update(plain)
            for cls in classes:
                for name, function in _uncached(vars(cls)).items():
                    stack.enter_context(mock.patch.object(cls, name, function))
            for cell in chain.from_iterable(map(_cached_cells, (*namespaces, *map(vars, classes)))):
                stack.callback(setattr, cell, "cell_contents", cell.cell_contents)
                cell.cell_contents = cell.cell_contents.__wrapped__
            yield
    finally:
        for value, old in before:
            _restore(value, old)


def _uncached(items: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, item in [*items.items()]:
        if type(item) in _WRAPPED and type(function := _function(item)) is CACHED:
            wrapped = function.__wrapped__
            plain[name] = wrapped if function is item else type(item)(wrapped)
    return plain


def _function(item: Any) -> Any:
    return item.__func__ if isinstance(item, (staticmethod, classmethod)) else item


def _cached_cells(items: Mapping[str, Any]) -> Iterator[CellType]:
    """Yield where functions that wrap a cached one keep it."""
    for function in map(_function, [*items.values()]):
        for cell in (function.__closure__ or ()) if type(function) is FunctionType else ():
            with suppress(ValueError):  # an empty cell
                if type(cell.cell_contents) is CACHED:
                    yield cell


def _classes(namespace: dict[str, Any]) -> list[type]:
    name = namespace.get("__name__")
    return [item for item in [*namespace.values()] if isinstance(item, type) and item.__module__ == name]


def _containers(values: Iterable[Any], users: set[int], depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield containers, and those in them, in defaults of functions, and in objects of the user's classes."""
    for value in values:
        cls = type(value)
        if cls is FunctionType:
            if value.__defaults__:
                yield from (default for default in value.__defaults__ if isinstance(default, (dict, list)))
            continue
        inner = getattr(value, "__dict__", None) if id(cls) in users else value
        if isinstance(inner, (dict, list)):
            yield inner
            if inner and depth and len(inner) <= _LONGEST:
                held = _contents(inner)
                yield from _containers(held.values() if isinstance(held, dict) else held, users, depth - 1)


def _contents(value: Any) -> Any:
    """Return what a container holds, in a plain one: a class of its own may make items when they are read."""
    if isinstance(value, list):
        return [*list.__iter__(value)]
    return dict(dict.items(value)) if isinstance(value, dict) else dict(vars(value))


def _restore(value: Any, old: Any) -> None:
    """Restore a container where it holds tensors of the trace that it did not hold before."""
    now = _contents(value)
    items, before = (now, old) if isinstance(value, list) else (now.values(), old.values())
    if len(now) == len(old) and all(map(is_, items, before)):
        return
    if isinstance(value, list):
        kept = {id(item) for item in old}
        if _has_tensors_of_trace([item for item in now if id(item) not in kept]):
            value[:] = old
        return
    for key, item in now.items():
        if (key not in old or old[key] is not item) and _has_tensors_of_trace(item):
            is_class = isinstance(value, type)
            if key in old:
                (setattr if is_class else dict.__setitem__)(value, key, old[key])
            else:
                (delattr if is_class else dict.__delitem__)(value, key)


def _has_tensors_of_trace(value: Any) -> bool:
    with DisableTorchFunction():
        return any(tensor.is_meta for tensor in tensors_in(value))
