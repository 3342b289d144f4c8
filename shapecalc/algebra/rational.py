"""Exact arithmetic on the values of a spec: integers, rationals, and expressions in what is left free.

Decimals never pass through a float. An expression over an integer that does not divide it stays a `Quotient`
until `floor` or `ceil` rounds it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any, TypeAlias

from shapecalc.algebra.expr import Dim, Expr, ceildiv, decide, floordiv, maximum, minimum
from shapecalc.errors import FormulaError, Undecided, quote

LARGEST = 10**18
LARGEST_EXPONENT = 64
MOST_TERMS = 100
MOST_ENTRIES = 2000

Value: TypeAlias = "int | Expr | Quotient | Fraction | bool | str | list[Any] | None"


class Quotient:
    """An expression over an integer that does not divide it: for use inside floor and ceil."""

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Expr, denominator: int) -> None:
        self.numerator = numerator
        self.denominator = denominator

    def __str__(self) -> str:
        return f"({self.numerator})/{self.denominator}"


def as_integer(value: Fraction) -> int | Fraction:
    """Return a rational as an int where it is an integer."""
    return value.numerator if value.denominator == 1 else value


def number(value: Value) -> Dim | Fraction | Quotient:
    """Return a value that is a number; raise `FormulaError` for any other."""
    if isinstance(value, (int, Expr, Fraction, Quotient)) and not isinstance(value, bool):
        return value
    raise FormulaError(f"{quote(value)} is not a number")


def listed(items: list[Any]) -> list[Any]:
    """Return a list, or refuse it where it has, with the lists inside it, too many entries."""
    left = MOST_ENTRIES
    waiting = [items]
    while waiting:
        inner = waiting.pop()
        left -= len(inner)
        if left < 0:
            raise FormulaError(f"a list has more than {MOST_ENTRIES:,} entries")
        waiting += [item for item in inner if isinstance(item, list)]
    return items


def position(at: Value, length: int, last: int) -> int:
    """Return a position in a list of this length, of which `last` is the last that is legal here."""
    if isinstance(at, Expr):
        raise Undecided(f"which entry of a list is at {at} depends on what was left free")
    if not isinstance(at, int) or isinstance(at, bool) or not -length <= at <= last:
        raise FormulaError(f"index {quote(at)} does not exist in a list of {length}")
    return at


def within_bounds(value: Any) -> Any:
    """Return a number that is not too large to go on with; raise `FormulaError` for one that is."""
    large = value if isinstance(value, int) else None
    if isinstance(value, Fraction):
        large = max(abs(value.numerator), value.denominator)
    if isinstance(value, Quotient):
        within_bounds(value.numerator)
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
    """Split any number into an exact numerator and a positive integer denominator."""
    if isinstance(value, (Fraction, Quotient)):
        return value.numerator, value.denominator
    return value, 1


def _over(numerator: Dim, denominator: int) -> Any:
    if isinstance(numerator, int):
        return as_integer(Fraction(numerator, denominator))
    if all(coefficient % denominator == 0 for _, coefficient in numerator.terms):
        return floordiv(numerator, denominator)
    return Quotient(numerator, denominator)


def _add(left: Any, right: Any) -> Any:
    (a, b), (c, d) = _fraction(left), _fraction(right)
    return _over(a * d + c * b, b * d)


def multiply(left: Any, right: Any) -> Any:
    """Return the exact product."""
    (a, b), (c, d) = _fraction(left), _fraction(right)
    return _over(a * c, b * d)


def divide(left: Any, right: Any) -> Any:
    """Return the exact quotient; raise `FormulaError` where it has none."""
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
    if isinstance(exponent, Expr):
        raise Undecided(f"{base}**{exponent} is not a polynomial in what was left free")
    if not isinstance(exponent, int) or not 0 <= exponent <= LARGEST_EXPONENT:
        raise FormulaError(f"an exponent must be an integer from 0 to {LARGEST_EXPONENT}")
    result: Any = 1
    for _ in range(exponent):
        result = within_bounds(multiply(result, base))
    return result


OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: _add,
    ast.Sub: lambda left, right: _add(left, multiply(-1, right)),
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: _floor_divide,
    ast.Mod: lambda left, right: _add(left, multiply(-1, multiply(right, _floor_divide(left, right)))),
    ast.Pow: _power,
}
RELATIONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def truth(value: Value) -> bool:
    """Return a value that is true or false; raise `FormulaError` for any other."""
    if isinstance(value, bool):
        return value
    raise FormulaError(f"{quote(value)} is not true or false")


def related(left: Value, relation: str, right: Value) -> bool:
    """Decide a comparison; raise `Undecided` when it depends on what was left free."""
    if any(isinstance(value, (str, bool, list)) or value is None for value in (left, right)):
        if relation not in ("==", "!="):
            raise FormulaError(f"{quote(left)} and {quote(right)} have no order")
        return (type(left) is type(right) and left == right) == (relation == "==")
    (a, b), (c, d) = _fraction(number(left)), _fraction(number(right))
    verdict = decide(a * d, relation, c * b)
    if verdict is None:
        raise Undecided(f"whether {left} {relation} {right} depends on what was left free")
    return verdict


def _extreme(choose: Callable[..., Dim]) -> Callable[..., Any]:
    def pick(*values: Value) -> Any:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        if not items:
            raise FormulaError("min and max need at least one number")
        pairs = [_fraction(number(item)) for item in items]
        common = prod(denominator for _, denominator in pairs)
        return _over(choose(*(n * (common // d) for n, d in pairs)), common)

    return pick


def _entries(name: str, value: Value) -> list[Any]:
    if not isinstance(value, list):
        raise FormulaError(f"{name} takes a list, not {quote(value)}")
    return value


def _sum(value: Value) -> Any:
    total: Any = 0
    for item in _entries("sum", value):
        total = within_bounds(_add(total, number(item)))
    return total


def _make_divisible(value: Value, divisor: Value) -> Any:
    """Return the multiple nearest to a width, at least one divisor and no less than 0.9 of the width.

    max(d, ⌊(v + d/2)/d⌋·d), and d more where that is less than 0.9·v. Source: MobileNet's
    reference code, torchvision.models._utils._make_divisible.
    """
    if not isinstance(divisor, int) or isinstance(divisor, bool) or divisor < 1:
        raise FormulaError(f"make_divisible takes an integer divisor of at least 1, not {quote(divisor)}")
    width = number(value)
    multiple = multiply(_floor_divide(_add(width, as_integer(Fraction(divisor, 2))), divisor), divisor)
    rounded = _extreme(maximum)(divisor, multiple)
    too_small = related(multiply(10, rounded), "<", multiply(9, width))
    return within_bounds(_add(rounded, divisor) if too_small else rounded)


def _checked(name: str, count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Value) -> Any:
        if len(arguments) != count:
            wanted = f"{count} argument" + "s" * (count > 1)
            raise FormulaError(f"{name} takes {wanted}, not {len(arguments)}")
        return function(*arguments)

    return call


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(minimum),
    "max": _extreme(maximum),
    "floor": _checked("floor", 1, lambda value: floordiv(*_fraction(number(value)))),
    "ceil": _checked("ceil", 1, lambda value: ceildiv(*_fraction(number(value)))),
    "len": _checked("len", 1, lambda value: len(_entries("len", value))),
    "make_divisible": _checked("make_divisible", 2, _make_divisible),
    "sum": _checked("sum", 1, _sum),
}
