"""A line for each layer as comma-separated values, for spreadsheets."""

from __future__ import annotations

import csv as writer
from io import StringIO

from shapecalc.layers.requirement import shown
from shapecalc.report.outline import window_text
from shapecalc.report.receptive_field import ReceptiveField
from shapecalc.report.report import Report

HEADER = ("path", "kind", "kernel", "inputs", "output", "params", "trainable_params", "macs", "bytes")
FIELD_HEADER = ("field_size", "field_stride", "field_offset", "whole_input", "exceeds_input", "aligned")


def csv(report: Report, *, fields: bool = False, source: bool = False) -> str:
    """Return every layer of a report, without folding and with the batch in its shapes.

    Under a convention that was requested, the column of multiply-accumulates is one of its costs instead.
    With `fields`, columns for the receptive field are at the end, empty where it is not known; with
    `source`, the file and line of each layer.
    Where the number of passes of a repeat is free, a column says how many passes a layer is. Conditions are
    no layers.
    """
    text = StringIO()
    sheet = writer.writer(text, lineterminator="\n")
    is_free = bool(report.graph.loops)
    header = [report.convention.title if name == "macs" and report.says_cost else name for name in HEADER]
    times = ["times"] if is_free else []
    sheet.writerow([*header, *times, *(FIELD_HEADER if fields else ()), *(["source"] if source else [])])
    for node in report.nodes:
        if node.layer.condition:
            continue
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
                *(field_cells(node.field) if fields else []),
                *([node.place.shown()] if source else []),
            ]
        )
    return text.getvalue().rstrip("\n")


def field_cells(field: ReceptiveField | None) -> list[object]:
    """Return a receptive field as the cells of a line."""
    if field is None:
        return [""] * len(FIELD_HEADER)
    axes: tuple[tuple[object, ...], ...] = (field.size, field.stride, field.offset)
    parts = ["x".join("" if size is None else str(size) for size in sizes) for sizes in axes]
    flags = [field.whole_input, "" if field.exceeds_input is None else field.exceeds_input, field.aligned]
    return [*parts, *(str(flag).lower() for flag in flags)]
