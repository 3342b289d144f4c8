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

    Where the number of passes of a repeat is free, a last column says how many passes a layer stands for.
    """
    text = StringIO()
    sheet = writer.writer(text, lineterminator="\n")
    is_free = bool(report.graph.loops)
    sheet.writerow((*HEADER, "times") if is_free else HEADER)
    for node in report.nodes:
        sheet.writerow(
            [
                node.path,
                node.kind,
                window_text(node.window),
                " ".join(map(shown, node.inputs)),
                shown(node.output),
                node.params,
                node.trainable_params,
                "" if node.macs is None else node.macs,
                node.bytes,
                *([node.times] if is_free else []),
            ]
        )
    return text.getvalue().rstrip("\n")
