"""Pages as docutils nodes, for every builder of Sphinx: HTML, LaTeX, text, manual pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from docutils import nodes

from shapecalc.errors import printable
from shapecalc.render.piece import Facts, Heading, Line, Math, Page, Row, Table, plain
from shapecalc.render.text_formula import formula_latex
from shapecalc.render.writer import Writer

_SIGNS = frozenset("≥≤≠≡⌊⌋⌈⌉")
"""Signs that LaTeX has in formulas only."""
TEXT = "shapecalc_text"
"""The attribute with the text of a formula, for builders without formulas."""
SIGN = "shapecalc_sign"
"""The attribute of a formula that is one in LaTeX only, and words elsewhere."""


def document_nodes(page: Page) -> list[nodes.Node]:
    """Return a page as nodes that may replace a paragraph."""
    return _Docutils().page(page)


def inline_nodes(line: Line) -> list[nodes.Node]:
    """Return a line of words as nodes."""
    return _Docutils().inline(line)


class _Docutils(Writer[list[nodes.Node], list[nodes.Node]]):
    def page(self, page: Page) -> list[nodes.Node]:
        return [node for block in page for node in self.block(block)]

    def inline(self, line: Line) -> list[nodes.Node]:
        return [node for part in line for node in self.part(part)]

    def math(self, part: Math) -> list[nodes.Node]:
        return [nodes.math(part.latex, part.latex, **{TEXT: part.text})]

    def code(self, text: str) -> list[nodes.Node]:
        return [nodes.literal("", printable(text))]

    def strong(self, text: str) -> list[nodes.Node]:
        return [nodes.strong("", "", *self.words(text))]

    def words(self, text: str) -> list[nodes.Node]:
        """Return words as text, those with signs that only a formula can hold as formulas."""
        written: list[nodes.Node] = []
        for is_formula, words in groupby(printable(text).split(" "), lambda word: bool(_SIGNS & {*word})):
            run = " ".join(words)
            if is_formula:
                math = nodes.math(run, formula_latex(run), **{TEXT: run, SIGN: True})
                written += [nodes.Text(" "), math, nodes.Text(" ")]
            else:
                written.append(nodes.Text(run))
        return written

    def heading(self, heading: Heading) -> list[nodes.Node]:
        return [nodes.rubric("", "", *self.inline(heading.line))]

    def paragraph(self, line: Line) -> list[nodes.Node]:
        return [_paragraph(line)]

    def verbatim(self, text: str) -> list[nodes.Node]:
        return [nodes.literal_block(text, text, language="none")]

    def bullets(self, lines: tuple[Line, ...]) -> list[nodes.Node]:
        return [nodes.bullet_list("", *(nodes.list_item("", _paragraph(line)) for line in lines))]

    def facts(self, facts: Facts) -> list[nodes.Node]:
        items = nodes.definition_list()
        definition = nodes.definition()
        for label, line in facts.rows:
            if label or not items:
                definition = nodes.definition()
                term = nodes.term("", "", *self.words(label))
                items += nodes.definition_list_item("", term, definition)
            definition += _paragraph(line)
        return [items]

    def table(self, table: Table) -> list[nodes.Node]:
        return [*_table(table), *(self.bullets(table.notes) if table.notes else [])]


def _paragraph(line: Line) -> nodes.paragraph:
    return nodes.paragraph("", "", *inline_nodes(line))


def _table(table: Table) -> Iterator[nodes.Node]:
    from sphinx.addnodes import tabular_col_spec

    is_long = sum(map(_height, table.rows)) > _PAGE
    yield tabular_col_spec(spec=_long_spec(table) if is_long else _spec(table))
    node = nodes.table(classes=["shapecalc", *(["longtable"] if is_long else [])])
    if table.caption:
        node += nodes.title("", "", *inline_nodes(table.caption))
    group = nodes.tgroup(cols=len(table.columns))
    node += group
    for number in range(len(table.columns)):
        group += nodes.colspec(colwidth=_width(table, number))
    header = Row(tuple((column.header,) for column in table.columns))
    group += nodes.thead("", _row(header, table))
    group += nodes.tbody("", *(_row(row, table) for row in table.rows))
    yield node


_PAGE = 25
"""A table of more lines than this may go over several pages."""


def _height(row: Row) -> int:
    """Return about how many lines a row takes: formulas are higher, and are broken."""
    return 2 if any(isinstance(part, Math) for cell in row.cells for part in cell) else 1


def _width(table: Table, number: int) -> int:
    """Return the width of a column in characters; bold text has two stars on each side."""
    cells = (len(_as_shown(row, number)) + (4 if row.is_total else 0) for row in table.rows)
    return max([len(table.columns[number].header), 1, *cells])


def _spec(table: Table) -> str:
    """Return the columns for LaTeX's tabulary, each as wide as its content."""
    return "".join("R" if column.is_right else "L" for column in table.columns)


