"""Edits of a spec's text at known places: everything else stays as it is, byte for byte.

A place is the line and column of a key, or of an item of a list. The tree of the text has the extent of
every value.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from shapecalc.diagnostics.diagnostic import BREAK, Edit
from shapecalc.errors import Place
from shapecalc.repair.text_edits import line_starts
from shapecalc.spec.yaml_text import Node, parse_tree

_DASHES = re.compile(r"[ ]*(- +)+")
_DASH = re.compile(r"[ ]*- +")

Position: TypeAlias = tuple[int | None, int | None]


class _Entry(NamedTuple):
    """A key with its value, and the mapping that it is entry `number` of."""

    key: Node
    value: Node
    mapping: Node
    number: int


class YamlText:
    """The text of a spec, from which edits at places are made; None where that cannot be done in place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = line_starts(text)
        self.entries: dict[Position, _Entry] = {}
        self.items: dict[Position, tuple[Node, Node]] = {}
        """An item of a list by its place, and the list."""
        self._index(parse_tree(text))

    def _index(self, node: Node) -> None:
        for item in node.items or ():
            self.items[item.line, item.column] = item, node
            self._index(item)
        for number, (key, value) in enumerate(node.entries or ()):
            self.entries[key.line, key.column] = _Entry(key, value, node, number)
            self._index(value)

    # ---- reading

    def key(self, place: Place) -> str | None:
        """Return the key or the plain item at a place."""
        word = self._word(place)
        return None if word is None else self._written(word)

    def value(self, place: Place) -> str | None:
        """Return what is written under the key at a place, where it is in one piece."""
        entry = self._entry(place)
        return None if entry is None or entry.value.form == "block" else self._written(entry.value)

    def data(self, place: Place) -> Any:
        """Return the value under the key at a place; None where there is none."""
        entry = self._entry(place)
        return None if entry is None else entry.value.data

    def step(self, place: Place) -> Place:
        """Return where the innermost item of a list begins that a place is in."""
        item = next(self._around(place), None)
        return place if item is None else Place(line=item[0].line, column=item[0].column)

    def is_loop_variable(self, name: str, place: Place) -> bool:
        """Say whether a name is a variable of a repeat around a place."""
        steps = [item.data for item, _ in self._around(place) if isinstance(item.data, dict)]
        return any(isinstance(loops := step.get("repeat"), dict) and name in loops for step in steps)

    # ---- fields

    def replace_key(self, place: Place, new: str) -> Edit | None:
        word = self._word(place)
        return None if word is None else self._edit(word.start, word.end, new)

    def replace_value(self, place: Place, new: str) -> Edit | None:
        entry = self._entry(place)
        if entry is None or entry.value.form == "block":
            return None
        value = entry.value
        if value.start == value.end:
            return self._edit(value.start, value.end, f" {new}") if value.start > entry.key.end else None
        return self._edit(value.start, value.end, new)

    def add_field(self, place: Place, name: str, value: str) -> Edit | None:
        """Write another field into the mapping under the key at a place, or behind a bare word."""
        new, entry = f"{name}: {value}", self._entry(place)
        if entry is None:
            word = self._word(place)
            return None if word is None else self._edit(word.end, word.end, f": {{{new}}}")
        fields = entry.value
        if fields.form == "scalar":
            return self.replace_value(place, f"{{{new}}}")
        if fields.entries is None:
            return None
        if not fields.entries:
            return self._edit(fields.start, fields.end, f"{{{new}}}")
        key, last = fields.entries[-1]
        if fields.form == "flow":
            return self._edit(last.end, last.end, f", {new}")
        end = self._line_after(last)
        if last.form == "block" or last.start == last.end or end is None:
            return None
        margin = self._margin(key)
        new = f"{' ' * len(margin) if margin.strip() else margin}{new}{self._newline()}"
        return self._edit(end, end, new)

    def drop_field(self, place: Place) -> Edit | None:
        """Take a field out of its mapping, with its own line where it has one."""
        entry = self._entry(place)
        if entry is None:
            return None
        entries, number = entry.mapping.entries or [], entry.number
        if entry.mapping.form == "flow":
            return self._without_comment(*_span([(key.start, value.end) for key, value in entries], number))
        start, end = self.lines[entry.key.line - 1], self._line_after(entry.key, entry.value)
        if self._margin(entry.key).strip():  # the next one moves to its place
            if number + 1 == len(entries):
                return None
            start, end = entry.key.start, entries[number + 1][0].start
        return self._without_comment(start, len(self.text) if end is None else end)

    def replace_entry(self, place: Place, word: str) -> Edit | None:
        """Write a word for a key and what is under it, or for the plain item at a place."""
        entry = self._entry(place)
        if entry is None:
            return self.replace_key(place, word)
        end = max(entry.key.end, entry.value.last)
        return self._without_comment(entry.key.start, end, f"{word}: {{}}")

    # ---- steps

    def insert_step(self, place: Place, step: str) -> Edit | None:
        """Put a step before the one at a place, indented as that one is."""
        item, holder = self._item(place)
        if item is None or holder is None:
            return None
        if holder.form == "flow":
            return self._edit(item.start, item.start, f"{step}, ")
        before = self._margin(item)
        if not _DASHES.fullmatch(before):
            return None
        if not _DASH.fullmatch(before):  # the first item of a list in a list
            dash = before.rindex("-")
            return self._edit(item.start, item.start, f"{step}{self._newline()}{' ' * dash}{before[dash:]}")
        start = self.lines[item.line - 1]
        return self._edit(start, start, f"{before}{step}{self._newline()}")

    def append_step(self, place: Place, step: str) -> Edit | None:
        """Put a step behind the last one of the list under the key at a place, or that is the item there."""
        entry = self._entry(place)
        holder = entry.value if entry else self._item(place)[0]
        if holder is None or holder.items is None:
            return None
        if not holder.items:
            return self._edit(holder.start, holder.end, f"[{step}]")
        first, last = holder.items[0], holder.items[-1]
        if holder.form == "flow":
            return self._edit(last.end, last.end, f", {step}")
        margin, end = self._margin(first), self._line_after(last)
        if not _DASHES.fullmatch(margin) or end is None:
            return None
        dash = margin.rindex("-")
        return self._edit(end, end, f"{' ' * dash}{margin[dash:]}{step}{self._newline()}")

    def drop_step(self, place: Place) -> Edit | None:
        """Take a step out of its list, with what is written on its lines; a list keeps its last step."""
        item, holder = self._item(place)
        items = (holder.items or []) if holder else []
        if item is None or holder is None or len(items) == 1:
            return None
        if holder.form == "flow":
            return self._without_comment(
                *_span([(each.start, each.end) for each in items], items.index(item))
            )
        if not _DASH.fullmatch(self._margin(item)):
            return None
        end = self._line_after(item)
        return self._edit(self.lines[item.line - 1], len(self.text) if end is None else end, "")

    def move_up(self, name: str, place: Place) -> Edit | None:
        """Put the later step of a name before the one, in the same list, that a place is in."""
        for item, holder in self._around(place):
            for before, later in zip(holder.items or (), (holder.items or [])[1:], strict=False):
                if later.start > item.start and self._name_of(later) == name:
                    return self._exchanged(item, before, later, holder)
        return None

    def _exchanged(self, item: Node, before: Node, later: Node, holder: Node) -> Edit | None:
        """Put an item before another, the one `before` which it is, with what is written on its lines."""
        if holder.form == "flow":
            new = f"{self._written(later)}, {self.text[item.start : before.end]}"
            return self._edit(item.start, later.end, new)
        dash, end = self._margin(later), self._line_after(later)
        if not _DASH.fullmatch(dash) or end is None:
            return None
        between = self.text[item.start : self.lines[later.line - 1]]
        return self._edit(item.start, end, f"{self.text[later.start : end]}{dash}{between}")

    # ---- helpers

    def _entry(self, place: Place) -> _Entry | None:
        return self.entries.get((place.line, place.column))

    def _item(self, place: Place) -> tuple[Node | None, Node | None]:
        return self.items.get((place.line, place.column), (None, None))

    def _around(self, place: Place) -> Iterator[tuple[Node, Node]]:
        """Yield the items of lists that a place is in, each with its list, from the innermost on."""
        index = self.lines[(place.line or 1) - 1] + (place.column or 1) - 1
        around = [pair for pair in self.items.values() if pair[0].start <= index < pair[0].end]
        yield from sorted(around, key=lambda pair: pair[0].start, reverse=True)

    def _word(self, place: Place) -> Node | None:
        """Return the key at a place, or the item where it is a plain word."""
        entry, item = self._entry(place), self._item(place)[0]
        if entry is not None:
            return entry.key
        return item if item is not None and item.form == "scalar" else None

    def _name_of(self, step: Node) -> str | None:
        spans = ((self._written(key), value) for key, value in step.entries or ())
        return next((self._written(value) for key, value in spans if key == "name"), None)

    def _written(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def _margin(self, node: Node) -> str:
        """Return what is written on a node's line before it."""
        return self.text[self.lines[node.line - 1] : node.start]

    def _line_after(self, first: Node, *others: Node) -> int | None:
        """Return where the line after some nodes begins; None where they end on the last line."""
        last = max(node.last for node in (first, *others)) - 1
        line = bisect_right(self.lines, max(first.start, last))
        return self.lines[line] if line < len(self.lines) else None

    def _edit(self, start: int, end: int, new: str) -> Edit:
        line = bisect_right(self.lines, start) - 1
        return Edit(line + 1, start - self.lines[line] + 1, self.text[start:end], new)

    def _without_comment(self, start: int, end: int, new: str = "") -> Edit | None:
        """Return an edit that would take no comment away."""
        return None if "#" in self.text[start:end] else self._edit(start, end, new)

    def _newline(self) -> str:
        match = BREAK.search(self.text)
        return match[0] if match else "\n"


def _span(spans: Sequence[tuple[int, int]], number: int) -> tuple[int, int]:
    """Return from where to where a part of a flow collection is taken out, with its comma."""
    start, end = spans[number]
    if number + 1 < len(spans):
        return start, spans[number + 1][0]
    return (spans[number - 1][1] if number else start), end
