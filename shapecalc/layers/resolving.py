"""A layer with its formulas evaluated: every value is checked again, and an error names its field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from shapecalc.algebra.formula import Formula
from shapecalc.errors import SpecError, WrongWord, nearest, quote

if TYPE_CHECKING:
    from shapecalc.layers.base import Kind

K = TypeVar("K", bound="Kind")


def resolved(layer: K, evaluate: Callable[[Formula], Any]) -> K:
    """Return the layer with every formula evaluated and every value checked again."""
    values = {name: getattr(layer, name) for name in layer.model_fields_set}
    evaluated: dict[str, Any] = {}
    for name, value in values.items():
        try:
            evaluated[name] = _evaluated(value, evaluate)
        except SpecError as error:
            raise _complaint(layer, name, value, error) from None
    changed = [name for name, value in values.items() if evaluated[name] is not value]
    if not changed:
        return layer
    again = type(layer).model_validate(evaluated)
    for name in changed:
        if _evaluated(getattr(again, name), lambda formula: formula.text) is not getattr(again, name):
            words = layer.words(name)
            wrong = f"is not one of {', '.join(words)}" if words else "is a word, not a value"
            fact = WrongWord(evaluated[name], words, is_choice=True)
            raise SpecError(f"{name}: {quote(evaluated[name])} {wrong}", at=(name,), fact=fact)
    return again


def _complaint(layer: Kind, name: str, value: Any, error: SpecError) -> SpecError:
    """Return the error of a formula as an error of the field that holds it."""
    words, message, fact = layer.words(name), error.message, error.fact
    if words and isinstance(value, Formula) and value.is_name:
        known = f"{', '.join(words)}, and no name in scope"
        message = f"{quote(value.text)} is not one of {known}{nearest(value.text, words)}"
        fact = WrongWord(value.text, words, is_choice=True)
    return SpecError(f"{name}: {message}", place=error.place, hint=error.hint, at=(name,), fact=fact)


def _evaluated(value: Any, evaluate: Callable[[Formula], Any]) -> Any:
    if isinstance(value, Formula):
        return evaluate(value)
    if hasattr(value, "resolve"):  # a layer inside a layer
        return value.resolve(evaluate)
    if isinstance(value, tuple):
        items = tuple(_evaluated(item, evaluate) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value
