"""Calls of a block or, by an argument that names it, of a kind: which values its arguments have."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from shapecalc.algebra.rational import Value
from shapecalc.engine.error_context import ErrorContext, field_error
from shapecalc.engine.scope import Scope
from shapecalc.errors import Place, SpecError, WrongWord, nearest, quote
from shapecalc.layers import registry
from shapecalc.layers.base import Kind
from shapecalc.spec.tree import Block, Call


def called_layer(scope: Scope, name: str, call: Call, framework: str) -> Kind:
    """Return the layer of a kind with the fields of a call."""
    fields = {key: scope.argument(value) for key, value in call.arguments.items()}
    cls = registry.get(name, framework)
    known = [*cls.model_fields]
    for key in fields:
        if key not in known:
            raise SpecError(
                f"{name} has no field {quote(key)}{nearest(key, known)}",
                hint=f"fields of {name}: {', '.join(known) or 'none'}",
                at=(key,),
                fact=WrongWord(key, known),
            )
    try:
        return cls(**fields)
    except ValidationError as error:
        raise field_error(error) from None


def block_arguments(scope: Scope, name: str, block: Block, call: Call, place: Place) -> dict[str, Value]:
    """Return the arguments of a block, those of the call or defaults, and what it uses of its caller.

    `place` is that of the block.
    """
    for key in call.arguments:
        if key not in block.args:
            raise SpecError(
                f"the block {name} has no argument {quote(key)}{nearest(key, [*block.args])}",
                at=(key,),
                fact=WrongWord(key, block.args),
            )
    variables: dict[str, Value] = {}
    own = Scope(scope.context, None, (), variables)
    own.input = scope.input
    for key, default in block.args.items():
        if key in call.arguments:
            with ErrorContext(key):
                variables[key] = scope.argument(call.arguments[key])
        elif default is None:
            raise SpecError(f"the block {name} needs the argument {key}")
        else:
            with ErrorContext(key, place.of("args", key)):
                variables[key] = own.argument(default)
    for key in block.uses:
        with ErrorContext("uses", place.of("uses"), names_key=False):
            variables[key] = _used(scope, name, key)
    return variables


def _used(scope: Scope, block: str, name: str) -> Any:
    """Return what a name of the caller means there."""
    for around in scope.chain():
        if name in around.variables:
            return around.variables[name]
    if (binding := scope.visible(name)) is not None:
        return binding
    error = scope.unknown_reference(name)
    error.message = f"the block {block} uses {quote(name)} of its caller: {error.message}"
    raise error
