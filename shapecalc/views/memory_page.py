"""Memory as a page: the peak, what it is for, the largest moments, and what the numbers leave out."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.algebra import Dim
from shapecalc.memory.ledger import Moment
from shapecalc.memory.memory_use import MemoryUse
from shapecalc.memory.peaks import Peak
from shapecalc.render.piece import Column, Inline, Line, Page, Paragraph, Row, Table, amount, sizes
from shapecalc.views.notes import memory

LARGEST = 5
"""How many moments are shown where no number is requested."""
_NAMED = 3
_ROWS = 12
"""How many closed forms are shown, the largest for large sizes first where no other order is known."""


def memory_page(use: MemoryUse, moments: int | None = LARGEST) -> Page:
    """Return the peak by parts and the largest moments; None shows all of them in order of execution.

    Where sizes are free there is a row for each moment that has the peak for some of them.
    """
    notes = tuple(_notes(use))
    shown = () if moments == LARGEST and len(use.peaks) > 1 else tuple(_moments(use, moments))
    if len(use.peaks) > 1:
        rows = tuple(map(_row, use.peaks[:_ROWS]))
        tables = [Table(_PEAKS, rows, ("The peak, whichever is the largest",)).filled]
    else:
        tables = [Table(_PARTS, tuple(_parts(use, use.at)), (f"At the peak, {use.at}",))]
    if shown:
        tables.append(Table(_MOMENTS, shown))
    last = tables.pop()
    return Paragraph(_peak(use)), *tables, Table(last.columns, last.rows, last.caption, notes)


_PARTS = (Column("Part"), Column("Bytes", is_right=True), Column("", is_right=True))
_MOMENTS = (
    Column("Phase"),
    Column("Layer", is_uncut=True),
    Column("Bytes", is_right=True),
    Column("", is_right=True, late=1),
)
_PEAKS = (Column("From"), Column("Phase"), Column("Layer", is_uncut=True), Column("Bytes", is_right=True))


def _row(peak: Peak) -> Row:
    start = "" if peak.start is None else f"{peak.start[0]} = {peak.start[1]:,}"
    return Row(((start,), (peak.moment.phase,), (peak.moment.path,), (amount(peak.moment.bytes),)))


def _peak(use: MemoryUse) -> Line:
    """Return the peak, and how the network runs."""
    optimizer = f" with {use.setting.optimizer}" if use.setting.optimizer else ""
    how = f"training{optimizer}" if use.setting.training else "inference"
    least = "" if use.complete else "at least "
    head: list[Inline] = [f"{use.title} ({use.name}) on "]
    for number, shape in enumerate(use.inputs.values()):
        head += [" and "] * bool(number) + [sizes(shape)]
    if len(use.peaks) > 1:
        return *head, f", {how} in {use.setting.dtype}: {least}the maximum of {len(use.peaks)} closed forms"
    return *head, f", {how} in {use.setting.dtype}: {least}", *_bytes(use.peak)


def _bytes(size: Dim) -> Line:
    rounded = memory(size)
    if not isinstance(size, int):
        return rounded
    return amount(size), " bytes", *(() if size < 2**10 else (" (", *rounded, ")"))


def _rounded(size: Dim) -> Line:
    return memory(size) if isinstance(size, int) else ()


def _parts(use: MemoryUse, moment: Moment) -> Iterator[Row]:
    for part, size in use.ledger.parts(moment).items():
        yield Row(((part.replace("_", " "),), (amount(size),), _rounded(size)))
    yield Row((("total",), (amount(moment.bytes),), _rounded(moment.bytes)), is_total=True)


def _moments(use: MemoryUse, most: int | None) -> Iterator[Row]:
    moments = use.timeline
    if most is not None and any(not isinstance(moment.bytes, int) for moment in moments):
        moments = tuple([peak.moment for peak in use.peaks])
    elif most is not None:
        moments = tuple(sorted(moments, key=lambda moment: -_number(moment))[:most])
    for moment in moments:
        yield Row(((moment.phase,), (moment.path,), (amount(moment.bytes),), _rounded(moment.bytes)))


def _number(moment: Moment) -> int:
    return moment.bytes if isinstance(moment.bytes, int) else 0


def _notes(use: MemoryUse) -> Iterator[Line]:
    if (more := len(use.peaks) - _ROWS) > 0:
        yield (f"And {more} more closed forms, smaller for large sizes: in JSON, and in Python as `peaks`.",)
    yield (
        "Tensors die where the forward of the module lets go of them, as one run of it recorded."
        if use.is_recorded
        else "Tensors die after their last use: the least that an executor can reach in this order.",
    )
    if use.setting.training:
        yield ("From the second step on; the loss is the sum of all outputs, and gradients are set to None.",)
    yield ("Not counted: scratch memory inside of kernels, and what an allocator rounds up.",)
    if not use.complete:
        more = len(use.unknown) - _NAMED
        yield (f"Without a rule: {', '.join(use.unknown[:_NAMED])}{f' and {more} more' if more > 0 else ''}",)
