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
    return f"<math>{''.join(_Reader(latex).items())}</math>"


class _Reader:
    """Reads a formula from left to right; the last of `tokens` is the next."""

    def __init__(self, latex: str) -> None:
        self.tokens: list[re.Match[str]] = [*_TOKEN.finditer(latex)][::-1]

    def takes(self, sign: str) -> bool:
        """Return whether the next token is a sign, and pass over it."""
        return self.comes(sign) and bool(self.tokens.pop())

    def comes(self, sign: str) -> bool:
        return bool(self.tokens) and self.tokens[-1]["sign"] == sign

    def items(self) -> Iterator[str]:
        """Yield the elements up to the end or to a closing brace."""
        while self.tokens and not self.comes("}"):
            yield self.raised(self.item())

    def raised(self, base: str) -> str:
        """Return a base with the index and the exponent that follow it."""
        marks = {"_": "", "^": ""}
        while self.comes("_") or self.comes("^"):
            sign = self.tokens.pop()["sign"]
            marks[sign] = self.group()
        tag = f"m{'sub' * bool(marks['_'])}{'sup' * bool(marks['^'])}"
        return base if tag == "m" else f"<{tag}>{base}{marks['_']}{marks['^']}</{tag}>"

    def group(self) -> str:
        """Return what is in braces as one element, or the next item alone."""
        if self.tokens and not self.takes("{"):
            return self.item()
        items = [*self.items()]
        self.takes("}")
        return items[0] if len(items) == 1 else f"<mrow>{''.join(items)}</mrow>"

    def item(self) -> str:
        if self.comes("{"):
            return self.group()
        token = self.tokens.pop()
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
        return self.command(text) if kind == "command" else _operator("−" if text == "-" else text)

    def command(self, name: str) -> str:
        if name == "frac":
            return f"<mfrac>{self.group()}{self.group()}</mfrac>"
        if name in ("left", "right") and self.tokens:
            token = self.tokens.pop()
            sign = _OPERATORS.get(token["command"] or "", token[0])
            return _operator(sign, ' stretchy="true"')
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"/>'
        if name in ("max", "min"):
            return f"<mi>{name}</mi>"
        return _operator(_OPERATORS.get(name, name))


_FORMS = dict.fromkeys("([⌊⌈", "prefix") | dict.fromkeys(")]⌋⌉", "postfix")


def _operator(sign: str, attributes: str = "") -> str:
    """Return a sign; a bracket has its side, or a browser spaces it like a plus."""
    if sign in _FORMS:
        attributes = f' form="{_FORMS[sign]}"' + (attributes or ' stretchy="false"')
    return f"<mo{attributes}>{escape(sign)}</mo>"
