"""Pieces as GitHub-flavoured Markdown, formulas between dollar signs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.errors import printable
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
    Strong,
    Table,
    Verbatim,
    plain,
)

_ACTS = re.compile(r"[\\`*<&|$\[\]~]|(?<![^\W_])_|_(?![^\W_])")
_BEGINS = re.compile(r"^(\s*\d{0,9})([.)#>=+-])", re.MULTILINE)
"""What makes a heading, a list or a quotation at the beginning of a line."""


def escaped(text: str) -> str:
    r"""Return text in which nothing acts; an underscore inside a word does not.

    >>> print(escaped("unet_padded <b> *x* | _y_"))
    unet_padded \<b> \*x\* \| \_y\_
    """
    return _BEGINS.sub(_unbegun, _ACTS.sub(lambda found: f"\\{found[0]}", printable(text)))


def _unbegun(found: re.Match[str]) -> str:
    is_list = bool(found[1].strip())
    after = found.string[found.end() : found.end() + 1]
    if (is_list or found[2] in "+.)") and (found[2] not in ".)+" or after.strip()):
        return found[0]
    return f"{found[1]}\\{found[2]}"


def code(text: str) -> str:
    """Return text as a code span, whatever backticks it holds."""
    text = printable(text)
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def fenced(text: str, language: str = "text") -> str:
    """Return text in a fence that is longer than any inside it."""
    ticks = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def markdown(page: Page) -> str:
    """Return a page as Markdown."""
    return "\n\n".join(_block(block) for block in page)


def inline(line: Line) -> str:
    """Return a line of words."""
    return "".join(map(_inline, line))


def _inline(part: Inline) -> str:
    if isinstance(part, Math):
        return f"${part.latex}$"
    if isinstance(part, Code):
        return code(part.text)
    return f"**{escaped(part.text)}**" if isinstance(part, Strong) else escaped(part)


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {inline(block.line)}"
    if isinstance(block, Paragraph):
        return inline(block.line)
    if isinstance(block, Verbatim):
        return fenced("\n".join(map(printable, block.text.split("\n"))))
    if isinstance(block, Facts):
        return "\n".join(f"- {escaped(label)}: {inline(line)}" for label, line in _labelled(block))
    if isinstance(block, Bullets):
        return "\n".join(f"- {inline(line)}" for line in block.lines)
    if isinstance(block, Fold):
        return "\n\n".join([inline(block.summary), markdown(block.blocks)])
    return "\n".join(_table(block))


def _labelled(facts: Facts) -> Iterator[tuple[str, Line]]:
    last = ""
    for label, line in facts.rows:
        last = label or last
        yield last, line


def _table(table: Table) -> Iterator[str]:
    if table.caption:
        yield f"**{escaped(plain(table.caption))}**"
        yield ""
    yield _row(tuple((column.header,) for column in table.columns))
    yield f"|{'|'.join('---:' if column.is_right else ':---' for column in table.columns)}|"
    for row in table.rows:
        indent = "&ensp;" * row.depth
        yield _row(row.stressed, indent)


def _row(cells: tuple[Line, ...], indent: str = "") -> str:
    return f"| {indent}{' | '.join(inline(cell).replace(chr(10), ' ') for cell in cells)} |"
