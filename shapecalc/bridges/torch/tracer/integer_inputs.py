"""Inputs that have to be integers, such as ids: a function fails for floats of them and takes integers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from shapecalc.bridges.torch.tracer.trace import Trace
from shapecalc.bridges.torch.tracer.traced_number import mapped, tensors_in


class IntegersNeeded(Exception):
    """Inputs by their names, which a forward takes as integers."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(f"integers needed: {', '.join(sorted(names))}")
        self.names = names


def is_of_integers(trace: Trace, name: str) -> bool:
    """Return whether an input holds integers."""
    return any(title == name and not tensor.is_floating_point() for tensor, title in trace.tensors.values())


def called(trace: Trace, function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]) -> Any:
    """Return the result of a call; raise `IntegersNeeded` where only the dtype of inputs is wrong."""
    try:
        return function(*args, **kwargs)
    except Exception:  # raised again, unless integers help
        floats = [tensor for tensor in tensors_in((args, kwargs)) if _is_float(tensor)]
        names = _inputs_behind(trace, floats) if trace.has_batch else set()  # else the examples have dtypes
        if names and any(_runs_with(chosen, function, args, kwargs) for chosen in floats):
            raise IntegersNeeded(frozenset(names)) from None
        raise


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _runs_with(
    chosen: Tensor, function: Callable[..., Any], args: Iterable[Any], kwargs: Mapping[str, Any]
) -> bool:
    """Return whether a call runs with integers for one of its tensors."""
    integers = torch.empty_like(chosen, dtype=torch.long)
    args, kwargs = mapped(lambda leaf: integers if leaf is chosen else leaf, (args, kwargs))
    try:
        function(*args, **kwargs)
    except (IndexError, RuntimeError, TypeError, ValueError):
        return False
    return True


def _inputs_behind(trace: Trace, tensors: Iterable[Tensor]) -> set[str]:
    """Return the inputs of floats that tensors were made of, by the steps in between."""
    sources: dict[str, tuple[str, ...]] = {}
    last = trace.inputs[0]
    for step in trace.steps:
        name = step.name or ""
        sources[name] = step.source or (last,)
        last = name
    names = {trace.tensors[id(tensor)][1] for tensor in tensors if id(tensor) in trace.tensors}
    front = names
    while front:
        behind = chain.from_iterable(
            sources.get(name, sources.get(name.rpartition(".")[0], ())) for name in front
        )
        front = {*behind} - names
        names |= front
    return {name for name in names.intersection(trace.inputs) if not is_of_integers(trace, name)}
