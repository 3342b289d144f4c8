"""Edits as such: applied to a text, read off two texts, and how lines move and end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import pairwise

from shapecalc.diagnostics.diagnostic import BREAK, Edit


def applied(text: str, edits: Iterable[Edit]) -> str | None:
    """Return a text with edits in it, or None where they do not fit it or each other."""
    starts = [0, *(found.end() for found in BREAK.finditer(text))]
    rest = len(text)
    for edit in sorted(set(edits), reverse=True):
        if edit.line > len(starts):
            return None
        start = starts[edit.line - 1] + edit.column - 1
        end = start + len(edit.old)
        if end > rest or text[start:end] != edit.old:
            return None
        text = text[:start] + edit.new + text[end:]
        rest = start
    return text


def growth(edits: Iterable[Edit]) -> Iterator[tuple[int, int]]:
    """Yield by how many lines edits make a text longer, and from which line on, as lines stand then."""
    moved = 0
    for edit in sorted(set(edits)):
        more = len(BREAK.findall(edit.new)) - len(BREAK.findall(edit.old))
        if more:
            yield edit.line + moved, more
            moved += more


def between(old: str, new: str) -> tuple[Edit, ...]:
    """Return the edits that turn one text into another, line by line."""
    before, after = _lines(old), _lines(new)
    found: list[Edit] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "replace" and i2 - i1 == j2 - j1:
            found += [
                _within(number + 1, before[number], after[number - i1 + j1]) for number in range(i1, i2)
            ]
        elif what != "equal":
            found.append(Edit(i1 + 1, 1, "".join(before[i1:i2]), "".join(after[j1:j2])))
    return tuple(found)


def _lines(text: str) -> list[str]:
    ends = [0, *(found.end() for found in BREAK.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def _within(line: int, old: str, new: str) -> Edit:
    start = _shared(old, new)
    tail = _shared(old[start:][::-1], new[start:][::-1])
    return Edit(line, start + 1, old[start : len(old) - tail], new[start : len(new) - tail])


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))
