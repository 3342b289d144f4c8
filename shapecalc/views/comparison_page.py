"""A comparison of two networks as a page: totals, each difference with its layers, the effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shapecalc.algebra.expr_text import grouped
from shapecalc.layers.requirement import shown
from shapecalc.render.piece import Column, Indented, Line, Page, Paragraph, Row, Table
from shapecalc.report.align import Pair
from shapecalc.report.comparison import Comparison, Difference, touched

_MOST_PLACES = 3


def comparison_page(comparison: Comparison) -> Page:
    """Return the comparison as a page."""
    left, right = comparison.left, comparison.right
    if comparison.is_equal:
        layers = f"{len(left.nodes)} layers, output {shown(left.output)}"
        return (Paragraph((f"{left.name} and {right.name} do not differ: {layers}",)),)
    columns = (Column(""), Column(left.name, is_right=True), Column(right.name, is_right=True))
    rows = [(name.replace("_", " "), _text(mine), _text(theirs)) for name, mine, theirs in comparison.totals]
    rows = rows or [("every total", "the same", "the same")]
    met = sum(touched(pair) for pair in comparison.pairs)
    return (
        Table(columns, tuple(Row(tuple((cell,) for cell in row)) for row in rows)),
        Indented(tuple(_differences(comparison))),
        Paragraph((f"Results or weights differ at {met} of {len(comparison.pairs)} aligned layers.",)),
    )


def _differences(comparison: Comparison) -> Iterator[tuple[int, Line]]:
    yield 0, (f"What differs ({comparison.left.name} | {comparison.right.name}):",)
    for difference in comparison.differences:
        times = f"  ×{len(difference.pairs)}" if len(difference.pairs) > 1 else ""
        yield 1, (f"{difference.what}{times}",)
        yield 3, (_places(difference),)


def _places(difference: Difference) -> str:
    places = [_where(pair) for pair in difference.pairs[:_MOST_PLACES]]
    more = len(difference.pairs) - _MOST_PLACES
    return "; ".join(places) + (f" and {more} more" if more > 0 else "")


def _where(pair: Pair) -> str:
    node = pair.left or pair.right
    assert node is not None
    if not node.lines:
        return node.path
    line, *calls = node.lines
    called = f", called in {' and '.join(map(str, calls))}" if calls else ""
    return f"{node.path} (line {line}{called})"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return shown(value) if isinstance(value, tuple) else grouped(value)
