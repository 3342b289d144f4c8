"""Pages as plain text: tables whose columns give way to a width, formulas broken at their equals signs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest

from shapecalc.errors import printable
from shapecalc.render.piece import Equation, Facts, Heading, Indented, Line, Math, Page, Table
from shapecalc.render.writer import StringWriter, packed

_WIDTH = 80
"""How wide facts are, if formulas can be broken so far."""
_LABEL = 12
_ROOM = _WIDTH - _LABEL - 2


def text(page: Page, width: int | None = None) -> str:
    """Return a page as text; with a width, sentences are wrapped and the columns of tables give way.

    Numbers are never cut, and names that are to be typed neither.
    """
    return _Text(width).page(page)


class _Text(StringWriter):
    def __init__(self, width: int | None) -> None:
        self.width = width

    def page(self, page: Page) -> str:
        """Write a page; a heading inside it is directly over what follows."""
        pairs = zip_longest(page, page[1:])
        return "".join(
            self.block(block) + ("" if after is None else "\n" if _is_inner(block) else "\n\n")
            for block, after in pairs
        )

    def math(self, part: Math) -> str:
        return part.text

    def code(self, text: str) -> str:
        return printable(text)

    strong = words = code

    def heading(self, heading: Heading) -> str:
        return self.inline(heading.line)

    def verbatim(self, text: str) -> str:
        return text

    def bullets(self, lines: tuple[Line, ...]) -> str:
        return "\n".join(line for sentence in lines for line in self._wrapped(sentence))

    def _wrapped(self, sentence: Line) -> list[str]:
        if self.width is None:
            return [self.inline(sentence)]
        from textwrap import wrap

        unbroken = _FLOOR.sub(lambda match: match[0].replace(" ", _NO_BREAK), self.inline(sentence))
        lines = wrap(unbroken, max(self.width, 20), subsequent_indent="  ")
        return [line.replace(_NO_BREAK, " ") for line in lines]

    def indented(self, block: Indented) -> str:
        return "\n".join("  " * depth + self.inline(line) for depth, line in block.lines)

    def facts(self, facts: Facts) -> str:
        lines: list[str] = []
        for label, line in facts.rows:
            for number, part in enumerate(self._broken(line)):
                lines.append(f"  {label if number == 0 else '':<{_LABEL}}{part}")
        return "\n".join(lines)

    def _broken(self, line: Line) -> list[str]:
        """Return a line in parts that fit: an equation at its signs, words after commas."""
        if len(line) == 1 and isinstance(line[0], Equation):
            return _equation(line[0])
        return packed(self._items(line), _ROOM)

    def _items(self, line: Line) -> Iterator[str]:
        """Yield what is between the commas of a line, those inside formulas left out."""
        item = ""
        for part in line:
            first, *others = self.part(part).split(", ") if isinstance(part, str) else [self.part(part)]
            item += first
            for other in others:
                yield f"{item},"
                item = other
        yield item

    def table(self, table: Table) -> str:
        lines = "\n".join(self._wrapped(table.caption)) if table.caption else ""
        notes = self.bullets(table.notes)
        return "\n\n".join(part for part in (lines, _Columns(self, table).text(self.width), notes) if part)


_FLOOR = re.compile(r"[⌊⌈][^⌊⌋⌈⌉]*[⌋⌉]")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def _is_inner(block: object) -> bool:
    return isinstance(block, Heading) and block.level > 1


# ---- equations


def _equation(equation: Equation) -> list[str]:
    """Return an equation on one line, or on one for each equals sign."""
    parts = [*dict.fromkeys(part.text for part in equation.parts)]
    line = " = ".join([equation.name.text, *parts] if equation.name else parts)
    if len(line) <= _ROOM:
        return [line]
    if equation.name is None:
        first, *others = parts
        return [*folded(first, _ROOM), *(line for part in others for line in folded(f"= {part}", _ROOM, 2))]
    indent = " " * (len(equation.name.text) + 1)
    lines = [line for part in parts for line in folded(f"= {part}", _ROOM - len(indent), 2)]
    return [f"{equation.name.text} {lines[0]}", *(indent + line for line in lines[1:])]


def folded(line: str, room: int, indent: int = 0) -> list[str]:
    """Return a formula in lines that break before a plus or minus outside all brackets.

    >>> print(*folded("= 150·(H - 4) + 16·(W - 4) - 3", 20, 2), sep=chr(10))
    = 150·(H - 4)
      + 16·(W - 4) - 3
    """
    if len(line) <= room:
        return [line]
    from shapecalc.algebra.term import outer  # loaded only for a formula that is too long

    breaks = [match.start() for match in re.finditer(r"(?<=.) (?=[+-] )", outer(line))]
    summands = (line[start:end].strip() for start, end in pairwise([0, *breaks, len(line)]))
    return packed(summands, room, indent=" " * indent)


# ---- tables


_SHORTEST = 12
"""How short a text may be cut."""
_MARGIN = 2
"""The blanks between two columns, and those that a header has beside it."""
_Cells = list[str]


class _Columns:
    """The columns of a table as text, of which some are left out and some are cut until they fit."""

    def __init__(self, writer: _Text, table: Table) -> None:
        self.columns = table.columns
        self.rows = [[writer.inline(cell) for cell in row.cells] for row in table.rows]
        for row, cells in zip(table.rows, self.rows, strict=True):
            cells[0] = "  " * row.depth + cells[0]
        self.totals = {number for number, row in enumerate(table.rows) if row.is_total}

    def text(self, width: int | None) -> str:
        """Return the table, none of its lines longer than the width if there is one."""
        kept = [*range(len(self.columns))]
        lines = self._drawn(self.rows, kept)
        if width is None:
            return lines
        for number in self._leaving([column.early for column in self.columns]):
            if _broadest(lines) <= width:
                return lines
            kept.remove(number)
            lines = self._drawn(self.rows, kept)
        leaving = self._leaving([column.late for column in self.columns])
        lines = self._drawn(self._cut(kept, width), kept)
        while _broadest(lines) > width and leaving:
            kept.remove(leaving.pop(0))
            lines = self._drawn(self._cut(kept, width), kept)
        return lines

    def _leaving(self, positions: Sequence[int]) -> list[int]:
        return sorted((n for n, position in enumerate(positions) if position), key=lambda n: positions[n])

    def _least(self, number: int) -> int:
        return len(self.columns[number].header) + _MARGIN

    def _widths(self, rows: Sequence[_Cells], kept: Sequence[int]) -> dict[int, int]:
        return {n: max([self._least(n), *(len(row[n]) for row in rows)]) for n in kept}

    def _drawn(self, rows: Sequence[_Cells], kept: Sequence[int]) -> str:
        widths = self._widths(rows, kept)
        header = self._line([column.header for column in self.columns], widths)
        rule = (" " * _MARGIN).join("-" * widths[n] for n in kept)
        lines = [header, rule]
        for number, row in enumerate(rows):
            lines += [*([rule] if number in self.totals else []), self._line(row, widths)]
        return "\n".join(lines)

    def _line(self, cells: Sequence[str], widths: dict[int, int]) -> str:
        padded = (
            f"{cells[n]:>{width}}" if self.columns[n].is_right else f"{cells[n]:<{width}}"
            for n, width in widths.items()
        )
        return (" " * _MARGIN).join(padded).rstrip()

    def _cut(self, kept: Sequence[int], width: int) -> list[_Cells]:
        """Cut the longest cells until the rows fit, or until nothing more can be cut.

        Formulas on the right, which only a reader of costs needs, are cut before words and shapes.
        """
        lengths = self._widths(self.rows, kept)
        least = {
            n: lengths[n]
            if self.columns[n].is_uncut
            else max([self._least(n), _SHORTEST, *(len(row[n]) for row in self.rows if _is_number(row[n]))])
            for n in kept
        }
        for _ in range(sum(lengths.values()) + _MARGIN * (len(kept) - 1) - width):
            longest = max(kept, key=lambda n: (lengths[n] > least[n], self.columns[n].is_right, lengths[n]))
            lengths[longest] -= lengths[longest] > least[longest]
        return [
            [shortened(cell, lengths.get(n, len(cell))) for n, cell in enumerate(row)] for row in self.rows
        ]


_DIGITS = "0123456789,"


def _is_number(text: str) -> bool:
    return not text.strip("0123456789,.x≥ ")


def shortened(text: str, longest: int) -> str:
    """Return a text of at most so many characters; a number is left out if it does not fit completely.

    >>> shortened("4,096·H + 86,417,128", 15), shortened("response_norm", 9)
    ('4,096·H + …', 'response…')
    """
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    if kept[-1:] in _DIGITS and text[longest - 1] in _DIGITS:
        kept = kept.rstrip(_DIGITS) or kept
    return f"{kept}…"


def _broadest(text: str) -> int:
    return max(map(len, text.splitlines()))
