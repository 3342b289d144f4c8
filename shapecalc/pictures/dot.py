"""The graph of a network in Graphviz' own language."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.errors import printable
from shapecalc.pictures.picture_text import exactly, frame_words, totals, words
from shapecalc.pictures.scene import Box, Frame, Scene
from shapecalc.pictures.svg import COLOURS


def dot(scene: Scene) -> str:
    r"""Return the graph of a scene as a digraph that `dot` accepts.

    >>> import shapecalc
    >>> from shapecalc.pictures.scene import scene
    >>> print(dot(scene(shapecalc.load("lenet5").analyze())).splitlines()[4][:54])
      b0 [label="input\n1x32x32", tooltip="input: 1x32x32"
    """
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    yield f"digraph {_quoted(scene.report.name)} {{"
    yield f"  graph [label={_quoted(scene.report.heading(), totals(scene.report))}, labelloc=t, ranksep=0.3]"
    if scene.is_across:
        yield "  graph [rankdir=LR]"
    yield '  node [shape=box, fontname="Helvetica", fontsize=11, margin="0.12,0.06", height=0.3]'
    yield '  graph [fontname="Helvetica", fontsize=11]; edge [arrowsize=0.7, color="#55636d"]'
    yield from scene.lines(_begin, "}", lambda box: _box(box, scene))
    for arrow in scene.arrows:
        yield f"  b{arrow.tail} -> b{arrow.head}"
    yield "}"


def _begin(frame: Frame) -> Iterator[str]:
    yield f"subgraph cluster_{frame.number} {{"
    style = 'labeljust=l, style="rounded,dashed", color="#94a3b8"'
    yield f"  graph [label={_quoted(frame_words(frame))}, {style}]"


def _box(box: Box, scene: Scene) -> str:
    text = words(box, scene.report)
    fill, stroke, *_ = COLOURS[box.family]
    sign = ", shape=circle, width=0.3, margin=0" if text.is_sign else ""
    return (
        f"b{box.number} [label={_quoted(*text.lines)}, tooltip={_quoted(exactly(box, scene.report))}, "
        f'fillcolor="{fill}", color="{stroke}", style="filled,rounded"{sign}]'
    )


def _quoted(*lines: str) -> str:
    r"""Return lines as one string of the language.

    >>> print(_quoted('a "b"', "c\\N"))
    "a \"b\"\nc\\N"
    """
    escaped = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
