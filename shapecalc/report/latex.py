"""The layer table as LaTeX, for `booktabs`."""

from __future__ import annotations

from shapecalc.algebra import Dim
from shapecalc.algebra.render import latex as latex_dim
from shapecalc.report.cells import CONVENTION, heading, visible
from shapecalc.report.data import Report
from shapecalc.report.outline import Item, lines, outline, window_text

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
    "×": r"$\times$",
    "·": r"$\cdot$",
}


def latex(report: Report, depth: int | None = None, *, batch: bool = False) -> str:
    """Return a `table` with a caption; it needs the package booktabs and nothing else."""
    body = [_line(item, report, batch) for item in lines(outline(report, depth))]
    macs = latex_dim(report.macs) if report.complete else rf"\geq {latex_dim(report.macs)}"
    output = _shape(report.output, report, batch)
    last = rf"Total & & & {output} & ${latex_dim(report.params)}$ & ${macs}$ \\"
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(heading(report, batch=batch))}. {escaped(CONVENTION)}}}",
            r"\begin{tabular}{lllrrr}",
            r"\toprule",
            r"Layer & Kind & Kernel & Output & Parameters & MACs \\",
            r"\midrule",
            *body,
            r"\midrule",
            last,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _line(item: Item, report: Report, batch: bool) -> str:
    count = latex_dim(item.count)
    times = "" if item.count == 1 else rf" $\times {f'({count})' if is_sum(item.count) else count}$"
    indent = rf"\hspace{{{item.depth}em}}" if item.depth else ""
    cells = [
        f"{indent}{escaped(item.label)}{times}",
        escaped(item.kind),
        escaped(window_text(item.window)).replace("x", r"$\times$"),
        "" if item.output is None else _shape(item.output, report, batch),
        "shared" if item.is_shared else f"${latex_dim(item.params)}$",
        "?" if item.macs is None else f"${latex_dim(item.macs)}$",
    ]
    return " & ".join(cells) + r" \\"


def _shape(shape: tuple[Dim, ...], report: Report, batch: bool) -> str:
    seen = visible(shape, report, batch=batch)
    texts = [str(size) if isinstance(size, int) else latex_dim(size) for size in seen]
    if len(texts) > 1:
        texts = [f"({text})" if " + " in text or " - " in text else text for text in texts]
    return "$" + r" \times ".join(texts) + "$"


def escaped(text: str) -> str:
    r"""Return text in which nothing is a command to LaTeX.

    >>> print(escaped("f_0 & 50%"))
    f\_0 \& 50\%
    """
    return "".join(_SPECIAL.get(character, character) for character in text)
