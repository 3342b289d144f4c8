"""Pages as HTML: no script, no style sheet needed, every name escaped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape

from shapecalc.errors import printable
from shapecalc.render.mathml_writer import mathml
from shapecalc.render.piece import Facts, Heading, Line, Math, Page, Row, Table
from shapecalc.render.writer import StringWriter

_RIGHT = ' style="text-align: right"'
_LEFT = ' style="text-align: left"'


def html(page: Page, first_heading: int = 3) -> str:
    """Return a page as one `div`; its outermost headings are of the level `first_heading`."""
    return f'<div class="shapecalc">\n{_Html(first_heading).page(page)}\n</div>'


def inline(line: Line) -> str:
    """Return a line of words."""
    return _Html().inline(line)


class _Html(StringWriter):
    def __init__(self, first_heading: int = 3) -> None:
        self.first_heading = first_heading

    def page(self, page: Page) -> str:
        return "\n".join(map(self.block, page))

    def math(self, part: Math) -> str:
        return mathml(part.latex)

    def code(self, text: str) -> str:
        return f"<code>{self.words(text)}</code>"

    def strong(self, text: str) -> str:
        return f"<strong>{self.words(text)}</strong>"

    def words(self, text: str) -> str:
        return escape(printable(text))

    def heading(self, heading: Heading) -> str:
        level = min(heading.level + self.first_heading - 1, 6)
        return f"<h{level}>{self.inline(heading.line)}</h{level}>"

    def paragraph(self, line: Line) -> str:
        return f"<p>{self.inline(line)}</p>"

    def verbatim(self, text: str) -> str:
        return f"<pre>{escape(text)}</pre>"

    def bullets(self, lines: tuple[Line, ...]) -> str:
        return "\n".join(["<ul>", *(f"<li>{self.inline(line)}</li>" for line in lines), "</ul>"])

    def facts(self, facts: Facts) -> str:
        rows = (
            (f'<th scope="row"{_LEFT}>{self.words(label)}</th>' if label else "<td></td>", self.inline(line))
            for label, line in facts.rows
        )
        body = (f"<tr>{head}<td{_LEFT}>{text}</td></tr>" for head, text in rows)
        return "\n".join(["<table>", "<tbody>", *body, "</tbody>", "</table>"])

    def table(self, table: Table) -> str:
        short = replace(table, rows=tuple(row for row in table.rows if row.depth == 0))
        parts = [*self._table(short if table.fold else table)]
        if table.fold:
            summary = f"<summary>{self.inline(table.fold)}</summary>"
            parts += ["<details>", summary, *self._table(replace(table, caption=())), "</details>"]
        return "\n".join([*parts, self.bullets(table.notes)] if table.notes else parts)

    def _table(self, table: Table) -> Iterator[str]:
        yield "<table>"
        if table.caption:
            yield f"<caption>{self.inline(table.caption)}</caption>"
        headers = (
            f'<th scope="col"{_RIGHT if column.is_right else _LEFT}>{self.words(column.header)}</th>'
            for column in table.columns
        )
        yield f"<thead>\n<tr>{''.join(headers)}</tr>\n</thead>"
        yield from ("<tbody>", *(self._row(row, table) for row in table.rows if not row.is_total), "</tbody>")
        if totals := [self._row(row, table) for row in table.rows if row.is_total]:
            yield from ("<tfoot>", *totals, "</tfoot>")
        yield "</table>"

    def _row(self, row: Row, table: Table) -> str:
        tag, attribute = ("th", ' scope="row"') if row.is_total else ("td", "")
        first, *others = row.cells
        indent = f"; padding-left: {0.5 + row.depth:g}em" if row.depth else ""
        cells = [f'<{tag}{attribute} style="text-align: left{indent}">{self.inline(first)}</{tag}>']
        for cell, column in zip(others, table.columns[1:], strict=True):
            cells.append(f"<td{_RIGHT if column.is_right else _LEFT}>{self.inline(cell)}</td>")
        return f"<tr>{''.join(cells)}</tr>"
