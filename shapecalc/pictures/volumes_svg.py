"""The feature maps of a network as SVG, with the scale they are drawn to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from shapecalc.pictures import svg
from shapecalc.pictures.picture_text import exactly, totals
from shapecalc.pictures.solids import PLANE, SMALL, Placement, Solid, arrange
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
    name = f"shapecalc-volumes-{svg.slug(report.name)}"
    head = svg.Head(name, report.heading(), totals(report), description(volumes, placement))
    left, top, right, bottom = _bounds(placement)
    legend, width = _legend(placement)
    wide = max(right - left, width, head.width)
    aside = MARGIN + (wide - (right - left)) / 2 - left
    middle = MARGIN + (wide - width) / 2
    high = ABOVE + (bottom - top) + 82
    body = [
        *([svg.tip(name, 6)] if placement.style == "u" else []),
        f'<g transform="translate({svg.number(aside)} {svg.number(ABOVE - top)})">',
        *_arrows(volumes, placement, name),
        *(_solid(solid, placement, exactly(solid.volume.box, report)) for solid in placement.solids),
        *_captions(placement),
        "</g>",
        f'<g class="caption" transform="translate({svg.number(middle)} {svg.number(high - 50)})">',
        *legend,
        "</g>",
    ]
    colours = svg.families(map(_family, placement.solids))
    return svg.page((wide + 2 * MARGIN, high + MARGIN / 2), head, body, colours, _RULES, _NIGHT)


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
        half = max(svg.text_width(line, SMALL, bold=True) for line in caption.lines) / 2
        low = caption.y + _LINE * (len(caption.lines) - 1) + 3
        boxes.append((caption.x - half, caption.y - SMALL, caption.x + half, low))
    if placement.style == "u":
        boxes += [(solid.x - 14, solid.y, solid.x, solid.centre[1] + 52) for solid in placement.solids]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _solid(solid: Solid, placement: Placement, exact: str) -> str:
    return svg.element("g", svg.tooltip(exact) + _faces(solid, placement), class_="solid")


def _faces(solid: Solid, placement: Placement) -> str:
    """Return the faces of a solid, the front last."""
    family = _family(solid)
    (broad, high), (right, down) = solid.front, solid.depth
    x, y = solid.x, solid.y
    if solid.planes > 1:
        step = (PLANE[0] * placement.scale.channel, PLANE[1] * placement.scale.channel)
        return "".join(
            svg.rectangle(x + step[0] * n, y + step[1] * n, broad, high, family) for n in range(solid.planes)
        )
    faces = ""
    if right:
        near, far = (x + broad, y), (x + broad + right, y + down)
        top = [(x, y), near, far, (x + right, y + down)]
        side = [near, far, (far[0], y + high + down), (near[0], y + high)]
        faces = _face(side, family) + _face(side, "shade") + _face(top, family) + _face(top, "light")
    if solid.volume.copied:
        part = broad * solid.volume.copied / solid.volume.channels
        faces += svg.rectangle(x, y, part, high, "copied")
        x, broad, family = x + part, broad - part, "convolution"
    return faces + svg.rectangle(x, y, broad, high, family)


def _face(points: list[svg.Point], class_: str) -> str:
    return svg.path(f"M{svg.coordinates(points, 'L')}z", class_)


def _captions(placement: Placement) -> Iterator[str]:
    for caption in placement.captions:
        for row, line in enumerate(caption.lines):
            class_ = "caption faint" if row else "caption bold"
            yield svg.label(caption.x, caption.y + _LINE * row, line, class_, "middle")
    if placement.style == "u":
        for solid in placement.solids:
            x, y = solid.x - 4, solid.centre[1] + 7
            text = "×".join(map(str, solid.volume.sides))
            turned = f"rotate(-90 {svg.number(x)} {svg.number(y)})"
            yield svg.label(x, y, text, "caption faint", "end", transform=turned)


def _arrows(volumes: Volumes, placement: Placement, name: str) -> Iterator[str]:
    """Yield the arrows of a U: along its rows, down and up between them, and across."""
    if placement.style != "u":
        return
    across = [(placement.solids[tail], placement.solids[head], "copy") for tail, head in volumes.copies]
    for solid, following, way in (*placement.steps, *across):
        (x1, y1), (x2, y2) = solid.centre, following.centre
        if way == "down":
            y1, x2, y2 = solid.y + solid.front[1] + 2, x1, following.y - SMALL - 6
        elif way == "up":
            x1, y1, y2 = x2, solid.y - SMALL - 6, following.y + following.front[1] + 2
        else:
            x1, x2 = solid.x + solid.front[0] + 2, following.x - 2
        ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
        class_ = f"line {way}".strip()
        yield svg.element("line", **ends, class_=class_, stroke_width=1.2, marker_end=f"url(#{name}-tip)")


def _legend(placement: Placement) -> tuple[list[str], float]:
    """Return the colours, bars as long as so many pixels, channels and features, and how broad it all is."""
    used = [_family(solid) for solid in placement.solids]
    colours = [
        (partial(_swatch, family), 14.0, name)
        for family, name in NAMES.items()
        if family in used and family != "merge"
    ]
    arrows = [(partial(_arrow, class_), 27.0, name) for class_, name in _arrow_legend(placement)]
    parts, width = svg.legend([*colours, *arrows], 0, SMALL, 12)
    bars, length = svg.legend(_measures(placement), 20, SMALL, 17, "faint")
    text = scale_text(placement)
    parts += [*bars, svg.label(0, 37, text, "faint")]
    return parts, max(width - 12, length - 12, svg.text_width(text, SMALL))


def _swatch(family: str, x: float) -> str:
    return svg.rectangle(x, -9, 10, 10, f"{family} solid")


def _arrow(class_: str, x: float) -> str:
    return svg.path(f"M{svg.number(x)} -4h22", class_, stroke_width=1.2)


def _bar(length: float, x: float) -> str:
    return svg.path(f"M{svg.number(x)} 14v6M{svg.number(x)} 17h{svg.number(length)}m0 -3v6", "line")


def _measures(placement: Placement) -> Iterator[tuple[Callable[[float], str], float, str]]:
    """Yield bars that measure pixels, channels and features, as far as there are any."""
    units = placement.scale
    vectors = {solid.volume.is_vector for solid in placement.solids}
    for name, unit, is_vector in (
        ("pixel", units.pixel, False),
        ("channel", units.channel, False),
        ("feature", units.feature, True),
    ):
        if is_vector in vectors:
            amount = max(1, int(rounded(_BAR / unit)))
            yield partial(_bar, amount * unit), amount * unit + 5, f"{amount:,} {name}{'s' * (amount > 1)}"


def _arrow_legend(placement: Placement) -> list[tuple[str, str]]:
    """Return the legend of the arrows of a U: the kinds of layers that lead down and up, and the copies."""
    if placement.style != "u":
        return []
    kinds: dict[str, dict[str, None]] = {"down": {}, "up": {}, "": {}}
    for _, following, way in placement.steps:
        kinds[way][following.volume.raised_by or following.volume.box.kind] = None
    ways = [(f"line {way}", " / ".join(kinds[way])) for way in ("down", "up") if kinds[way]]
    return [*ways, ("line copy", "copied across")]
