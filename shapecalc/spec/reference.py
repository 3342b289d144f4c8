"""References to steps: a path whose parts may be numbers of passes, written as arithmetic, and slices."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from shapecalc.algebra.formula import Formula
from shapecalc.errors import FormulaError, Written, quote

_PART = re.compile(r"(?:^|\.)(\w+)|\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", re.ASCII)


class Slice(NamedTuple):
    """Some of the passes of a repeat, `[1:]`: from the lower number on, and before the upper."""

    lower: Formula | None
    upper: Formula | None


Part: TypeAlias = "str | Formula | Slice"


class Reference(Written):
    """The path of a step: its name, then names inside it, passes by number, and slices of passes.

    >>> reference = Reference.parse("encoder[-1 - i].features")
    >>> reference.parts, reference.names
    (('encoder', Formula('-1 - i'), 'features'), ('encoder', 'i'))
    """

    __slots__ = ("names", "parts", "text")

    def __init__(self, text: str, parts: tuple[Part, ...]) -> None:
        self.text = text
        self.parts = parts
        inside = (part if isinstance(part, Slice) else (part,) for part in parts[1:])
        formulas = [part for part in chain.from_iterable(inside) if isinstance(part, Formula)]
        self.names = (str(parts[0]), *(name for formula in formulas for name in formula.names))
        """What it names: the step, and what the numbers of passes read."""

    @staticmethod
    def parse(text: str) -> Reference:
        """Read a path; raise `FormulaError` for what cannot be one."""
        return _parse(text.strip())

    @property
    def is_plain(self) -> bool:
        """Whether it has no brackets."""
        return "[" not in self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Reference({self.text!r})"

    def __reduce__(self) -> Any:
        return Reference.parse, (self.text,)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Reference:
    if "[" not in text and "*" not in text:
        return Reference(text, tuple(text.split(".")))
    parts: list[Part] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or (match[1] is None and not parts):
            example = text.replace(".*", "[:]") if ".*" in text else "layers[:].skip"
            raise FormulaError(f"{quote(text)} is not the path of a step, as {example} is")
        parts.append(_brackets(match[2]) if match[1] is None else match[1])
        position = match.end()
    return Reference(text, tuple(parts))


def _brackets(text: str) -> Formula | Slice:
    ends = text.split(":")
    if len(ends) > 2:
        raise FormulaError(f"[{text}]: a slice has no step in spec arithmetic")
    if len(ends) == 1:
        return Formula.parse(text)
    lower, upper = (Formula.parse(end) if end.strip() else None for end in ends)
    return Slice(lower, upper)
