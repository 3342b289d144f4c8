"""The layer table as LaTeX, for `booktabs`."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import is_sum, leading_latex
from shapecalc.algebra.expr_text import latex as latex_dim
from shapecalc.errors import Undecided
from shapecalc.render.latex_writer import escaped
from shapecalc.report.cost import Cost
from shapecalc.report.outline import Item, lines, outline, window_text
from shapecalc.report.receptive_field import field_text
from shapecalc.report.report import Report
from shapecalc.report.table_cells import FIELDS, heading, unknown_fields, visible


def latex(report: Report, depth: int | None = None, *, batch: bool = False, fields: bool = False) -> str:
    """Return a `table` with a caption; it needs the package booktabs and nothing else."""
    body = [_line(item, report, batch, fields) for item in lines(outline(report, depth, fields=fields))]
    cost, title = report.cost(), escaped(report.convention.title)
    rule = escaped(report.convention.sentence)
    told = f" {escaped(' '.join((FIELDS, *unknown_fields(report))))}" if fields else ""
    notes = "".join((_growth(report, cost), *_passes(report), told))
    costs = latex_dim(cost.total) if cost.complete else rf"\geq {latex_dim(cost.total)}"
    output = _shape(report.output, report, batch)
    field = "& " if fields else ""
    last = rf"Total & & & {output} & {field}${latex_dim(report.params)}$ & ${costs}$ \\"
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(heading(report, batch=batch))}. {rule}{notes}}}",
            rf"\begin{{tabular}}{{lllr{'l' if fields else ''}rr}}",
            r"\toprule",
            rf"Layer & Kind & Kernel & Output & {'Field & ' if fields else ''}Parameters & {title} \\",
            r"\midrule",
            *body,
            r"\midrule",
            last,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


def _line(item: Item, report: Report, batch: bool, fields: bool) -> str:
    times = "" if item.count == 1 else rf" $\times {_factor(item.count)}$"
    cost, _ = item.cost(report.convention)
    indent = rf"\hspace{{{item.depth}em}}" if item.depth else ""
    cells = [
        f"{indent}{escaped(item.label)}{times}",
        escaped(item.kind),
        escaped(window_text(item.window)).replace("x", r"$\times$"),
        "" if item.output is None else _shape(item.output, report, batch),
        *([_field(item)] if fields else []),
        "shared" if item.is_shared else f"${latex_dim(item.params)}$",
        "?" if cost is None else f"${latex_dim(cost)}$",
    ]
    return " & ".join(cells) + r" \\"


def _field(item: Item) -> str:
    return escaped(field_text(item.field)).replace("x", r"$\times$") if item.nodes else ""


def _passes(report: Report) -> Iterator[str]:
    """Yield what the indices of passes that were left free stand for."""
    for (index, first, last), parts in report.passes.items():
        told = ", ".join(map(escaped, parts))
        yield rf" Passes ${index} = {first}, \dots, {latex_dim(last)}$ of {told}."


def _shape(shape: tuple[Dim, ...], report: Report, batch: bool) -> str:
    seen = visible(shape, report, batch=batch)
    if len(seen) == 1 and not isinstance(seen[0], int):
        return f"${latex_dim(seen[0])}$"
    return "$" + r" \times ".join(map(_factor, seen)) + "$"


def _factor(size: Dim) -> str:
    """Return a size as it stands beside a ×: without separators, a sum in brackets."""
    text = str(size) if isinstance(size, int) else latex_dim(size)
    return f"({text})" if is_sum(size) else text


def _growth(report: Report, cost: Cost) -> str:
    """Return how the cost grows, as a sentence of the caption."""
    try:
        found = report.leading(cost.total)
    except Undecided:
        return ""
    if found is None:
        return ""
    at_least, title = "" if cost.complete else "at least ", escaped(report.convention.title)
    return f" For large inputs {at_least}about ${leading_latex(found)}$ {title}."
