"""The public `Plot`: what a network costs along its depth, or against the size of its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from shapecalc.algebra import Dim
from shapecalc.algebra.expr_text import grouped
from shapecalc.errors import SpecError, Undecided, quote
from shapecalc.pictures.chart import Bar, Chart, Line, Panel, chart_svg
from shapecalc.pictures.picture import Picture
from shapecalc.pictures.scene import family
from shapecalc.pictures.svg import slug
from shapecalc.report.node import Node
from shapecalc.report.outline import outline
from shapecalc.report.report import Report
from shapecalc.sizes.answer import Sizes

MOST_SIZES = 2048
"""How many sizes one plot may have."""


class _Plot(Picture):
    """A picture of one chart."""

    chart: Chart

    def svg(self) -> str:
        """Return the plot as SVG."""
        return chart_svg(self.chart)


class DepthPlot(_Plot):
    """Parameters, multiply-accumulates and results of the layers, in order of execution.

    One network is drawn layer by layer; of several the parameters and the MACs are cumulative, so that the
    curves end at the totals, and the depth is a share of all layers.

    >>> import shapecalc
    >>> plot = shapecalc.load("lenet5").plot()
    >>> [panel.title for panel in plot.chart.panels]
    ['Parameters', 'MACs', 'Numbers put out']
    """

    def __init__(self, reports: Sequence[Report]) -> None:
        self.chart = _layers(reports[0]) if len(reports) == 1 else _compared(reports)


def _layers(report: Report) -> Chart:
    panels = [Panel("Parameters"), Panel("MACs"), Panel("Numbers put out")]
    for position, node in enumerate(report):
        costs = "MACs not known" if node.macs is None else f"{grouped(node.macs)} MACs"
        texts = (f"{grouped(node.params)} parameters", costs, f"puts out {report.shape_text(node.output)}")
        for panel, amount, text in zip(panels, _amounts(node), texts, strict=True):
            panel.bars.append(Bar(position, 1, amount, family(node), f"{node.path} ({node.kind}): {text}"))
    items = outline(report, 1)
    edges = pairwise(accumulate((len(item.nodes) * item.times for item in items), initial=0.0))
    bands = [(start, end, item.label) for (start, end), item in zip(edges, items, strict=True)]
    if not report.complete:
        panels[1].title = "MACs (at least: not every layer is counted)"
    return Chart(
        f"shapecalc-plot-{slug(report.name)}",
        f"{report.title or report.name} on {report.shape_text(report.input)}",
        f"Parameters ({grouped(report.params)} in all), MACs ({grouped(report.macs)}) and numbers put out of "
        f"each of the {len(report.nodes)} layers in order.",
        f"{len(report.nodes)} layers in order of execution",
        0,
        len(report.nodes),
        panels,
        bands=bands,
        ticks=False,
    )


def _compared(reports: Sequence[Report]) -> Chart:
    panels = [Panel("Parameters so far"), Panel("MACs so far"), Panel("Numbers put out")]
    for series, report in enumerate(reports):
        share = 100 / len(report.nodes)
        params, macs, elements = zip(*map(_amounts, report), strict=True)
        for panel, amounts in zip(panels, (accumulate(params), accumulate(macs), elements), strict=True):
            points = tuple((share * at, amount) for at, amount in enumerate(amounts, 1))
            panel.lines.append(Line(series, (points,)))
    _mark_partial(panels[1], reports)
    names = [report.name for report in reports]
    return Chart(
        f"shapecalc-plot-{slug('-'.join(names))}",
        f"{', '.join(names)}: along the depth",
        "; ".join(map(_summary, reports)),
        "share of the layers, in %",
        0,
        100,
        panels,
        names,
    )


def _summary(report: Report) -> str:
    costs = f"{grouped(report.params)} parameters, {grouped(report.macs)} MACs"
    return f"{report.name}: {costs}, {len(report.nodes)} layers"


def _mark_partial(panel: Panel, reports: Sequence[Report]) -> None:
    if partial := [report.name for report in reports if not report.complete]:
        panel.title += f" (at least: of {', '.join(partial)} not every layer is counted)"


def _amounts(node: Node) -> list[int]:
    """Return the parameters, the MACs and the results of a layer."""
    amounts: list[int] = []
    for value in (node.params, node.macs or 0, node.elements):
        if not isinstance(value, int):
            raise Undecided(f"a plot has numbers, and those of {node.path} depend on {value}")
        amounts.append(value)
    return amounts


@dataclass(frozen=True, slots=True)
class PlottedNetwork:
    """One network of a plot against the size: its closed forms, and the sizes that it accepts."""

    name: str
    report: Report
    sizes: Sizes
    usual: int
    """The largest side of its usual input."""


def plot(
    models: Sequence[Any],
    against: str,
    between: tuple[int, int] | None,
    parameters: Mapping[str, Any],
    *,
    rebuild: bool,
) -> DepthPlot | SizePlot:
    """Return the plot that `Model.plot` describes; models are in a room above this one."""
    reports = [model.analyze(**parameters) for model in models]
    if against == "depth" and between is None:
        return DepthPlot(reports)
    if against != "size":
        raise SpecError(f"a plot is against depth or size, not {quote(against)}")
    networks = [_against_size(*each, parameters, rebuild) for each in zip(models, reports, strict=True)]
    return SizePlot(networks, between)


def _against_size(model: Any, usual: Report, parameters: Mapping[str, Any], rebuild: bool) -> PlottedNetwork:
    """Return a network with its closed forms in all the sizes that are free."""
    sizes = model.sizes(rebuild=rebuild, **parameters)
    if not sizes.names:
        raise SpecError(f"no size of the input of {model.name} is free, so there is nothing to plot against")
    report = model.analyze(symbolic=sizes.names, **parameters)
    sides = [size for size in usual.sides(usual.input) if isinstance(size, int)]
    return PlottedNetwork(model.name, report, sizes, max(sides, default=1))


class SizePlot(_Plot):
    """MACs against the size of a square input, from the closed forms.

    Sizes that a network does not accept are marked under the axis and have no cost.

    >>> import shapecalc
    >>> plot = shapecalc.load("unet").plot(against="size", between=(180, 230))
    >>> [at for stretch in plot.chart.panels[0].lines[0].stretches for at, _ in stretch]
    [188, 204, 220]
    """

    def __init__(self, networks: Sequence[PlottedNetwork], between: tuple[int, int] | None = None) -> None:
        usual = [network.usual for network in networks]
        first, last = (max(min(usual) // 2, 1), 2 * max(usual)) if between is None else between
        if not 1 <= first < last:
            raise SpecError(f"sizes go from a smaller to a larger one, from 1 on, not from {first} to {last}")
        if last - first >= MOST_SIZES:
            raise SpecError(f"{last - first + 1:,} sizes are too many for a plot: at most {MOST_SIZES:,}")
        panel = Panel("MACs")
        refused = []
        for series, network in enumerate(networks):
            axes = len(network.sizes.names)
            legal = [n for n in range(first, last + 1) if (n,) * axes in network.sizes]
            costs = [(n, _at(network.report.macs, network, n)) for n in legal]
            panel.lines.append(Line(series, _joined(costs)))
            refused.append(_gaps(legal, first, last))
        _mark_partial(panel, [network.report for network in networks])
        names = [network.name for network in networks]
        self.chart = Chart(
            f"shapecalc-sizes-{slug('-'.join(names))}",
            f"{', '.join(names)}: against the size of the input",
            "; ".join(f"{network.name}: {network.report.macs} MACs" for network in networks),
            "size of each side of the input",
            first,
            last,
            [panel],
            names,
            refused=refused,
        )


def _at(cost: Dim, network: PlottedNetwork, size: int) -> int:
    value = cost if isinstance(cost, int) else cost.subs(dict.fromkeys(network.sizes.names, size))
    if not isinstance(value, int):
        raise Undecided(f"the cost of {network.name} depends on more than the size of its input: {value}")
    return value


def _joined(points: list[tuple[int, int]]) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return neighbours together; where there are none at all, each is a dot."""
    stretches: list[list[tuple[float, float]]] = []
    for point in points:
        if stretches and point[0] == stretches[-1][-1][0] + 1:
            stretches[-1].append(point)
        else:
            stretches.append([point])
    return tuple(map(tuple, stretches))


def _gaps(legal: list[int], first: int, last: int) -> list[tuple[float, float]]:
    """Return the stretches of sizes between first and last that are not legal.

    >>> _gaps([3, 4, 7], 1, 8)
    [(1, 2), (5, 6), (8, 8)]
    """
    edges = [first - 1, *legal, last + 1]
    return [(size + 1, following - 1) for size, following in pairwise(edges) if following > size + 1]
