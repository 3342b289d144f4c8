"""What a shown thing is made of, before anybody knows whether it becomes HTML, LaTeX or a docutils tree.

    Block
    ├── Heading     words over what follows
    ├── Paragraph   a line of words
    ├── Verbatim    text whose columns and line ends stand
    ├── Facts       a label, and the lines that belong to it
    ├── Bullets     lines without an order
    ├── Table       columns and rows; a row may stand for a part and be indented
    └── Fold        blocks that a reader may open, under a line that tells what is inside
    Line            words, `Code`, `Strong` and `Math` one after the other

What reads a network makes pieces; what writes a form takes them. Text in a piece is plain: whoever writes a
form escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped, is_sum
from shapecalc.algebra.expr_text import latex as latex_dim


@dataclass(frozen=True, slots=True)
class Code:
    """A name as a program knows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True, slots=True)
class Math:
    """A formula, as LaTeX and as one line of text."""

    latex: str
    text: str


Inline: TypeAlias = str | Code | Strong | Math
Line: TypeAlias = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """Words over what follows; level 1 is the outermost."""

    line: Line
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of words."""

    line: Line


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text whose columns and line ends stand as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, each with one line; a label that is said already is empty."""

    rows: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    """Lines without an order."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    header: str
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: how deep its first cell is indented, and whether it stands out."""

    cells: tuple[Line, ...]
    depth: int = 0
    is_total: bool = False

    @property
    def stressed(self) -> tuple[Line, ...]:
        """The cells, their words strong where the row stands out."""
        return tuple(map(_strong, self.cells)) if self.is_total else self.cells


def _strong(cell: Line) -> Line:
    return tuple(Strong(part) if isinstance(part, str) and part else part for part in cell)


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows, the caption over them."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: Line = ()


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that a reader may open; where nothing opens they stand under the line."""

    summary: Line
    blocks: tuple[Block, ...]


Block: TypeAlias = Heading | Paragraph | Verbatim | Facts | Bullets | Table | Fold
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
        return "x".join(map(str, shape)) or "a single number"
    return Math(
        r" \times ".join(factor_latex(size, alone=len(shape) == 1) for size in shape),
        "×".join(f"({size})" if is_sum(size) and len(shape) > 1 else str(size) for size in shape),
    )


def factor_latex(size: Dim, *, alone: bool = False) -> str:
    """Return a size as it stands beside a ×: without separators, a sum in brackets."""
    text = str(size) if isinstance(size, int) else latex_dim(size)
    return f"({text})" if is_sum(size) and not alone else text


def chain(parts: Iterable[Math]) -> Math:
    """Return what is equal to each other, between equals signs."""
    found = [*parts]
    return Math(" = ".join(one.latex for one in found), " = ".join(one.text for one in found))


def formula(text: str) -> Math:
    r"""Return a formula that is known as text only, such as a set of sizes.

    >>> print(formula("H, W ≡ 0 (mod 16), H ≥ 63").latex)
    H, W \equiv 0 \pmod{16}, H \geq 63
    """
    from shapecalc.render.latex_writer import formula_latex

    return Math(formula_latex(text), text)


def plain(line: Line) -> str:
    """Return a line as words alone."""
    return "".join(part if isinstance(part, str) else part.text for part in line)
