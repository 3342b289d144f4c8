"""torch's symbolic sizes and guards, which are sympy's expressions, in our canonical form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from shapecalc.algebra import Dim, ceildiv, decide
from shapecalc.algebra.rational import FUNCTIONS, divide
from shapecalc.algebra.relation import Relation
from shapecalc.algebra.sympy_bridge import from_sympy
from shapecalc.bridges.torch.proof.cells import Condition, Every, Some, negation
from shapecalc.errors import Undecided


def size(expression: Any, names: Mapping[str, Dim]) -> Dim:
    """Return one of torch's sizes; `names` says which of ours its symbols are.

    Raises `Undecided` for what is not integer arithmetic, and names it.
    """
    if isinstance(expression, int):
        return expression
    return from_sympy(expression, names=names, functions=FUNCTIONS_OF_TORCH)


def condition(guard: Any, names: Mapping[str, Dim]) -> Condition:
    """Return one of torch's guards as a condition on sizes; raise `Undecided` for what is none."""
    if isinstance(guard, sympy.And):
        return Every(tuple(condition(part, names) for part in guard.args))
    if isinstance(guard, sympy.Or):
        return Some(tuple(condition(part, names) for part in guard.args))
    if isinstance(guard, sympy.Not):
        return negation(condition(guard.args[0], names))
    if isinstance(guard, sympy.logic.boolalg.BooleanAtom):
        return Relation(int(bool(guard)), "==", 1)
    relation = RELATIONS.get(type(guard).__name__)
    if relation is None:
        raise Undecided(f"{guard} is not a relation of sizes: it is a {type(guard).__name__}")
    left, right = guard.args
    return Relation(size(left, names), relation, size(right, names))


RELATIONS = {
    "Equality": "==",
    "Unequality": "!=",
    "StrictLessThan": "<",
    "LessThan": "<=",
    "StrictGreaterThan": ">",
    "GreaterThan": ">=",
}


def _quotient(base: Dim, divisor: Dim) -> Dim:
    """Return ⌊base/divisor⌋; with a divisor d in letters ⌊(q·d + d - 1)/d⌋, which `arange` gives, is q."""
    if not isinstance(divisor, int) and decide(divisor, ">=", 1):
        multiple = base - divisor + 1
        if (quotient := multiple // divisor) * divisor == multiple:
            return quotient
    return base // divisor


def _truncated(value: Any) -> Any:
    floor = FUNCTIONS["floor"](value)
    if decide(floor, ">=", 0):
        return floor
    raise Undecided(f"{value} is rounded towards zero, and may be negative")


FUNCTIONS_OF_TORCH: dict[str, Callable[..., Any]] = {
    "FloorDiv": _quotient,
    "CleanDiv": lambda base, divisor: base // divisor,
    "CeilDiv": ceildiv,
    "PythonMod": lambda base, divisor: base % divisor,
    "ModularIndexing": lambda base, divisor, modulus: base // divisor % modulus,
    "PowByNatural": lambda base, exponent: base**exponent,
    "Identity": lambda value: value,
    "ToFloat": lambda value: value,
    "IntTrueDiv": divide,
    "FloatTrueDiv": divide,
    "FloorToInt": FUNCTIONS["floor"],
    "CeilToInt": FUNCTIONS["ceil"],
    "TruncToInt": _truncated,
}
"""The functions of torch.utils._sympy.functions that are integer arithmetic, by the name of the class."""
