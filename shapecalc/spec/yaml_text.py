"""YAML and JSON text read as plain data that remembers where each value was written.

Only data comes out: mappings, lists, text, exact numbers, true, false and null, by the rules of
YAML 1.2 (`yes` and `on` are text, `1e3` is a number). Tags are refused, nesting, size and alias
expansion are bounded, and a repeated key is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import yaml

from shapecalc.errors import Place, SpecError, quote
from shapecalc.spec.located_text import DEEPEST, FLOW_HINT, LARGEST_FILE, Map, Seq

MOST_VALUES = 200_000
LONGEST_NUMBER = 40

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE]([-+]?[0-9]{1,6}))?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys instead of showing it, marks that reverse the writing included."""
_BARE = re.compile(r"\s*- +(\w+)\s*(?:#.*)?", re.ASCII)
"""A layer without a colon."""
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def parse(text: str, file: str | None = None) -> Any:
    """Return the data of one YAML (or JSON) document; raise `SpecError` with its place."""
    return parse_tree(text, file).data


def parse_tree(text: str, file: str | None = None) -> Node:
    """Return one YAML (or JSON) document as a tree; raise `SpecError` with its place."""
    if not isinstance(text, str):
        raise SpecError(f"the text of a spec is a str, not {type(text).__name__}")
    if len(text) > LARGEST_FILE or len(text.encode("utf-8", "replace")) > LARGEST_FILE:
        raise SpecError("the text is larger than 1 MiB", place=Place(file))
    if match := _CONTROL.search(text):
        before = text[: match.start()].split("\n")
        raise _control(match[0], Place(file, len(before), len(before[-1]) + 1))
    try:
        return _Composer(text, file).document()
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, file, text) from None
    except yaml.YAMLError as error:
        raise SpecError(f"this is not YAML: {str(error).splitlines()[0]}", place=Place(file)) from None


def _not_yaml(error: yaml.MarkedYAMLError, file: str | None, text: str) -> SpecError:
    mark, start = error.problem_mark or error.context_mark, error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    if "nesting depth" in str(error.problem):  # libyaml has a bound of its own, and looks ahead
        return _too_deep(place)
    began = f" from line {start.line + 1} on" if start and mark and start.line != mark.line else ""
    context = f" ({error.context}{began})" if error.context else ""
    in_flow = any(word in f"{error.context} {error.problem}" for word in ("flow", "mapping values"))
    hint = FLOW_HINT if in_flow else ""
    before = text.split("\n")[: mark.line][-1:] if mark else []
    if "mapping values" in str(error.problem) and before and (bare := _BARE.fullmatch(before[0])):
        hint = f"with keys below it a layer has a colon: write - {bare[1]}:"
    return SpecError(f"this is not YAML: {error.problem}{context}", place=place, hint=hint)


def _control(character: str, place: Place) -> SpecError:
    return SpecError(f"the control character {quote(character)} is not allowed", place=place)


def _too_deep(place: Place) -> SpecError:
    return SpecError(f"values are nested more than {DEEPEST} deep", place=place)


class Node:
    """A value of a YAML text: its data, and from which character to which it is written."""

    __slots__ = ("column", "data", "end", "entries", "form", "items", "line", "start")

    def __init__(self, event: Any, form: str) -> None:
        mark = event.start_mark
        self.start: int = mark.index
        self.end: int = event.end_mark.index
        self.line: int = mark.line + 1
        self.column: int = mark.column + 1
        self.form = form
        """`scalar`, `alias`, `flow` or `block`."""
        self.data: Any = None
        self.entries: list[tuple[Node, Node]] | None = None
        """The keys and values of a mapping."""
        self.items: list[Node] | None = None
        """The items of a list."""

    @property
    def last(self) -> int:
        """Where the last thing inside ends: the end of a block itself is further down."""
        if self.form != "block":
            return self.end
        inner = [*(self.items or ()), *(node for entry in self.entries or () for node in entry)]
        return max((node.last for node in inner), default=self.start)


