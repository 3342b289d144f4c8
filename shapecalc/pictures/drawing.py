"""The public `Drawing`: the graph of a network or its feature maps, in every form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shapecalc.errors import SpecError, quote, unknown
from shapecalc.pictures.picture import Picture
from shapecalc.pictures.scene import Scene, depths, scene
from shapecalc.report.report import Report

STYLES = ("graph", "volumes")
DIRECTIONS = ("down", "right")


class Drawing(Picture):
    """A drawing of a network: `graph`, its layers and blocks with arrows; `volumes`, its maps to scale.

    `depth` folds what is nested deeper, as in `shapecalc show --depth`; 0 also folds neighbouring parts whose
    results have the same sides. By default a drawing is as deep as it stays readable, or as it is no taller
    than `max_height`. The arrows of a graph lead in the `direction` `down` or `right`. Mermaid and dot need
    nothing beside shapecalc, and neither does the SVG of volumes; other SVG and PNG need the extra `draw`.

    >>> import shapecalc
    >>> drawing = shapecalc.load("lenet5").draw(style="volumes")
    >>> drawing.svg().startswith('<svg xmlns="http://www.w3.org/2000/svg" id="shapecalc-volumes-lenet5"')
    True
    >>> shapecalc.load("lenet5").draw().dot().partition("{")[0]
    'digraph "lenet5" '
    >>> shapecalc.load("lenet5").draw(direction="right").mermaid()[:12]
    'flowchart LR'
    """

    def __init__(
        self,
        report: Report,
        style: str = "graph",
        depth: int | None = None,
        direction: str | None = None,
        max_height: int | None = None,
    ) -> None:
        if style not in STYLES:
            raise unknown("unknown style", style, STYLES)
        if direction not in (None, *DIRECTIONS):
            raise unknown("unknown direction", direction, DIRECTIONS)
        for name, number, least in (("depth", depth, 0), ("max_height", max_height, 1)):
            if number is not None and (
                not isinstance(number, int) or isinstance(number, bool) or number < least
            ):
                raise SpecError(f"{name} is an integer from {least}, not {quote(number)}")
        if depth is not None and max_height is not None:
            raise SpecError("max_height chooses the depth: give one of the two")
        if style == "volumes" and (depth == 0 or direction == "down" or max_height is not None):
            raise SpecError("a depth of 0, the direction down and max_height are for graphs, not for volumes")
        self.report = report
        self.style = style
        self.depth = depth
        self.direction = direction
        self.max_height = max_height

    def svg(self) -> str:
        """Return the drawing as SVG.

        Raises `NotInstalled` for a graph without the extra `draw`, `SpecError` for a graph that is always
        taller than `max_height` and where there are no volumes, and `Undecided` for volumes of free sizes.
        """
        if self.style == "volumes":
            from shapecalc.pictures.volumes import volumes
            from shapecalc.pictures.volumes_svg import volumes_svg

            return volumes_svg(volumes(self.report, self.depth))
        from shapecalc.pictures.graph_svg import fitting_svg, graph_svg

        if self.max_height is None:
            return graph_svg(self._scene(self.depth))
        return fitting_svg(map(self._scene, depths(self.report)), self.max_height)

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart; raises `SpecError` for volumes."""
        from shapecalc.pictures.mermaid import mermaid

        return mermaid(self._graph("Mermaid"))

    def dot(self) -> str:
        """Return the graph in Graphviz' language; raises `SpecError` for volumes."""
        from shapecalc.pictures.dot import dot

        return dot(self._graph("dot"))

    @property
    def forms(self) -> dict[str, Callable[[], str]]:
        """What writes the drawing as text, by the suffix of a file."""
        return {**super().forms, "mmd": self.mermaid, "dot": self.dot}

    def _scene(self, depth: int | None) -> Scene:
        return replace(scene(self.report, depth), is_across=self.direction == "right")

    def _graph(self, form: str) -> Scene:
        if self.style != "graph":
            raise SpecError(f"{self.style} cannot be written as {form}, only a graph can")
        if self.max_height is not None:
            raise SpecError(f"max_height is for SVG and PNG: {form} does not say how tall a picture becomes")
        return self._scene(self.depth)

    def __repr__(self) -> str:
        return f"<Drawing of {self.report.name}: {self.style}>"
