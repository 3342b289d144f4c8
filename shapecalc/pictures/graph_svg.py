"""The graph of a network as SVG."""

from __future__ import annotations

from shapecalc.pictures.layout import Layout, Place, Point, layout
from shapecalc.pictures.picture_text import Words, exactly, frame_words, totals, words
from shapecalc.pictures.scene import Box, Scene
from shapecalc.pictures.svg import (
    Head,
    element,
    families,
    label,
    number,
    page,
    plain,
    slug,
    text_width,
    tip,
)

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


def graph_svg(scene: Scene) -> str:
    """Return the graph of a scene, laid out, as SVG."""
    return _drawn(scene, laid_out(scene), [words(box, scene.report) for box in scene.boxes])


def laid_out(scene: Scene) -> Layout:
    """Return the layout of a scene, boxes as large as their words need."""
    sizes = [_size(box, words(box, scene.report)) for box in scene.boxes]
    # Twice as wide as it is, so that the arrow through the middle of a frame passes beside its heading.
    headings = [(2 * text_width(frame_words(frame), SIZE) + 24, float(HEADING)) for frame in scene.frames]
    return layout(scene, sizes, headings)


def _size(box: Box, text: Words) -> Point:
    if box.family == "merge" and text.is_sign:
        return CIRCLE, CIRCLE
    first = text_width(text.name, SIZE, bold=True) + text_width(f" {text.kind}" if text.kind else "", SIZE)
    widest = max(first, *(text_width(line, SIZE) for line in ("", *text.lines[1:])))
    return max(48.0, widest + 18), LINE * len(text.lines) + 9.0


def _drawn(scene: Scene, places: Layout, texts: list[Words]) -> str:
    name = f"shapecalc-graph-{slug(scene.report.name)}"
    title, below = scene.title, totals(scene.report)
    wide = max(places.width, text_width(title, 14, bold=True), text_width(below, SIZE))
    right = (wide - places.width) / 2
    frames = zip(scene.frames, places.frames, strict=True)
    boxes = zip(scene.boxes, places.boxes, texts, strict=True)
    body = [
        tip(name, 7),
        f'<g transform="translate({number(MARGIN + right)} {number(MARGIN + ABOVE)})" text-anchor="middle">',
        *(_frame(place, frame_words(frame)) for frame, place in frames),
        f'<g class="line" stroke-width="1.2" marker-end="url(#{name}-tip)">',
        *map(_path, places.paths),
        "</g>",
        *(_box(box, place, text, exactly(box, scene.report)) for box, place, text in boxes),
        "</g>",
    ]
    size = (wide + 2 * MARGIN, places.height + ABOVE + 2 * MARGIN)
    head = Head(name, title, below, _description(scene))
    return page(size, head, body, families(box.family for box in scene.boxes), _FRAME + _SIGN)


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
    rectangle = element(
        "rect", x=place.x, y=place.y, width=place.width, height=place.height, rx=8, class_="frame"
    )
    return rectangle + label(place.x + 9, place.y + 16, text, class_="faint", text_anchor="start")


def _path(points: list[Point]) -> str:
    (x, y), *others = points
    curves = " ".join(f"{number(x)} {number(y)}" for x, y in others)
    return element("path", d=f"M{number(x)} {number(y)}C{curves}")


def _box(box: Box, place: Place, text: Words, exact: str) -> str:
    x, y = place.centre
    if place.width == place.height == CIRCLE:
        body = element("circle", cx=x, cy=y, r=CIRCLE / 2, class_=box.family)
        body += label(x, y + 5.5, text.first, class_="sign")
    else:
        round_ends = place.height / 2 if box.family in ("input", "output", "merge") else 5
        body = element(
            "rect",
            x=place.x,
            y=place.y,
            width=place.width,
            height=place.height,
            rx=min(round_ends, 14),
            class_=box.family,
        )
        top = y - LINE * len(text.lines) / 2 + 10.5
        first = element("tspan", plain(text.name), class_="bold")
        first += element("tspan", plain(f" {text.kind}")) if text.kind else ""
        body += element("text", first, x=x, y=top)
        for row, line in enumerate(text.lines[1:], 1):
            body += label(x, top + row * LINE, line, class_="faint" if line == text.cost else None)
    return element("g", element("title", plain(exact)) + body)
