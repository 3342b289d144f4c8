"""Spec arithmetic: parsed by a whitelist, evaluated over a scope, never executed.

The grammar is the part of Python's expressions that has a plain arithmetic reading: integers and decimals
(kept as exact rationals), names, `+ - * / // % **`, comparisons, `and or not`, `a if c else b`, `list[i]`,
`list[i:j]`, lists, quoted strings, and the calls `min max floor ceil len sum make_divisible size`.
Python's own parser reads it; every node is then checked against the list below and everything
else is refused. Bounds on length, depth, exponents and magnitude keep hostile input harmless.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from shapecalc.algebra.expr import Dim
from shapecalc.algebra.rational import (
    FUNCTIONS,
    OPERATIONS,
    RELATIONS,
    Value,
    as_integer,
    listed,
    multiply,
    number,
    position,
    related,
    truth,
    within_bounds,
)
from shapecalc.errors import FormulaError, Written, WrongWord, nearest, quote

LONGEST = 300
"""How many characters a formula may have beside the names in quotation marks."""
DEEPEST = 40


class Scope(Protocol):
    """What a formula reads of its surroundings."""

    def lookup(self, name: str) -> Value:
        """Return the value of a name; raise `FormulaError` for an unknown one."""

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Return the size of an axis of a named step, or of the input for None."""


class NamedValues:
    """A scope of values by their names, without tensors."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self.values = values

    def lookup(self, name: str) -> Value:
        if name not in self.values:
            raise unknown_name(name, [*self.values])
        return self.values[name]

    def size(self, tensor: str | None, axis: int) -> Dim:
        raise FormulaError("size needs a tensor")


class Formula(Written):
    """One parsed expression of a spec, equal to another when their texts are.

    >>> Formula.parse("4*width + 1").names
    ('width',)
    >>> Formula.parse("__import__('os')")
    Traceback (most recent call last):
    shapecalc.errors.FormulaError: '__import__' is not a function of spec arithmetic (those are \
ceil, floor, len, make_divisible, max, min, size, sum)
    """

    __slots__ = ("_evaluate", "names", "text")

    def __init__(self, text: str, evaluate: Callable[[Scope], Value], names: tuple[str, ...]) -> None:
        self.text = text
        self.names = names
        self._evaluate = evaluate

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Read an expression; raise `FormulaError` when it is not one."""
        return _parse(text.strip())

    @property
    def is_name(self) -> bool:
        """Whether the formula is nothing but a name."""
        return self.names == (self.text,)

    def evaluate(self, scope: Scope) -> Value:
        """Return the value in a scope; raise `FormulaError` when it has none."""
        try:
            return self._evaluate(scope)
        except FormulaError as error:
            if self.is_name:
                raise
            raise FormulaError(
                f"in {quote(self.text)}: {error.message}", hint=error.hint, fact=error.fact
            ) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def __reduce__(self) -> Any:
        return Formula.parse, (self.text,)


Evaluator: TypeAlias = Callable[[Scope], Value]

_ALLOWED = re.compile(r"[\w\s.,+\-*/%()\[\]<>=!'\":]*", re.ASCII)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PATH = re.compile(r"[\w.]+(\[[^\[\]:]+\](\.\w+)*)*", re.ASCII)
"""The path of a step, whose passes may be counted by arithmetic: `encoder[-1 - i].features`."""
_RUN_TOGETHER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?[A-Za-z_]", re.ASCII)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Formula:
    if len(text) > 10 * LONGEST or len(_QUOTED.sub("", text)) > LONGEST:
        raise FormulaError(f"{quote(text)} is longer than {LONGEST} characters")
    if not text:
        raise FormulaError("an empty text is not an expression")
    if not _ALLOWED.fullmatch(text):
        raise FormulaError(f"{quote(text)} has a character that spec arithmetic does not know")
    if _RUN_TOGETHER.search(text):
        raise FormulaError(f"{quote(text)}: a number runs into a name")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise FormulaError(f"{quote(text)} is not an expression") from None
    compiler = _Compiler(text)
    evaluate = compiler.compile(tree, 0)
    return Formula(text, evaluate, tuple(dict.fromkeys(compiler.names)))


