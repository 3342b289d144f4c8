"""What of a document is an example rather than the document: a marker that stands there is only shown.

Each function returns a text of the same length, with blanks in place of what does not count.
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
    """Yield each line, its end included, with where it starts; only a line feed ends one."""
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def blanked(text: str) -> str:
    """Return blanks in place of everything but the ends of lines."""
    return re.sub(r"[^\n]", " ", text)


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code in Markdown, from the line that opens it to the end of the one that closes it."""

    start: int
    end: int
    ticks: str
    info: str
    indent: str
    body: tuple[int, int]
    """From where to where the lines inside go."""
    is_closed: bool


def fences(text: str) -> Iterator[Fence]:
    r"""Yield the fenced blocks of a document; one that is not closed goes to the end.

    >>> [(one.info, one.body, one.is_closed) for one in fences("```py\nx\n```")]
    [('py', (6, 8), True)]
    """
    opened: tuple[int, re.Match[str], int] | None = None
    for start, line in lines_of(text):
        end = start + len(line)
        found = _FENCE.match(line)
        if opened is None:
            if found and not (found["ticks"][0] == "`" and "`" in found["info"]):
                opened = start, found, min(end + 1, len(text))
        elif found and _closes(opened[1]["ticks"], found):
            yield _fence(opened, start, end, is_closed=True)
            opened = None
    if opened is not None:
        yield _fence(opened, len(text), len(text), is_closed=False)


def _closes(ticks: str, found: re.Match[str]) -> bool:
    return found["ticks"].startswith(ticks) and not found["info"].strip()


def _fence(opened: tuple[int, re.Match[str], int], last: int, end: int, *, is_closed: bool) -> Fence:
    start, found, first = opened
    return Fence(
        start,
        end,
        found["ticks"],
        found["info"].strip(),
        found["indent"],
        (first, max(first, last)),
        is_closed,
    )


def markdown(text: str) -> str:
    """Blot out fenced code and code spans; a code span cannot begin or end inside a comment.

    >>> markdown("a `<!-- b -->` c")
    'a              c'
    """
    kept: list[str] = []
    at = 0
    for one in fences(text):
        kept += [text[at : one.start], blanked(text[one.start : one.end])]
        at = one.end
    return _without_spans("".join([*kept, text[at:]]))


def _without_spans(text: str) -> str:
    found: list[str] = []
    at = 0
    while True:
        span, comment = _SPAN.search(text, at), _COMMENT.search(text, at)
        if span is None:
            return "".join([*found, text[at:]])
        if comment and comment.start() < span.start():
            found.append(text[at : comment.end()])
            at = comment.end()
            continue
        found += [text[at : span.start()], blanked(span[0])]
        at = span.end()


def rst(text: str) -> str:
    r"""Blot out literal blocks: what is indented under a line that ends in `::`.

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


def nothing(text: str) -> str:
    """Blot out nothing: in HTML an example is written with `&lt;`."""
    return text
