"""The graph of a network as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from shapecalc.errors import SpecError
from shapecalc.pictures import svg
from shapecalc.pictures.layout import Layout, Place, layout
from shapecalc.pictures.picture_text import Words, exactly, frame_words, totals, words
from shapecalc.pictures.scene import Box, Scene, last_fitting

SIZE = 11
"""Of the letters."""
LINE = 14
MARGIN = 14
ABOVE = 44
"""What the title and the totals take."""
CIRCLE = 22
HEADING = 16

_FRAME = ".frame{fill:#64748b;fill-opacity:.07;stroke:#94a3b8;stroke-dasharray:4 3}\n"
_SIGN = ".sign{font-size:16px}\n"


def graph_svg(scene: Scene, places: Layout | None = None) -> str:
    """Return the graph of a scene, laid out, as SVG."""
    return _drawn(scene, places or laid_out(scene), [words(box, scene.report) for box in scene.boxes])


def fitting_svg(candidates: Iterator[Scene], highest: float) -> str:
    """Return the SVG of the last scene before one that is taller; raise `SpecError` if the first is."""
    drawn, places = last_fitting(
        ((candidate, laid_out(candidate)) for candidate in candidates),
        lambda pair: height(pair[1]) <= highest,
    )
    if height(places) > highest:
        raise SpecError(f"the picture is at least {ceil(height(places)):,} units tall, more than {highest:,}")
    return graph_svg(drawn, places)


def laid_out(scene: Scene) -> Layout:
    """Return the layout of a scene, boxes as large as their words need."""
    sizes = [_size(box, words(box, scene.report)) for box in scene.boxes]
    # Twice as wide as it is, so that the arrow through the middle of a frame passes beside its heading.
    beside = 1 if scene.is_across else 2
    headings = [
        (beside * svg.text_width(frame_words(frame), SIZE) + 24, float(HEADING)) for frame in scene.frames
    ]
    return layout(scene, sizes, headings)


def height(places: Layout) -> float:
    """Return how tall the picture of a layout is."""
    return places.height + ABOVE + 2 * MARGIN


def _size(box: Box, text: Words) -> svg.Point:
    if box.family == "merge" and text.is_sign:
        return CIRCLE, CIRCLE
    first = svg.text_width(text.name, SIZE, bold=True) + svg.text_width(
        f" {text.kind}" if text.kind else "", SIZE
    )
    widest = max(first, *(svg.text_width(line, SIZE) for line in ("", *text.lines[1:])))
    return max(48.0, widest + 18), LINE * len(text.lines) + 9.0


def _drawn(scene: Scene, places: Layout, texts: list[Words]) -> str:
    name = f"shapecalc-graph-{svg.slug(scene.report.name)}"
    head = svg.Head(name, scene.report.heading(), totals(scene.report), _description(scene))
    wide = max(places.width, head.width)
    left, top = svg.number(MARGIN + (wide - places.width) / 2), MARGIN + ABOVE
    frames = zip(scene.frames, places.frames, strict=True)
    boxes = zip(scene.boxes, places.boxes, texts, strict=True)
    body = [
        svg.tip(name, 7),
        f'<g transform="translate({left} {top})" text-anchor="middle">',
        *(_frame(place, frame_words(frame)) for frame, place in frames),
        f'<g class="line" stroke-width="1.2" marker-end="url(#{name}-tip)">',
        *(
            svg.path(f"M{svg.coordinates([start])}C{svg.coordinates(curves)}")
            for start, *curves in places.paths
        ),
        "</g>",
        *(_box(box, place, text, exactly(box, scene.report)) for box, place, text in boxes),
        "</g>",
    ]
    size = (wide + 2 * MARGIN, height(places))
    return svg.page(size, head, body, svg.families(box.family for box in scene.boxes), _FRAME + _SIGN)


def _description(scene: Scene) -> str:
    """Return the graph in words, each box with those that it reads."""
    names = {box.number: box.name for box in scene.boxes}
    sentences = []
    for box in scene.boxes[:_MOST_DESCRIBED]:
        reads = [names[arrow.tail] for arrow in scene.arrows if arrow.head == box.number]
        sentences.append(exactly(box, scene.report) + (f"; reads {', '.join(reads)}" if reads[1:] else ""))
    return f"The graph from the input to the output, {totals(scene.report)}. " + ". ".join(sentences)


_MOST_DESCRIBED = 60


def _frame(place: Place, text: str) -> str:
    heading = svg.label(place.x + 9, place.y + 16, text, "faint", "start")
    return svg.rectangle(place.x, place.y, place.width, place.height, "frame", rx=8) + heading


def _box(box: Box, place: Place, text: Words, exact: str) -> str:
    x, y = place.centre
    if place.width == place.height == CIRCLE:
        body = svg.element("circle", cx=x, cy=y, r=CIRCLE / 2, class_=box.family)
        body += svg.label(x, y + 5.5, text.first, "sign")
    else:
        rx = min(place.height / 2, 14) if box.family in ("input", "output", "merge") else 5
        body = svg.rectangle(place.x, place.y, place.width, place.height, box.family, rx=rx)
        top = y - LINE * len(text.lines) / 2 + 10.5
        first = svg.element("tspan", svg.plain(text.name), class_="bold")
        first += svg.element("tspan", svg.plain(f" {text.kind}")) if text.kind else ""
        body += svg.element("text", first, x=x, y=top)
        for row, line in enumerate(text.lines[1:], 1):
            body += svg.label(x, top + row * LINE, line, "faint" if line == text.cost else None)
    return svg.element("g", svg.tooltip(exact) + body)
