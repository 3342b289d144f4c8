"""The document tree: what a page is made of, before it is known whether it becomes text, HTML or LaTeX.

    Block
    ├── Heading     words over what follows
    ├── Paragraph   a line of words
    ├── Verbatim    text whose columns and line ends are kept
    ├── Facts       labels, each with the lines that belong to it
    ├── Bullets     lines without an order
    ├── Indented    lines under other lines
    └── Table       columns and rows, a caption over them and notes under them
    Line            words, `Code`, `Strong`, `Math`, `Equation` and `Sizes` one after the other

Views of a report build pages; a writer turns a page into one output form. Text in a page is plain: the writer
escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TypeAlias

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped, is_sum
from shapecalc.algebra.expr_text import latex as latex_dim
from shapecalc.record import record


@record
class Code:
    """A name as a program knows it."""

    text: str


@record
class Strong:
    """Words in bold."""

    text: str


@record
class Math:
    """A formula, as LaTeX and as one line of text."""

    latex: str
    text: str


@record
class Equation(Math):
    """A formula with equals signs, which a writer may break; `name` is on its left, if it has a name."""

    parts: tuple[Math, ...]
    name: Math | None = None


class Sizes(str):
    """Integers joined by x, such as `3x224x224` or `3x3 s2`: words in every form, with × in LaTeX."""

    __slots__ = ()


Inline: TypeAlias = str | Code | Strong | Math
Line: TypeAlias = tuple[Inline, ...]


@record
class Heading:
    """Words over what follows; level 1 is the outermost."""

    line: Line
    level: int = 1


@record
class Paragraph:
    """A line of words."""

    line: Line


@record
class Verbatim:
    """Text whose columns and line ends are kept."""

    text: str


@record
class Facts:
    """Labels, each with one line; a label that is the same as above is empty."""

    rows: tuple[tuple[str, Line], ...]

    @property
    def labelled(self) -> Iterator[tuple[str, Line]]:
        """Every line with its label, those that are left out included."""
        last = ""
        for label, line in self.rows:
            last = label or last
            yield last, line


@record
class Bullets:
    """Lines without an order."""

    lines: tuple[Line, ...]


@record
class Indented:
    """Lines with their depth; an empty one separates what is above it from what is below it."""

    lines: tuple[tuple[int, Line], ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The same for a form without indentation: what is below a line becomes a list, or facts."""
        blocks: list[Block] = []
        for depth, group in groupby(self.lines, lambda item: min(item[0], 1)):
            items = [*group]
            if depth == 0:
                blocks += [Paragraph(line) for _, line in items if line]
            elif any(deep > 1 for deep, _ in items):
                blocks.append(Facts(tuple(_facts(items))))
            else:
                blocks.append(Bullets(tuple(line for _, line in items)))
        return tuple(blocks)


def _facts(items: list[tuple[int, Line]]) -> Iterator[tuple[str, Line]]:
    """Yield the deeper lines, the first under each line of depth 1 with that line as its label."""
    label, is_pending = "", False
    for depth, line in [*items, (1, ())]:
        if depth == 1:
            if is_pending:
                yield label, ()
            label, is_pending = plain(line), True
        else:
            yield label, line
            label, is_pending = "", False


@record
class Column:
    """A column of a table, and when a text that is too wide gives it up."""

    header: str
    is_right: bool = False
    early: int = 0
    """The position in which it is left out before any cell is cut, 1 the first; 0 keeps it."""
    late: int = 0
    """The position in which it is left out after cells were cut; 0 keeps it."""
    is_uncut: bool = False
    """Whether its cells are never cut, as they are names to be typed."""


@record
class Row:
    """A row of a table: how deep its first cell is indented, and whether it holds the totals."""

    cells: tuple[Line, ...]
    depth: int = 0
    is_total: bool = False

    @property
    def stressed(self) -> tuple[Line, ...]:
        """The cells, in bold where they are totals."""
        return tuple(map(_strong, self.cells)) if self.is_total else self.cells


def _strong(cell: Line) -> Line:
    return tuple(Strong(part) if isinstance(part, str) and part else part for part in cell)


@record
class Table:
    """Columns and rows, a caption over them, notes under them."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: Line = ()
    notes: tuple[Line, ...] = ()
    fold: Line = ()
    """Of a long table, what opens it where a reader can: until then only rows of depth 0 are there."""

    @property
    def filled(self) -> Table:
        """The table without the columns that are empty in every row."""
        kept = [n for n in range(len(self.columns)) if any(plain(row.cells[n]) for row in self.rows)]
        rows = (Row(tuple(row.cells[n] for n in kept), row.depth, row.is_total) for row in self.rows)
        columns = tuple(self.columns[n] for n in kept)
        return Table(columns, tuple(rows), self.caption, self.notes, self.fold)


Block: TypeAlias = Heading | Paragraph | Verbatim | Facts | Bullets | Indented | Table
Page: TypeAlias = tuple[Block, ...]


# ---- formulas


def amount(value: Dim) -> Inline:
    """Return a number as words and an expression as a formula."""
    return grouped(value) if isinstance(value, int) else Math(latex_dim(value), grouped(value))


def sizes(shape: tuple[Dim, ...]) -> Inline:
    r"""Return a shape: words where every size is a number, else a formula.

    >>> from shapecalc.algebra import symbol
    >>> sizes((3, 224, 224)), sizes((3, symbol("H") - 4)).latex
    ('3x224x224', '3 \\times (H - 4)')
    """
    if all(isinstance(size, int) for size in shape):
        return Sizes("x".join(map(str, shape)) or "a single number")
    alone = len(shape) == 1
    return product(
        Math(factor_latex(size, alone=alone), f"({size})" if is_sum(size) and not alone else str(size))
        for size in shape
    )


def product(factors: Iterable[Math]) -> Math:
    """Return sizes as one shape."""
    return joined(factors, r" \times ", "×")


def factor_latex(size: Dim, *, alone: bool = False) -> str:
    """Return a size as a factor: without separators, a sum in brackets unless it is alone."""
    text = str(size) if isinstance(size, int) else latex_dim(size)
    return f"({text})" if is_sum(size) and not alone else text


def joined(parts: Iterable[Math], latex: str, text: str | None = None) -> Math:
    """Return formulas with a sign between them, in LaTeX and in text."""
    sides = [*parts]
    between = latex if text is None else text
    return Math(latex.join(side.latex for side in sides), between.join(side.text for side in sides))


def chain(parts: Iterable[Math]) -> Math:
    """Return what is equal to each other, between equals signs, equal parts once."""
    return joined({part.latex: part for part in parts}.values(), " = ")


def equation(parts: Iterable[Math], name: Math | None = None) -> Equation:
    """Return an equation, with a name on its left if there is one."""
    sides = tuple(parts)
    line = chain(sides if name is None else (name, *sides))
    return Equation(line.latex, line.text, sides, name)


def plain(line: Line) -> str:
    """Return a line as words alone."""
    return "".join(part if isinstance(part, str) else part.text for part in line)
