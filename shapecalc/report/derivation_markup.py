r"""A derivation as Markdown, with formulas between dollar signs, and as LaTeX.

The LaTeX is the body of a document whose preamble says `\usepackage{amsmath}`; it brings no commands
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shapecalc.algebra import Dim
from shapecalc.algebra import term as terms
from shapecalc.algebra.expr_text import grouped
from shapecalc.algebra.expr_text import latex as latex_dim
from shapecalc.layers.requirement import shown
from shapecalc.render.latex_writer import escaped, inline
from shapecalc.render.markdown_writer import escaped as marked
from shapecalc.render.piece import Block, Facts, Heading, Inline, Line, Math, Page, Paragraph, chain
from shapecalc.report.derivation import Axes, Derivation, LayerDerivation, Step
from shapecalc.report.derivation_text import (
    MOST_SUMMANDS,
    UNCOUNTED,
    alike,
    fields_of,
    kept,
    title,
    together,
)

_ROOM = 47
"""ErrorContext how many characters fit between the label and the margin."""


def derivation_markdown(derivation: Derivation) -> str:
    """Return the derivation as Markdown: a heading per layer, a list of equations."""
    parts = [f"# {marked(derivation.heading)}"]
    for layer in derivation.layers:
        items = [f"- {label}: {_markdown(chain)}" for label, chain in _lines(layer)]
        parts.append("\n".join([f"## {marked(title(layer))}", "", *items]))
    if len(derivation.layers) > 1:
        items = [f"- {label}: {_markdown(equation)}" for label, equation in _totals(derivation)]
        parts.append("\n".join([f"## {together(derivation)}", "", *items]))
    parts += derivation.conditions
    return "\n\n".join(parts)


def derivation_latex(derivation: Derivation) -> str:
    """Return the derivation as LaTeX: a paragraph per layer, its equations aligned."""
    parts = [
        r"% needs \usepackage{amsmath}",
        rf"\section*{{{escaped(derivation.heading)}}}",
        *("\n".join(_latex_layer(layer)) for layer in derivation.layers),
    ]
    if len(derivation.layers) > 1:
        rows = _rows([*_totals(derivation)])
        parts.append("\n".join([rf"\subsection*{{{together(derivation)}}}", *_aligned(rows)]))
    parts += [escaped(condition) for condition in derivation.conditions]
    return "\n\n".join(parts)


def derivation_page(derivation: Derivation) -> Page:
    """Return the derivation as pieces: a heading per layer, its equations as facts."""
    blocks: list[Block] = [Heading((derivation.heading,))]
    for layer in derivation.layers:
        blocks += [Heading((title(layer),), 2), _facts([*_lines(layer)])]
    if len(derivation.layers) > 1:
        blocks += [Heading((together(derivation),), 2), _facts([*_totals(derivation)])]
    return (*blocks, *(Paragraph((condition,)) for condition in derivation.conditions))


def _facts(lines: Sequence[tuple[str, Equation | Line]]) -> Facts:
    """Return lines as facts; a label that stands above is not said again."""
    labels = [label for label, _ in lines]
    told = [label if label != before else "" for before, label in zip(["", *labels], labels, strict=False)]
    return Facts(tuple((label, _line(line)) for label, (_, line) in zip(told, lines, strict=True)))


def _line(line: Equation | Line) -> Line:
    return (line.whole,) if isinstance(line, Equation) else line


@dataclass(frozen=True, slots=True)
class Equation:
    """A name, which may be missing, and what is equal to it, between equals signs."""

    name: Math | None
    parts: tuple[Math, ...]

    @property
    def whole(self) -> Math:
        """The equation in one line."""
        return chain(self.parts if self.name is None else (self.name, *self.parts))


def _lines(layer: LayerDerivation) -> Iterator[tuple[str, Equation | Line]]:
    """Yield the label of every line, and its equation, or words."""
    if layer.keeps_shape:
        yield "Output", (_sizes(layer.outputs[0]), f", {kept(layer)}")
    else:
        for axes in layer.inputs:
            yield "Input", (_axes(axes),)
    if layer.given:
        given: list[Inline] = []
        for field, one in fields_of(layer):
            between = ", " if given else ""
            word = f"{between}{field} " if field else between
            given += [
                *([word] if word else []),
                chain([_term(one.letter), _term(terms.inserted(one.letter))]),
            ]
        yield "Given", tuple(given)
    for step in layer.shape:
        yield step.meaning.capitalize(), _equation(step)
    if not layer.keeps_shape:
        for axes, times in alike(layer.outputs):
            yield f"Output, {times} times" if times > 1 else "Output", (_axes(axes),)
    for step in layer.params:
        yield "Parameters", _equation(step)
    if layer.shares and not layer.params:
        yield "Parameters", (f"those of {layer.shares}, counted there",)
    if layer.macs_total is None:
        yield "MACs", (UNCOUNTED,)
    for step in layer.macs:
        yield "MACs", _equation(step)


def _latex_layer(layer: LayerDerivation) -> Iterator[str]:
    yield rf"\subsection*{{{escaped(title(layer))}}}"
    words = [(label, inline(line)) for label, line in _lines(layer) if not isinstance(line, Equation)]
    equations = [(label, line) for label, line in _lines(layer) if isinstance(line, Equation)]
    rows = _rows(equations)
    before = [f"{label}: {line}." for label, line in words if not (rows and label.startswith("Output"))]
    after = [f"{label}: {line}." for label, line in words if rows and label.startswith("Output")]
    yield from (*before, *(_aligned(rows) if rows else ()), *after)


def _rows(equations: list[tuple[str, Equation]]) -> list[str]:
    """Return one row for each equation, or for each equals sign of one that would be too long."""
    names = [equation.name.latex if equation.name else "" for _, equation in equations]
    room = _ROOM - max(map(_width, names), default=0)
    rows: list[str] = []
    last = ""
    for name, (label, equation) in zip(names, equations, strict=True):
        said = "" if label == last else rf"\text{{{label}}} "
        head = f"{said}&& {name}".rstrip()
        last = label
        parts = [part.latex for part in equation.parts]
        if sum(map(_width, parts)) <= room:
            rows.append(f"{head} &= {' = '.join(parts)}")
            continue
        for part in parts:
            first, *others = _folded(part, room)
            rows.append(f"{head} &= {first}")
            rows += [rf"&&& \quad {{}} {other}" for other in others]
            head = "&&"
    return rows


def _folded(part: str, room: int) -> list[str]:
    """Return a formula in lines that are not too long, broken before a plus or minus outside all brackets."""
    lines: list[str] = []
    for summand in _summands(part):
        if lines and _width(lines[-1] + summand) <= room:
            lines[-1] += f" {summand}"
        else:
            lines.append(summand)
    return lines


def _summands(part: str) -> Iterator[str]:
    """Yield the summands of a formula, each with its sign in front."""
    depth, start = 0, 0
    for found in re.finditer(r"\\left(?![a-z])|\\right(?![a-z])|(?<!\\)[{}]|(?<=\S) (?=[+-] )", part):
        depth += {r"\left": 1, "{": 1, r"\right": -1, "}": -1}.get(found[0], 0)
        if depth == 0 and found[0] == " ":
            yield part[start : found.start()]
            start = found.end()
    yield part[start:]


def _aligned(rows: list[str]) -> Iterator[str]:
    yield r"\begin{align*}"
    yield " \\\\\n".join(rows)
    yield r"\end{align*}"


def _width(formula: str) -> int:
    """Return about how many characters a formula is wide once it is set."""
    for command in (r"\left", r"\right", r"\mathrm", r"\mathit", r"\text", r"\frac", r"\,"):
        formula = formula.replace(command, "")
    for command in (r"\lfloor", r"\rfloor", r"\lceil", r"\rceil"):
        formula = formula.replace(command, "x")
    for operator in (r"\cdot", r"\times"):
        formula = formula.replace(operator, "xx")
    return sum(character not in "{}_^ " for character in formula)


def _markdown(line: Equation | Line) -> str:
    """Return a line with dollar signs; what LaTeX escapes, Markdown does too."""
    return inline(_line(line))


def _equation(step: Step) -> Equation:
    written = [_term(step.term), _term(terms.inserted(step.term)), Math(latex_dim(step.value), step.result)]
    name = _term(terms.Letter(step.name, step.value)) if step.name else None
    return Equation(name, tuple({one.latex: one for one in written}.values()))


def _term(term: terms.Term) -> Math:
    return Math(terms.latex(term), terms.text(term))


def _axes(axes: Axes) -> Math:
    letters = [_term(term) for term in axes.letters]
    named = Math(r" \times ".join(one.latex for one in letters), "×".join(one.text for one in letters))
    written = [named, _sizes(axes)] if letters else [_sizes(axes)]
    return chain({one.latex: one for one in written}.values())


def _sizes(axes: Axes) -> Math:
    texts = [str(size) if isinstance(size, int) else latex_dim(size) for size in axes.shape]
    if len(texts) > 1:
        texts = [f"({text})" if " + " in text or " - " in text else text for text in texts]
    return Math(r" \times ".join(texts) or "1", shown(axes.shape))


def _totals(derivation: Derivation) -> Iterator[tuple[str, Equation]]:
    params = [layer.params_total for layer in derivation.layers]
    yield "Parameters", _summed(params, Math(latex_dim(derivation.params), grouped(derivation.params)))
    macs = [layer.macs_total for layer in derivation.layers if layer.macs_total is not None]
    latex, text = ("", "") if derivation.complete else (r"\text{at least } ", "at least ")
    result = Math(latex + latex_dim(derivation.macs), text + grouped(derivation.macs))
    yield "MACs", _summed(macs, result)


def _summed(parts: list[Dim], result: Math) -> Equation:
    summands = [part for part in parts if part != 0]
    if not 1 < len(summands) <= MOST_SUMMANDS:
        return Equation(None, (result,))
    written = Math(" + ".join(map(latex_dim, summands)), " + ".join(map(grouped, summands)))
    return Equation(None, (written, result))
