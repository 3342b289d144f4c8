"""Calls of a block or, by an argument that names it, of a kind: which values its arguments have."""

from __future__ import annotations

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
    """Return the arguments of a block: those of the call, and the defaults of the others, in order."""
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
            with ErrorContext(key, place.of(key)):
                variables[key] = own.argument(default)
    return variables
