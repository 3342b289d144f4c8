"""A comparison as text for a terminal, as Markdown and as pieces."""

from __future__ import annotations

from typing import Any

from shapecalc.algebra.expr_text import grouped
from shapecalc.layers.requirement import shown
from shapecalc.render.piece import Column, Page, Paragraph, Row, Table
from shapecalc.report.align import Pair
from shapecalc.report.comparison import Comparison, Difference, touched


def text(comparison: Comparison, most: int = 3) -> str:
    """Return the comparison for a terminal: totals, then each difference with where it is met."""
    if comparison.is_equal:
        return _equal(comparison)
    parts = [_totals(comparison, "simple"), "", f"What differs ({_names(comparison)}):"]
    for one in comparison.differences:
        times = f"  ×{len(one.pairs)}" if len(one.pairs) > 1 else ""
        parts += [f"  {one.what}{times}", f"      {_places(one, most)}"]
    return "\n".join([*parts, "", _effect(comparison)])


def markdown(comparison: Comparison, most: int = 3) -> str:
    """Return the comparison as Markdown."""
    from tabulate import tabulate

    if comparison.is_equal:
        return _equal(comparison)
    rows = [
        (one.what.replace("|", "→"), len(one.pairs), _places(one, most)) for one in comparison.differences
    ]
    table = tabulate(rows, headers=["Difference", "Layers", "Where"], tablefmt="pipe", disable_numparse=True)
    return "\n\n".join([_totals(comparison, "pipe"), table, _effect(comparison)])


def _names(comparison: Comparison) -> str:
    return f"{comparison.left.name} | {comparison.right.name}"


def _equal(comparison: Comparison) -> str:
    left, right = comparison.left, comparison.right
    return (
        f"{left.name} and {right.name} do not differ: {len(left.nodes)} layers, output {shown(left.output)}"
    )


def comparison_page(comparison: Comparison, most: int = 3) -> Page:
    """Return the comparison as pieces: the totals, each difference with where it is met, the effect."""
    if comparison.is_equal:
        return (Paragraph((_equal(comparison),)),)
    names = (Column(""), Column(comparison.left.name, True), Column(comparison.right.name, True))  # noqa: FBT003
    totals = Table(names, tuple(Row(tuple((cell,) for cell in row)) for row in _total_rows(comparison)))
    differences = Table(
        (Column("Difference"), Column("Layers", True), Column("Where")),  # noqa: FBT003
        tuple(
            Row(((one.what,), (str(len(one.pairs)),), (_places(one, most),)))
            for one in comparison.differences
        ),
        (f"What differs ({_names(comparison)})",),
    )
    met = (totals, differences) if comparison.differences else (totals,)
    return (*met, Paragraph((_effect(comparison),)))


def _total_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    rows = [(name.replace("_", " "), _shown(one), _shown(other)) for name, one, other in comparison.totals]
    return rows or [("every total", "the same", "the same")]


def _totals(comparison: Comparison, form: str) -> str:
    from tabulate import tabulate

    return tabulate(
        _total_rows(comparison),
        headers=["", comparison.left.name, comparison.right.name],
        tablefmt=form,
        colalign=("left", "right", "right"),
        disable_numparse=True,
    )


def _places(difference: Difference, most: int) -> str:
    places = [_where(pair) for pair in difference.pairs[:most]]
    more = len(difference.pairs) - most
    return "; ".join(places) + (f" and {more} more" if more > 0 else "")


def _effect(comparison: Comparison) -> str:
    met = sum(touched(pair) for pair in comparison.pairs)
    return f"Results or weights differ at {met} of {len(comparison.pairs)} aligned layers."


def _where(pair: Pair) -> str:
    node = pair.left or pair.right
    assert node is not None
    if not node.lines:
        return node.path
    line, *calls = node.lines
    called = f", called in {' and '.join(map(str, calls))}" if calls else ""
    return f"{node.path} (line {line}{called})"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return shown(value) if isinstance(value, tuple) else grouped(value)
