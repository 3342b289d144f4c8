"""What the user's Python modules remember is, after a trace, what it was before.

A forward may call functions under `lru_cache`, or keep tensors in globals by their sizes. Those of a trace
have no memory, and would be handed out to later forwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any
from unittest import mock

from torch._C import DisableTorchFunction

from shapecalc.bridges.torch.tracer.traced_number import tensors_in

CACHED = type(cache(len))


@contextmanager
def keeping_caches(namespaces: Iterable[dict[str, Any]]) -> Iterator[None]:
    """Run cached functions of some Python modules without their caches; restore what globals hold."""
    namespaces = [*namespaces]
    classes = [cls for namespace in namespaces for cls in _classes(namespace)]
    holders: list[dict[str, Any]] = [*namespaces, *(dict(vars(cls)) for cls in classes)]
    containers = [value for holder in holders for value in holder.values() if isinstance(value, (dict, list))]
    before = [(value, _contents(value)) for value in (*containers, *namespaces)]
    try:
        with ExitStack() as stack:
            for namespace in namespaces:
                plain = _uncached(namespace)
                stack.callback(namespace.update, {name: namespace[name] for name in plain})
                namespace.update(plain)
            for cls in classes:
                for name, function in _uncached(vars(cls)).items():
                    stack.enter_context(mock.patch.object(cls, name, function))
            yield
    finally:
        for value, old in before:
            _restore(value, old)


def _uncached(items: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item.__wrapped__ for name, item in [*items.items()] if type(item) is CACHED}


def _classes(namespace: dict[str, Any]) -> list[type]:
    name = namespace.get("__name__")
    return [item for item in [*namespace.values()] if isinstance(item, type) and item.__module__ == name]


def _contents(value: Any) -> Any:
    """Return what a container holds, in a plain one: a class of its own may make items when they are read."""
    return dict(dict.items(value)) if isinstance(value, dict) else [*list.__iter__(value)]


def _restore(value: Any, old: Any) -> None:
    """Restore a container where it holds tensors of the trace that it did not hold before."""
    if isinstance(value, list):
        kept = {id(item) for item in old}
        if _has_tensors_of_trace([item for item in _contents(value) if id(item) not in kept]):
            value[:] = old
        return
    for key, item in _contents(value).items():
        if (key not in old or old[key] is not item) and _has_tensors_of_trace(item):
            if key in old:
                dict.__setitem__(value, key, old[key])
            else:
                dict.__delitem__(value, key)


def _has_tensors_of_trace(value: Any) -> bool:
    with DisableTorchFunction():
        return any(tensor.is_meta for tensor in tensors_in(value))
