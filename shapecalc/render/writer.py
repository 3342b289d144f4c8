"""The base of all writers: a method for each piece of a page, and the dispatch to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from shapecalc.errors import printable
from shapecalc.render.piece import (
    Block,
    Bullets,
    Code,
    Facts,
    Heading,
    Indented,
    Inline,
    Line,
    Math,
    Page,
    Paragraph,
    Strong,
    Table,
    Verbatim,
)

BlockT = TypeVar("BlockT")
PartT = TypeVar("PartT")


class Writer(ABC, Generic[BlockT, PartT]):
    """Writes pages in one form; every block becomes a `BlockT`, every part of a line a `PartT`."""

    def block(self, block: Block) -> BlockT:
        """Write a block."""
        match block:
            case Heading():
                return self.heading(block)
            case Paragraph():
                return self.paragraph(block.line)
            case Verbatim():
                return self.verbatim("\n".join(map(printable, block.text.split("\n"))))
            case Facts():
                return self.facts(block)
            case Bullets():
                return self.bullets(block.lines)
            case Indented():
                return self.indented(block)
            case Table():
                return self.table(block)

    def part(self, part: Inline) -> PartT:
        """Write a part of a line."""
        match part:
            case Math():
                return self.math(part)
            case Code():
                return self.code(part.text)
            case Strong():
                return self.strong(part.text)
            case str():
                return self.words(part)

    @abstractmethod
    def page(self, page: Page) -> BlockT: ...

    @abstractmethod
    def heading(self, heading: Heading) -> BlockT: ...

    @abstractmethod
    def paragraph(self, line: Line) -> BlockT: ...

    @abstractmethod
    def verbatim(self, text: str) -> BlockT: ...

    @abstractmethod
    def facts(self, facts: Facts) -> BlockT: ...

    @abstractmethod
    def bullets(self, lines: tuple[Line, ...]) -> BlockT: ...

    def indented(self, block: Indented) -> BlockT:
        """Write indented lines as the lists that they come to where nothing is indented."""
        return self.page(block.blocks)

    @abstractmethod
    def table(self, table: Table) -> BlockT: ...

    @abstractmethod
    def math(self, part: Math) -> PartT: ...

    @abstractmethod
    def code(self, text: str) -> PartT: ...

    @abstractmethod
    def strong(self, text: str) -> PartT: ...

    @abstractmethod
    def words(self, text: str) -> PartT: ...


class StringWriter(Writer[str, str]):
    """Writes pages as a string, a blank line between blocks, formulas as LaTeX between dollar signs."""

    def page(self, page: Page) -> str:
        """Write a page."""
        return "\n\n".join(map(self.block, page))

    def inline(self, line: Line) -> str:
        """Write a line."""
        return "".join(map(self.part, line))

    def paragraph(self, line: Line) -> str:
        return self.inline(line)

    def bullets(self, lines: tuple[Line, ...]) -> str:
        return "\n".join(f"- {self.inline(line)}" for line in lines)

    def math(self, part: Math) -> str:
        return f"${part.latex}$"


def packed(items: Iterable[str], room: int, width: Callable[[str], int] = len, indent: str = "") -> list[str]:
    """Return items in lines, as many in each as there is room for; all lines but the first are indented.

    >>> packed(["a", "+ b", "+ c"], 5, indent="  ")
    ['a + b', '  + c']
    """
    lines: list[str] = []
    for item in items:
        if lines and width(line := f"{lines[-1]} {item}") <= room:
            lines[-1] = line
        else:
            lines.append(f"{indent}{item}" if lines else item)
    return lines
