"""Masks for the parts of a document that are examples: a marker in them is only shown.

Each function returns a text of the same length, with blanks in place of the examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"(?P<indent>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t>]*)?)(?P<ticks>`{3,}|~{3,})(?P<info>.*)")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n[ \t]*\r?\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LITERAL = ("code", "code-block", "sourcecode", "parsed-literal", "literalinclude", "math", "raw", "prompt")
_DIRECTIVE = re.compile(r"\s*\.\. ([\w:-]+)::")


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its start; only a line feed ends a line."""
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def blanked(text: str) -> str:
    """Return blanks in place of everything but the ends of lines."""
    return re.sub(r"[^\n]", " ", text)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code in Markdown, from its opening line to the end of its closing line."""

    start: int
    end: int
    ticks: str
    info: str
    indent: str
    body: tuple[int, int]
    """The range of the lines inside."""
    is_closed: bool


def fences(text: str) -> Iterator[Fence]:
    r"""Yield the fenced blocks of a document; one that is not closed goes to the end.

    >>> [(fence.info, fence.body, fence.is_closed) for fence in fences("```py\nx\n```")]
    [('py', (6, 8), True)]
    """
    opened: tuple[int, re.Match[str], int] | None = None
    for start, line in lines_of(text):
        end = start + len(line)
        ticks = _FENCE.match(line)
        if opened is None:
            if ticks and not (ticks["ticks"][0] == "`" and "`" in ticks["info"]):
                opened = start, ticks, min(end + 1, len(text))
        elif ticks and ticks["ticks"].startswith(opened[1]["ticks"]) and not ticks["info"].strip():
            yield _fence(opened, start, end, is_closed=True)
            opened = None
    if opened is not None:
        yield _fence(opened, len(text), len(text), is_closed=False)


def _fence(opened: tuple[int, re.Match[str], int], last: int, end: int, *, is_closed: bool) -> Fence:
    start, line, first = opened
    body = (first, max(first, last))
    return Fence(start, end, line["ticks"], line["info"].strip(), line["indent"], body, is_closed)


def markdown(text: str) -> str:
    """Mask fenced code and code spans; a code span cannot begin or end inside a comment.

    >>> markdown("a `<!-- b -->` c")
    'a              c'
    """
    kept: list[str] = []
    at = 0
    for fence in fences(text):
        kept += [text[at : fence.start], blanked(text[fence.start : fence.end])]
        at = fence.end
    return _without_spans("".join([*kept, text[at:]]))


def _without_spans(text: str) -> str:
    kept: list[str] = []
    at = 0
    while True:
        span, comment = _SPAN.search(text, at), _COMMENT.search(text, at)
        if span is None:
            return "".join([*kept, text[at:]])
        if comment and comment.start() < span.start():
            kept.append(text[at : comment.end()])
            at = comment.end()
            continue
        kept += [text[at : span.start()], blanked(span[0])]
        at = span.end()


def rst(text: str) -> str:
    r"""Mask literal blocks: what is indented under a line that ends in `::`.

    >>> rst("So::\n\n  .. shapecalc\n\nend").split()
    ['So::', 'end']
    """
    kept: list[str] = []
    literal: int | None = None
    for _, line in lines_of(text):
        depth = len(line) - len(line.lstrip())
        if literal is not None and line.strip():
            literal = literal if depth > literal else None
        kept.append(line if literal is None else blanked(line))
        if literal is None and line.strip():
            directive = _DIRECTIVE.match(line)
            opens = directive[1] in _LITERAL if directive else line.rstrip().endswith("::")
            literal = depth if opens else None
    return "\n".join(kept)