class _Composer:
    """Builds the tree from the parser's events, one at a time, so that every bound holds early."""

    def __init__(self, text: str, file: str | None) -> None:
        self.file = file
        self.events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.values = 0

    def document(self) -> Node:
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise SpecError("the text is empty", place=Place(self.file, 1, 1))
        root = self.node(next(self.events), 0)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise SpecError("the text holds more than one document", place=self.at(after))
        return root

    def at(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def place(self, node: Node, value: Any) -> Place:
        """Return the place of a node, which knows the places inside a value."""
        parts = value.places if isinstance(value, (Map, Seq)) else ()
        return Place(self.file, node.line, node.column, parts)

    def node(self, event: Any, depth: int) -> Node:
        before = self.values
        self.grow(1, event)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise SpecError(f"the alias *{event.anchor} names nothing above it", place=self.at(event))
            node = Node(event, "alias")
            node.data, size = self.anchors[event.anchor]
            self.grow(size, event)
            return node
        if event.tag and event.tag.startswith(("!", "tag:")) and event.tag != "!":
            tag = quote(event.tag.replace("tag:yaml.org,2002:", "!!"))
            raise SpecError(f"the tag {tag} is not allowed: a spec is plain data", place=self.at(event))
        if depth > DEEPEST:
            raise _too_deep(self.at(event))
        if isinstance(event, yaml.ScalarEvent):
            node = Node(event, "scalar")
            node.data = self.scalar(event)
        else:
            node = Node(event, "flow" if event.flow_style else "block")
            fill = self.sequence if isinstance(event, yaml.SequenceStartEvent) else self.mapping
            node.end = fill(node, depth).end_mark.index
        if event.anchor:
            self.anchors[event.anchor] = (node.data, self.values - before)
        return node

    def grow(self, size: int, event: Any) -> None:
        self.values += size
        if self.values > MOST_VALUES:
            raise SpecError(
                f"the text holds (or its aliases expand to) more than {MOST_VALUES:,} values",
                place=self.at(event),
            )

    def sequence(self, node: Node, depth: int) -> Any:
        """Read the items of a list; return the event that ends it."""
        node.items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            node.items.append(self.node(event, depth + 1))
        data = node.data = Seq([item.data for item in node.items])
        data.places = [self.place(item, item.data) for item in node.items]
        data.place = self.place(node, data)
        return event

    def mapping(self, node: Node, depth: int) -> Any:
        """Read the entries of a mapping; return the event that ends it."""
        node.entries, data = [], Map()
        data.places = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise SpecError("a key must be plain text", place=self.at(event), hint=FLOW_HINT)
            key, name = Node(event, "scalar"), self.text(event)
            if name in data:
                first = f"the first time in line {data.places[name].line}"
                raise SpecError(f"the key {quote(name)} occurs twice, {first}", place=self.at(event))
            self.grow(1, event)
            value = self.node(next(self.events), depth + 1)
            node.entries.append((key, value))
            data[name] = value.data
            data.places[name] = self.place(key, value.data)
        node.data, data.place = data, self.place(node, data)
        return event

    def text(self, event: Any) -> str:
        text: str = event.value
        if event.style and (match := _CONTROL.search(text)):  # an escape in quotes, such as "\\e"
            raise _control(match[0], self.at(event))
        return text

    def scalar(self, event: Any) -> Any:
        text = self.text(event)
        if event.style:  # quoted or block text is text
            return text
        if text in _WORDS:
            return _WORDS[text]
        is_integer = _INTEGER.fullmatch(text)
        decimal = None if is_integer else _DECIMAL.fullmatch(text)
        if not is_integer and not decimal:
            return text
        if len(text) > LONGEST_NUMBER or (decimal and abs(int(decimal[1] or 0)) > LONGEST_NUMBER):
            raise SpecError(f"the number {quote(text)} is too long or too large", place=self.at(event))
        return Fraction(text) if decimal else int(text, 0 if text[:2] in ("0o", "0x") else 10)
