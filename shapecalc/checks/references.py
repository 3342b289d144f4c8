"""What may repair a name that stands for no tensor here: a later step, a result that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shapecalc.checks.diagnostic import Diagnostic
from shapecalc.checks.edit import Text
from shapecalc.checks.proposal import Proposal

_NOT_THERE = re.compile(r"from: '([\w.]+)'(?:: there is no | is a later step| is this step itself)")
_PRICE_OF_A_NAME = 3
"""A tensor that is not read any more is seldom what was meant."""


def references(one: Diagnostic, text: Text) -> Iterator[Proposal]:
    """Yield the whole in the place of a part, the list without the name, and what arrives instead."""
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
