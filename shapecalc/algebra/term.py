r"""Formulas as they are written down: letters, numbers, and what is done to them in which order.

A `Term` is what a derivation prints: unlike an `Expr`, which is brought to one normal form, it
keeps the order in which a rule computes, so that a reader finds the textbook's formula again.

    Term
    ├── Letter      a name with the value that is put in for it
    ├── Number      a number, or an expression in what is left free
    └── Operation   + - · ⌊/⌋ and so on, over terms

Only what says nothing is left out: x + 0, x·1, ⌊x/1⌋; numbers are taken together (k - 1 + 1 is k)
and x + p + p is x + 2·p. None of that changes a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import ClassVar, TypeAlias

from shapecalc.algebra.expr import Dim
from shapecalc.algebra.expr_text import LATEX, TEXT, Text, grouped
from shapecalc.record import record

Value: TypeAlias = Dim | Fraction

SUM, QUOTIENT, PRODUCT, ATOM = 1, 2, 3, 4
"""How tightly the parts of a term hold together; 0 is what always needs brackets."""


@record
class Letter:
    """A name in a formula, and its value."""

    name: str
    value: Value


@record
class Number:
    """A number in a formula, or an expression in what was left free."""

    value: Value


@record
class Operation:
    """What a rule does to terms.

    The signs are `+ - neg * % ^ max min`, `/` where nothing is left over, `//` for ⌊a/b⌋, `ceil` for ⌈a/b⌉,
    and `scale` for ⌊a·b⌋ multiplied in doubles.
    """

    sign: str
    arguments: tuple[Term, ...]


Term: TypeAlias = Letter | Number | Operation


# ---- building: each returns the term for an operation, without what says nothing

ZERO, ONE = Number(0), Number(1)


def added(left: Term, right: Term) -> Term:
    """Return left + right.

    >>> n, p = Letter("n", 5), Letter("p", 1)
    >>> text(added(added(n, p), p))
    'n + 2·p'
    """
    if right == ZERO:
        return left
    if left == ZERO:
        return right
    if isinstance(right, Number) and isinstance(right.value, int):
        return _shifted(left, right.value)
    return _gathered("+", left, right)


def taken(left: Term, right: Term) -> Term:
    """Return left - right.

    >>> text(added(taken(Letter("k", 3), ONE), ONE))
    'k'
    """
    if right == ZERO:
        return left
    if isinstance(right, Number) and isinstance(right.value, int):
        return _shifted(left, -right.value)
    if left == ZERO:
        return Operation("neg", (right,))
    return _gathered("-", left, right)


def times(left: Term, right: Term) -> Term:
    """Return left·right; a product of products is one product.

    >>> c, k = Letter("C", 3), Letter("k", 5)
    >>> text(times(c, times(k, k)))
    'C·k·k'
    """
    if right == ONE:
        return left
    if left == ONE:
        return right
    if isinstance(left, Number) and isinstance(right, Number):
        if isinstance(left.value, int) and isinstance(right.value, int):
            return Number(left.value * right.value)
    if isinstance(right, Operation) and right.sign == "*":
        first, second = right.arguments
        return times(times(left, first), second)
    return Operation("*", (left, right))


def floored(left: Term, right: Term) -> Term:
    """Return ⌊left/right⌋, as ⌈a/b⌉ where it is ⌊(a + b - 1)/b⌋.

    >>> n, s = Letter("n", 7), Letter("s", 2)
    >>> text(floored(taken(added(n, s), ONE), s)), text(floored(added(n, Number(3)), Number(4)))
    ('⌈n/s⌉', '⌈n/4⌉')
    """
    if right == ONE:
        return left
    if isinstance(left, Operation):
        if left.sign == "-" and left.arguments[1] == ONE:
            inner = left.arguments[0]
            if isinstance(inner, Operation) and inner.sign == "+" and inner.arguments[1] == right:
                return Operation("ceil", (inner.arguments[0], right))
        if left.sign == "+" and isinstance(right, Number) and left.arguments[1] == _shifted(right, -1):
            return Operation("ceil", (left.arguments[0], right))
    return Operation("//", (left, right))


def divided(left: Term, right: Term) -> Term:
    """Return left/right, where nothing is left over."""
    return left if right == ONE else Operation("/", (left, right))


def operation(sign: str, *arguments: Term) -> Term:
    """Return the term for an operation, simplified where there is a rule for it."""
    rules = {"+": added, "-": taken, "*": times, "//": floored, "/": divided}
    return rules[sign](*arguments) if sign in rules else Operation(sign, arguments)


def _shifted(term: Term, by: int) -> Term:
    """Return the term with a number added, to the number at its end if there is one."""
    if isinstance(term, Number) and isinstance(term.value, int):
        return Number(term.value + by)
    if isinstance(term, Operation) and term.sign in ("+", "-"):
        first, last = term.arguments
        if isinstance(last, Number) and isinstance(last.value, int):
            return _shifted(first, by + (last.value if term.sign == "+" else -last.value))
    return Operation("+" if by > 0 else "-", (term, Number(abs(by)))) if by else term


def _gathered(sign: str, left: Term, right: Term) -> Term:
    """Return the sum or difference; the same term twice running becomes twice the term."""
    if sign == "+" and left == right:
        return times(Number(2), right)
    if isinstance(left, Operation) and left.sign == sign and left.arguments[1] == right:
        return Operation(sign, (left.arguments[0], times(Number(2), right)))
    return Operation(sign, (left, right))


# ---- looking inside


def letters(term: Term) -> Iterator[Letter]:
    """Yield the letters of a term, from left to right, each as often as it occurs."""
    if isinstance(term, Letter):
        yield term
    elif isinstance(term, Operation):
        for argument in term.arguments:
            yield from letters(argument)


def renamed(term: Term, names: Mapping[Term, Letter]) -> Term:
    """Return the term with a letter in place of every part that has a name of its own.

    >>> n, k = Letter("n", 7), Letter("k", 3)
    >>> out = added(taken(n, k), ONE)
    >>> text(renamed(times(out, k), {out: Letter("n_out", 5)}))
    'n_out·k'
    """
    if term in names:
        return names[term]
    if not isinstance(term, Operation):
        return term
    return Operation(term.sign, tuple(renamed(argument, names) for argument in term.arguments))


def inserted(term: Term) -> Term:
    """Return the term with every letter replaced by its value."""
    if isinstance(term, Letter):
        return Number(term.value)
    if not isinstance(term, Operation):
        return term
    return Operation(term.sign, tuple(map(inserted, term.arguments)))


# ---- writing


def text(term: Term) -> str:
    """Return a term as one line of text.

    >>> n, k, s = Letter("n", 224), Letter("k", 7), Letter("s", 2)
    >>> formula = added(floored(taken(n, k), s), ONE)
    >>> text(formula), text(inserted(formula))
    ('⌊(n - k)/s⌋ + 1', '⌊(224 - 7)/2⌋ + 1')
    """
    return TextWriter().write(term)


def latex(term: Term) -> str:
    r"""Return a term as LaTeX, without the dollar signs.

    >>> print(latex(times(Letter("C_out", 6), Letter("k", 5))))
    C_{\mathrm{out}} \cdot k
    """
    return _Latex().write(term)


class TextWriter:
    """How each part of a term is written; a subclass writes another language, or numbers differently."""

    expressions: Text = TEXT
    """What writes expressions, and the brackets and calls of terms."""
    infix: ClassVar[dict[str, str]] = {"+": " + ", "-": " - ", "*": "·", "%": " mod "}
    fraction_holds: int = QUOTIENT

    def write(self, term: Term) -> str:
        return self.part(term)[0]

    def part(self, term: Term) -> tuple[str, int]:
        """Return the text and how tightly it holds together."""
        if isinstance(term, Letter):
            return self.name(term.name), ATOM
        if isinstance(term, Number):
            return self.number(term.value)
        return self.operation(term.sign, *term.arguments)

    def within(self, term: Term, strength: int) -> str:
        """Return the text, in brackets where the surrounding operation binds tighter."""
        text, holds = self.part(term)
        return text if holds >= strength else self.bracketed(text)

    def operation(self, sign: str, left: Term, *others: Term) -> tuple[str, int]:
        """Return an operation and how tightly it holds together."""
        if sign in _INFIX:
            before, after, holds = _INFIX[sign]
            return f"{self.within(left, before)}{self.infix[sign]}{self.within(others[0], after)}", holds
        match sign:
            case "neg":
                return f"-{self.within(left, PRODUCT)}", SUM
            case "/":
                return self.over(left, *others), self.fraction_holds
            case "//":
                return self.expressions.floored(self.over(left, *others)), ATOM
            case "ceil":
                return self.expressions.ceiled(self.over(left, *others)), ATOM
            case "scale":
                return self.expressions.floored(self.operation("*", left, *others)[0]), ATOM
            case "^":
                return self.power(left, *others), ATOM
        return self.expressions.call(sign, map(self.write, (left, *others))), ATOM

    def bracketed(self, text: str) -> str:
        return f"({text})"

    def name(self, name: str) -> str:
        return name

    def number(self, value: Value) -> tuple[str, int]:
        if isinstance(value, Fraction):
            return fraction_text(value), _strength(fraction_text(value))
        return self.expressions.sum(value), _strength(grouped(value))

    def over(self, left: Term, right: Term) -> str:
        return f"{self.within(left, PRODUCT)}/{self.within(right, ATOM)}"

    def power(self, left: Term, right: Term) -> str:
        return f"{self.within(left, ATOM)}^{self.within(right, ATOM)}"


_INFIX = {
    "+": (SUM, SUM, SUM),
    "-": (SUM, QUOTIENT, SUM),
    "*": (PRODUCT, ATOM, PRODUCT),
    "%": (PRODUCT, ATOM, 0),
}
"""How tightly each side has to hold together, and how tightly the result does."""


class _Latex(TextWriter):
    expressions = LATEX
    infix: ClassVar[dict[str, str]] = {"+": " + ", "-": " - ", "*": r" \cdot ", "%": r" \bmod "}
    fraction_holds = PRODUCT

    def bracketed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def name(self, name: str) -> str:
        head, _, index = name.partition("_")
        if len(head) > 1 or not index:
            return self.expressions.symbol(name)
        return f"{head}_{{{index}}}" if len(index) == 1 else rf"{head}_{{\mathrm{{{index}}}}}"

    def over(self, left: Term, right: Term) -> str:
        return self.expressions.fraction(self.write(left), self.write(right))

    def power(self, left: Term, right: Term) -> str:
        return f"{{{self.within(left, ATOM)}}}^{{{self.write(right)}}}"


def _strength(text: str) -> int:
    """Return how tightly a number or an expression holds together, from what is outside its brackets."""
    outside = outer(text)
    if " " in outside or outside.startswith("-"):
        return 0
    if "/" in outside:
        return QUOTIENT
    return PRODUCT if "·" in outside or "^" in outside else ATOM


def outer(text: str) -> str:
    """Return a formula with everything inside brackets blotted out by dots, each in its place.

    >>> outer("16·(⌊H/4⌋ - 3) + 1")
    '16·............ + 1'
    """
    depth, kept = 0, []
    for character in text:
        depth += character in "(⌊⌈"
        kept.append("." if depth else character)
        depth -= character in ")⌋⌉"
    return "".join(kept)


def fraction_text(value: Fraction) -> str:
    """Return a fraction as the decimal that it is, or as a/b.

    >>> fraction_text(Fraction(29, 100)), fraction_text(Fraction(4, 3))
    ('0.29', '4/3')
    """
    decimal = repr(float(value))
    is_plain = decimal.replace(".", "", 1).isdigit()
    return decimal if is_plain and Fraction(decimal) == value else str(value)
