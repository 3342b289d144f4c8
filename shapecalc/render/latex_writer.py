"""Pages as LaTeX; what it needs is `amsmath`, and `booktabs` where there is a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shapecalc.render.piece import Equation, Facts, Heading, Line, Page, Row, Sizes, Table
from shapecalc.render.text_formula import COMMANDS
from shapecalc.render.writer import StringWriter, packed

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: rf"$\{command}$" for sign, command in COMMANDS.items()},
    "…": r"\dots{}",
    ">": r"$>$",
}


def escaped(text: str) -> str:
    r"""Return text in which nothing is a command to LaTeX.

    >>> print(escaped("f_0 & 50%"))
    f\_0 \& 50\%
    """
    return "".join(_SPECIAL.get(character, character) for character in text)


_TIMES = re.compile("(?<!ma)x")
"""An x between sizes, and not that of `max`."""
_ROOM = 47
"""About how many characters of a formula fit between the label and the margin."""


def latex(page: Page) -> str:
    """Return a page as the body of a LaTeX document."""
    body = _Latex().page(page)
    return f"% needs \\usepackage{{amsmath}}\n\n{body}" if r"\begin{align*}" in body else body


def inline(line: Line) -> str:
    """Return a line of words."""
    return _Latex().inline(line)


class _Latex(StringWriter):
    def code(self, text: str) -> str:
        return rf"\texttt{{{escaped(text)}}}"

    def strong(self, text: str) -> str:
        return rf"\textbf{{{escaped(text)}}}"

    def words(self, text: str) -> str:
        return escaped(_TIMES.sub("×", text) if isinstance(text, Sizes) else text)

    def heading(self, heading: Heading) -> str:
        return rf"\{'sub' * min(heading.level - 1, 2)}section*{{{self.inline(heading.line)}}}"

    def verbatim(self, text: str) -> str:
        lines = (escaped(line).replace(" ", "~") or "~" for line in text.split("\n"))
        return "{\\ttfamily\\noindent\n" + "\\\\\n".join(lines) + "\n}"

    def bullets(self, lines: tuple[Line, ...]) -> str:
        return _listed("itemize", (rf"\item {self.inline(line)}" for line in lines))

    def facts(self, facts: Facts) -> str:
        if any(isinstance(part, Equation) for _, line in facts.rows for part in line):
            return "\n".join(self._aligned(facts))
        if len(facts.rows) == 1:
            return self._sentence(*facts.rows[0])
        rows = ((label, self.inline(line)) for label, line in facts.rows)
        return _listed("description", (rf"\item[{escaped(label)}] {text}" for label, text in rows))

    def _aligned(self, facts: Facts) -> Iterator[str]:
        """Yield facts with their equations aligned from the first to the last, words between them."""
        rows = [
            (label, next((part for part in line if isinstance(part, Equation)), None), line)
            for label, line in facts.labelled
        ]
        equations = [equation for _, equation, _ in rows if equation is not None]
        room = _ROOM - max(_width(equation.name.latex) if equation.name else 0 for equation in equations)
        numbers = [number for number, (_, equation, _) in enumerate(rows) if equation is not None]
        first, last = numbers[0], numbers[-1]
        lines: list[str] = []
        previous = ""
        for label, equation, line in rows[first : last + 1]:
            if equation is None:
                lines.append(rf"\intertext{{{self._sentence(label, line)}}}")
            else:
                name = rf"\text{{{label}}} " if label != previous else ""
                lines += [f"{row} \\\\" for row in _rows(equation, name, room)]
            previous = label
        lines[-1] = lines[-1].removesuffix(r" \\")
        yield from (self._sentence(label, line) for label, _, line in rows[:first])
        yield from (r"\begin{align*}", *lines, r"\end{align*}")
        yield from (self._sentence(label, line) for label, _, line in rows[last + 1 :])

    def _sentence(self, label: str, line: Line) -> str:
        return f"{escaped(label)}: {self.inline(line)}."

    def table(self, table: Table) -> str:
        return "\n".join(self._table(table))

    def _table(self, table: Table) -> Iterator[str]:
        yield r"\begin{table}"
        yield r"\centering"
        if table.caption:
            yield rf"\caption{{{self.inline(table.caption)}}}"
        yield rf"\begin{{tabular}}{{{''.join('r' if column.is_right else 'l' for column in table.columns)}}}"
        yield r"\toprule"
        yield " & ".join(escaped(column.header) for column in table.columns) + r" \\"
        yield r"\midrule"
        for row in table.rows:
            if row.is_total:
                yield r"\midrule"
            yield self._row(row)
        yield r"\bottomrule"
        yield r"\end{tabular}"
        if table.notes:
            yield r"\par\medskip"
            yield r"{\footnotesize\raggedright"
            yield from (rf"{self.inline(note)}\par" for note in table.notes)
            yield "}"
        yield r"\end{table}"

    def _row(self, row: Row) -> str:
        indent = rf"\hspace{{{row.depth}em}}" if row.depth else ""
        return indent + " & ".join(map(self.inline, row.cells)) + r" \\"


def _listed(environment: str, items: Iterable[str]) -> str:
    return "\n".join([rf"\begin{{{environment}}}", *items, rf"\end{{{environment}}}"])


# ---- equations


def _rows(equation: Equation, label: str, room: int) -> Iterator[str]:
    """Yield an equation as one row, or as one for each equals sign where it would be too long."""
    head = f"{label}&& {equation.name.latex if equation.name else ''}".rstrip()
    parts = [*dict.fromkeys(part.latex for part in equation.parts)]
    if sum(map(_width, parts)) <= room:
        yield f"{head} &= {' = '.join(parts)}"
        return
    for part in parts:
        first, *others = packed(_summands(part), room, _width)
        yield f"{head} &= {first}"
        yield from (rf"&&& \quad {{}} {other}" for other in others)
        head = "&&"


def _summands(part: str) -> Iterator[str]:
    """Yield the summands of a formula, each with its sign in front."""
    depth, start = 0, 0
    for match in re.finditer(r"\\left(?![a-z])|\\right(?![a-z])|(?<!\\)[{}]|(?<=\S) (?=[+-] )", part):
        depth += {r"\left": 1, "{": 1, r"\right": -1, "}": -1}.get(match[0], 0)
        if depth == 0 and match[0] == " ":
            yield part[start : match.start()]
            start = match.end()
    yield part[start:]


def _width(formula: str) -> int:
    """Return about how many characters a formula is wide once it is set."""
    for command in (r"\left", r"\right", r"\mathrm", r"\mathit", r"\text", r"\frac", r"\,"):
        formula = formula.replace(command, "")
    for command in (r"\lfloor", r"\rfloor", r"\lceil", r"\rceil"):
        formula = formula.replace(command, "x")
    for operator in (r"\cdot", r"\times"):
        formula = formula.replace(operator, "xx")
    return sum(character not in "{}_^ " for character in formula)
