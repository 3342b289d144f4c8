"""The graph of a network as Mermaid, as GitHub and others render it inside Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.errors import printable
from shapecalc.pictures.picture_text import frame_words, totals, words
from shapecalc.pictures.scene import Box, Frame, Scene
from shapecalc.pictures.svg import COLOURS

_ENTITIES = {sign: f"#{ord(sign)};" for sign in '"<>&#`\\'}


def mermaid(scene: Scene) -> str:
    """Return the graph of a scene as a Mermaid flowchart.

    >>> import shapecalc
    >>> from shapecalc.pictures.scene import scene
    >>> print(mermaid(scene(shapecalc.load("lenet_300_100").analyze(), depth=1)).splitlines()[3])
      b0(["input<br/>1x28x28"]):::input
    """
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    yield "flowchart LR" if scene.is_across else "flowchart TD"
    yield f"  accTitle: {_sentence(scene.report.heading())}"
    yield f"  accDescr: {_sentence(totals(scene.report))}"
    yield from scene.lines(_begin, "end", lambda box: _box(box, scene))
    for arrow in scene.arrows:
        yield f"  b{arrow.tail} --> b{arrow.head}"
    for family, (fill, stroke, *_) in COLOURS.items():
        if any(box.family == family for box in scene.boxes):
            yield f"  classDef {family} fill:{fill},stroke:{stroke},color:#1f2933"
    if scene.frames:
        yield "  classDef frame fill:#f5f7f9,stroke:#94a3b8,color:#1f2933"
        yield f"  class {','.join(f'f{frame.number}' for frame in scene.frames)} frame"


def _begin(frame: Frame) -> Iterator[str]:
    yield f'subgraph f{frame.number}["{_text(frame_words(frame))}"]'


def _box(box: Box, scene: Scene) -> str:
    lines = [part for line in words(box, scene.report).lines for part in line.split(", ")]
    text = "<br/>".join(map(_text, lines))  # Mermaid would break long lines anywhere
    opens, closes = ("([", "])") if box.family in ("input", "output", "merge") else ("[", "]")
    return f'b{box.number}{opens}"{text}"{closes}:::{box.family}'


def _text(text: str) -> str:
    """Return text for between quotes: signs that Mermaid or HTML would interpret are written as numbers.

    >>> _text('a "b" <c>'), _text("c1_x")
    ('a #34;b#34; #60;c#62;', 'c1_x')
    """
    return "".join(_ENTITIES.get(sign, sign) for sign in printable(text))


def _sentence(text: str) -> str:
    """Return text for a line of its own, where no entity is decoded and few characters end the line."""
    return "".join(sign for sign in printable(text) if sign not in ";#{}%")
