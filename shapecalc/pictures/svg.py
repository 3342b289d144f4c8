"""Small SVG by hand: elements, escaped text, how wide a text is, and colours for both backgrounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

from shapecalc.errors import printable
from shapecalc.layers.family import Group

Point = tuple[float, float]
FONT = "Helvetica, Arial, Liberation Sans, sans-serif"

_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 "
    "278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 "
    "667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 "
    "833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_ASCII = [int(width) for width in _WIDTHS.split()]
"""How wide the characters from space to tilde are in Helvetica, in thousandths of the size."""

COLOURS: dict[str, tuple[str, str, str, str]] = {
    "input": ("#ffffff", "#64748b", "#1e293b", "#94a3b8"),
    "output": ("#ffffff", "#64748b", "#1e293b", "#94a3b8"),
    Group.CONVOLUTION: ("#dbeafe", "#3b76c4", "#1d3557", "#7fb0ee"),
    Group.POOLING: ("#fde2d7", "#cf5f35", "#532a1a", "#f0936d"),
    Group.DENSE: ("#e9e1f7", "#7e57c2", "#38295c", "#b79ae6"),
    Group.RECURRENT: ("#d9f0ee", "#00838f", "#123f42", "#6cc4cb"),
    Group.ATTENTION: ("#fbe3ee", "#c2417c", "#4d1f35", "#ea8fb9"),
    Group.NORM: ("#e1f1e0", "#4f9a55", "#23422a", "#84c78a"),
    Group.POINTWISE: ("#fbf1cf", "#b3902a", "#463a15", "#dcbb57"),
    Group.RESHAPE: ("#eceff1", "#78909c", "#37474f", "#a9bcc6"),
    Group.PADDING: ("#eceff1", "#78909c", "#37474f", "#a9bcc6"),
    Group.RESAMPLE: ("#fde2d7", "#cf5f35", "#532a1a", "#f0936d"),
    Group.MERGE: ("#ffffff", "#37474f", "#263238", "#cfd8dc"),
    Group.LOSS: ("#f6e4e4", "#a04848", "#472323", "#dd9a9a"),
    Group.OTHER: ("#ffffff", "#78909c", "#37474f", "#a9bcc6"),
    "part": ("#e3f0f2", "#3f8590", "#1c3f45", "#79bcc6"),
}
"""By group of families: the fill and the stroke on a light page, and the same on a dark one."""


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a text is, on the safe side for the fonts that replace Helvetica.

    >>> round(text_width("conv2d", 10), 1), round(text_width("conv2d", 10, bold=True), 1)
    (34.2, 36.6)
    """
    thousandths = sum(map(_character, text))
    return thousandths * size / 1000 * 1.06 * (1.07 if bold else 1)


def _character(sign: str) -> int:
    if " " <= sign <= "~":
        return _ASCII[ord(sign) - 32]
    return 1000 if east_asian_width(sign) in "WF" else 640


def plain(text: str) -> str:
    r"""Return text for between tags or in an attribute.

    >>> plain('<b>"x" & \x00'), plain("\ud800")
    ('&lt;b&gt;&quot;x&quot; &amp; \\x00', '\\ud800')
    """
    return escape(printable(text))


def number(value: float) -> str:
    """Return a coordinate with at most two decimals.

    >>> number(3.0), number(1 / 3), number(-0.001)
    ('3', '0.33', '0')
    """
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def element(name: str, content: str | None = None, /, **attributes: float | str | None) -> str:
    """Return an element; `class_` is written class, underscores as hyphens, and None is left out.

    >>> element("rect", x=1.5, stroke_width=2, class_="part")
    '<rect x="1.5" stroke-width="2" class="part"/>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{plain(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}/>" if content is None else f"<{name}{written}>{content}</{name}>"


def rectangle(
    x: float,
    y: float,
    width: float,
    height: float,
    class_: str,
    content: str | None = None,
    *,
    rx: float | None = None,
    fill_opacity: float | None = None,
) -> str:
    """Return a rectangle by its left upper corner."""
    place = {"x": x, "y": y, "width": width, "height": height, "rx": rx}
    return element("rect", content, **place, class_=class_, fill_opacity=fill_opacity)


def coordinates(points: Iterable[Point], between: str = " ") -> str:
    """Return the points of a path."""
    return between.join(f"{number(x)} {number(y)}" for x, y in points)


def path(d: str, class_: str | None = None, **attributes: float | str | None) -> str:
    """Return a path."""
    return element("path", d=d, class_=class_, **attributes)


def tooltip(text: str) -> str:
    """Return what is shown of an element that a reader points at."""
    return element("title", plain(text))


def label(
    x: float,
    y: float,
    text: str,
    class_: str | None = None,
    text_anchor: str | None = None,
    *,
    transform: str | None = None,
) -> str:
    """Return one line of text."""
    return element("text", plain(text), x=x, y=y, class_=class_, text_anchor=text_anchor, transform=transform)


def legend(
    marks: Iterable[tuple[Callable[[float], str], float, str]],
    y: float,
    size: float,
    gap: float,
    class_: str | None = None,
    *,
    start: float = 0,
) -> tuple[list[str], float]:
    """Return marks in a row, each with words at its end, and where the next would begin.

    A mark is drawn at any place of the row, and it has a length.
    """
    parts: list[str] = []
    for mark, length, text in marks:
        parts += [mark(start), label(start + length, y, text, class_)]
        start += length + text_width(text, size) + gap
    return parts, start


def slug(text: str) -> str:
    """Return a name for an id.

    >>> slug("ResNet-50 <x>")
    'resnet-50-x'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "network"


