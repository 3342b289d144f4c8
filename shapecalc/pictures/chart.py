"""Charts as SVG: panels under one another that share the axis below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import floor, log10

from shapecalc.pictures.svg import (
    COLOURS,
    Head,
    element,
    label,
    number,
    page,
    plain,
    text_width,
)

LINES = ("#2f6fb5", "#d1603d", "#3f8f4f", "#8a5cc0", "#b0851b", "#00838f", "#c2417c", "#5d6b75")
"""A colour for each network, distinct on both backgrounds; beyond them they recur, with dashes."""
LEFT, RIGHT, WIDE = 64.0, 18.0, 620.0
HIGH, APART, ABOVE = 128.0, 40.0, 66.0
_TICKS = 4
_STEPS = (1, 2, 2.5, 5, 10)
_PREFIXES = ("", "K", "M", "G", "T", "P")


@dataclass(frozen=True, slots=True)
class Bar:
    """The cost of one layer: its position, the amount, its family and the tooltip."""

    at: float
    breadth: float
    amount: float
    family: str
    tooltip: str


@dataclass(frozen=True, slots=True)
class Line:
    """The costs of one network: stretches of points that are joined; lone points are drawn as dots."""

    series: int
    stretches: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(slots=True)
class Panel:
    """One quantity: bars, or a line for each network."""

    title: str
    bars: list[Bar] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def highest(self) -> float:
        """The greatest amount in it."""
        points = [y for line in self.lines for stretch in line.stretches for _, y in stretch]
        return max([bar.amount for bar in self.bars] + points, default=0)


@dataclass(slots=True)
class Chart:
    """Panels over one axis, with bands for parts of a network and marks for sizes that are refused."""

    name: str
    title: str
    description: str
    axis: str
    first: float
    last: float
    panels: list[Panel]
    series: list[str] = field(default_factory=list)
    bands: list[tuple[float, float, str]] = field(default_factory=list)
    refused: list[list[tuple[float, float]]] = field(default_factory=list)
    """For each network the stretches of the axis that it does not accept."""
    ticks: bool = True
    """Whether the numbers of the axis have a meaning."""

    def x(self, value: float) -> float:
        """Return where a value of the axis is."""
        return LEFT + WIDE * (value - self.first) / ((self.last - self.first) or 1)

    def top(self, panel: int) -> float:
        """Return where a panel begins."""
        return ABOVE + (HIGH + APART) * panel


def ticks(highest: float, most: int = _TICKS) -> list[float]:
    """Return round numbers from zero up to the first that is not below.

    >>> ticks(87), ticks(4_089_184_256)[-1], ticks(0)
    ([0.0, 25.0, 50.0, 75.0, 100.0], 6000000000.0, [0.0, 1.0])
    """
    if highest <= 0:
        return [0.0, 1.0]
    step = _step(highest / most)
    values = [0.0]
    while values[-1] < highest:
        values.append(float(f"{values[-1] + step:.9g}"))
    return values


def _step(least: float) -> float:
    """Return the smallest round number that is not smaller."""
    power = 10.0 ** floor(log10(least))
    return next(step * power for step in _STEPS if step * power >= least)


def amount(value: float) -> str:
    """Return a number for an axis.

    >>> amount(0), amount(2500000), amount(96)
    ('0', '2.5 M', '96')
    """
    for prefix in _PREFIXES:
        if abs(value) < 1000 or prefix == _PREFIXES[-1]:
            return f"{value:,.6g} {prefix}".strip()
        value /= 1000
    raise AssertionError("the last prefix takes every value")


_RULES = """.grid{stroke:#94a3b8;stroke-opacity:.35}
.axis{stroke:#64748b;fill:none}
.band{fill:#64748b;fill-opacity:.08}
.bar{fill-opacity:.85}
.small{font-size:10px}
.curve{fill:none;stroke-width:1.8;stroke-linejoin:round}
"""


def chart_svg(chart: Chart) -> str:
    """Return a chart as SVG."""
    marks = 12 * sum(map(bool, chart.refused))
    bottom = chart.top(len(chart.panels) - 1) + HIGH
    rules = "".join(
        f".s{n}{{stroke:{LINES[n % len(LINES)]}}}\n.f{n}{{fill:{LINES[n % len(LINES)]}}}\n"
        for n in range(len(chart.series))
    )
    width = LEFT + WIDE + RIGHT
    body = [
        *_legend(chart, width),
        *(part for position in range(len(chart.panels)) for part in _panel(chart, position)),
        *_refused(chart, bottom),
        *_axis(chart, bottom + marks),
    ]
    head = Head(chart.name, chart.title, "", chart.description)
    colours = _bars(sorted({bar.family for panel in chart.panels for bar in panel.bars}))
    return page((width, bottom + marks + 46), head, body, colours, _RULES + rules)


def _bars(used: list[str]) -> tuple[str, str]:
    """Return the rules of bars, filled by what draws boxes: for a light page, and for a dark one."""
    light, night = ("".join(f".{family}{{fill:{COLOURS[family][n]}}}\n" for family in used) for n in (1, 3))
    return light, night


def _legend(chart: Chart, width: float) -> Iterator[str]:
    if len(chart.series) < 2 and not any(panel.lines for panel in chart.panels):
        return
    lengths = [text_width(name, 11) + 40 for name in chart.series]
    x = (width - sum(lengths)) / 2
    for position, (name, length) in enumerate(zip(chart.series, lengths, strict=True)):
        yield element(
            "path", d=f"M{number(x)} 38h22", class_=f"curve s{position}", stroke_dasharray=_dashes(position)
        )
        yield label(x + 27, 42, name)
        x += length


def _dashes(position: int) -> str | None:
    return None if position < len(LINES) else "6 3"


def _panel(chart: Chart, position: int) -> Iterator[str]:
    panel, top = chart.panels[position], chart.top(position)
    scale = ticks(panel.highest)

    def y(value: float) -> float:
        return top + HIGH * (1 - value / scale[-1])

    yield label(LEFT, top - 9, panel.title, class_="bold")
    for number_, (start, end, name) in enumerate(chart.bands):
        x, breadth = chart.x(start), chart.x(end) - chart.x(start)
        if number_ % 2 == 0:
            yield element("rect", x=x, y=top, width=breadth, height=HIGH, class_="band")
        if position == len(chart.panels) - 1 and text_width(name, 10) < breadth - 2:
            yield label(x + breadth / 2, top + HIGH + 14, name, class_="faint small", text_anchor="middle")
    for tick in scale:
        yield element("path", d=f"M{number(LEFT)} {number(y(tick))}h{number(WIDE)}", class_="grid")
        yield label(LEFT - 6, y(tick) + 3.5, amount(tick), class_="faint small", text_anchor="end")
    for bar in panel.bars:
        if bar.amount:
            x, breadth = chart.x(bar.at), chart.x(bar.at + bar.breadth) - chart.x(bar.at)
            inner = max(breadth * 0.8, 0.8)
            rectangle = {"x": x + (breadth - inner) / 2, "y": y(bar.amount), "width": inner}
            yield element(
                "rect",
                element("title", plain(bar.tooltip)),
                **rectangle,
                height=HIGH * bar.amount / scale[-1],
                class_=f"bar {bar.family}",
            )
    for line in panel.lines:
        yield from _line(chart, line, y)
    yield element("path", d=f"M{number(LEFT)} {number(top)}v{number(HIGH)}h{number(WIDE)}", class_="axis")


def _line(chart: Chart, line: Line, y: Callable[[float], float]) -> Iterator[str]:
    for stretch in line.stretches:
        points = [(chart.x(at), y(value)) for at, value in stretch]
        if len(points) == 1:
            ((cx, cy),) = points
            yield element("circle", cx=cx, cy=cy, r=1.8, class_=f"f{line.series}")
        else:
            path = " ".join(f"{number(a)} {number(b)}" for a, b in points)
            yield element(
                "path", d=f"M{path}", class_=f"curve s{line.series}", stroke_dasharray=_dashes(line.series)
            )


def _refused(chart: Chart, bottom: float) -> Iterator[str]:
    """Mark the sizes that a network refuses: a strip under the axis, in its colour."""
    row = 0
    for position, stretches in enumerate(chart.refused):
        if not stretches:
            continue
        y = bottom + 5 + 12 * row
        row += 1
        yield label(LEFT - 6, y + 6, "refused", class_="faint small", text_anchor="end")
        for start, end in stretches:
            x = max(chart.x(start - 0.5), LEFT)
            yield element(
                "rect",
                x=x,
                y=y,
                width=max(min(chart.x(end + 0.5), LEFT + WIDE) - x, 0.4),
                height=6,
                class_=f"f{position}",
                fill_opacity=0.55,
            )


def _axis(chart: Chart, bottom: float) -> Iterator[str]:
    if chart.ticks:
        for tick in along(chart.first, chart.last):
            yield label(chart.x(tick), bottom + 15, f"{tick:g}", class_="faint small", text_anchor="middle")
    yield label(LEFT + WIDE / 2, bottom + 33, chart.axis, class_="faint", text_anchor="middle")


def along(first: float, last: float) -> list[float]:
    """Return round numbers from the first to the last.

    >>> along(112, 448)
    [150.0, 200.0, 250.0, 300.0, 350.0, 400.0]
    """
    step = max(_step((last - first) / 7), 1)
    start = -(-first // step)
    return [step * (start + count) for count in range(9) if step * (start + count) <= last]
