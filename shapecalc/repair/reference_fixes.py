"""What may repair a name that stands for no tensor here, or a condition and a repeat without a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.diagnostics.diagnostic import Diagnostic
from shapecalc.repair.proposal import Proposal
from shapecalc.repair.yaml_edits import YamlText

_NOT_THERE = re.compile(r"from: [^']*'([\w.]+)'")
_LATER = re.compile(r"'([\w.]+)' is a later step")
_NAMED = re.compile(r"'([\w.]+)'")
_PRICE_OF_A_NAME = 3
"""A tensor that is not read any more is seldom what was meant."""
_WITHOUT = {"when": "always, no when", "repeat": "once, no repeat"}
_PRICE_WITHOUT = 3


def references(one: Diagnostic, text: YamlText) -> Iterator[Proposal]:
    """Yield the later step moved up, the whole for a part, the list without the name, and what arrives."""
    later = _LATER.search(one.message)
    moved = text.move_up(later[1].partition(".")[0], one.place) if later else None
    if later is not None and moved is not None:
        yield Proposal((moved,), (f"move the step {later[1]} up before this one",))
    yield from _of_what_arrives(one, text)
    found = _NOT_THERE.match(one.message)
    written = text.value(one.place) if found else None
    if found is None or written is None:
        return
    name = found[1]
    whole = re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.])")
    head = name.rpartition(".")[0]
    if head:
        edit = text.replace_value(one.place, whole.sub(head, written))
        if edit is not None:
            yield Proposal((edit,), (f"{head}, not {name}",))
    left = [item.strip() for item in written.strip("[]").split(",") if not whole.fullmatch(item.strip())]
    if written.startswith("[") and left:
        edit = text.replace_value(one.place, f"[{', '.join(left)}]")
        if edit is not None:
            yield Proposal((edit,), (f"from: [{', '.join(left)}]",), price=_PRICE_OF_A_NAME)
    gone = text.drop_field(one.place)
    if gone is not None:
        yield Proposal((gone,), ("what arrives, no from",), price=_PRICE_OF_A_NAME)


def _of_what_arrives(one: Diagnostic, text: YamlText) -> Iterator[Proposal]:
    """Yield the size of what arrives in the place of that of a tensor which is not there."""
    written = text.value(one.place)
    if written is None:
        return
    for name in _NAMED.findall(one.message):
        other = re.compile(rf"\bsize\(\s*{re.escape(name)}\s*,\s*(-?\d+)\s*\)")
        found = other.search(written)
        edit = text.replace_value(one.place, other.sub(r"size(\1)", written)) if found else None
        if found is not None and edit is not None:
            yield Proposal((edit,), (f"size({found[1]}), not {found[0]}",), price=_PRICE_OF_A_NAME)


def without(one: Diagnostic, text: YamlText) -> Iterator[Proposal]:
    """Yield that a step has no condition, or runs once, where what is written there has no value."""
    key = one.message.partition(":")[0]
    edit = text.drop_field(one.place) if key in _WITHOUT and text.key(one.place) == key else None
    if edit is not None:
        yield Proposal((edit,), (_WITHOUT[key],), price=_PRICE_WITHOUT)
