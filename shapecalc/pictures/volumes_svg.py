"""The feature maps of a network as SVG, with the scale they are drawn to."""

from __future__ import annotations

from collections.abc import Iterator

from shapecalc.pictures.layout import Point
from shapecalc.pictures.picture_text import exactly, totals
from shapecalc.pictures.solids import PLANE, SMALL, Caption, Placement, Solid, arrange
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
from shapecalc.pictures.volumes import Volumes, rounded

MARGIN = 16.0
ABOVE = 58.0
_LINE = 13.0
_BAR = 70.0
"""How long a bar of the scale may be."""
NAMES = {
    "input": "input",
    "convolution": "convolution",
    "pooling": "pooling",
    "dense": "fully connected",
    "recurrent": "recurrent",
    "attention": "attention",
    "merge": "merged branches",
    "part": "block",
}
_RULES = """.caption{font-size:10px}
.shade{fill:#0f172a;fill-opacity:.14;stroke:inherit}
.light{fill:#ffffff;fill-opacity:.5;stroke:inherit}
.copied{fill:#ffffff;stroke:#64748b}
.solid{stroke-width:.8;stroke-linejoin:round}
.down{stroke:#cf5f35}
.up{stroke:#4f9a55}
.copy{stroke-dasharray:5 3}
"""
_NIGHT = """.light{fill-opacity:.12}
.copied{fill:#1e293b;stroke:#94a3b8}
.down{stroke:#f0936d}
.up{stroke:#84c78a}
"""


def volumes_svg(volumes: Volumes) -> str:
    """Return the volumes of a network as SVG, with captions and the scale."""
    placement = arrange(volumes)
    report = volumes.scene.report
    name = f"shapecalc-volumes-{slug(report.name)}"
    title, below = volumes.scene.title, totals(report)
    left, top, right, bottom = _bounds(placement)
    legend, width = _legend(placement)
    wide = max(right - left, width, text_width(title, 14, bold=True), text_width(below, 11))
    aside = MARGIN + (wide - (right - left)) / 2 - left
    middle = MARGIN + (wide - width) / 2
    high = ABOVE + (bottom - top) + 82
    body = [
        *([tip(name, 6)] if placement.style == "u" else []),
        f'<g transform="translate({number(aside)} {number(ABOVE - top)})">',
        *_arrows(volumes, placement, name),
        *(
            element(
                "g",
                element("title", plain(exactly(solid.volume.box, report))) + drawn(solid, placement),
                class_="solid",
            )
            for solid in placement.solids
        ),
        *_captions(placement),
        "</g>",
        f'<g class="caption" transform="translate({number(middle)} {number(high - 50)})">',
        *legend,
        "</g>",
    ]
    head = Head(name, title, below, description(volumes, placement))
    colours = families(map(_family, placement.solids))
    return page((wide + 2 * MARGIN, high + MARGIN / 2), head, body, colours, _RULES, _NIGHT)


def description(volumes: Volumes, placement: Placement) -> str:
    """Return the volumes and the scale in words."""
    sizes = [
        (
            f"{volume.channels}"
            if volume.is_vector
            else f"{volume.channels} of {'x'.join(map(str, volume.sides))}"
        )
        + (f" ({volume.times} times)" if volume.times > 1 else "")
        for volume in volumes.volumes
    ]
    return f"Feature maps from the input to the output: {', '.join(sizes)}. {scale_text(placement)}"


def scale_text(placement: Placement) -> str:
    """Return the scale in words."""
    units = placement.scale
    drawn = [solid.volume for solid in placement.solids]
    parts = []
    if not all(volume.is_vector for volume in drawn):
        parts += [f"a pixel is {units.pixel:g} units", f"a channel {units.channel:g}"]
    if any(volume.is_vector for volume in drawn):
        parts.append(f"a feature of a vector {units.feature:g}")
    how = {
        "solids": "widths recede at half the scale",
        "planes": "a plane for every channel",
        "u": "heights and channels are drawn, widths are not",
    }[placement.style]
    first = (
        "; of three sides the first is not drawn" if any(len(volume.sides) > 2 for volume in drawn) else ""
    )
    return f"To scale: {', '.join(parts)}; {how}{first}."


def _family(solid: Solid) -> str:
    box = solid.volume.box
    return "part" if box.family == "merge" and not solid.volume.copied else box.family


def _bounds(placement: Placement) -> tuple[float, float, float, float]:
    boxes = [solid.bounds for solid in placement.solids]
    for caption in placement.captions:
        half = max(text_width(line, SMALL, bold=True) for line in caption.lines) / 2
        low = caption.y + _LINE * (len(caption.lines) - 1) + 3
        boxes.append((caption.x - half, caption.y - SMALL, caption.x + half, low))
    if placement.style == "u":
        boxes += [(solid.x - 14, solid.y, solid.x, _centre(solid)[1] + 52) for solid in placement.solids]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def drawn(solid: Solid, placement: Placement) -> str:
    """Return the faces of a solid, the front last."""
    family = _family(solid)
    (broad, high), (right, down) = solid.front, solid.depth
    x, y = solid.x, solid.y
    if solid.planes > 1:
        step = (PLANE[0] * placement.scale.channel, PLANE[1] * placement.scale.channel)
        return "".join(
            element("rect", x=x + step[0] * n, y=y + step[1] * n, width=broad, height=high, class_=family)
            for n in range(solid.planes)
        )
    faces = ""
    if right:
        top = [(x, y), (x + broad, y), (x + broad + right, y + down), (x + right, y + down)]
        side = [
            (x + broad, y),
            (x + broad + right, y + down),
            (x + broad + right, y + high + down),
            (x + broad, y + high),
        ]
        faces = _face(side, family) + _face(side, "shade") + _face(top, family) + _face(top, "light")
    if solid.volume.copied:
        part = broad * solid.volume.copied / solid.volume.channels
        return (
            faces
            + element("rect", x=x, y=y, width=part, height=high, class_="copied")
            + element("rect", x=x + part, y=y, width=broad - part, height=high, class_="convolution")
        )
    return faces + element("rect", x=x, y=y, width=broad, height=high, class_=family)


