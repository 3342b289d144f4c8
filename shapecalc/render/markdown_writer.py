"""Pages as GitHub-flavoured Markdown, formulas between dollar signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shapecalc.errors import printable
from shapecalc.render.piece import Column, Facts, Heading, Page, Table, plain
from shapecalc.render.writer import StringWriter

_ACTS = re.compile(r"[\\`*<&|$\[\]~]|(?<![^\W_])_|_(?![^\W_])")
_BEGINS = re.compile(r"^(\s*\d{0,9})([.)#>=+-])", re.MULTILINE)
"""What makes a heading, a list or a quotation at the beginning of a line."""


def markdown(page: Page) -> str:
    """Return a page as Markdown."""
    return _Markdown().page(page)


def escaped(text: str) -> str:
    r"""Return text in which nothing acts; an underscore inside a word does not.

    >>> print(escaped("unet_padded <b> *x* | _y_"))
    unet_padded \<b> \*x\* \| \_y\_
    """
    return _BEGINS.sub(_unbegun, _ACTS.sub(lambda match: f"\\{match[0]}", printable(text)))


def _unbegun(match: re.Match[str]) -> str:
    is_list = bool(match[1].strip())
    after = match.string[match.end() : match.end() + 1]
    if (is_list or match[2] in "+.)") and (match[2] not in ".)+" or after.strip()):
        return match[0]
    return f"{match[1]}\\{match[2]}"


def fenced(text: str, language: str = "text") -> str:
    """Return text in a fence that is longer than any inside it."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


class _Markdown(StringWriter):
    def code(self, text: str) -> str:
        text = printable(text)
        ticks = "`" * (_longest_run(text) + 1)
        padding = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
        return f"{ticks}{padding}{text}{padding}{ticks}"

    def strong(self, text: str) -> str:
        return f"**{escaped(text)}**"

    def words(self, text: str) -> str:
        return escaped(text)

    def heading(self, heading: Heading) -> str:
        return f"{'#' * heading.level} {self.inline(heading.line)}"

    def verbatim(self, text: str) -> str:
        return fenced(text)

    def facts(self, facts: Facts) -> str:
        return "\n".join(f"- {escaped(label)}: {self.inline(line)}" for label, line in facts.labelled)

    def table(self, table: Table) -> str:
        parts = ["\n".join(_rows(table.columns, [*self._cells(table)]))]
        if table.caption:
            parts.insert(0, f"**{escaped(plain(table.caption))}**")
        if table.notes:
            parts.append(self.bullets(table.notes))
        return "\n\n".join(parts)

    def _cells(self, table: Table) -> Iterator[list[str]]:
        yield [self.inline((column.header,)) for column in table.columns]
        for row in table.rows:
            cells = [self.inline(cell).replace("\n", " ") for cell in row.stressed]
            yield ["&ensp;" * row.depth + cells[0], *cells[1:]]


def _rows(columns: Sequence[Column], cells: list[list[str]]) -> Iterator[str]:
    """Yield the lines of a table, its columns as wide as their cells so that the source reads as one."""
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        padded = (
            f"{cell:>{width}}" if column.is_right else f"{cell:<{width}}"
            for cell, width, column in zip(row, widths, columns, strict=True)
        )
        yield f"| {' | '.join(padded)} |"
        if number == 0:
            rules = (
                f"{'-' * (width + 1)}:" if column.is_right else f":{'-' * (width + 1)}"
                for width, column in zip(widths, columns, strict=True)
            )
            yield f"|{'|'.join(rules)}|"
