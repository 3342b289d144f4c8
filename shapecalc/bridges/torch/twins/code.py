"""Python source as expressions of `ast`: how they are made, and laid out in lines.

A call is on one line where it fits, else one argument a line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

WIDTH = 88
_STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


# ---- expressions


def expression(source: str) -> ast.expr:
    """Return the expression of a source text."""
    return ast.parse(source, mode="eval").body


def call(function: str | ast.expr, /, *unnamed: ast.expr, **named: ast.expr) -> ast.Call:
    """Return a call with these arguments."""
    callee = expression(function) if isinstance(function, str) else function
    return ast.Call(callee, [*unnamed], [ast.keyword(key, code) for key, code in named.items()])


def loop(element: ast.expr, variable: str, count: ast.expr) -> ast.expr:
    """Return an element over and over, as a starred comprehension has it."""
    over = ast.comprehension(ast.Name(variable), call("range", count), [], is_async=0)
    return ast.Starred(ast.ListComp(element, [over]))


def infix(sign: ast.operator, operands: Sequence[ast.expr]) -> ast.expr:
    """Return expressions with an operator between them."""
    return reduce(lambda left, right: ast.BinOp(left, sign, right), operands)


def literal(value: Any) -> ast.expr:
    """Return a plain value as Python writes it."""
    if isinstance(value, Fraction):
        value = float(value)
    if isinstance(value, (list, tuple)):
        return ast.Tuple([literal(item) for item in value], ast.Load())
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return call("float", ast.Constant(str(value)))
    if value is None or isinstance(value, (bool, int, float, str)):
        return expression(repr(value))
    raise TypeError(f"{value!r} is no plain value")


# ---- text


def text(code: ast.expr) -> str:
    """Return an expression on one line, its strings in double quotes."""
    return _STRING.sub(lambda match: quoted(ast.literal_eval(match[0])), ast.unparse(code))


def quoted(value: str) -> str:
    """Return a string in double quotes, with everything escaped that is not plain."""
    escaped = value.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"'


def laid(code: ast.expr, indent: int, before: str = "", after: str = "") -> str:
    """Return an expression with the text before and after it, broken where it is too long.

    >>> print(laid(expression("nn.Linear(4096, 1000)"), 4, "self.fc = "))
        self.fc = nn.Linear(4096, 1000)
    """
    pad, inner = " " * indent, indent + 4
    line = f"{pad}{before}{text(code)}{after}"
    if len(line) <= WIDTH:
        return line
    opening, closing, comma = "(", ")", ","
    pieces: list[tuple[str, ast.expr]] = []
    match code:
        case ast.Call(function, unnamed, named):
            opening = f"{text(function)}("
            pieces = [*(("", item) for item in unnamed), *((f"{each.arg}=", each.value) for each in named)]
        case ast.Tuple(items):
            pieces = [("", item) for item in items]
        case ast.List(items):
            opening, closing, pieces = "[", "]", [("", item) for item in items]
        case ast.Dict(keys, values):
            opening, closing = "{", "}"
            pieces = [(f"{text(key)}: ", item) for key, item in zip(keys, values, strict=True) if key]
        case ast.Starred(ast.ListComp(element, [over])):
            opening, closing, comma = "*[", "]", ""
            pieces = [("", element), (f"for {text(over.target)} in ", over.iter)]
        case ast.IfExp(condition, then, otherwise):
            comma, pieces = "", [("", then), ("if ", condition), ("else ", otherwise)]
        case ast.BinOp(_, ast.Add() | ast.Mult() as sign, _):
            first, *others = _operands(code, type(sign))
            word = "+ " if isinstance(sign, ast.Add) else "* "
            comma, pieces = "", [("", first), *((word, operand) for operand in others)]
    if not pieces:
        return line
    together = f"{comma} ".join(front + text(item) for front, item in pieces)
    if opening.endswith("(") and len(pieces) > 1 and inner + len(together) <= WIDTH:
        inside = [f"{pad}    {together}"]
    else:
        inside = [laid(item, inner, front, comma) for front, item in pieces]
    return "\n".join([f"{pad}{before}{opening}", *inside, f"{pad}{closing}{after}"])


def _operands(code: ast.expr, sign: type[ast.operator]) -> list[ast.expr]:
    if isinstance(code, ast.BinOp) and isinstance(code.op, sign):
        return [*_operands(code.left, sign), code.right]
    return [code]
