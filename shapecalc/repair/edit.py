"""Changes to the text of a spec at known places: everything else stays as it is, byte for byte.

A place in a spec is the line and column of a key, or of an item of a list. The text is read once
more as YAML events to find where the values at these places begin and end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from shapecalc.diagnostics.diagnostic import Edit
from shapecalc.errors import Place
from shapecalc.repair.text_edits import BREAK

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DASHES = re.compile(r"[ ]*(- +)+")
_DASH = re.compile(r"[ ]*- +")

Position = tuple[int, int]


@dataclass(slots=True)
class _Node:
    """A value in the text, from `start` to `end`."""

    start: int
    end: int
    position: Position
    form: str
    """`scalar`, `alias`, `flow` or `block`."""
    entries: list[tuple[_Node, _Node]] = field(default_factory=list)
    is_mapping: bool = False
    children: list[_Node] = field(default_factory=list)
    """The items of a list."""


class Text:
    """The text of a spec, which knows the extent of every value in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = [0, *(found.end() for found in BREAK.finditer(text))]
        self.entries: dict[Position, tuple[_Node, int]] = {}
        """The mapping that a key stands in, and which of its entries it is."""
        self.items: dict[Position, tuple[_Node, _Node]] = {}
        """An item of a list by its place, and the list."""
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        next(self._events)
        next(self._events)
        first = next(self._events, None)
        if first is not None:  # which it is where the text holds nothing but comments
            self._node(first)

    def _node(self, event: Any) -> _Node:
        start, end = event.start_mark, event.end_mark
        position = (start.line + 1, start.column + 1)
        if isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            form = "alias" if isinstance(event, yaml.AliasEvent) else "scalar"
            return _Node(start.index, end.index, position, form)
        node = _Node(start.index, 0, position, "flow" if event.flow_style else "block")
        if isinstance(event, yaml.SequenceStartEvent):
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                item = self._node(event)
                node.children.append(item)
                self.items[item.position] = item, node
        else:
            node.is_mapping = True
            while not isinstance(event := next(self._events), yaml.MappingEndEvent):
                key = self._node(event)
                self.entries[key.position] = node, len(node.entries)
                node.entries.append((key, self._node(next(self._events))))
        node.end = event.end_mark.index
        return node

    # ---- reading

    def key(self, place: Place) -> str | None:
        """Return the key or the plain item that stands at a place."""
        found = self._at(place)
        if found is None:
            item = self.items.get(_position(place))
            return self.text[item[0].start : item[0].end] if item and item[0].form == "scalar" else None
        key = found[0].entries[found[1]][0]
        return self.text[key.start : key.end]

    def value(self, place: Place) -> str | None:
        """Return what is written under the key at a place, where it is in one piece."""
        found = self._at(place)
        if found is None:
            return None
        value = found[0].entries[found[1]][1]
        return None if value.form == "block" else self.text[value.start : value.end]

    # ---- changes

    def replace_key(self, place: Place, new: str) -> Edit | None:
        """Write another word for the key or the plain item at a place."""
        old, position = self.key(place), _position(place)
        return None if old is None else Edit(*position, old, new)

    def replace_value(self, place: Place, new: str) -> Edit | None:
        """Write another value under the key at a place."""
        found = self._at(place)
        if found is None:
            return None
        key, value = found[0].entries[found[1]]
        if value.form == "block":
            return None
        if value.start == value.end:
            return self._edit(value.start, "", f" {new}") if value.start > key.end else None
        return self._edit(value.start, self.text[value.start : value.end], new)

    def add_field(self, place: Place, name: str, value: str) -> Edit | None:
        """Write another field into the mapping under the key at a place, or behind a bare word."""
        new = f"{name}: {value}"
        found = self._at(place)
        if found is None:
            item = self.items.get(_position(place))
            if item is None or item[0].form != "scalar":
                return None
            return self._edit(item[0].end, "", f": {{{new}}}")
        fields = found[0].entries[found[1]][1]
        if fields.form == "scalar":
            return self.replace_value(place, f"{{{new}}}")
        if not fields.is_mapping:
            return None
        if not fields.entries:
            return self._edit(fields.start, self.text[fields.start : fields.end], f"{{{new}}}")
        key, last = fields.entries[-1]
        if fields.form == "flow":
            return self._edit(last.end, "", f", {new}")
        if last.form == "block" or (last.start == last.end):
            return None
        line = self._line_of(key.start)
        margin = self.text[self.lines[line] : key.start]
        if margin.strip():
            margin = " " * len(margin)
        end = self.lines[line]
        while end <= last.end - 1 and line + 1 < len(self.lines):
            line += 1
            end = self.lines[line]
        if end < last.end:
            return None  # the last line has no end
        return self._edit(end, "", f"{margin}{new}{self._newline()}")

    def holder(self, place: Place) -> Place | None:
        """Return where the mapping begins that the key at a place stands in."""
        found = self._at(place)
        return None if found is None else Place(line=found[0].position[0], column=found[0].position[1])

    def replace_entry(self, place: Place, word: str) -> Edit | None:
        """Write a word for a key and what is under it, or for the plain item at a place."""
        found = self._at(place)
        if found is None:
            return self.replace_key(place, word)
        key, value = found[0].entries[found[1]]
        old = self.text[key.start : max(key.end, _last_mark(value))]
        return None if "#" in old else self._edit(key.start, old, f"{word}: {{}}")

    def drop_field(self, place: Place) -> Edit | None:
        """Take a field out of its mapping, with its own line where it has one."""
        found = self._at(place)
        if found is None:
            return None
        if found[0].form != "flow":
            return self._drop_line(*found)
        entries, number = found[0].entries, found[1]
        start, end = entries[number][0].start, entries[number][1].end
        if number + 1 < len(entries):
            end = entries[number + 1][0].start
        elif number:
            start = entries[number - 1][1].end
        old = self.text[start:end]
        return None if "#" in old else self._edit(start, old, "")

    def _drop_line(self, mapping: _Node, number: int) -> Edit | None:
        """Take out the lines of a field that begins on its own, or move the next one to its place."""
        key, value = mapping.entries[number]
        line = self._line_of(max(key.end, _last_mark(value) - 1)) + 1
        end = self.lines[line] if line < len(self.lines) else len(self.text)
        start = self.lines[key.position[0] - 1]
        if self.text[start : key.start].strip():
            if number + 1 == len(mapping.entries):
                return None
            start, end = key.start, mapping.entries[number + 1][0].start
        old = self.text[start:end]
        return None if "#" in old else self._edit(start, old, "")

    def insert_step(self, place: Place, step: str) -> Edit | None:
        """Put a step before the one at a place, indented as that one is."""
        found = self.items.get(_position(place))
        if found is None:
            return None
        item, holder = found
        if holder.form == "flow":
            return self._edit(item.start, "", f"{step}, ")
        start = self.lines[item.position[0] - 1]
        before = self.text[start : item.start]
        if not _DASHES.fullmatch(before):
            return None
        if not _DASH.fullmatch(before):  # the first item of a list in a list
            dash = before.rindex("-")
            return self._edit(item.start, "", f"{step}{self._newline()}{' ' * dash}{before[dash:]}")
        return self._edit(start, "", f"{before}{step}{self._newline()}")

    def append_step(self, place: Place, step: str) -> Edit | None:
        """Put a step behind the last one of the list under the key at a place, or that is the item there."""
        entry, item = self._at(place), self.items.get(_position(place))
        holder = entry[0].entries[entry[1]][1] if entry else item[0] if item else None
        if holder is None or holder.is_mapping or holder.form not in ("flow", "block"):
            return None
        if not holder.children:
            return self._edit(holder.start, self.text[holder.start : holder.end], f"[{step}]")
        first, last = holder.children[0], holder.children[-1]
        if holder.form == "flow":
            return self._edit(last.end, "", f", {step}")
        start = self.lines[first.position[0] - 1]
        margin = self.text[start : first.start]
        if not _DASHES.fullmatch(margin):
            return None
        line = self._line_of(max(last.start, _last_mark(last) - 1))
        if line + 1 >= len(self.lines):
            return None
        dash = margin.rindex("-")
        return self._edit(self.lines[line + 1], "", f"{' ' * dash}{margin[dash:]}{step}{self._newline()}")

    def drop_step(self, place: Place) -> Edit | None:
        """Take a step out of its list, with what is written on its lines; a list keeps its last step."""
        found = self.items.get(_position(place))
        if found is None:
            return None
        item, holder = found
        items = holder.children
        number = next(index for index, one in enumerate(items) if one is item)
        if len(items) == 1:
            return None
        if holder.form == "flow":
            start = item.start if number == 0 else items[number - 1].end
            end = items[1].start if number == 0 else item.end
            old = self.text[start:end]
            return None if "#" in old else self._edit(start, old, "")
        start = self.lines[item.position[0] - 1]
        if not _DASH.fullmatch(self.text[start : item.start]):
            return None
        last = self._line_of(max(item.start, _last_mark(item) - 1))
        end = self.lines[last + 1] if last + 1 < len(self.lines) else len(self.text)
        return self._edit(start, self.text[start:end], "")

    def move_up(self, name: str, place: Place) -> Edit | None:
        """Put the later step of a name before the one that a place is in, which stands in the same list."""
        line, column = _position(place)
        index = self.lines[line - 1] + column - 1
        around = [pair for pair in self.items.values() if pair[0].start <= index < pair[0].end]
        for item, holder in sorted(around, key=lambda pair: pair[0].start, reverse=True):
            for later in holder.children:
                if later.start > item.start and self._name_of(later) == name:
                    return self._exchanged(item, later, holder)
        return None

    def _exchanged(self, item: _Node, later: _Node, holder: _Node) -> Edit | None:
        """Put an item of a list before another, with what is written on its lines."""
        if holder.form == "flow":
            before = holder.children[holder.children.index(later) - 1]
            new = f"{self.text[later.start : later.end]}, {self.text[item.start : before.end]}"
            return self._edit(item.start, self.text[item.start : later.end], new)
        start = self.lines[later.position[0] - 1]
        dash = self.text[start : later.start]
        last = self._line_of(max(later.start, _last_mark(later) - 1))
        if not _DASH.fullmatch(dash) or last + 1 >= len(self.lines):
            return None
        end = self.lines[last + 1]
        new = f"{self.text[later.start : end]}{dash}{self.text[item.start : start]}"
        return self._edit(item.start, self.text[item.start : end], new)

    # ---- helpers

    def _name_of(self, step: _Node) -> str | None:
        """Return what a step is called, where that is written."""
        spans = ((self.text[key.start : key.end], value) for key, value in step.entries)
        return next((self.text[value.start : value.end] for key, value in spans if key == "name"), None)

    def _at(self, place: Place) -> tuple[_Node, int] | None:
        return self.entries.get(_position(place))

    def _line_of(self, index: int) -> int:
        return bisect_right(self.lines, index) - 1

    def _edit(self, index: int, old: str, new: str) -> Edit:
        line = self._line_of(index)
        return Edit(line + 1, index - self.lines[line] + 1, old, new)

    def _newline(self) -> str:
        found = BREAK.search(self.text)
        return found[0] if found else "\n"


def _last_mark(node: _Node) -> int:
    """Return where the last thing that is written in a node ends: a block's own end is further down."""
    if node.form != "block":
        return node.end
    inner = [part for entry in node.entries for part in entry] + node.children
    return max(map(_last_mark, inner), default=node.start)


def _position(place: Place) -> Position:
    return place.line or 0, place.column or 0
