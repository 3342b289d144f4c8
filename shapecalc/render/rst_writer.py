"""Pieces as reStructuredText, with tables that any docutils reads."""

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
    Row,
    Strong,
    Table,
    Verbatim,
)

_ACTS = re.compile(r"[\\`*|]|_(?!\w)|(?<=:):")
"""What marks something up within a line."""
_BEGINS = re.compile(
    r"""^(?=[-+•‣⁃](?:\s|$)|\.\.(?:\s|$)|>>>|:\S|\(?\w+[.)](?:\s|$)|__(?:\s|$)|([!-/:-@\[-`{-~])\1*\s*$)"""
)
"""What a line begins with that is more than a line of words."""


def escaped(text: str) -> str:
    r"""Return a line of text in which nothing acts.

    >>> print(escaped("a_b *c* d_"), escaped("- 4.1 M"), sep="; ")
    a_b \*c\* d\_; \- 4.1 M
    """
    return _BEGINS.sub(r"\\", _within(text))


def _within(text: str) -> str:
    return _ACTS.sub(lambda found: f"\\{found[0]}", printable(text))


def rst(page: Page) -> str:
    """Return a page as reStructuredText; its headings are rubrics, which may stand anywhere."""
    return "\n\n".join(_block(block) for block in page)


def inline(line: Line) -> str:
    """Return a line of words; what is marked up is parted from what it touches."""
    parts = [(isinstance(part, str), _inline(part)) for part in line if part != ""]
    if parts and parts[0][0]:
        parts[0] = (True, _BEGINS.sub(r"\\", parts[0][1]))
    found = ""
    for number, (is_text, said) in enumerate(parts):
        was_text = number == 0 or parts[number - 1][0]
        touches = number > 0 and not (is_text and was_text)
        gap = touches and not found[-1:].isspace() and not said[:1].isspace()
        gap = gap and not (is_text and said[:1] in ",.;!?)")
        found += rf"\ {said}" if gap else said
    return found


def _inline(part: Inline) -> str:
    if isinstance(part, Math):
        return f":math:`{part.latex}`"
    if isinstance(part, Code):
        text = printable(part.text)
        return _within(text) if "`" in text or text != text.strip() or text.endswith("\\") else f"``{text}``"
    if isinstance(part, Strong):
        return f"**{_within(part.text.strip())}**" if part.text.strip() else ""
    return _within(part)


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f".. rubric:: {inline(block.line)}"
    if isinstance(block, Paragraph):
        return inline(block.line)
    if isinstance(block, Verbatim):
        return literal(block.text)
    if isinstance(block, Facts):
        return "\n".join(_facts(block))
    if isinstance(block, Bullets):
        return "\n".join(f"- {inline(line)}" for line in block.lines)
    if isinstance(block, Fold):
        return "\n\n".join([inline(block.summary), rst(block.blocks)])
    return "\n".join(_table(block))


def literal(text: str, language: str = "text") -> str:
    """Return text as a block whose columns and line ends stand."""
    lines = (f"    {printable(line)}".rstrip() for line in text.split("\n"))
    return "\n".join([f".. code-block:: {language}", "", *lines])


def _facts(facts: Facts) -> Iterator[str]:
    for number, (label, line) in enumerate(facts.rows):
        if label:
            yield from (*([""] if number else []), escaped(label))
        elif number:
            yield ""
        yield f"   {inline(line)}"


def _table(table: Table) -> Iterator[str]:
    yield f".. list-table:: {inline(table.caption)}".rstrip()
    yield "   :header-rows: 1"
    yield ""
    yield from _row(Row(tuple((column.header,) for column in table.columns)))
    for row in table.rows:
        yield from _row(row)


def _row(row: Row) -> Iterator[str]:
    for number, cell in enumerate(row.stressed):
        indent = "\N{NO-BREAK SPACE}" * (2 * row.depth) if number == 0 else ""
        yield f"   {'  ' if number else '* '}- {indent}{inline(cell)}".rstrip(" ")
