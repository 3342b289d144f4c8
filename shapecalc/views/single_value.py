"""A single number, or a few words, of a report: what a sentence needs."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.errors import SpecError, quote, unknown
from shapecalc.layers.requirement import Shape
from shapecalc.render.piece import Line, amount, sizes
from shapecalc.report.node import Node, total
from shapecalc.report.outline import window_text
from shapecalc.report.report import Report
from shapecalc.views.notes import BINARY_UNITS

UNITS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12} | BINARY_UNITS
"""The factor of each."""

NUMBERS: dict[str, Callable[[Node], Dim]] = {
    "params": lambda node: node.params,
    "trainable_params": lambda node: node.trainable_params,
    "buffers": lambda node: node.buffer_count,
    "macs": lambda node: 0 if node.macs is None else node.macs,
    "flops": lambda node: 0 if node.macs is None else 2 * node.macs,
    "bytes": lambda node: node.bytes,
    "layers": lambda node: node.times,
}
"""What is added up over layers."""
_COSTS = ("macs", "flops")
SHAPES = ("input", "output")
WORDS = ("kind", "kernel", "name", "title")
NAMES = (*NUMBERS, *SHAPES, *WORDS)
"""Every value, in the words of the JSON that `show` prints."""


def value(
    report: Report,
    name: str,
    layer: str | None = None,
    *,
    unit: str | None = None,
    digits: int | None = None,
    batch: bool = False,
) -> Line:
    """Return one value of a report, or of a layer or part of it, as a line.

    A cost that leaves something out is preceded by "at least". In a unit, a number is rounded to so many
    digits behind the point (by default 1); without one it is exact.

    >>> from shapecalc.model import load
    >>> report = load("resnet50").analyze()
    >>> value(report, "params"), value(report, "params", unit="M"), value(report, "output", "stage1")
    (('25,557,032',), ('25.6 M',), ('256x56x56',))
    """
    if name not in NAMES:
        raise unknown("there is no value", name, NAMES, "values")
    nodes = report.inside(*([] if layer is None else [layer]))
    if name in NUMBERS:
        if name == "bytes" and len(nodes) > 1:
            raise SpecError(
                "bytes are those of the results of one layer", hint="name one, as in `value lenet5 bytes c1`"
            )
        lacks = name in _COSTS and any(node.macs is None for node in nodes)
        number = total(NUMBERS[name](node) for node in nodes)
        text = amount(number) if unit is None else in_unit(number, unit, digits)
        if unit is None and digits is not None:
            raise SpecError("digits are those of a number in a unit", hint="say the unit too, as M or MiB")
        return ("at least ", text) if lacks else (text,)
    if unit is not None or digits is not None:
        raise SpecError(f"{name} is no number, so it has no unit and no digits")
    if name in SHAPES:
        ends = report.input if name == "input" else report.output
        shape = ends if layer is None else _shape(nodes, name)
        return (sizes(report.visible(shape, batch=batch)),)
    return (_word(report, name, nodes, layer),)


def in_unit(number: Dim, unit: str, digits: int | None = None) -> str:
    """Return a number in a unit, rounded to even where it lies between two.

    >>> in_unit(25_557_032, "M"), in_unit(25_557_032, "M", 2), in_unit(2**20 * 3 // 2, "MiB", 0)
    ('25.6 M', '25.56 M', '2 MiB')
    """
    if unit not in UNITS:
        raise unknown("there is no unit", unit, UNITS, "units")
    if not isinstance(number, int):
        raise SpecError(f"{quote(grouped(number))} depends on what is free, so it cannot be given in {unit}")
    places = 1 if digits is None else digits
    if not 0 <= places <= 20:
        raise SpecError(f"digits are 0 to 20, not {places}")
    scaled = round(Fraction(number * 10**places, UNITS[unit]))
    integer, rest = divmod(scaled, 10**places)
    return f"{integer:,}{f'.{rest:0{places}d}' if places else ''} {unit}"


def _shape(nodes: list[Node], name: str) -> Shape:
    return nodes[0].inputs[0] if name == "input" else nodes[-1].output_after(0)


def _word(report: Report, name: str, nodes: list[Node], layer: str | None) -> str:
    if name == "name":
        return report.name if layer is None else layer
    if name == "title":
        return report.title or report.name
    if layer is None or len(nodes) > 1:
        raise SpecError(f"{name} is that of a single layer", hint="name one, as in `value lenet5 kernel c1`")
    return nodes[0].kind if name == "kind" else window_text(nodes[0].window) or "none"
