"""Expressions of sympy's in our canonical form; the other direction is `Expr.sympy`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy

from shapecalc.algebra.expr import Dim, Expr, ceildiv, floordiv, maximum, minimum, symbol
from shapecalc.algebra.rational import OPERATIONS, as_integer, multiply
from shapecalc.errors import Undecided


def from_sympy(
    expression: Any,
    minimums: Mapping[str, int] | None = None,
    *,
    names: Mapping[str, Dim] | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Dim:
    """Return sympy's integer expression in our canonical form.

    Understands sums, products, non-negative integer powers, floors and ceilings of rational
    combinations, Max, Min and Mod. `names` are the values of symbols; `functions` gives the
    arithmetic of further classes of functions, by the name of the class. Raises `Undecided` for
    anything else.

    >>> H = sympy.Symbol("H", integer=True, positive=True)
    >>> from_sympy(sympy.floor((sympy.floor((H - 1)/2) + 1)/2))
    ⌊(H + 1)/4⌋
    """
    value = _Reader(minimums or {}, names or {}, functions or {}).value(sympy.sympify(expression))
    if isinstance(value, (int, Expr)):
        return value
    raise Undecided(f"{expression} is not an integer for every size")


class _Reader:
    """Reads sympy's tree with exact rationals, so that there may be a quotient inside a floor."""

    def __init__(
        self,
        minimums: Mapping[str, int],
        names: Mapping[str, Dim],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.minimums = minimums
        self.names = names
        self.functions = {**_FUNCTIONS, **functions}

    def value(self, node: Any) -> Any:
        if node.is_Symbol:
            known = self.names.get(node.name)
            return symbol(node.name, self.minimums.get(node.name, 1)) if known is None else known
        if node.is_Number:
            return _exactly(node)
        if node.is_Add:
            return reduce(OPERATIONS[ast.Add], map(self.value, node.args))
        if node.is_Mul:
            return reduce(multiply, map(self.value, node.args))
        if node.is_Pow and node.exp.is_Integer and node.exp >= 0:
            return OPERATIONS[ast.Pow](self.value(node.base), int(node.exp))
        if isinstance(node, (sympy.floor, sympy.ceiling)):
            over, under = map(self.value, map(sympy.expand, sympy.fraction(sympy.together(node.args[0]))))
            rounded = floordiv if isinstance(node, sympy.floor) else ceildiv
            return rounded(_integer(over), _integer(under))
        function = self.functions.get(type(node).__name__)
        if function is None:
            raise Undecided(
                f"{node} is not integer arithmetic that shapecalc can put in canonical form: "
                f"it holds {type(node).__name__}"
            )
        return function(*map(self.value, node.args))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Mod": lambda left, right: left % right,
    "Max": maximum,
    "Min": minimum,
}
"""What sympy's own functions are, by the name of their class."""

FINEST = 2**10
"""The largest denominator of a float that is taken at its word: with it, sizes up to 2^43 lose nothing."""


def _exactly(number: Any) -> int | Fraction:
    """Return a number of sympy's; a float only when it is a short binary fraction."""
    if number.is_Rational:
        return as_integer(Fraction(int(number.p), int(number.q)))
    if number.is_Float and number.is_finite:
        fraction = Fraction(float(number))
        if fraction.denominator <= FINEST:
            return as_integer(fraction)
    raise Undecided(f"what {number} does to a size depends on how doubles round it")


def _integer(value: Any) -> Dim:
    if isinstance(value, (int, Expr)):
        return value
    raise Undecided(f"{value} is not an integer for every size")
