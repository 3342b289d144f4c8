"""Markers: a comment that holds a command line, and the comment that closes it.

In Markdown and HTML `<!-- shapecalc show lenet5 -->` and `<!-- /shapecalc -->`, in reStructuredText
`.. shapecalc show lenet5` and `.. /shapecalc`; in the docstrings of Python either.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from shapecalc.embedding import mask
from shapecalc.errors import Place, SpecError, quote

_HTML = re.compile(r"<!--\s*(?P<closes>/?)shapecalc(?=\s|-->)(?P<command>.*?)-->", re.DOTALL)
_RST = re.compile(
    r"^(?P<indent>[ \t]*)\.\.[ \t]+(?P<closes>/?)shapecalc(?=\s|$)(?P<command>[^\n]*"
    r"(?:\n(?P=indent)[ \t]+[^\s][^\n]*)*)",
    re.MULTILINE,
)
_QUOTES = re.compile(r"""([rRuU]*)(\"\"\"|''')""")
_ALONE = re.compile(r"[ \t>]*")


@dataclass(frozen=True, slots=True)
class Flavour:
    """The syntax of markers, and the mask of examples."""

    name: str
    pattern: re.Pattern[str]
    mask: Callable[[str], str]
    closing: str = "<!-- /shapecalc -->"


MARKDOWN = Flavour("markdown", _HTML, mask.markdown)
HTML = Flavour("html", _HTML, str)  # an example is written with `&lt;`, so nothing is masked
RST = Flavour("rst", _RST, mask.rst, "a line `.. /shapecalc`")

SUFFIXES: dict[str, tuple[Flavour, ...]] = {
    **dict.fromkeys((".md", ".markdown", ".qmd", ".rmd", ".mdx"), (MARKDOWN,)),
    **dict.fromkeys((".html", ".htm"), (HTML,)),
    **dict.fromkeys((".rst", ".rest"), (RST,)),
    ".py": (RST, MARKDOWN),
}
"""The flavours of a file by the end of its name."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a document, from `start` to `end`, that the output of a command fills."""

    command: str
    start: int
    end: int
    line: int
    """The line of the command."""
    indent: str
    """The blanks and quotation signs before the command."""
    ending: str
    """How the line of the command ends."""


@dataclass(frozen=True, slots=True)
class Region(Span):
    """The text between an opening and a closing marker."""

    flavour: Flavour
    is_block: bool
    """Whether both markers are on lines of their own."""
    forbidden: tuple[str, ...] = ()
    """What the content must not contain, as it would end or change the surrounding string."""


def regions(text: str, file: str) -> list[Region]:
    """Return the regions of a document in order; raise `SpecError` for a marker that has no partner."""
    suffix = PurePath(file).suffix.lower()
    if suffix not in SUFFIXES:
        raise SpecError(
            f"embed does not know what a comment is in a file that ends in {quote(suffix)}",
            place=Place(file),
            hint=f"it knows {', '.join(SUFFIXES)}",
        )
    if "shapecalc" not in text:
        return []
    flavours = SUFFIXES[suffix]
    if suffix != ".py":
        return [*_in(text, 0, len(text), flavours, file, ())]
    strings = _docstrings(text, file)
    return [region for start, end, ends in strings for region in _in(text, start, end, flavours, file, ends)]


def _in(
    text: str, start: int, end: int, flavours: tuple[Flavour, ...], file: str, forbidden: tuple[str, ...]
) -> Iterator[Region]:
    at = start
    while True:
        part = text[at:end]
        openings = [
            (match.start(), number, match)
            for number, flavour in enumerate(flavours)
            if (match := flavour.pattern.search(flavour.mask(part)))
        ]
        if not openings:
            return
        _, number, shown = min(openings, key=lambda opening: opening[:2])
        flavour = flavours[number]
        opening = flavour.pattern.search(text[:end], at + shown.start())
        assert opening is not None
        place = place_at(text, opening.start(), file)
        if opening["closes"]:
            raise SpecError("this marker closes nothing that is open", place=place)
        closing = flavour.pattern.search(text[:end], opening.end())
        if closing is None or not closing["closes"]:
            until = f" before the next one in line {_line(text, closing.start())}" if closing else ""
            raise SpecError(
                f"the marker is not closed{until}",
                place=place,
                hint=f"close it with {flavour.closing}",
            )
        yield _region(text, flavour, opening, closing, place, forbidden)
        at = closing.end()


def _region(
    text: str,
    flavour: Flavour,
    opening: re.Match[str],
    closing: re.Match[str],
    place: Place,
    forbidden: tuple[str, ...],
) -> Region:
    before = text[text.rfind("\n", 0, opening.start()) + 1 : opening.start()] + (
        opening["indent"] if flavour is RST else ""
    )
    closing_line = text.rfind("\n", 0, closing.start()) + 1
    after = text[opening.end() : text.find("\n", opening.end())]
    is_block = (
        closing_line > opening.end()
        and _ALONE.fullmatch(before) is not None
        and not after.strip()
        and _ALONE.fullmatch(text[closing_line : closing.start()]) is not None
    )
    command = opening["command"].strip()
    if not command:
        raise SpecError(
            "the marker holds no command", place=place, hint="write one, as in shapecalc show lenet5"
        )
    opened = text.find("\n", opening.end()) + 1 if is_block else opening.end()
    ending = "\r\n" if text[: text.find("\n", opening.end())].endswith("\r") else "\n"
    end = closing_line if is_block else closing.start()
    return Region(command, opened, end, place.line or 1, before, ending, flavour, is_block, forbidden)


def _docstrings(text: str, file: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield the range of the content of every string statement, and what it must not contain."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise SpecError(f"this is not Python: {error.msg}", place=Place(file, error.lineno)) from None
    except ValueError as error:
        raise SpecError(f"this is not Python: {error}", place=Place(file)) from None
    starts = [0, *(ending.end() for ending in re.finditer(r"\r\n|\n|\r", text))]
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    strings = sorted(
        (value.lineno, value.col_offset, value.end_lineno or 0, value.end_col_offset or 0)
        for value in values
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    )

    def offset(line: int, column: int) -> int:
        start = starts[line - 1]
        return start + len(text[start : start + column].encode()[:column].decode(errors="ignore"))

    for line, column, end_line, end_column in strings:
        start, end = offset(line, column), offset(end_line, end_column)
        quotes = _QUOTES.match(text, start)
        if quotes is None:
            continue
        is_raw = "r" in quotes[1].lower()
        yield quotes.end(), end - 3, (quotes[2],) if is_raw else (quotes[2], "\\")


def place_at(text: str, offset: int, file: str) -> Place:
    """Return the place of a character."""
    return Place(file, _line(text, offset), offset - text.rfind("\n", 0, offset))


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