def _long_spec(table: Table) -> str:
    """Return the columns for LaTeX's longtable: numbers have the room they need, words the rest."""
    widths = [
        _BETWEEN + max(_points(column.header), *(_points(_as_shown(row, number)) for row in table.rows))
        for number, column in enumerate(table.columns)
    ]
    flexible = {number for number in range(len(widths)) if _can_be_broken(table, number)}
    room = _LINE - sum(width for number, width in enumerate(widths) if number not in flexible)
    wanted = sum(widths[number] for number in flexible)
    shares = [
        max(_LEAST, min(width, room * width // wanted)) if number in flexible else width
        for number, width in enumerate(widths)
    ]
    return "".join(
        rf"{_RAGGED if column.is_right else ''}\X{{{share}}}{{{max(_LINE, sum(shares))}}}"
        for column, share in zip(table.columns, shares, strict=True)
    )


def _as_shown(row: Row, number: int) -> str:
    return _indent(row, number) + plain(row.cells[number])


def _indent(row: Row, number: int) -> str:
    return "\N{NO-BREAK SPACE}" * (2 * row.depth) if number == 0 else ""


def _points(text: str) -> int:
    """Return about how wide a text is when it is set, in tenths of a point."""
    return sum(27 if character in ",. \N{NO-BREAK SPACE}" else 53 for character in text)


def _can_be_broken(table: Table, number: int) -> bool:
    """Say whether a column has formulas or words, which LaTeX can break, unlike numbers."""
    line = [part for row in table.rows for part in row.cells[number]]
    has_words = any(_WORD.search(plain((part,))) for part in line) and not table.columns[number].is_right
    return has_words or any(isinstance(part, Math) for part in line)


_WORD = re.compile(r"[^\W\d_]{2}")
_LINE = 4550
_LEAST = 450
_BETWEEN = 125
"""The width of a line, the least of a column, and what is between two, in tenths of a point."""
_RAGGED = r">{\raggedleft\arraybackslash}"


def _row(row: Row, table: Table) -> nodes.row:
    line = nodes.row()
    for number, (cell, column) in enumerate(zip(row.stressed, table.columns, strict=True)):
        entry = nodes.entry(classes=["shapecalc-right"] if column.is_right else [])
        paragraph = _paragraph(cell)
        _let_names_break(paragraph)
        if indent := _indent(row, number):
            paragraph.insert(0, nodes.Text(indent))
        entry += paragraph
        line += entry
    return line


def _let_names_break(paragraph: nodes.paragraph) -> None:
    """Let LaTeX break a name after an underscore; other forms do not contain it."""
    for text in [*paragraph.findall(nodes.Text)]:
        parts = re.split(r"(?<=_)", text.astext())
        if len(parts) == 1 or isinstance(text.parent, nodes.math):
            continue
        pieces: list[nodes.Node] = [nodes.Text(parts[0])]
        for part in parts[1:]:
            pieces += [nodes.raw("", r"\allowbreak{}", format="latex"), nodes.Text(part)]
        text.parent.replace(text, pieces)
