"""One line per layer as comma-separated values, for spreadsheets."""

from __future__ import annotations

import csv as writer
from io import StringIO

from shapecalc.layers.requirement import shown
from shapecalc.report.data import Report
from shapecalc.report.outline import window_text

HEADER = ("path", "kind", "kernel", "inputs", "output", "params", "trainable_params", "macs", "bytes")


def csv(report: Report) -> str:
    """Return every layer of a report, without folding and with the batch in its shapes.

    Under a convention that was asked for, the column of multiply-accumulates is one of its costs instead.

    Where the number of passes of a repeat is free, a last column says how many passes a layer stands for.
    """
    text = StringIO()
    sheet = writer.writer(text, lineterminator="\n")
    is_free = bool(report.graph.loops)
    header = [report.convention.title if name == "macs" and report.says_cost else name for name in HEADER]
    sheet.writerow((*header, "times") if is_free else header)
    for node in report.nodes:
        cost = node.cost(report.convention)
        sheet.writerow(
            [
                node.path,
                node.kind,
                window_text(node.window),
                " ".join(map(shown, node.inputs)),
                shown(node.output),
                node.params,
                node.trainable_params,
                "" if cost is None else cost,
                node.bytes,
                *([node.times] if is_free else []),
            ]
        )
    return text.getvalue().rstrip("\n")
