"""To sympy and back: the only module of the algebra that imports it, and only when called."""

from __future__ import annotations

from typing import Any

import sympy

from shapecalc.algebra.canonical import maximum, minimum
from shapecalc.algebra.expr import Atom, Dim, Expr, Floor, Maximum, Symbol, symbol
from shapecalc.errors import Undecided


def to_sympy(value: Dim) -> sympy.Expr:
    """Return an expression as sympy's; symbols become plain symbols, to be named by their text.

    >>> from shapecalc.algebra.expr import symbol
    >>> to_sympy(symbol("H")//2)
    floor(H/2)
    """
    if isinstance(value, int):
        return sympy.Integer(value)
    terms = [
        sympy.Mul(coefficient, *(_atom(atom) for atom in monomial)) for monomial, coefficient in value.terms
    ]
    return sympy.Add(*terms)


def _atom(atom: Atom) -> sympy.Expr:
    if isinstance(atom, Symbol):
        return sympy.Symbol(atom.name)  # without assumptions, so that "H" and Symbol("H") mean it
    if isinstance(atom, Floor):
        return sympy.floor(to_sympy(atom.numerator) / to_sympy(atom.denominator))
    assert isinstance(atom, Maximum)
    return sympy.Max(*(to_sympy(argument) for argument in atom.arguments))


def from_sympy(expression: Any, minimums: dict[str, int] | None = None) -> Dim:
    """Return sympy's integer expression in our canonical form.

    Understands sums, products, non-negative integer powers, floors and ceilings of rational
    combinations, Max, Min and Mod. Raises `Undecided` for anything else.

    >>> H = sympy.Symbol("H", integer=True, positive=True)
    >>> from_sympy(sympy.floor((sympy.floor((H - 1)/2) + 1)/2))
    ⌊(H + 1)/4⌋
    """
    minimums = minimums or {}

    def convert(node: Any) -> Dim:
        if node.is_Integer:
            return int(node)
        if node.is_Symbol:
            return symbol(node.name, minimums.get(node.name, 1))
        if node.is_Add:
            return _sum(convert(argument) for argument in node.args)
        if node.is_Mul:
            result: Dim = 1
            for argument in node.args:
                result = result * convert(argument)
            return result
        if node.is_Pow and node.exp.is_Integer and node.exp >= 0:
            base = convert(node.base)
            return base ** int(node.exp)
        if isinstance(node, (sympy.floor, sympy.ceiling)):
            over, under = sympy.fraction(sympy.together(node.args[0]))
            top, bottom = convert(sympy.expand(over)), convert(under)
            return top // bottom if isinstance(node, sympy.floor) else -(-top // bottom)
        if isinstance(node, sympy.Mod):
            return convert(node.args[0]) % convert(node.args[1])
        if isinstance(node, sympy.Max):
            return maximum(*map(convert, node.args))
        if isinstance(node, sympy.Min):
            return minimum(*map(convert, node.args))
        raise Undecided(f"{node} is not integer arithmetic that shapecalc can put in canonical form")

    return convert(sympy.sympify(expression))


def _sum(values: Any) -> Dim:
    total: Dim = 0
    for value in values:
        total = total + value
    return total


__all__ = ["Expr", "from_sympy", "to_sympy"]
