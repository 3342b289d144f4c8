"""Layers that are written as functions of tensors: merges, cuts, reductions, other shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from shapecalc.bridges.torch.export.code import Call, Code, Infix, call, text
from shapecalc.bridges.torch.export.layer_source import FunctionSource, Rule
from shapecalc.bridges.torch.export.symbols import literal
from shapecalc.bridges.torch.twins.generic_modules import rank_of
from shapecalc.bridges.torch.twins.pointwise_calls import stand_in
from shapecalc.bridges.torch.twins.rearranging_modules import axis_of
from shapecalc.errors import SpecError
from shapecalc.layers.base import Kind


def _key(layer: Kind, fields: dict[str, Any]) -> tuple[Any, ...]:
    return (layer.kind, *fields.items())


def _number(value: Any) -> str:
    return text(literal(value))


def function(layer: Kind, fields: dict[str, Any]) -> FunctionSource:
    """Write a layer as the function of torch that it names, its fields under the same names."""
    settings = {name: _number(value) for name, value in fields.items()}
    target = str(layer.torch)
    return FunctionSource(_key(layer, fields), lambda given: call(target, *given, **settings))


def _folded(sign: str) -> Rule:
    def write(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
        return FunctionSource(_key(layer, fields), lambda given: Infix(sign, tuple(given)))

    return write


def _concat(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    axis = str(axis_of(type(layer), fields))
    return FunctionSource(
        _key(layer, fields),
        lambda given: call("torch.cat", Call("", tuple(("", one) for one in given), "[]"), dim=axis),
    )


def _cut(name: str, size: str) -> Rule:
    def write(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
        amount, axis = fields[size], str(axis_of(type(layer), fields))
        return FunctionSource(
            _key(layer, fields), lambda given: call(name, *given, _number(amount), dim=axis)
        )

    return write


def _reshape(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    sizes = [_number(size) for size in fields["shape"]]

    def write(given: Sequence[Code]) -> Code:
        return call(f"{given[0]}.reshape", f"{given[0]}.shape[0]", *sizes)

    return FunctionSource(_key(layer, fields), write)


def _squeeze(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    settings = {} if fields.get("dim") is None else {"dim": _number(fields["dim"])}
    return FunctionSource(_key(layer, fields), lambda given: call("torch.squeeze", *given, **settings))


def _slice(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    axis = range(len(shapes[0]))[fields["dim"]]
    ends = ["" if value is None else str(value) for value in (fields.get("start"), fields.get("end"))]
    step = fields.get("step", 1)
    taken = ":".join([*ends, str(step)] if step != 1 else ends)
    return FunctionSource(_key(layer, fields), lambda given: f"{given[0]}[{':, ' * axis}{taken}]")


def _global(name: str) -> Rule:
    def write(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
        axes = _number(tuple(range(-rank_of(layer), 0)))
        settings = {"keepdim": "True"} if fields.get("keepdim") else {}
        return FunctionSource(_key(layer, fields), lambda given: call(name, *given, dim=axes, **settings))

    return write


def _named(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    name = fields.pop("function")
    if not callable(getattr(torch, name, None)):
        raise SpecError(f"torch has no function {name} that could be called with tensors alone")
    if layer.kind == "elementwise" and stand_in(name) != ():
        raise SpecError(f"torch.{name} takes more than a tensor, and the specification does not say what")
    settings = {key: _number(value) for key, value in fields.items()}

    def write(given: Sequence[Code]) -> Code:
        found = call(f"torch.{name}", *given[:2], **settings)
        for one in given[2:]:
            found = call(f"torch.{name}", found, one)
        return found

    return FunctionSource((layer.kind, name, *fields.items()), write)


def _einsum(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    equation = _number(fields["equation"])
    return FunctionSource(_key(layer, fields), lambda given: call("torch.einsum", equation, *given))


def _broadcast(layer: Kind, fields: Any, shapes: Any, written: Any) -> FunctionSource:
    size = _number(fields["shape"])
    return FunctionSource(_key(layer, fields), lambda given: call("torch.broadcast_to", *given, size))


AS_FUNCTIONS: dict[str, Rule] = {
    "add": _folded("+"),
    "multiply": _folded("*"),
    "concat": _concat,
    **dict.fromkeys(("combine", "elementwise", "reduce"), _named),
    "einsum": _einsum,
    "broadcast_to": _broadcast,
    "split": _cut("torch.split", "split_size"),
    "chunk": _cut("torch.chunk", "chunks"),
    "reshape": _reshape,
    "squeeze": _squeeze,
    "slice": _slice,
    "global_avg_pool": _global("torch.mean"),
    "global_max_pool": _global("torch.amax"),
}
"""By the kind without its rank."""