def _face(points: list[Point], class_: str) -> str:
    return element("path", d=f"M{'L'.join(f'{number(x)} {number(y)}' for x, y in points)}z", class_=class_)


def _captions(placement: Placement) -> Iterator[str]:
    for caption in placement.captions:
        yield from _caption(caption)
    if placement.style == "u":
        for solid in placement.solids:
            x, y = solid.x - 4, _centre(solid)[1] + 7
            text = "×".join(map(str, solid.volume.sides))
            turned = f"rotate(-90 {number(x)} {number(y)})"
            yield label(x, y, text, class_="caption faint", text_anchor="end", transform=turned)


def _caption(caption: Caption) -> Iterator[str]:
    for row, line in enumerate(caption.lines):
        class_ = "caption bold" if row == 0 else "caption faint"
        yield label(caption.x, caption.y + _LINE * row, line, class_=class_, text_anchor="middle")


def _centre(solid: Solid) -> Point:
    return solid.x + solid.front[0] / 2, solid.y + solid.front[1] / 2


def _arrows(volumes: Volumes, placement: Placement, name: str) -> Iterator[str]:
    """Yield the arrows of a U: along its rows, down and up between them, and across."""
    if placement.style != "u":
        return
    ending = f"url(#{name}-tip)"
    for solid, following in zip(placement.solids, placement.solids[1:], strict=False):
        here, there = _centre(solid), _centre(following)
        if abs(here[1] - there[1]) < 1:
            ends, class_ = ((solid.x + solid.front[0] + 2, here[1]), (following.x - 2, here[1])), "line"
        elif here[1] < there[1]:
            ends = ((here[0], solid.y + solid.front[1] + 2), (here[0], following.y - SMALL - 6))
            class_ = "line down"
        else:
            ends = ((there[0], solid.y - SMALL - 6), (there[0], following.y + following.front[1] + 2))
            class_ = "line up"
        yield _line(ends, class_, ending)
    for tail, head in volumes.copies:
        solid, following = placement.solids[tail], placement.solids[head]
        start = (solid.x + solid.front[0] + 2, _centre(solid)[1])
        yield _line((start, (following.x - 2, _centre(following)[1])), "line copy", ending)


def _line(ends: tuple[Point, Point], class_: str, ending: str) -> str:
    (x1, y1), (x2, y2) = ends
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_, stroke_width=1.2, marker_end=ending)


def _legend(placement: Placement) -> tuple[list[str], float]:
    """Return the colours, bars as long as so many pixels, channels and features, and how broad it all is."""
    parts: list[str] = []
    x = 0.0
    used = [_family(solid) for solid in placement.solids]
    for family, name in NAMES.items():
        if family in used and family != "merge":
            parts.append(element("rect", x=x, y=-9, width=10, height=10, class_=f"{family} solid"))
            parts.append(label(x + 14, 0, name))
            x += 26 + text_width(name, SMALL)
    for class_, name in _arrow_legend(placement):
        parts.append(element("path", d=f"M{number(x)} -4h22", class_=class_, stroke_width=1.2))
        parts.append(label(x + 27, 0, name))
        x += 39 + text_width(name, SMALL)
    widest = x
    x = 0.0
    maps = any(not solid.volume.is_vector for solid in placement.solids)
    vectors = any(solid.volume.is_vector for solid in placement.solids)
    measures = [
        ("pixels", placement.scale.pixel, maps),
        ("channels", placement.scale.channel, maps),
        ("features", placement.scale.feature, vectors),
    ]
    for name, unit, is_used in measures:
        if is_used:
            amount = max(1, int(rounded(_BAR / unit)))
            length = amount * unit
            parts.append(
                element("path", d=f"M{number(x)} 14v6M{number(x)} 17h{number(length)}m0 -3v6", class_="line")
            )
            text = f"{amount:,} {name[:-1] if amount == 1 else name}"
            parts.append(label(x + length + 5, 20, text, class_="faint"))
            x += length + 22 + text_width(text, SMALL)
    text = scale_text(placement)
    parts.append(label(0, 37, text, class_="faint"))
    return parts, max(widest - 12, x - 12, text_width(text, SMALL))


def _arrow_legend(placement: Placement) -> list[tuple[str, str]]:
    """Return the legend of the arrows of a U: the kinds of layers that lead down and up, and the copies."""
    if placement.style != "u":
        return []
    down, up = [], []
    for solid, following in zip(placement.solids, placement.solids[1:], strict=False):
        here, there = _centre(solid)[1], _centre(following)[1]
        volume = following.volume
        if there > here + 1:
            down.append(volume.raised_by or volume.box.kind)
        elif there < here - 1:
            up.append(volume.raised_by or volume.box.kind)
    kinds = [("line down", " / ".join(dict.fromkeys(down))), ("line up", " / ".join(dict.fromkeys(up)))]
    return [(class_, name) for class_, name in kinds if name] + [("line copy", "copied across")]
