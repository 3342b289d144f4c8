"""Formulas that are known as text only, such as a set of sizes, as LaTeX."""

from __future__ import annotations

import re

from shapecalc.render.piece import Math


def formula(text: str) -> Math:
    r"""Return a formula that is known as text.

    >>> print(formula("H, W ≡ 0 (mod 16), H ≥ 63").latex)
    H, W \equiv 0 \pmod{16}, H \geq 63
    """
    return Math(formula_latex(text), text)


_NAMES = ["cdot", "times", "dots", "geq", "leq", "neq", "equiv", "lfloor", "rfloor", "lceil", "rceil"]
COMMANDS = dict(zip("·×…≥≤≠≡⌊⌋⌈⌉", _NAMES, strict=True))
"""What LaTeX calls each sign."""
_SIGNS = {
    sign: f"{' ' * (sign in '·×…⌋⌉')}\\{command}{' ' * (sign in '·×…⌊⌈')}"
    for sign, command in COMMANDS.items()
}
_WORD = re.compile(r"[^\W\d_]\w+")
_MODULUS = re.compile(r"\(mod (\d+)\)")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")


def formula_latex(text: str) -> str:
    r"""Return a formula that is known as text: its signs as commands, a longer name as one word.

    >>> print(formula_latex("depth ≥ 2·⌊H/16⌋, or no W"))
    \mathit{depth} \geq 2 \cdot \lfloor H/16 \rfloor, \text{ or } \text{ no } W
    """
    parts = re.split(r"(\(mod \d+\))", text)
    return "".join(
        rf"\pmod{{{match[1]}}}" if (match := _MODULUS.fullmatch(part)) else _formula_part(part)
        for part in parts
    )


def _formula_part(text: str) -> str:
    marked = _WORD.sub(lambda match: _word(match[0]), _GROUPED.sub("{,}", text))
    return "".join(_SIGNS.get(character, character) for character in marked)


_WORDS = frozenset({"or", "no", "any", "so", "none", "and", "the", "only", "size", "that", "input", "has"})


def _word(name: str) -> str:
    if name in ("max", "min"):
        return rf"\{name}"
    if name in _WORDS:
        return rf"\text{{ {name} }}"
    return r"\mathit{" + name.replace("_", r"\_") + "}"
