"""Plain text in columns that give way until they fit a width: columns go and words are cut, numbers never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shapecalc.render.piece import Column, Row, Table

_SHORTEST = 12
"""How short a text may be cut."""
_MARGIN = 2
"""What stands between two columns, and what a header is padded by."""


def _depth(text: str) -> int:
    return (len(text) - len(text.lstrip(" "))) // 2


@dataclass(frozen=True, slots=True)
class Columns:
    """How rows of text are laid out: which columns there are, and which of them go first and last."""

    names: Sequence[str]
    right: frozenset[str]
    headers: Mapping[str, str]
    first_to_go: Sequence[str] = ()
    last_to_go: Sequence[str] = ()
    whole: frozenset[str] = frozenset()
    """Columns of words that are to be typed: they may go, and are never cut."""
    has_total: bool = False
    """Whether the last row stands under a rule of its own."""

    def text(self, rows: Sequence[Mapping[str, str]], width: int | None) -> str:
        """Return the rows as lines of text, none of them longer than the width if there is one."""
        names = [name for name in self.names if any(row[name] for row in rows)]
        text = self._drawn(rows, names)
        if width is None:
            return text
        for name in self.first_to_go:
            if broadest(text) <= width:
                return text
            if name in names:
                names.remove(name)
                text = self._drawn(rows, names)
        for name in ("", *self.last_to_go):
            if name in names:
                names.remove(name)
            text = self._drawn(self._cut(rows, names, width), names)
            if broadest(text) <= width:
                break
        return text

    def table(self, rows: Sequence[Mapping[str, str]]) -> Table:
        """Return the rows as a piece, at full width; what is indented stands under what is above it."""
        names = [name for name in self.names if any(row[name] for row in rows)]
        return Table(
            tuple(Column(self.headers.get(name, name), name in self.right) for name in names),
            tuple(Row(tuple((row[name].strip(),) for name in names), _depth(row[names[0]])) for row in rows),
        )

    def _drawn(self, rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> str:
        from tabulate import tabulate

        lines = tabulate(
            [[row[name] for name in names] for row in rows],
            headers=[self.headers.get(name, name) for name in names],
            tablefmt="simple",
            colalign=["right" if name in self.right else "left" for name in names],
            disable_numparse=True,
            preserve_whitespace=True,
        ).splitlines()
        if self.has_total:
            lines[-1:] = [lines[1], lines[-1]]
        return "\n".join(line.rstrip() for line in lines)

    def _cut(
        self, rows: Sequence[Mapping[str, str]], names: Sequence[str], width: int
    ) -> list[dict[str, str]]:
        """Cut the longest texts until the rows fit, or until nothing more can be cut.

        Formulas on the right, which only a reader of costs needs, are cut before words and shapes.
        """
        header = {name: len(self.headers.get(name, name)) + _MARGIN for name in names}
        lengths = {name: max(header[name], *(len(row[name]) for row in rows)) for name in names}
        least = {
            name: lengths[name]
            if name in self.whole
            else max(header[name], _SHORTEST, *(len(row[name]) for row in rows if _is_number(row[name])))
            for name in names
        }
        for _ in range(sum(lengths.values()) + _MARGIN * (len(names) - 1) - width):
            longest = max(
                names, key=lambda name: (lengths[name] > least[name], name in self.right, lengths[name])
            )
            lengths[longest] -= lengths[longest] > least[longest]
        return [{name: shortened(row[name], lengths[name]) for name in names} for row in rows]


_DIGITS = "0123456789,"


def _is_number(text: str) -> bool:
    return not text.strip("0123456789,.x≥ ")


def shortened(text: str, longest: int) -> str:
    """Return a text of at most so many characters; a number is cut away whole, lest it read as another.

    >>> shortened("4,096·H + 86,417,128", 15), shortened("response_norm", 9)
    ('4,096·H + …', 'response…')
    """
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    if kept[-1:] in _DIGITS and text[longest - 1] in _DIGITS:
        kept = kept.rstrip(_DIGITS) or kept
    return f"{kept}…"


def broadest(text: str) -> int:
    """Return the length of the longest line."""
    return max(map(len, text.splitlines()))
