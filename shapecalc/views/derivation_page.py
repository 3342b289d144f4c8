"""A derivation as a page: a heading for each layer, its lines as facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from shapecalc.algebra import Dim
from shapecalc.algebra import term as terms
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.expr_text import latex as latex_dim
from shapecalc.render.piece import (
    Block,
    Bullets,
    Equation,
    Facts,
    Heading,
    Inline,
    Line,
    Math,
    Page,
    chain,
    equation,
    factor_latex,
    joined,
    plain,
    product,
    sizes,
)
from shapecalc.report.derivation import Axes, Content, Derivation, Given, Step

MOST_SUMMANDS = 16
"""Of a sum over more layers than this there is only the result."""


def derivation_page(derivation: Derivation) -> Page:
    """Return the derivation as a page."""
    blocks: list[Block] = [Heading((derivation.heading,))]
    for layer in derivation.layers:
        lines = ((label, _line(content)) for label, content in layer.lines)
        blocks += [Heading((layer.title,), 2), _facts(lines)]
    if len(derivation.layers) > 1:
        title = "All layers" if derivation.is_whole else "These layers"
        blocks += [Heading((title,), 2), _facts(_totals(derivation))]
    if derivation.conditions:
        blocks.append(Bullets(tuple((condition,) for condition in derivation.conditions)))
    return tuple(blocks)


def _facts(lines: Iterable[tuple[str, Line]]) -> Facts:
    """Return lines as facts, a label once where it is that of several."""
    runs = groupby(lines, itemgetter(0))
    return Facts(tuple(("" if n else label, line) for label, run in runs for n, (_, line) in enumerate(run)))


def _line(content: Content) -> Line:
    if isinstance(content, str):
        return (content,)
    if isinstance(content, Step):
        written = (_term(content.term), _term(terms.inserted(content.term)), _number(content.value))
        name = _term(terms.Letter(content.name, content.value)) if content.name else None
        return (equation(written, name),)
    if isinstance(content, Axes):
        return (_axes(content), f", {content.note}") if content.note else (_axes(content),)
    line: list[Inline] = []
    for field, given in fields_of(content):
        between = ", " if line else ""
        line += [word] if (word := f"{between}{field} " if field else between) else []
        line.append(joined((_term(given.letter), _term(terms.inserted(given.letter))), " = "))
    return tuple(line)


def fields_of(fields: tuple[Given, ...]) -> Iterator[tuple[str, Given]]:
    """Yield the fields, each with its name where that is not the one before and is not the letter."""
    last = ""
    for given in fields:
        yield "" if given.field in (last, given.letter.name) else given.field, given
        last = given.field


def _term(term: terms.Term) -> Math:
    return Math(terms.latex(term), terms.text(term))


def _number(value: Dim) -> Math:
    return Math(latex_dim(value), grouped(value))


def _axes(axes: Axes) -> Math:
    alone = len(axes.shape) == 1
    latex = r" \times ".join(factor_latex(size, alone=alone) for size in axes.shape) or "1"
    shape = Math(latex, plain((sizes(axes.shape),)))
    return chain([product(map(_term, axes.letters)), shape]) if axes.letters else shape


def _totals(derivation: Derivation) -> Iterator[tuple[str, Line]]:
    params = [layer.params_total for layer in derivation.layers]
    yield "Parameters", (_sum(params, _number(derivation.params)),)
    macs = [layer.macs_total for layer in derivation.layers if layer.macs_total is not None]
    result = _number(derivation.macs)
    if not derivation.complete:
        result = Math(rf"\text{{at least }} {result.latex}", f"at least {result.text}")
    yield "MACs", (_sum(macs, result),)


def _sum(parts: list[Dim], result: Math) -> Equation:
    summands = [_number(part) for part in parts if part != 0]
    if not 1 < len(summands) <= MOST_SUMMANDS:
        return equation([result])
    return equation([joined(summands, " + "), result])
