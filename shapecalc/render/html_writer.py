"""Pieces as HTML: no script, no style sheet needed, every name escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from shapecalc.errors import printable
from shapecalc.render.mathml_writer import mathml
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

_RIGHT = ' style="text-align: right"'
_LEFT = ' style="text-align: left"'


def html(page: Page, first_heading: int = 3) -> str:
    """Return a page as one `div`; its outermost headings are of the level `first_heading`."""
    writer = _Writer(first_heading)
    return f'<div class="shapecalc">\n{writer.page(page)}\n</div>'


def inline(line: Line) -> str:
    """Return a line of words."""
    return "".join(map(_inline, line))


def _text(text: str) -> str:
    return escape(printable(text))


def _inline(part: Inline) -> str:
    if isinstance(part, Math):
        return mathml(part.latex)
    if isinstance(part, Code):
        return f"<code>{_text(part.text)}</code>"
    return f"<strong>{_text(part.text)}</strong>" if isinstance(part, Strong) else _text(part)


class _Writer:
    """Writes blocks, headings from a level on."""

    def __init__(self, first_heading: int) -> None:
        self.first_heading = first_heading

    def page(self, page: Page) -> str:
        return "\n".join(self.block(block) for block in page)

    def block(self, block: Block) -> str:
        if isinstance(block, Heading):
            level = min(block.level + self.first_heading - 1, 6)
            return f"<h{level}>{inline(block.line)}</h{level}>"
        if isinstance(block, Paragraph):
            return f"<p>{inline(block.line)}</p>"
        if isinstance(block, Verbatim):
            return f"<pre>{escape(chr(10).join(map(printable, block.text.split(chr(10)))))}</pre>"
        if isinstance(block, Facts):
            return "\n".join(_facts(block))
        if isinstance(block, Bullets):
            return "\n".join(["<ul>", *(f"<li>{inline(line)}</li>" for line in block.lines), "</ul>"])
        if isinstance(block, Fold):
            summary = f"<summary>{inline(block.summary)}</summary>"
            return f"<details>\n{summary}\n{self.page(block.blocks)}\n</details>"
        return "\n".join(_table(block))


def _facts(facts: Facts) -> Iterator[str]:
    yield "<table>"
    yield "<tbody>"
    for label, line in facts.rows:
        head = f'<th scope="row"{_LEFT}>{_text(label)}</th>' if label else "<td></td>"
        yield f"<tr>{head}<td{_LEFT}>{inline(line)}</td></tr>"
    yield "</tbody>"
    yield "</table>"


def _table(table: Table) -> Iterator[str]:
    yield "<table>"
    if table.caption:
        yield f"<caption>{inline(table.caption)}</caption>"
    headers = (
        f'<th scope="col"{_RIGHT if column.is_right else _LEFT}>{_text(column.header)}</th>'
        for column in table.columns
    )
    yield f"<thead>\n<tr>{''.join(headers)}</tr>\n</thead>"
    body = [row for row in table.rows if not row.is_total]
    yield from ("<tbody>", *(_row(row, table) for row in body), "</tbody>")
    totals = [row for row in table.rows if row.is_total]
    if totals:
        yield from ("<tfoot>", *(_row(row, table) for row in totals), "</tfoot>")
    yield "</table>"


def _row(row: Row, table: Table) -> str:
    tag, attribute = ("th", ' scope="row"') if row.is_total else ("td", "")
    first, *others = row.cells
    indent = f"; padding-left: {0.5 + row.depth:g}em" if row.depth else ""
    cells = [f'<{tag}{attribute} style="text-align: left{indent}">{inline(first)}</{tag}>']
    for cell, column in zip(others, table.columns[1:], strict=True):
        cells.append(f"<td{_RIGHT if column.is_right else _LEFT}>{inline(cell)}</td>")
    return f"<tr>{''.join(cells)}</tr>"
