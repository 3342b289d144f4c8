"""Spec arithmetic: parsed by a whitelist, evaluated over a scope, never executed.

The grammar is the part of Python's expressions that has a plain arithmetic reading: whole numbers
and decimals (kept as exact rationals), names, `+ - * / // % **`, comparisons, `and or not`,
`a if c else b`, `list[i]`, lists, quoted strings, and the calls `min max floor ceil len sum size`.
Python's own parser reads it; every node is then checked against the list below and everything
else is refused. Bounds on length, depth, exponents and magnitude keep hostile input harmless.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from shapecalc.algebra.expr import Dim, Expr, ceildiv, floordiv, maximum, minimum
from shapecalc.errors import FormulaError, nearest, quote

LONGEST = 300
LARGEST = 10**18
LARGEST_EXPONENT = 64
MOST_TERMS = 100
DEEPEST = 40

Value: TypeAlias = "int | Expr | Quotient | Fraction | bool | str | list[Any] | None"


class Scope(Protocol):
    """What a formula may ask of the place it stands in."""

    def lookup(self, name: str) -> Value:
        """Return the value of a name; raise `FormulaError` for an unknown one."""

    def size(self, tensor: str | None, axis: int) -> Dim:
        """Return the size of an axis of a named step, or of the arriving tensor for None."""


class Quotient:
    """An expression over a whole number that does not divide it: good inside floor and ceil."""

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Expr, denominator: int) -> None:
        self.numerator = numerator
        self.denominator = denominator

    def __str__(self) -> str:
        return f"({self.numerator})/{self.denominator}"


class Formula:
    """One parsed expression of a spec, equal to another when their texts are.

    >>> Formula.parse("4*width + 1").names
    ('width',)
    >>> Formula.parse("__import__('os')")
    Traceback (most recent call last):
    shapecalc.errors.FormulaError: '__import__' is not a function of spec arithmetic (those are \
ceil, floor, len, max, min, size, sum)
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
            raise FormulaError(f"in {quote(self.text)}: {error.message}", hint=error.hint) from None

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
_RUN_TOGETHER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?[A-Za-z_]", re.ASCII)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Formula:
    if len(text) > LONGEST:
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
                value = _whole(_bounded(Fraction(written)))
            except ValueError:
                raise FormulaError(f"{quote(written)} is not a decimal") from None
        elif isinstance(node.value, bool) or node.value is None or isinstance(node.value, str):
            value = node.value
        elif isinstance(node.value, int):
            value = _bounded(node.value)
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
        return lambda scope: [item(scope) for item in items]

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> Evaluator:
        operand = self.compile(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return lambda scope: not _truth(operand(scope))
        if isinstance(node.op, ast.USub):
            return lambda scope: _multiply(-1, _number(operand(scope)))
        if isinstance(node.op, ast.UAdd):
            return lambda scope: _number(operand(scope))
        raise FormulaError(f"{quote(self.text)}: '~' is not spec arithmetic")

    def _binop(self, node: ast.BinOp, depth: int) -> Evaluator:
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        operation = _OPERATIONS.get(type(node.op))
        if operation is None:
            raise FormulaError(f"{quote(self.text)}: {type(node.op).__name__} is not spec arithmetic")
        apply = operation
        return lambda scope: _bounded(apply(_number(left(scope)), _number(right(scope))))

    def _boolop(self, node: ast.BoolOp, depth: int) -> Evaluator:
        operands = [self.compile(operand, depth) for operand in node.values]
        together = all if isinstance(node.op, ast.And) else any
        return lambda scope: together(_truth(operand(scope)) for operand in operands)

    def _ifexp(self, node: ast.IfExp, depth: int) -> Evaluator:
        test, then = self.compile(node.test, depth), self.compile(node.body, depth)
        otherwise = self.compile(node.orelse, depth)
        return lambda scope: then(scope) if _truth(test(scope)) else otherwise(scope)

    def _compare(self, node: ast.Compare, depth: int) -> Evaluator:
        operands = [self.compile(item, depth) for item in (node.left, *node.comparators)]
        relations = [_RELATIONS.get(type(op)) for op in node.ops]
        if None in relations:
            raise FormulaError(f"{quote(self.text)}: only == != < <= > >= compare here")

        def evaluate(scope: Scope) -> bool:
            values = [operand(scope) for operand in operands]
            pairs = zip(values, relations, values[1:], strict=False)
            return all(_related(left, relation or "", right) for left, relation, right in pairs)

        return evaluate

    def _subscript(self, node: ast.Subscript, depth: int) -> Evaluator:
        if not isinstance(node.slice, ast.expr) or isinstance(node.slice, ast.Slice):
            raise FormulaError(f"{quote(self.text)}: slices are not spec arithmetic")
        items, index = self.compile(node.value, depth), self.compile(node.slice, depth)

        def evaluate(scope: Scope) -> Value:
            found, at = items(scope), index(scope)
            if not isinstance(found, list):
                raise FormulaError(f"{quote(ast.unparse(node.value))} is not a list")
            if not isinstance(at, int) or isinstance(at, bool) or not -len(found) <= at < len(found):
                raise FormulaError(f"index {at} does not exist in a list of {len(found)}")
            value: Value = found[at]
            return value

        return evaluate

    def _call(self, node: ast.Call, depth: int) -> Evaluator:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if node.keywords or (name != "size" and name not in _FUNCTIONS):
            known = sorted({*_FUNCTIONS, "size"})
            raise FormulaError(
                f"{quote(name)} is not a function of spec arithmetic (those are {', '.join(known)})"
            )
        if name == "size":
            return self._size(node, depth)
        arguments = [self.compile(argument, depth) for argument in node.args]
        function = _FUNCTIONS[name]
        return lambda scope: function(*(argument(scope) for argument in arguments))

    def _size(self, node: ast.Call, depth: int) -> Evaluator:
        if not 1 <= len(node.args) <= 2:
            raise FormulaError("size takes a step and an axis, or an axis of the arriving tensor")
        axis = self.compile(node.args[-1], depth)
        tensor: str | None = None
        if len(node.args) == 2:
            tensor = ast.unparse(node.args[0]).strip("'\"")
            if not re.fullmatch(r"[\w.]+", tensor):
                raise FormulaError(f"size takes the name of a step, not {quote(tensor)}")

        def evaluate(scope: Scope) -> Dim:
            number = axis(scope)
            if not isinstance(number, int):
                raise FormulaError(f"the axis of size must be a whole number, not {number}")
            return scope.size(tensor, number)

        return evaluate


_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


def _whole(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _number(value: Value) -> Dim | Fraction | Quotient:
    if isinstance(value, (bool, str, list)) or value is None:
        raise FormulaError(f"{quote(value)} is not a number")
    return value


def _bounded(value: Any) -> Any:
    large = value if isinstance(value, int) else None
    if isinstance(value, Fraction):
        large = max(abs(value.numerator), value.denominator)
    if isinstance(value, Quotient):
        _bounded(value.numerator)
        large = value.denominator
    if isinstance(value, Expr):
        if len(value.terms) > MOST_TERMS:
            raise FormulaError(f"an expression has more than {MOST_TERMS} terms")
        large = max(abs(coefficient) for _, coefficient in value.terms)
        if max(len(monomial) for monomial, _ in value.terms) > LARGEST_EXPONENT:
            raise FormulaError(f"a power is larger than {LARGEST_EXPONENT}")
    if large is not None and abs(large) > LARGEST:
        raise FormulaError("a number is larger than 10^18")
    return value


def _fraction(value: Dim | Fraction | Quotient) -> tuple[Dim, int]:
    """Split any number into an exact numerator and a positive whole denominator."""
    if isinstance(value, (Fraction, Quotient)):
        return value.numerator, value.denominator
    return value, 1


def _over(numerator: Dim, denominator: int) -> Any:
    if isinstance(numerator, int):
        return _whole(Fraction(numerator, denominator))
    if all(coefficient % denominator == 0 for _, coefficient in numerator.terms):
        return floordiv(numerator, denominator)
    return Quotient(numerator, denominator)


def _add(left: Any, right: Any) -> Any:
    (a, b), (c, d) = _fraction(left), _fraction(right)
    return _over(a * d + c * b, b * d)


def _multiply(left: Any, right: Any) -> Any:
    (a, b), (c, d) = _fraction(left), _fraction(right)
    return _over(a * c, b * d)


def _divide(left: Any, right: Any) -> Any:
    (a, b), (c, d) = _fraction(left), _fraction(right)
    if c == 0:
        raise FormulaError("division by zero")
    if isinstance(c, Expr):
        raise FormulaError(f"division by {c}: only // divides by what is left free")
    return _over(a * d, b * c) if c > 0 else _over(-a * d, b * -c)


def _floor_divide(left: Any, right: Any) -> Any:
    (a, b), (c, d) = _fraction(left), _fraction(right)
    if c == 0:
        raise FormulaError("division by zero")
    return floordiv(a * d, b * c)


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int) or not 0 <= exponent <= LARGEST_EXPONENT:
        raise FormulaError(f"an exponent must be a whole number from 0 to {LARGEST_EXPONENT}")
    result: Any = 1
    for _ in range(exponent):
        result = _bounded(_multiply(result, base))
    return result


_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _add,
    ast.Sub: lambda left, right: _add(left, _multiply(-1, right)),
    ast.Mult: _multiply,
    ast.Div: _divide,
    ast.FloorDiv: _floor_divide,
    ast.Mod: lambda left, right: _add(left, _multiply(-1, _multiply(right, _floor_divide(left, right)))),
    ast.Pow: _power,
}
_RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def _truth(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    raise FormulaError(f"{quote(value)} is not true or false")


def _related(left: Value, relation: str, right: Value) -> bool:
    from shapecalc.algebra.decide import decide
    from shapecalc.errors import Undecided

    if any(isinstance(value, (str, bool, list)) or value is None for value in (left, right)):
        if relation not in ("==", "!="):
            raise FormulaError(f"{quote(left)} and {quote(right)} have no order")
        return (type(left) is type(right) and left == right) == (relation == "==")
    (a, b), (c, d) = _fraction(_number(left)), _fraction(_number(right))
    verdict = decide(a * d, relation, c * b)
    if verdict is None:
        raise Undecided(f"whether {left} {relation} {right} depends on what was left free")
    return verdict


def _rounded_down(value: Value) -> Dim:
    numerator, denominator = _fraction(_number(value))
    return floordiv(numerator, denominator)


def _rounded_up(value: Value) -> Dim:
    numerator, denominator = _fraction(_number(value))
    return ceildiv(numerator, denominator)


def _extreme(choose: Callable[..., Dim]) -> Callable[..., Any]:
    def pick(*values: Value) -> Any:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        if not items:
            raise FormulaError("min and max need at least one number")
        pairs = [_fraction(_number(item)) for item in items]
        common = 1
        for _, denominator in pairs:
            common *= denominator
        return _over(choose(*(n * (common // d) for n, d in pairs)), common)

    return pick


def _length(value: Value) -> int:
    if not isinstance(value, list):
        raise FormulaError(f"len takes a list, not {quote(value)}")
    return len(value)


def _sum(value: Value) -> Any:
    if not isinstance(value, list):
        raise FormulaError(f"sum takes a list, not {quote(value)}")
    total: Any = 0
    for item in value:
        total = _bounded(_add(total, _number(item)))
    return total


def _checked(name: str, count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Value) -> Any:
        if len(arguments) != count:
            raise FormulaError(f"{name} takes {count} argument, not {len(arguments)}")
        return function(*arguments)

    return call


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(minimum),
    "max": _extreme(maximum),
    "floor": _checked("floor", 1, _rounded_down),
    "ceil": _checked("ceil", 1, _rounded_up),
    "len": _checked("len", 1, _length),
    "sum": _checked("sum", 1, _sum),
}


def unknown_name(name: str, known: list[str]) -> FormulaError:
    """Return the error for a name that is not in scope."""
    return FormulaError(
        f"unknown name {quote(name)}{nearest(name, known)}",
        hint=f"in scope here: {', '.join(sorted(known)[:20])}" if known else "",
    )
