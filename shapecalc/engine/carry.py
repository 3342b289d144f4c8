"""What a repeat carries beside its tensor: read by each pass under a name, and made by it for the next."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, TypeAlias

from shapecalc.algebra.formula import Formula
from shapecalc.engine.error_context import ErrorContext
from shapecalc.engine.scope import Binding, Scope, as_binding
from shapecalc.errors import SpecError, UnknownStep, quote
from shapecalc.layers.requirement import Shape
from shapecalc.spec.reference import Reference
from shapecalc.spec.tree import Step

Carried: TypeAlias = dict[str, Binding]


def first_carried(scope: Scope, step: Step, inputs: Container[str]) -> Carried:
    """Return what the first pass of a step reads under each name that is carried."""
    carried: Carried = {}
    for name, written in (step.carry or {}).items():
        with ErrorContext("carry"):
            if name in inputs:
                raise SpecError(f"{quote(name)} is an input: call what is carried otherwise")
            carried[name] = _first(scope, written).tensors
    return carried


def _first(scope: Scope, written: Any) -> Binding:
    """Return the tensors that are carried into the first pass: a step, or a list of them."""
    if isinstance(written, list):
        return Binding.listing([_first(scope, item) for item in written])
    if isinstance(written, Reference) or (isinstance(written, Formula) and written.is_name):
        return scope.find(written.text)
    value = scope.argument(written)
    binding = as_binding(value)
    if binding is None:
        raise SpecError(f"{quote(value)} is neither a step nor a list of steps")
    return binding


def handed_on(carried: Carried, single: Binding) -> Carried:
    """Return what the next pass reads: what the steps of these names made; without them, the same."""
    following: Carried = {}
    for name, before in carried.items():
        made = single.inner.get(name)
        if made is None and name not in single.skipped:
            raise SpecError(
                f"carry: no step of the pass is called {quote(name)}, which the next pass would read",
                hint=f"inside a pass: {', '.join([*single.inner][:20]) or 'nothing'}",
                at=("carry", name),
                fact=UnknownStep(name, name, single.inner),
            )
        following[name] = before if made is None else made.tensors
    return following


def carried_shapes(binding: Binding, shapes: Sequence[Shape | None]) -> list[Shape | None]:
    """Return the shapes of all that is carried under a name."""
    inner = [shape for item in binding.items for shape in carried_shapes(item, shapes)]
    return [*(shapes[slot] for slot in binding.slots), *inner]
