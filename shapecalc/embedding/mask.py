"""What of a document is an example rather than the document: a marker that stands there is only shown.

Each function returns a text of the same length, with blanks in place of what does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"[ \t>]*(?:[-*+]|\d+[.)])?[ \t>]*(`{3,}|~{3,})(.*)")
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


def markdown(text: str) -> str:
    """Blot out fenced code and code spans; a code span cannot begin or end inside a comment.

    >>> markdown("a `<!-- b -->` c")
    'a              c'
    """
    kept: list[str] = []
    fence = ""
    for _, line in lines_of(text):
        found = _FENCE.match(line)
        if fence:
            kept.append(blanked(line))
            closes = (
                found and found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip()
            )
            fence = "" if closes else fence
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
            kept.append(blanked(line))
        else:
            kept.append(line)
    return _without_spans("\n".join(kept))


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
