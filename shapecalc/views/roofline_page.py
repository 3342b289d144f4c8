"""A roofline as a page: the bound, the layers that take longest, and what the bound leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra.expr_text import grouped
from shapecalc.memory.time_bound import LayerBound, Roofline
from shapecalc.render.piece import Column, Line, Page, Paragraph, Row, Table
from shapecalc.views.notes import memory

_COLUMNS = (
    Column("Layer", is_uncut=True),
    Column("Kind"),
    Column("FLOPs", is_right=True),
    Column("Bytes", is_right=True),
    Column("FLOPs/byte", is_right=True),
    Column("At least", is_right=True),
    Column("Bound by"),
)
LABEL = (
    "A lower bound, no prediction: layers one after another, each tensor read and written once in the "
    "device's memory, at the peaks of the datasheet. FLOPs are twice the MACs; a "
    "kernel that skips what a mask hides does fewer."
)


def roofline_page(roofline: Roofline, largest: int | None = 10) -> Page:
    """Return the bound and the layers that take longest; None shows all in order of execution."""
    layers = [*roofline.layers]
    if largest is not None:
        layers = sorted(layers, key=lambda layer: -layer.seconds)[:largest]
    report, device = roofline.report, roofline.device
    head = f"{report.heading()}, {report.dtype} on {device.title}: at least {_time(roofline.seconds)}"
    peak = f"{_rate(device.peak(report.dtype))}FLOP/s, {_rate(device.bandwidth)}B/s"
    source = f" ({device.source})" if device.source else ""
    return (
        Paragraph((head,)),
        Paragraph((f"{peak}{source}",)),
        Paragraph((f"{roofline.memory_share:.0%} of the time is in layers that are bound by memory.",)),
        Table(_COLUMNS, tuple(map(_row, layers)), (), tuple(_notes(roofline))),
    )


def _row(layer: LayerBound) -> Row:
    intensity = "" if layer.intensity is None else f"{layer.intensity:,.1f}"
    flops = "unknown" if layer.flops is None else grouped(layer.flops)
    by = "memory" if layer.is_bound_by_memory else "compute" if layer.seconds else ""
    cells = (layer.path, layer.kind, flops, *memory(layer.bytes), intensity, _time(layer.seconds), by)
    return Row(tuple((str(cell),) for cell in cells))


def _notes(roofline: Roofline) -> Iterator[Line]:
    yield (LABEL,)
    if unknown := [layer.path for layer in roofline.layers if layer.flops is None]:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        yield (f"Counted without computation, since its MACs are not known: {', '.join(unknown[:3])}{more}",)


_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def _time(seconds: float) -> str:
    """Return a time in three digits.

    >>> _time(0.00321), _time(4.5e-6), _time(2)
    ('3.21 ms', '4.50 µs', '2.00 s')
    """
    unit, scale = next((pair for pair in _UNITS if seconds >= pair[1]), _UNITS[-1])
    digits = max(0, 2 - len(str(int(seconds / scale))) + 1)
    return f"{seconds / scale:,.{digits}f} {unit}"


def _rate(per_second: float) -> str:
    """Return a rate with a unit, for FLOP/s or B/s to follow.

    >>> _rate(312e12), _rate(2039e9)
    ('312 T', '2,039 G')
    """
    unit, scale = ("T", 1e12) if per_second >= 1e13 else ("G", 1e9)
    return (
        f"{per_second / scale:,.5g} {unit}"
        if per_second / scale < 1000
        else f"{per_second / scale:,.0f} {unit}"
    )
