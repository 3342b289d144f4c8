"""Pages as reStructuredText, with tables that any docutils reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.errors import printable
from shapecalc.render.piece import Facts, Heading, Line, Math, Page, Row, Table
from shapecalc.render.writer import StringWriter

_ACTS = re.compile(r"[\\`*|]|_(?!\w)|(?<=:):")
"""What marks something up within a line."""
_BEGINS = re.compile(
    r"""^(?=[-+•‣⁃](?:\s|$)|\.\.(?:\s|$)|>>>|:\S|\(?\w+[.)](?:\s|$)|__(?:\s|$)|([!-/:-@\[-`{-~])\1*\s*$)"""
)
"""What a line begins with that is more than a line of words."""


def rst(page: Page) -> str:
    """Return a page as reStructuredText; its headings are rubrics, which are allowed anywhere."""
    return _Rst().page(page)


def escaped(text: str) -> str:
    r"""Return a line of text in which nothing acts.

    >>> print(escaped("a_b *c* d_"), escaped("- 4.1 M"), sep="; ")
    a_b \*c\* d\_; \- 4.1 M
    """
    return _BEGINS.sub(r"\\", _within(text))


def _within(text: str) -> str:
    return _ACTS.sub(lambda match: f"\\{match[0]}", printable(text))


def literal(text: str, language: str = "text") -> str:
    """Return text as a block whose columns and line ends are kept."""
    lines = (f"    {printable(line)}".rstrip() for line in text.split("\n"))
    return "\n".join([f".. code-block:: {language}", "", *lines])


class _Rst(StringWriter):
    def inline(self, line: Line) -> str:
        """Write a line; markup is separated from what it touches."""
        parts = [(isinstance(part, str), self.part(part)) for part in line if part != ""]
        if parts and parts[0][0]:
            parts[0] = (True, _BEGINS.sub(r"\\", parts[0][1]))
        joined = ""
        for number, (is_text, written) in enumerate(parts):
            was_text = number == 0 or parts[number - 1][0]
            touches = number > 0 and not (is_text and was_text)
            gap = touches and not joined[-1:].isspace() and not written[:1].isspace()
            gap = gap and not (is_text and written[:1] in ",.;!?)")
            joined += rf"\ {written}" if gap else written
        return joined

    def math(self, part: Math) -> str:
        return f":math:`{part.latex}`"

    def code(self, text: str) -> str:
        text = printable(text)
        return _within(text) if "`" in text or text != text.strip() or text.endswith("\\") else f"``{text}``"

    def strong(self, text: str) -> str:
        return f"**{_within(text.strip())}**" if text.strip() else ""

    def words(self, text: str) -> str:
        return _within(text)

    def heading(self, heading: Heading) -> str:
        return f".. rubric:: {self.inline(heading.line)}"

    def verbatim(self, text: str) -> str:
        return literal(text)

    def facts(self, facts: Facts) -> str:
        return "\n".join(self._facts(facts))

    def _facts(self, facts: Facts) -> Iterator[str]:
        for number, (label, line) in enumerate(facts.rows):
            if label:
                yield from (*([""] if number else []), escaped(label))
            elif number:
                yield ""
            yield f"   {self.inline(line)}"

    def table(self, table: Table) -> str:
        text = "\n".join(self._rows(table))
        return f"{text}\n\n{self.bullets(table.notes)}" if table.notes else text

    def _rows(self, table: Table) -> Iterator[str]:
        yield f".. list-table:: {self.inline(table.caption)}".rstrip()
        yield from ("   :header-rows: 1", "")
        yield from self._row(Row(tuple((column.header,) for column in table.columns)))
        for row in table.rows:
            yield from self._row(row)

    def _row(self, row: Row) -> Iterator[str]:
        for number, cell in enumerate(row.stressed):
            indent = "\N{NO-BREAK SPACE}" * (2 * row.depth) if number == 0 else ""
            yield f"   {'  ' if number else '* '}- {indent}{self.inline(cell)}".rstrip(" ")
