"""The layout of the boxes, frames and arrows of a scene: Graphviz' layered layout, through pygraphviz.

Graphviz gets numbers only, never a word of the spec: sizes go in, places come out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from shapecalc.errors import SpecError
from shapecalc.pictures.extras import need
from shapecalc.pictures.scene import Box, Frame, Scene
from shapecalc.pictures.svg import Point

MOST_BOXES = 2000
"""How many boxes are laid out."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle, by its left upper corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        """The point in the middle."""
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Layout:
    """Places in a picture of this size, y downwards; paths are chains of Bézier curves."""

    width: float
    height: float
    boxes: list[Place]
    frames: list[Place]
    paths: list[list[Point]]


def layout(scene: Scene, sizes: list[Point], headings: list[Point]) -> Layout:
    """Return the layout of a scene whose boxes and headings of frames have these sizes.

    Raises `SpecError` for too many boxes, and `NotInstalled` without the extra `draw`.
    """
    if len(scene.boxes) > MOST_BOXES:
        message = f"{len(scene.boxes):,} boxes are more than can be laid out, {MOST_BOXES:,}"
        raise SpecError(message, hint="fold deeper parts with a smaller depth, or write .dot or .mmd")
    pygraphviz = need("pygraphviz", "the layout of a graph")
    graph = pygraphviz.AGraph(string="\n".join(_written(scene, sizes, headings)))
    graph.layout(prog="dot")
    left, low, right, high = _numbers(graph.graph_attr["bb"])
    boxes = []
    for box, (width, height) in zip(scene.boxes, sizes, strict=True):
        x, y = _numbers(graph.get_node(f"b{box.number}").attr["pos"])
        boxes.append(Place(x - left - width / 2, high - y - height / 2, width, height))
    bounds = dict(_bounds(graph))
    frames = []
    for frame in scene.frames:
        x0, y0, x1, y1 = _numbers(bounds[f"cluster_{frame.number}"])
        frames.append(Place(x0 - left, high - y1, x1 - x0, y1 - y0))
    paths = []
    for arrow in scene.arrows:
        position = graph.get_edge(f"b{arrow.tail}", f"b{arrow.head}").attr["pos"]
        points = [_numbers(pair) for pair in position.replace("\\\n", "").split()]
        paths.append([(x - left, high - y) for x, y in points])
    return Layout(right - left, high - low, boxes, frames, paths)


def _numbers(text: str) -> list[float]:
    return [*map(float, text.split(","))]


def _bounds(graph: Any) -> Iterator[tuple[str, str]]:
    for inner in graph.subgraphs():
        yield inner.name, inner.graph_attr["bb"]
        yield from _bounds(inner)


def _written(scene: Scene, sizes: list[Point], headings: list[Point]) -> Iterator[str]:
    yield "digraph {"
    direction = ", rankdir=LR" if scene.is_across else ""
    yield f"graph [nodesep=0.22, ranksep=0.28, splines=spline{direction}]"
    yield 'node [shape=box, fixedsize=true, label=""]'
    yield "edge [dir=none]"
    yield from scene.lines(partial(_begin, headings), "}", partial(_box, sizes))
    for arrow, weight in zip(scene.arrows, _weights(scene), strict=True):
        yield f"b{arrow.tail} -> b{arrow.head} [weight={weight}]"
    yield "}"


def _weights(scene: Scene) -> list[int]:
    """Return how straight each arrow should be: most in a chain, least where it jumps over others."""
    leaving = Counter(arrow.tail for arrow in scene.arrows)
    entering = Counter(arrow.head for arrow in scene.arrows)
    ranks = [0] * len(scene.boxes)
    for arrow in sorted(scene.arrows, key=lambda arrow: arrow.head):
        ranks[arrow.head] = max(ranks[arrow.head], ranks[arrow.tail] + 1)
    main = scene.main
    return [
        0
        if arrow.tail in main and arrow.head not in main
        else _STRAIGHTEST
        if leaving[arrow.tail] == entering[arrow.head] == 1
        else _STRAIGHT
        if ranks[arrow.head] == ranks[arrow.tail] + 1
        else 1
        for arrow in scene.arrows
    ]


_STRAIGHT, _STRAIGHTEST = 3, 12


def _begin(headings: list[Point], frame: Frame) -> Iterator[str]:
    width, height = headings[frame.number]
    yield f"subgraph cluster_{frame.number} {{"
    yield (
        'graph [margin=9, labeljust=l, label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" '
        f'CELLPADDING="0" FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}">'
        "<TR><TD></TD></TR></TABLE>>]"
    )


def _box(sizes: list[Point], box: Box) -> str:
    width, height = sizes[box.number]
    shape = ", shape=ellipse" if box.family == "merge" and width == height else ""
    return f"b{box.number} [width={width / 72:.5f}, height={height / 72:.5f}{shape}]"
