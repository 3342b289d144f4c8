"""Values of a spec that no kind declares: parameters, arguments, input sizes, names."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from keyword import iskeyword
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.errors import FormulaError, quote
from shapecalc.layers.fields import Whole, complaint, exact, inside

MOST_AXES = 64
"""More axes than torch has."""


def untyped(value: Any) -> Any:
    """Return a value of no declared type: text becomes a formula, decimals become exact.

    A bare word stays a word unless it names something where it is evaluated.
    """
    if isinstance(value, str):
        try:
            return Formula.parse(value)
        except FormulaError as error:
            raise complaint(error.message) from None
    if isinstance(value, (list, tuple)):
        return [inside(index, untyped, item) for index, item in enumerate(value)]
    if isinstance(value, float):
        return exact(value)
    if value is None or isinstance(value, (bool, int, Fraction, Formula)):
        return Whole().check(value) if isinstance(value, int) and not isinstance(value, bool) else value
    raise complaint(f"{quote(value)} is not a number, a word, or a list of those")


def input_shape(name: Any, shape: Any) -> tuple[Any, ...]:
    """Return the declared shape of an input, its sizes numbers or formulas."""
    identifier(name, "an input")
    if not isinstance(shape, (list, tuple)):
        raise complaint(f"{quote(shape)} is not a list of sizes, as [3, 224, 224] is")
    if len(shape) >= MOST_AXES:
        raise complaint(f"{len(shape):,} sizes and the batch are more than the {MOST_AXES} axes of a tensor")
    return tuple(inside(index, Whole(1).check, size) for index, size in enumerate(shape))


def values_of(given: Any, what: str = "") -> dict[str, Any]:
    """Return a mapping with its values untyped; `what` says what its keys name."""
    if not isinstance(given, Mapping):
        raise complaint(f"{quote(given)} is not a mapping")
    if what:
        for name in given:
            inside(name, identifier, name, what)
    return {name: inside(name, untyped, value) for name, value in given.items()}


def identifier(name: Any, what: str) -> None:
    """Refuse a name that expressions and references could not use."""
    if not (isinstance(name, str) and name.isidentifier() and name.isascii() and len(name) <= 80):
        raise complaint(f"{quote(name)} cannot name {what}: letters, digits and underscores only")
    if iskeyword(name) or name in ("true", "false", "null"):
        raise complaint(f"{quote(name)} cannot name {what}: the word has a meaning in expressions")


def is_text(value: Any) -> bool:
    """Say whether a value is text."""
    return isinstance(value, str)
