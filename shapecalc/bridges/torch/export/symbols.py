"""Arithmetic of the spec as arithmetic of Python: translated by a whitelist, folded, put into each other."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from shapecalc.algebra.formula import Formula
from shapecalc.algebra.rational import Value
from shapecalc.errors import FormulaError

_SAME_IN_PYTHON = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.FloorDiv,
    ast.Mod,
    ast.USub,
    ast.And,
    ast.Or,
    ast.Not,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
)


class _Names:
    """The scope of a translated formula: plain values by name."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values

    def lookup(self, name: str) -> Value:
        """Return the value of a name."""
        if name not in self.values:
            raise FormulaError(f"{name} is not here")
        return self.values[name]

    def size(self, tensor: str | None, axis: int) -> Any:
        """No tensors are here."""
        raise FormulaError("no tensors are here")


def translated(written: Any) -> ast.expr | None:
    """Return a formula as Python has it, or None where Python would compute it otherwise.

    >>> ast.unparse(translated(Formula.parse("4*width + 1")))
    '4 * width + 1'
    >>> translated(Formula.parse("width / 2")) is None
    True
    """
    if isinstance(written, bool) or (isinstance(written, int) and written >= 0):
        return ast.Constant(written)
    if not isinstance(written, Formula):
        return None
    tree = _Items().visit(ast.parse(written.text, mode="eval").body)
    for node in ast.walk(tree):
        if not isinstance(node, _SAME_IN_PYTHON):
            return None
        if isinstance(node, ast.Constant) and not isinstance(node.value, int):
            return None
    return _Truths().visit(tree)  # type: ignore[no-any-return]


def item_name(name: str, place: int) -> str:
    """Return the name that an item of a list goes by, which no argument can have.

    >>> ast.unparse(translated(Formula.parse("row[0] // 2 + 1")))
    'row[0] // 2 + 1'
    """
    return f"{name}[{place}]"


class _Items(ast.NodeTransformer):
    """Takes items of named lists at fixed places for names."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        match node:
            case ast.Subscript(ast.Name(name), ast.Constant(int() as place)) if place >= 0:
                return ast.Name(item_name(name, place))
        return node


class _Truths(ast.NodeTransformer):
    """Writes the truth values of a spec as Python's."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(node.id == "true") if node.id in ("true", "false") else node


def value_of(tree: ast.expr, names: Mapping[str, Value]) -> Any:
    """Return what an expression comes to, or None where it comes to nothing."""
    text = ast.unparse(_Falsehoods().visit(ast.parse(ast.unparse(tree), mode="eval").body))
    try:
        return Formula.parse(text).evaluate(_Names(names))
    except FormulaError:
        return None


class _Falsehoods(ast.NodeTransformer):
    """Writes Python's truth values as a spec's."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name(str(node.value).lower()) if isinstance(node.value, bool) else node


def substituted(tree: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr | None:
    """Return an expression with others in place of its names, computed where it is of numbers only."""
    if not {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} <= names.keys():
        return None

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return names[node.id]

    return folded(Put().visit(ast.parse(ast.unparse(tree), mode="eval").body))


def renamed(tree: ast.expr, names: Mapping[str, str]) -> ast.expr:
    """Return an expression with other names."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.Name(names.get(node.id, node.id))

    found: ast.expr = Put().visit(deepcopy(tree))
    return found


def folded(tree: ast.expr) -> ast.expr:
    """Return the number that an expression without names is, or the expression."""
    if any(isinstance(node, ast.Name) for node in ast.walk(tree)):
        return tree
    value = value_of(tree, {})
    return ast.Constant(value) if isinstance(value, int) else tree


def names_in(tree: ast.expr) -> set[str]:
    """Return the names in an expression."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
