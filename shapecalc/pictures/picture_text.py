"""The text of pictures: the lines of a box, and numbers short enough for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.conventions.by_tool import convention
from shapecalc.pictures.scene import Box, Frame
from shapecalc.render.text_writer import shortened
from shapecalc.report.outline import Item, window_text
from shapecalc.report.report import Report

LONGEST = 36
"""How many characters a line of a box may have."""


@dataclass(frozen=True, slots=True)
class Words:
    """The lines of a box: its name, its kind, its output, its cost; empty ones are not drawn."""

    name: str
    kind: str
    shape: str
    cost: str

    @property
    def lines(self) -> list[str]:
        """The lines that are written."""
        return [line for line in (self.first, self.shape, self.cost) if line]

    @property
    def first(self) -> str:
        """The name with the kind behind it."""
        return f"{self.name} {self.kind}".strip()

    @property
    def is_sign(self) -> bool:
        """Whether it is only the sign of an operation."""
        return len(self.first) == 1 and not self.shape


def brief(value: Dim) -> str:
    """Return a number with three digits and a decimal prefix, or a formula cut where it is long.

    >>> [brief(value) for value in (156, 61_706, 25_557_032, 999_999, 4_089_184_256)]
    ['156', '61.7 K', '25.6 M', '1 M', '4.09 G']
    """
    if not isinstance(value, int):
        return shortened(grouped(value), LONGEST - 10)
    size, prefix = scaled(value, 999.5)
    return f"{size:.3g}{prefix}" if size < 1000 else f"{size:,.0f}{prefix}"


def scaled(value: float, below: float = 1000) -> tuple[float, str]:
    """Return a number brought below a limit, as far as there are decimal prefixes, and its prefix."""
    *prefixes, last = ("", " K", " M", " G", " T", " P")
    for prefix in prefixes:
        if value < below:
            return value, prefix
        value /= 1000
    return value, last


def words(box: Box, report: Report) -> Words:
    """Return the text of a box: a layer that acts on each number for itself has its name alone."""
    shape = shortened(report.shape_text(box.output), LONGEST)
    if box.item is None:
        several = len(report.inputs if box.family == "input" else report.outputs) > 1
        return Words(box.name if several or box.family == box.name else box.family, "", shape, "")
    item, node = box.item, box.node
    if box.family == "merge":
        assert node is not None
        same = all(shape == node.output for shape in node.inputs)
        return Words(getattr(node.layer, "symbol", "") or node.kind, "", "" if same else shape, "")
    kind = f"{node.kind if node else item.kind} {window_text(item.window)}".strip()
    if node is None and item.node is not None and item.node.kind == item.kind:  # folded with its branches
        kind = f"{kind} of {len(item.node.inputs)} branches"
    return Words(*_named(item, kind), "" if box.family == "pointwise" else shape, cost(item))


def _named(item: Item, kind: str) -> tuple[str, str]:
    times = "" if item.count == 1 else f" ×{shortened(grouped(item.count), 12)}"
    word = kind.partition(" ")[0]
    if re.fullmatch(rf"{re.escape(word)}(_\d+)?", item.label):
        return shortened(f"{word}{times}", LONGEST), kind[len(word) :].strip()
    name = shortened(f"{item.label}{times}", LONGEST)
    return name, shortened(kind, max(LONGEST - len(name), 8))


def cost(item: Item) -> str:
    """Return the parameters and the multiply-accumulates of a box, if it has any."""
    parts = ["shared weights"] if item.is_shared else []
    if item.params != 0 and not item.is_shared:
        parts.append(f"{brief(item.params)} params")
    return ", ".join([*parts, *_macs(item, brief, "≥ ")])


def _macs(item: Item, write: Callable[[Dim], str], at_least: str) -> list[str]:
    macs, is_complete = item.cost(convention())
    if macs is None:
        return ["MACs not known"]
    return [f"{'' if is_complete else at_least}{write(macs)} MACs"] if macs != 0 or not is_complete else []


def frame_words(frame: Frame) -> str:
    """Return the heading of a frame."""
    return " ".join(part for part in _named(frame.item, frame.item.kind) if part)


def exactly(box: Box, report: Report) -> str:
    """Return everything about a box in one line, no number rounded."""
    shape = report.shape_text(box.output)
    if box.item is None:
        return f"{box.family if box.name == box.family else f'{box.family} {box.name}'}: {shape}"
    item, node = box.item, box.node
    kind = node.kind if node else item.kind or "part"
    parts = [kind if item.label == kind else f"{item.label}: {kind}"]
    if node is not None:
        parts += [window_text(item.window)] if item.window else []
        parts.append(f"{', '.join(map(report.shape_text, node.inputs))} → {shape}")
    else:
        parts.append(shape)
    if item.count != 1:
        parts.append(f"{grouped(item.count)} times")
    if item.params != 0:
        parts.append(f"{grouped(item.params)} parameters")
    return "; ".join([*parts, *_macs(item, grouped, "at least ")])


def totals(report: Report) -> str:
    """Return the line under a picture: all parameters and all multiply-accumulates."""
    at_least = "" if report.complete else "at least "
    return f"{brief(report.params)} parameters, {at_least}{brief(report.macs)} MACs"
