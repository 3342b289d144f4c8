"""The public `Drawing`: the graph of a network or its feature maps, in every form."""

from __future__ import annotations

from collections.abc import Callable

from shapecalc.errors import SpecError, quote, unknown
from shapecalc.pictures.picture import Picture
from shapecalc.pictures.scene import scene
from shapecalc.report.report import Report

STYLES = ("graph", "volumes")


class Drawing(Picture):
    """A drawing of a network: `graph`, its layers and blocks with arrows; `volumes`, its maps to scale.

    `depth` folds what is nested deeper, as in `shapecalc show --depth`; by default it is as deep as
    the drawing stays readable. Mermaid and dot need nothing beside shapecalc, and neither does the
    SVG of volumes; the SVG of a graph and every PNG need the extra `draw`.

    >>> import shapecalc
    >>> drawing = shapecalc.load("lenet5").draw(style="volumes")
    >>> drawing.svg().startswith('<svg xmlns="http://www.w3.org/2000/svg" id="shapecalc-volumes-lenet5"')
    True
    >>> shapecalc.load("lenet5").draw().dot().partition("{")[0]
    'digraph "lenet5" '
    """

    def __init__(self, report: Report, style: str = "graph", depth: int | None = None) -> None:
        if style not in STYLES:
            raise unknown("unknown style", style, STYLES)
        if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 1):
            raise SpecError(f"depth is an integer from 1, not {quote(depth)}")
        self.report = report
        self.style = style
        self.depth = depth

    def svg(self) -> str:
        """Return the drawing as SVG.

        Raises `NotInstalled` for a graph without the extra `draw`, and `Undecided` for volumes of
        which a size was left free.
        """
        if self.style == "volumes":
            from shapecalc.pictures.volumes import volumes
            from shapecalc.pictures.volumes_svg import volumes_svg

            return volumes_svg(volumes(self.report, self.depth))
        from shapecalc.pictures.graph_svg import graph_svg

        return graph_svg(scene(self.report, self.depth))

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart; raises `SpecError` for volumes."""
        from shapecalc.pictures.mermaid import mermaid

        self._need_graph("Mermaid")
        return mermaid(scene(self.report, self.depth))

    def dot(self) -> str:
        """Return the graph in Graphviz' language; raises `SpecError` for volumes."""
        from shapecalc.pictures.dot import dot

        self._need_graph("dot")
        return dot(scene(self.report, self.depth))

    @property
    def forms(self) -> dict[str, Callable[[], str]]:
        """What writes the drawing as text, by the suffix of a file."""
        return {**super().forms, "mmd": self.mermaid, "dot": self.dot}

    def _need_graph(self, form: str) -> None:
        if self.style != "graph":
            raise SpecError(f"{self.style} cannot be written as {form}, only a graph can")

    def __repr__(self) -> str:
        return f"<Drawing of {self.report.name}: {self.style}>"
