"""Pieces as LaTeX; what it needs is `amsmath`, and `booktabs` where there is a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.render.piece import (
    Block,
    Bullets,
    Code,
    Facts,
    Fold,
    Heading,
    Inline,
    Line,
    Math,
    Page,
    Paragraph,
    Row,
    Strong,
    Table,
    Verbatim,
)

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    ">": r"$>$",
    "≠": r"$\neq$",
    "≡": r"$\equiv$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
}


def escaped(text: str) -> str:
    r"""Return text in which nothing is a command to LaTeX.

    >>> print(escaped("f_0 & 50%"))
    f\_0 \& 50\%
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


_SIGNS = {
    "·": r" \cdot ",
    "×": r" \times ",
    "…": r" \dots ",
    "≥": r"\geq",
    "≤": r"\leq",
    "≠": r"\neq",
    "≡": r"\equiv",
    "⌊": r"\lfloor ",
    "⌋": r" \rfloor",
    "⌈": r"\lceil ",
    "⌉": r" \rceil",
}
_WORD = re.compile(r"[^\W\d_]\w+")
_MODULUS = re.compile(r"\(mod (\d+)\)")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3})")


def formula_latex(text: str) -> str:
    r"""Return a formula that is known as text: its signs as commands, longer names in one piece.

    >>> print(formula_latex("depth ≥ 2·⌊H/16⌋, or no W"))
    \mathit{depth} \geq 2 \cdot \lfloor H/16 \rfloor, \text{ or } \text{ no } W
    """
    pieces = re.split(r"(\(mod \d+\))", text)
    return "".join(
        rf"\pmod{{{found[1]}}}" if (found := _MODULUS.fullmatch(one)) else _formula_part(one)
        for one in pieces
    )


def _formula_part(text: str) -> str:
    marked = _WORD.sub(lambda found: _word(found[0]), _GROUPED.sub("{,}", text))
    return "".join(_SIGNS.get(character, character) for character in marked)


_WORDS = frozenset({"or", "no", "any", "so", "none", "and", "the", "only", "size", "that", "input", "has"})


def _word(name: str) -> str:
    if name in ("max", "min"):
        return rf"\{name}"
    if name in _WORDS:
        return rf"\text{{ {name} }}"
    return r"\mathit{" + name.replace("_", r"\_") + "}"


def latex(page: Page) -> str:
    """Return a page as the body of a LaTeX document."""
    return "\n\n".join(_block(block) for block in page)


def inline(line: Line) -> str:
    """Return a line of words."""
    return "".join(map(_inline, line))


def _inline(part: Inline) -> str:
    if isinstance(part, Math):
        return f"${part.latex}$"
    if isinstance(part, Code):
        return rf"\texttt{{{escaped(part.text)}}}"
    return rf"\textbf{{{escaped(part.text)}}}" if isinstance(part, Strong) else escaped(part)


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return rf"\{'sub' * min(block.level - 1, 2)}section*{{{inline(block.line)}}}"
    if isinstance(block, Paragraph):
        return inline(block.line)
    if isinstance(block, Verbatim):
        lines = (escaped(line).replace(" ", "~") or "~" for line in block.text.split("\n"))
        return "{\\ttfamily\\noindent\n" + "\\\\\n".join(lines) + "\n}"
    if isinstance(block, Facts):
        rows = ((label, inline(line)) for label, line in block.rows)
        return _listed("description", (rf"\item[{escaped(label)}] {told}" for label, told in rows))
    if isinstance(block, Bullets):
        return _listed("itemize", (rf"\item {inline(line)}" for line in block.lines))
    if isinstance(block, Fold):
        return "\n\n".join([inline(block.summary), latex(block.blocks)])
    return "\n".join(_table(block))


def _listed(environment: str, items: Iterator[str]) -> str:
    return "\n".join([rf"\begin{{{environment}}}", *items, rf"\end{{{environment}}}"])


def _table(table: Table) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"\centering"
    if table.caption:
        yield rf"\caption{{{inline(table.caption)}}}"
    yield rf"\begin{{tabular}}{{{''.join('r' if column.is_right else 'l' for column in table.columns)}}}"
    yield r"\toprule"
    yield " & ".join(escaped(column.header) for column in table.columns) + r" \\"
    yield r"\midrule"
    for row in table.rows:
        if row.is_total:
            yield r"\midrule"
        yield _row(row)
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"


def _row(row: Row) -> str:
    indent = rf"\hspace{{{row.depth}em}}" if row.depth else ""
    return indent + " & ".join(map(inline, row.cells)) + r" \\"
