"""Charts as SVG: panels under one another that share the axis below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from math import floor, log10

from shapecalc.pictures import svg
from shapecalc.pictures.picture_text import scaled

LINES = ("#2f6fb5", "#d1603d", "#3f8f4f", "#8a5cc0", "#b0851b", "#00838f", "#c2417c", "#5d6b75")
"""A colour for each network, distinct on both backgrounds; beyond them they recur, with dashes."""
LEFT, RIGHT, WIDE = 64.0, 18.0, 620.0
HIGH, APART, ABOVE = 128.0, 40.0, 66.0
_TICKS = 4
_STEPS = (1, 2, 2.5, 5, 10)


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
    size, prefix = scaled(value)
    return f"{size:,.6g}{prefix}"


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
    head = svg.Head(chart.name, chart.title, "", chart.description)
    colours = _bars(sorted({bar.family for panel in chart.panels for bar in panel.bars}))
    return svg.page((width, bottom + marks + 46), head, body, colours, _RULES + rules)


def _bars(used: list[str]) -> tuple[str, str]:
    """Return the rules of bars, filled by what draws boxes: for a light page, and for a dark one."""
    rows = [(family, svg.COLOURS[family]) for family in used]
    light = "".join(f".{family}{{fill:{fill}}}\n" for family, (_, fill, _, _) in rows)
    return light, "".join(f".{family}{{fill:{fill}}}\n" for family, (*_, fill) in rows)


def _legend(chart: Chart, width: float) -> list[str]:
    if len(chart.series) < 2 and not any(panel.lines for panel in chart.panels):
        return []
    start = (width - sum(svg.text_width(name, 11) + 40 for name in chart.series)) / 2
    marks = ((partial(_key, series), 27, name) for series, name in enumerate(chart.series))
    return svg.legend(marks, 42, 11, 13, start=start)[0]


def _key(series: int, x: float) -> str:
    return _curve(f"{svg.number(x)} 38h22", series)


def _curve(path: str, series: int) -> str:
    dashes = None if series < len(LINES) else "6 3"
    return svg.path(f"M{path}", f"curve s{series}", stroke_dasharray=dashes)


def _panel(chart: Chart, position: int) -> Iterator[str]:
    panel, top = chart.panels[position], chart.top(position)
    scale = ticks(panel.highest)

    def y(value: float) -> float:
        return top + HIGH * (1 - value / scale[-1])

    yield svg.label(LEFT, top - 9, panel.title, "bold")
    for number_, (start, end, name) in enumerate(chart.bands):
        x, breadth = chart.x(start), chart.x(end) - chart.x(start)
        if number_ % 2 == 0:
            yield svg.rectangle(x, top, breadth, HIGH, "band")
        if position == len(chart.panels) - 1 and svg.text_width(name, 10) < breadth - 2:
            yield svg.label(x + breadth / 2, top + HIGH + 14, name, "faint small", "middle")
    for tick in scale:
        yield svg.path(f"M{LEFT:g} {svg.number(y(tick))}h{WIDE:g}", "grid")
        yield svg.label(LEFT - 6, y(tick) + 3.5, amount(tick), "faint small", "end")
    for bar in panel.bars:
        if bar.amount:
            x, breadth = chart.x(bar.at), chart.x(bar.at + bar.breadth) - chart.x(bar.at)
            inner = max(breadth * 0.8, 0.8)
            left, height = x + (breadth - inner) / 2, HIGH * bar.amount / scale[-1]
            class_, tooltip = f"bar {bar.family}", svg.tooltip(bar.tooltip)
            yield svg.rectangle(left, y(bar.amount), inner, height, class_, tooltip)
    for line in panel.lines:
        yield from _line(chart, line, y)
    yield svg.path(f"M{LEFT:g} {svg.number(top)}v{HIGH:g}h{WIDE:g}", "axis")


def _line(chart: Chart, line: Line, y: Callable[[float], float]) -> Iterator[str]:
    for stretch in line.stretches:
        points = [(chart.x(at), y(value)) for at, value in stretch]
        if len(points) == 1:
            ((cx, cy),) = points
            yield svg.element("circle", cx=cx, cy=cy, r=1.8, class_=f"f{line.series}")
        else:
            yield _curve(svg.coordinates(points), line.series)


def _refused(chart: Chart, bottom: float) -> Iterator[str]:
    """Mark the sizes that a network refuses: a strip under the axis, in its colour."""
    marked = [(position, stretches) for position, stretches in enumerate(chart.refused) if stretches]
    for row, (position, stretches) in enumerate(marked):
        y = bottom + 5 + 12 * row
        yield svg.label(LEFT - 6, y + 6, "refused", "faint small", "end")
        for start, end in stretches:
            x = max(chart.x(start - 0.5), LEFT)
            width = max(min(chart.x(end + 0.5), LEFT + WIDE) - x, 0.4)
            yield svg.rectangle(x, y, width, 6, f"f{position}", fill_opacity=0.55)


def _axis(chart: Chart, bottom: float) -> Iterator[str]:
    if chart.ticks:
        for tick in along(chart.first, chart.last):
            yield svg.label(chart.x(tick), bottom + 15, f"{tick:g}", "faint small", "middle")
    yield svg.label(LEFT + WIDE / 2, bottom + 33, chart.axis, "faint", "middle")


def along(first: float, last: float) -> list[float]:
    """Return round numbers from the first to the last.

    >>> along(112, 448)
    [150.0, 200.0, 250.0, 300.0, 350.0, 400.0]
    """
    step = max(_step((last - first) / 7), 1)
    start = -(-first // step)
    return [step * (start + count) for count in range(9) if step * (start + count) <= last]
