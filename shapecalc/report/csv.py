"""One line per layer as comma-separated values, for spreadsheets."""

from __future__ import annotations

import csv as writer
from io import StringIO

from shapecalc.layers.requirement import shown
from shapecalc.report.data import Report
from shapecalc.report.field import Field
from shapecalc.report.outline import window_text

HEADER = ("path", "kind", "kernel", "inputs", "output", "params", "trainable_params", "macs", "bytes")


FIELD_HEADER = ("field_size", "field_stride", "field_offset", "whole_input", "exceeds_input", "aligned")


def csv(report: Report, *, fields: bool = False) -> str:
    """Return every layer of a report, without folding and with the batch in its shapes.

    With `fields`, columns for the receptive field stand at the end, empty where it is not known.
    Where the number of passes of a repeat is free, a last column says how many passes a layer stands for.
    """
    text = StringIO()
    sheet = writer.writer(text, lineterminator="\n")
    is_free = bool(report.graph.loops)
    more = FIELD_HEADER if fields else ()
    sheet.writerow((*HEADER, "times", *more) if is_free else (*HEADER, *more))
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
                *(field_cells(node.field) if fields else []),
            ]
        )
    return text.getvalue().rstrip("\n")


def field_cells(field: Field | None) -> list[object]:
    """Return a receptive field as the cells of a line."""
    if field is None:
        return [""] * len(FIELD_HEADER)
    parts = ["x".join("" if one is None else str(one) for one in part) for part in _numbers(field)]
    flags = [field.whole_input, "" if field.exceeds_input is None else field.exceeds_input, field.aligned]
    return [*parts, *(str(flag).lower() for flag in flags)]


def _numbers(field: Field) -> tuple[tuple[object, ...], ...]:
    return field.size, field.stride, field.offset
