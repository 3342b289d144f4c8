"""Arithmetic of the spec as arithmetic of Python: translated by a whitelist, substituted, folded."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from shapecalc.algebra.formula import Formula, NamedValues
from shapecalc.algebra.rational import Value
from shapecalc.bridges.torch.twins.code import expression
from shapecalc.errors import FormulaError

_SAME_IN_PYTHON = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Name, ast.Constant, ast.Load),
    *(ast.boolop, ast.cmpop, ast.unaryop, ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod),
)


class _Substitution(ast.NodeTransformer):
    """Puts expressions in place of names; an item of a list at a fixed place counts as a name."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        match node:
            case ast.Subscript(ast.Name(name), ast.Constant(int() as place)) if place >= 0:
                item = item_name(name, place)
                return self.names.get(item, ast.Name(item))
        self.generic_visit(node)
        return node


def put(tree: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    """Return a copy of an expression with others in place of some of its names."""
    changed: ast.expr = _Substitution(names).visit(deepcopy(tree))
    return changed


def translated(formula: Any) -> ast.expr | None:
    """Return a field of the spec as Python has it, or None where Python would compute it otherwise.

    >>> ast.unparse(translated(Formula.parse("4*width + 1")))
    '4 * width + 1'
    >>> translated(Formula.parse("width / 2")) is None
    True
    """
    if isinstance(formula, bool) or (isinstance(formula, int) and formula >= 0):
        return ast.Constant(formula)
    if not isinstance(formula, Formula):
        return None
    truths = {"true": ast.Constant(value=True), "false": ast.Constant(value=False)}
    tree = put(expression(formula.text), truths)
    for node in ast.walk(tree):
        is_plain = not isinstance(node, ast.Constant) or isinstance(node.value, int)
        if not isinstance(node, _SAME_IN_PYTHON) or not is_plain:
            return None
    return tree


def item_name(name: str, place: int) -> str:
    """Return the name that an item of a list goes by, which no argument can have."""
    return f"{name}[{place}]"


def value_of(tree: ast.expr, names: Mapping[str, Value]) -> Any:
    """Return the value of an expression, or None where it has none."""
    try:
        return Formula.parse(ast.unparse(tree)).evaluate(NamedValues(names))
    except FormulaError:
        return None


def substituted(tree: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr | None:
    """Return an expression with others in place of all its names, computed where it is of numbers only."""
    return folded(put(tree, names)) if names_in(tree) <= names.keys() else None


def folded(tree: ast.expr) -> ast.expr:
    """Return the number that an expression without names is, or the expression."""
    value = None if names_in(tree) else value_of(tree, {})
    return ast.Constant(value) if isinstance(value, int) else tree


def names_in(tree: ast.expr) -> set[str]:
    """Return the names in an expression."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