def tip(name: str, size: float) -> str:
    """Return the definition of an arrow's tip, to which lines refer as `url(#name-tip)`."""
    shape = element("path", class_="head", d="M0 .6 8 4 0 7.4z")
    place = {"refX": 7.4, "refY": 4, "markerWidth": size, "markerHeight": size}
    marker = element("marker", shape, id=f"{name}-tip", viewBox="0 0 8 8", **place, orient="auto")
    return element("defs", marker)


@dataclass(frozen=True, slots=True)
class Head:
    """The words of a picture: an id, a title, a line below it, and a description for screen readers."""

    name: str
    title: str
    below: str
    description: str

    @property
    def width(self) -> float:
        """How wide the title and the line below it are."""
        return max(text_width(self.title, 14, bold=True), text_width(self.below, 11))


def page(
    size: Point, head: Head, body: Sequence[str], colours: tuple[str, str], rules: str = "", night: str = ""
) -> str:
    """Return a complete picture, without fonts and scripts; rules and colours for a light and a dark page."""
    width, height = size
    style = f"{INK}{rules}{colours[0]}@media (prefers-color-scheme:dark){{\n{DARK_INK}{night}{colours[1]}}}"
    content = [
        element("title", plain(head.title), id=f"{head.name}-title"),
        element("desc", plain(head.description), id=f"{head.name}-desc"),
        f"<style>{_scoped(style, head.name)}</style>",
        label(width / 2, 24, head.title, "title", "middle"),
        *([label(width / 2, 41, head.below, "faint", "middle")] if head.below else []),
        *body,
    ]
    picture = element(
        "svg",
        "\n" + "\n".join(content) + "\n",
        xmlns="http://www.w3.org/2000/svg",
        id=head.name,
        role="img",
        aria_labelledby=f"{head.name}-title {head.name}-desc",
        width=width,
        height=height,
        viewBox=f"0 0 {number(width)} {number(height)}",
        font_family=FONT,
        font_size=11,
    )
    return f"{picture}\n"


def _scoped(rules: str, name: str) -> str:
    """Limit the rules of a picture to itself."""
    return re.sub(r"(?m)^(@media[^{]*\{)?([^@}\n][^{\n]*)\{", lambda rule: _selectors(rule, name), rules)


def _selectors(rule: re.Match[str], name: str) -> str:
    inner = ",".join(f"#{name} {selector.strip()}" for selector in rule[2].split(","))
    return f"{rule[1] or ''}{inner}{{"


INK = """text{fill:#1f2933}
.faint{fill:#5b6770}
.title{font-size:14px;font-weight:bold}
.bold{font-weight:bold}
.line{fill:none;stroke:#55636d}
.head{fill:#55636d}
"""
DARK_INK = """text{fill:#e8edf1}
.faint{fill:#a7b3bc}
.line{stroke:#a7b3bc}
.head{fill:#a7b3bc}
"""


def families(used: Iterable[str]) -> tuple[str, str]:
    """Return the rules of the families in a picture, in the order of their colours."""
    present = {*used}
    rows = [(family, COLOURS[family]) for family in COLOURS if family in present]
    light = "".join(f".{family}{{fill:{fill};stroke:{line}}}\n" for family, (fill, line, _, _) in rows)
    night = "".join(f".{family}{{fill:{fill};stroke:{line}}}\n" for family, (_, _, fill, line) in rows)
    return light, night