class _Compiler:
    """Turns a checked syntax tree into nested closures: nothing is ever handed to `eval`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: list[str] = []

    def compile(self, node: ast.expr, depth: int) -> Evaluator:
        if depth > DEEPEST:
            raise FormulaError(f"{quote(self.text)} is nested more than {DEEPEST} deep")
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise FormulaError(f"{quote(self.text)}: {type(node).__name__} is not spec arithmetic")
        compiled: Evaluator = method(node, depth + 1)
        return compiled

    def _constant(self, node: ast.Constant, _depth: int) -> Evaluator:
        value: Value
        if isinstance(node.value, float):
            written = ast.get_source_segment(self.text, node) or ""
            try:
                value = as_integer(within_bounds(Fraction(written)))
            except ValueError:
                raise FormulaError(f"{quote(written)} is not a decimal") from None
        elif isinstance(node.value, bool) or node.value is None or isinstance(node.value, str):
            value = node.value
        elif isinstance(node.value, int):
            value = within_bounds(node.value)
        else:
            raise FormulaError(f"{quote(self.text)}: {quote(node.value)} is not spec arithmetic")
        return lambda _scope: value

    def _name(self, node: ast.Name, _depth: int) -> Evaluator:
        name = node.id
        if name in _CONSTANTS:
            constant = _CONSTANTS[name]
            return lambda _scope: constant
        self.names.append(name)
        return lambda scope: scope.lookup(name)

    def _list(self, node: ast.List, depth: int) -> Evaluator:
        items = [self.compile(item, depth) for item in node.elts]
        return lambda scope: listed([item(scope) for item in items])

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> Evaluator:
        operand = self.compile(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return lambda scope: not truth(operand(scope))
        if isinstance(node.op, ast.USub):
            return lambda scope: multiply(-1, number(operand(scope)))
        if isinstance(node.op, ast.UAdd):
            return lambda scope: number(operand(scope))
        raise FormulaError(f"{quote(self.text)}: '~' is not spec arithmetic")

    def _binop(self, node: ast.BinOp, depth: int) -> Evaluator:
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        operation = OPERATIONS.get(type(node.op))
        if operation is None:
            raise FormulaError(f"{quote(self.text)}: {type(node.op).__name__} is not spec arithmetic")
        apply = operation
        return lambda scope: within_bounds(apply(number(left(scope)), number(right(scope))))

    def _boolop(self, node: ast.BoolOp, depth: int) -> Evaluator:
        operands = [self.compile(operand, depth) for operand in node.values]
        together = all if isinstance(node.op, ast.And) else any
        return lambda scope: together(truth(operand(scope)) for operand in operands)

    def _ifexp(self, node: ast.IfExp, depth: int) -> Evaluator:
        test, then = self.compile(node.test, depth), self.compile(node.body, depth)
        otherwise = self.compile(node.orelse, depth)
        return lambda scope: then(scope) if truth(test(scope)) else otherwise(scope)

    def _compare(self, node: ast.Compare, depth: int) -> Evaluator:
        operands = [self.compile(item, depth) for item in (node.left, *node.comparators)]
        relations = [RELATIONS.get(type(op)) for op in node.ops]
        if None in relations:
            raise FormulaError(f"{quote(self.text)}: only == != < <= > >= compare here")

        def evaluate(scope: Scope) -> bool:
            values = [operand(scope) for operand in operands]
            pairs = zip(values, relations, values[1:], strict=False)
            return all(related(left, relation or "", right) for left, relation, right in pairs)

        return evaluate

    def _subscript(self, node: ast.Subscript, depth: int) -> Evaluator:
        compiled = self.compile(node.value, depth)
        if isinstance(node.slice, ast.Slice):
            part = self._part(node.slice, depth)
        else:
            index = self.compile(node.slice, depth)
            part = lambda items, scope: items[position(index(scope), len(items), len(items) - 1)]  # noqa: E731

        def evaluate(scope: Scope) -> Value:
            value = compiled(scope)
            if not isinstance(value, list):
                raise FormulaError(f"{quote(ast.unparse(node.value))} is not a list")
            return part(value, scope)

        return evaluate

    def _part(self, node: ast.Slice, depth: int) -> Callable[[list[Any], Scope], Value]:
        if node.step is not None:
            raise FormulaError(f"{quote(self.text)}: a slice has no step in spec arithmetic")
        lower, upper = (None if end is None else self.compile(end, depth) for end in (node.lower, node.upper))

        def cut(items: list[Any], scope: Scope) -> list[Any]:
            length = len(items)
            start = 0 if lower is None else position(lower(scope), length, length)
            return items[start : length if upper is None else position(upper(scope), length, length)]

        return cut

    def _call(self, node: ast.Call, depth: int) -> Evaluator:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if node.keywords or (name != "size" and name not in FUNCTIONS):
            known = sorted({*FUNCTIONS, "size"})
            raise FormulaError(
                f"{quote(name)} is not a function of spec arithmetic (those are {', '.join(known)})"
            )
        if name == "size":
            return self._size(node, depth)
        arguments = [self.compile(argument, depth) for argument in node.args]
        function = FUNCTIONS[name]
        return lambda scope: function(*(argument(scope) for argument in arguments))

    def _size(self, node: ast.Call, depth: int) -> Evaluator:
        if not 1 <= len(node.args) <= 2:
            raise FormulaError("size takes a step and an axis, or an axis of the input")
        axis = self.compile(node.args[-1], depth)
        tensor: str | None = None
        if len(node.args) == 2:
            tensor = ast.unparse(node.args[0]).strip("'\"")
            if not _PATH.fullmatch(tensor):
                raise FormulaError(f"size takes the name of a step, not {quote(tensor)}")

        def evaluate(scope: Scope) -> Dim:
            number = axis(scope)
            if not isinstance(number, int):
                raise FormulaError(f"the axis of size must be an integer, not {number}")
            return scope.size(tensor, number)

        return evaluate


_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


def unknown_name(name: str, known: list[str]) -> FormulaError:
    """Return the error for a name that is not in scope."""
    return FormulaError(
        f"unknown name {quote(name)}{nearest(name, known)}",
        hint=f"in scope here: {', '.join(sorted(known)[:20])}" if known else "",
        fact=WrongWord(name, known),
    )
