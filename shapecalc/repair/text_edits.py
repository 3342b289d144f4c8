"""Edits as such: applied to a text, read off two texts, and how lines move and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import pairwise, takewhile

from shapecalc.diagnostics.diagnostic import BREAK, Edit


def line_starts(text: str) -> list[int]:
    """Return where each line of a text begins."""
    return [0, *(match.end() for match in BREAK.finditer(text))]


def applied(text: str, edits: Iterable[Edit]) -> str | None:
    """Return a text with edits in it, or None where they do not fit it or each other."""
    starts, rest = line_starts(text), len(text)
    for edit in sorted(set(edits), reverse=True):
        if edit.line > len(starts):
            return None
        start = starts[edit.line - 1] + edit.column - 1
        end = start + len(edit.old)
        if end > rest or text[start:end] != edit.old:
            return None
        text, rest = text[:start] + edit.new + text[end:], start
    return text


def growth(edits: Iterable[Edit]) -> Iterator[tuple[int, int]]:
    """Yield by how many lines edits make a text longer, and from which line of the new text on."""
    moved = 0
    for edit in sorted(set(edits)):
        more = len(BREAK.findall(edit.new)) - len(BREAK.findall(edit.old))
        if more:
            yield edit.line + moved, more
            moved += more


def between(old: str, new: str) -> tuple[Edit, ...]:
    """Return the edits that turn one text into another, line by line."""
    before, after = _lines(old), _lines(new)
    edits: list[Edit] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "replace" and i2 - i1 == j2 - j1:
            edits += map(_within, range(i1 + 1, i2 + 1), before[i1:i2], after[j1:j2])
        elif what != "equal":
            edits.append(Edit(i1 + 1, 1, "".join(before[i1:i2]), "".join(after[j1:j2])))
    return tuple(edits)


def _lines(text: str) -> list[str]:
    return [text[start:end] for start, end in pairwise([*line_starts(text), len(text)])]


def _within(line: int, old: str, new: str) -> Edit:
    """Return the edit of a line that keeps what the line begins and ends with."""
    start = _shared(old, new)
    tail = _shared(old[start:][::-1], new[start:][::-1])
    return Edit(line, start + 1, old[start : len(old) - tail], new[start : len(new) - tail])


def _shared(a: str, b: str) -> int:
    """Return how many characters two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
