"""Pieces as docutils nodes, which every builder of Sphinx (HTML, LaTeX, text, manual pages) knows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from docutils import nodes

from shapecalc.errors import printable
from shapecalc.pieces.latex import formula_latex
from shapecalc.pieces.piece import (
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
    plain,
)

_SIGNS = frozenset("≥≤≠≡⌊⌋⌈⌉")
"""Signs for which LaTeX wants a formula."""
TEXT = "shapecalc_text"
"""The attribute of a formula that holds it as text, for builders that set no formulas."""
SIGN = "shapecalc_sign"
"""The attribute of what is a formula to LaTeX only, and words to all others."""


def document_nodes(page: Page) -> list[nodes.Node]:
    """Return a page as nodes that may stand where a paragraph may."""
    return [node for block in page for node in _block(block)]


def inline_nodes(line: Line) -> list[nodes.Node]:
    """Return a line of words as nodes."""
    return [node for part in line for node in _inline(part)]


def _inline(part: Inline) -> Iterator[nodes.Node]:
    if isinstance(part, Math):
        yield _math(part)
    elif isinstance(part, Code):
        yield nodes.literal("", printable(part.text))
    elif isinstance(part, Strong):
        yield nodes.strong("", "", *_words(part.text))
    else:
        yield from _words(part)


def _math(part: Math) -> nodes.math:
    return nodes.math(part.latex, part.latex, **{TEXT: part.text})


def _words(text: str) -> Iterator[nodes.Node]:
    """Yield words as text, those with signs that only a formula can hold as formulas."""
    for is_formula, words in groupby(printable(text).split(" "), lambda word: bool(_SIGNS & {*word})):
        told = " ".join(words)
        if is_formula:
            yield nodes.Text(" ")
            yield nodes.math(told, formula_latex(told), **{TEXT: told, SIGN: True})
            yield nodes.Text(" ")
        else:
            yield nodes.Text(told)


def _block(block: Block) -> Iterator[nodes.Node]:
    if isinstance(block, Heading):
        yield nodes.rubric("", "", *inline_nodes(block.line))
    elif isinstance(block, Paragraph):
        yield _paragraph(block.line)
    elif isinstance(block, Verbatim):
        text = "\n".join(map(printable, block.text.split("\n")))
        yield nodes.literal_block(text, text, language="none")
    elif isinstance(block, Facts):
        yield _facts(block)
    elif isinstance(block, Bullets):
        yield nodes.bullet_list("", *(nodes.list_item("", _paragraph(line)) for line in block.lines))
    elif isinstance(block, Fold):
        yield _paragraph(block.summary)
        yield from document_nodes(block.blocks)
    else:
        yield from _table(block)


def _paragraph(line: Line) -> nodes.paragraph:
    return nodes.paragraph("", "", *inline_nodes(line))


def _facts(facts: Facts) -> nodes.definition_list:
    found = nodes.definition_list()
    for label, line in facts.rows:
        if label or not found:
            term = nodes.term("", "", *inline_nodes((label,)))
            found += nodes.definition_list_item("", term, nodes.definition())
        item = found.children[-1]
        assert isinstance(item, nodes.definition_list_item)
        definition = item.children[-1]
        assert isinstance(definition, nodes.definition)
        definition += _paragraph(line)
    return found


def _table(table: Table) -> Iterator[nodes.Node]:
    from sphinx.addnodes import tabular_col_spec

    spec = "".join("r" if column.is_right else "l" for column in table.columns)
    yield tabular_col_spec(spec=spec)
    found = nodes.table(classes=["shapecalc", *(["longtable"] if len(table.rows) > _PAGE else [])])
    if table.caption:
        found += nodes.title("", "", *inline_nodes(table.caption))
    group = nodes.tgroup(cols=len(table.columns))
    found += group
    for number, column in enumerate(table.columns):
        cells = (len(plain(row.cells[number])) + (4 if row.is_total else 0) for row in table.rows)
        widest = max([len(column.header), 1, *cells])  # in text, what is bold has two stars on each side
        group += nodes.colspec(colwidth=widest)
    header = Row(tuple((column.header,) for column in table.columns))
    group += nodes.thead("", _row(header, table))
    group += nodes.tbody("", *(_row(row, table) for row in table.rows))
    yield found


_PAGE = 30


def _row(row: Row, table: Table) -> nodes.row:
    found = nodes.row()
    for number, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
        entry = nodes.entry(classes=["shapecalc-right"] if column.is_right else [])
        indent = "\N{NO-BREAK SPACE}" * (2 * row.depth) if number == 0 else ""
        line = tuple(
            Strong(part) if isinstance(part, str) and part and row.is_total else part for part in cell
        )
        entry += _paragraph((indent, *line) if indent else line)
        found += entry
    return found
