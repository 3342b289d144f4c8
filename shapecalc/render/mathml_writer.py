"""Formulas as MathML, which every browser renders without a script or a request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from shapecalc.render.text_formula import COMMANDS

_TOKEN = re.compile(
    r"\\text\{(?P<words>[^{}]*)\}"
    r"|\\math(?:it|rm)\{(?P<name>(?:[^{}\\]|\\_)*)\}"
    r"|\\pmod\{(?P<modulus>\d+)\}"
    r"|\\(?P<command>[A-Za-z]+|[,_ ])"
    r"|(?P<number>\d+(?:\{,\}\d{3})*(?:\.\d+)?)"
    r"|(?P<sign>[{}^_])"
    r"|(?P<letter>[^\W\d_])"
    r"|(?P<operator>[^\s])"
)
_OPERATORS = {command: sign for sign, command in COMMANDS.items()} | {"bmod": "mod"}
_SPACES = {",": "0.17em", "quad": "1em", " ": "0.25em"}


def mathml(latex: str) -> str:
    r"""Return a formula as MathML; it knows the LaTeX that shapecalc writes and shows the rest as it is.

    >>> mathml(r"\frac{H}{2} + 1")
    '<math><mfrac><mi>H</mi><mn>2</mn></mfrac><mo>+</mo><mn>1</mn></math>'
    """
    return f"<math>{_Reader(latex).formula()}</math>"


class _Reader:
    """Reads a formula from left to right."""

    def __init__(self, latex: str) -> None:
        self.tokens: list[re.Match[str]] = [*_TOKEN.finditer(latex)]
        self.at = 0

    def peek(self, sign: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at]["sign"] == sign

    def next(self) -> re.Match[str]:
        self.at += 1
        return self.tokens[self.at - 1]

    def formula(self) -> str:
        return "".join(self.items())

    def items(self) -> Iterator[str]:
        """Yield the elements up to the end or to a closing brace."""
        while self.at < len(self.tokens) and not self.peek("}"):
            yield self.raised(self.item())

    def raised(self, base: str) -> str:
        """Return a base with the index and the exponent that follow it."""
        under = over = ""
        while self.peek("_") or self.peek("^"):
            if self.next()["sign"] == "_":
                under = self.group()
            else:
                over = self.group()
        if under and over:
            return f"<msubsup>{base}{under}{over}</msubsup>"
        if under:
            return f"<msub>{base}{under}</msub>"
        return f"<msup>{base}{over}</msup>" if over else base

    def group(self) -> str:
        """Return what is in braces as one element, or the next item alone."""
        if self.at == len(self.tokens):
            return "<mrow></mrow>"
        if not self.peek("{"):
            return self.item()
        self.next()
        items = [*self.items()]
        if self.peek("}"):
            self.next()
        return items[0] if len(items) == 1 else f"<mrow>{''.join(items)}</mrow>"

    def item(self) -> str:
        if self.peek("{"):
            return self.group()
        token = self.next()
        kind = token.lastgroup
        text = token[kind] if kind else ""
        if kind == "number":
            return f"<mn>{text.replace('{,}', ',')}</mn>"
        if kind == "letter":
            return f"<mi>{escape(text)}</mi>"
        if kind == "words":
            return f"<mtext>{escape(text.replace(' ', chr(160)))}</mtext>"
        if kind == "name":
            upright = ' mathvariant="normal"' if len(text) == 1 else ""
            return f"<mi{upright}>{escape(text.replace(chr(92), ''))}</mi>"
        if kind == "modulus":
            inside = f"<mtext>mod\N{NO-BREAK SPACE}</mtext><mn>{text}</mn>"
            return f'<mspace width="0.5em"/>{_operator("(")}{inside}{_operator(")")}'
        return self.command(text) if kind == "command" else _operator(_MINUS.get(text, text))

    def command(self, name: str) -> str:
        if name == "frac":
            return f"<mfrac>{self.group()}{self.group()}</mfrac>"
        if name in ("left", "right") and self.at < len(self.tokens):
            token = self.next()
            sign = _OPERATORS.get(token["command"] or "", token[0])
            return _operator(sign, ' stretchy="true"')
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"/>'
        if name in ("max", "min"):
            return f"<mi>{name}</mi>"
        return _operator(_OPERATORS.get(name, name))


_MINUS = {"-": "−"}
_FORMS = dict.fromkeys("([⌊⌈", "prefix") | dict.fromkeys(")]⌋⌉", "postfix")


def _operator(sign: str, attributes: str = "") -> str:
    """Return a sign; a bracket has its side, or a browser spaces it like a plus."""
    if sign in _FORMS:
        attributes = f' form="{_FORMS[sign]}"{attributes or _OF_ITS_SIZE}'
    return f"<mo{attributes}>{escape(sign)}</mo>"


_OF_ITS_SIZE = ' stretchy="false"'
