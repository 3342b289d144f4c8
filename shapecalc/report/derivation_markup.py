r"""A derivation as Markdown, with formulas between dollar signs, and as LaTeX.

The LaTeX is the body of a document whose preamble says `\usepackage{amsmath}`; it brings no commands
of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shapecalc.algebra import Dim
from shapecalc.algebra import term as terms
from shapecalc.algebra.render import latex as latex_dim
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
from shapecalc.report.latex import escaped

_ROOM = 47
"""About how many characters fit between the label and the margin."""


def derivation_markdown(derivation: Derivation) -> str:
    """Return the derivation as Markdown: a heading per layer, a list of equations."""
    parts = [f"# {derivation.heading}"]
    for layer in derivation.layers:
        items = [f"- {label}: {_markdown(chain)}" for label, chain in _lines(layer)]
        parts.append("\n".join([f"## {title(layer)}", "", *items]))
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
    parts += [escaped(condition).translate(_RELATIONS) for condition in derivation.conditions]
    return "\n\n".join(parts)


_RELATIONS = str.maketrans(
    {
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "≠": r"$\neq$",
        "≡": r"$\equiv$",
        "⌊": r"$\lfloor$",
        "⌋": r"$\rfloor$",
        "⌈": r"$\lceil$",
        "⌉": r"$\rceil$",
    }
)
"""The signs of a condition, which is text."""


@dataclass(frozen=True, slots=True)
class _Equation:
    """A name, which may be empty, and what is equal to it, between equals signs."""

    name: str
    parts: list[str]


def _lines(layer: LayerDerivation) -> Iterator[tuple[str, _Equation | str]]:
    """Yield the label of every line, and its equation, or words."""
    if layer.keeps_shape:
        yield "Output", f"${_sizes(layer.outputs[0])}$, {kept(layer)}"
    else:
        for axes in layer.inputs:
            yield "Input", f"${_axes(axes)}$"
    if layer.given:
        yield (
            "Given",
            ", ".join(
                f"{escaped(field)} ${_name(one.letter)} = {_value(one.letter)}$".lstrip()
                for field, one in fields_of(layer)
            ),
        )
    for step in layer.shape:
        yield step.meaning.capitalize(), _equation(step)
    if not layer.keeps_shape:
        for axes, times in alike(layer.outputs):
            yield f"Output, {times} times" if times > 1 else "Output", f"${_axes(axes)}$"
    for step in layer.params:
        yield "Parameters", _equation(step)
    if layer.shares and not layer.params:
        yield "Parameters", f"those of {escaped(layer.shares)}, counted there"
    if layer.macs_total is None:
        yield "MACs", UNCOUNTED
    for step in layer.macs:
        yield "MACs", _equation(step)


def _latex_layer(layer: LayerDerivation) -> Iterator[str]:
    yield rf"\subsection*{{{escaped(title(layer))}}}"
    words = [(label, line) for label, line in _lines(layer) if isinstance(line, str)]
    equations = [(label, line) for label, line in _lines(layer) if isinstance(line, _Equation)]
    rows = _rows(equations)
    before = [f"{label}: {line}." for label, line in words if not (rows and label.startswith("Output"))]
    after = [f"{label}: {line}." for label, line in words if rows and label.startswith("Output")]
    yield from (*before, *(_aligned(rows) if rows else ()), *after)


def _rows(equations: list[tuple[str, _Equation]]) -> list[str]:
    """Return one row for each equation, or for each equals sign of one that would be too long."""
    room = _ROOM - max((_width(equation.name) for _, equation in equations), default=0)
    rows: list[str] = []
    last = ""
    for label, equation in equations:
        said = "" if label == last else rf"\text{{{label}}} "
        head = f"{said}&& {equation.name}".rstrip()
        last = label
        if sum(map(_width, equation.parts)) <= room:
            rows.append(f"{head} &= {' = '.join(equation.parts)}")
            continue
        for part in equation.parts:
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


def _markdown(line: _Equation | str) -> str:
    if isinstance(line, str):
        return line
    return f"${' = '.join([line.name, *line.parts] if line.name else line.parts)}$"


def _equation(step: Step) -> _Equation:
    written = [terms.latex(step.term), terms.latex(terms.inserted(step.term)), latex_dim(step.value)]
    name = _name(terms.Letter(step.name, step.value)) if step.name else ""
    return _Equation(name, [*dict.fromkeys(written)])


def _name(letter: terms.Letter) -> str:
    return terms.latex(letter)


def _value(letter: terms.Letter) -> str:
    return terms.latex(terms.inserted(letter))


def _axes(axes: Axes) -> str:
    written = [r" \times ".join(map(terms.latex, axes.letters)), _sizes(axes)]
    return " = ".join(dict.fromkeys(written))


def _sizes(axes: Axes) -> str:
    texts = [str(size) if isinstance(size, int) else latex_dim(size) for size in axes.shape]
    if len(texts) > 1:
        texts = [f"({text})" if " + " in text or " - " in text else text for text in texts]
    return r" \times ".join(texts) or "1"


def _totals(derivation: Derivation) -> Iterator[tuple[str, _Equation]]:
    params = [layer.params_total for layer in derivation.layers]
    yield "Parameters", _Equation("", _summed(params, latex_dim(derivation.params)))
    macs = [layer.macs_total for layer in derivation.layers if layer.macs_total is not None]
    at_least = "" if derivation.complete else r"\text{at least } "
    yield "MACs", _Equation("", _summed(macs, at_least + latex_dim(derivation.macs)))


def _summed(parts: list[Dim], result: str) -> list[str]:
    summands = [latex_dim(part) for part in parts if part != 0]
    return [" + ".join(summands), result] if 1 < len(summands) <= MOST_SUMMANDS else [result]
