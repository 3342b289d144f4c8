"""The layout of Python source: a call is on one line where it fits, else one argument a line."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

WIDTH = 88


@dataclass(frozen=True)
class Call:
    """A call, or anything else in brackets with commas in it."""

    name: str
    arguments: tuple[tuple[str, Code], ...]
    """Each with the text before it: nothing, or `name=`, or `"key": `."""
    brackets: str = "()"


@dataclass(frozen=True)
class Loop:
    """An element over and over, as a starred comprehension has it."""

    element: Code
    variable: str
    count: str


@dataclass(frozen=True)
class Choice:
    """One code under a condition, another otherwise."""

    condition: str
    then: Code
    otherwise: Code


@dataclass(frozen=True)
class Infix:
    """Codes with a sign between them."""

    sign: str
    operands: tuple[Code, ...]


Code: TypeAlias = str | Call | Loop | Choice | Infix


def flat(code: Code) -> str:
    """Return a code on one line."""
    match code:
        case Call(name, arguments, brackets):
            inside = ", ".join(before + flat(argument) for before, argument in arguments)
            return f"{name}{brackets[0]}{inside}{brackets[1]}"
        case Loop(element, variable, count):
            return f"*[{flat(element)} for {variable} in range({count})]"
        case Choice(condition, then, otherwise):
            return f"{flat(then)} if {condition} else {flat(otherwise)}"
        case Infix(sign, operands):
            return f" {sign} ".join(map(flat, operands))
    return code


def laid(code: Code, indent: int, before: str = "", after: str = "") -> str:
    """Return a code with the text before and after it, broken where it is too long.

    >>> print(laid(Call("nn.Linear", (("", "4096"), ("", "1000"))), 4, "self.fc = "))
        self.fc = nn.Linear(4096, 1000)
    """
    pad, inner = " " * indent, indent + 4
    line = pad + before + flat(code) + after
    if len(line) <= WIDTH or isinstance(code, str):
        return line
    opening, closing, together = "(", ")", flat(code)
    match code:
        case Call(name, arguments, brackets):
            opening, closing = f"{name}{brackets[0]}", brackets[1]
            is_list = len(arguments) < 2 or brackets != "()"
            together = "" if is_list else ", ".join(first + flat(argument) for first, argument in arguments)
            inside = [laid(argument, inner, first, ",") for first, argument in arguments]
        case Loop(element, variable, count):
            opening, closing, together = "*[", "]", ""
            inside = [laid(element, inner), f"{pad}    for {variable} in range({count})"]
        case Choice(condition, then, otherwise):
            inside = [laid(then, inner), f"{pad}    if {condition}", laid(otherwise, inner, "else ")]
        case Infix(sign, operands):
            signs = ["", *[f"{sign} "] * (len(operands) - 1)]
            inside = [laid(operand, inner, first) for first, operand in zip(signs, operands, strict=True)]
    if together and inner + len(together) <= WIDTH:
        inside = [f"{pad}    {together}"]
    return "\n".join([f"{pad}{before}{opening}", *inside, f"{pad}{closing}{after}"]) if inside else line


def call(name: str, *unnamed: Code, **named: Code) -> Call:
    """Return a call with these arguments."""
    return Call(
        name, (*(("", code) for code in unnamed), *((f"{key}=", code) for key, code in named.items()))
    )


def code_of(tree: ast.expr) -> Code:
    """Return an expression as code that may be broken: a tuple between its items."""
    if isinstance(tree, ast.Tuple) and len(tree.elts) > 1:
        return Call("", tuple(("", code_of(item)) for item in tree.elts))
    return text(tree)


def text(tree: ast.expr) -> str:
    """Return an expression as a formatter writes it: strings in double quotes."""
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        return quoted(tree.value)
    if isinstance(tree, ast.Tuple):
        inside = ", ".join(map(text, tree.elts))
        return f"({inside},)" if len(tree.elts) == 1 else f"({inside})"
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return f"{tree.func.id}({', '.join(map(text, tree.args))})"
    return ast.unparse(tree)


def literal(value: Any) -> ast.expr:
    """Return a plain value as Python writes it."""
    if isinstance(value, Fraction):
        value = float(value)
    if isinstance(value, (list, tuple)):
        return ast.Tuple([literal(item) for item in value], ast.Load())
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return ast.Call(ast.Name("float"), [ast.Constant(str(value))], [])
    if value is None or isinstance(value, (bool, int, float, str)):
        return ast.parse(repr(value), mode="eval").body
    raise TypeError(f"{value!r} is no plain value")


def value_text(value: Any) -> str:
    """Return the text of a plain value."""
    return text(literal(value))


def quoted(value: str) -> str:
    """Return a string in double quotes, with everything escaped that is not plain.

    >>> print(quoted("two words"))
    "two words"
    """
    escaped = value.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"'
