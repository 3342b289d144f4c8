"""Assembles a page: one file, whose policy allows its own script and style only."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from shapecalc import __version__
from shapecalc.algebra.expr_text import grouped
from shapecalc.model import Model
from shapecalc.page.free import freed
from shapecalc.page.page_data import Data
from shapecalc.report.listing import Entry
from shapecalc.views.notes import KERAS_COUNTING


def page(model: Model, *, picture: str = "", **parameters: Any) -> str:
    """Return the page of a network as HTML; `parameters` are set, and no controls on it.

    `picture` is an SVG element above the table. Raises what `Model.analyze` raises.

    >>> from shapecalc.model import load
    >>> html = page(load("lenet5"))
    >>> "default-src 'none'" in html, "http-equiv" in html, "<link" in html
    (True, True, False)
    """
    network = freed(model, parameters)
    report = network.report
    return _filled(
        "page.html",
        "page.css",
        f"{_part('core.js')}\n{network_script(Data(network))}\n{_part('page.js')}",
        styles=re.findall(r"<style[^>]*>(.*?)</style>", picture, flags=re.DOTALL),
        head=f"{escape(model.title or model.name)} ({escape(model.name)})",
        title=escape(model.title or model.name),
        paper=_paper(model),
        dtype=report.dtype,
        picture=_figure(picture),
        counting=f"{KERAS_COUNTING} " if report.counting == "keras" else "",
        convention=report.convention.sentence,
        version=__version__,
    )


def network_script(data: Data) -> str:
    """Return the network as JavaScript: plain data, and the function that computes every size."""
    gathered = json.dumps(data.gathered(), ensure_ascii=False, separators=(",", ":"))
    safe = gathered.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"const NETWORK = {safe};\nNETWORK.formulas = {data.formulas.javascript()};"


def gallery(entries: list[Entry], refused: Mapping[str, str]) -> str:
    """Return the page that lists networks and links their pages; `refused` has reasons for those without."""
    return _filled(
        "gallery.html",
        "page.css",
        _part("gallery.js"),
        head="Networks",
        rows="\n".join(_row(entry, refused.get(entry.name)) for entry in entries),
        count=f"{len(entries)} networks",
    )


def _row(entry: Entry, refused: str | None) -> str:
    name, title = escape(entry.name), escape(entry.title)
    if refused is not None:
        title += f"<br><small>no page: {escape(refused)}</small>"
    else:
        name = f'<a href="{escape(file_name(entry.name))}">{name}</a>'
    params, macs = ("" if count is None else grouped(count) for count in (entry.params, entry.macs))
    cells = (("params", str(entry.year or "")), ("params", params), ("macs", macs))
    last = "".join(f'<td class="{class_}">{text}</td>' for class_, text in cells)
    return f'<tr><th scope="row">{name}</th><td>{title}</td>{last}</tr>'


def file_name(name: str) -> str:
    """Return the name of a network's file in the gallery."""
    return f"{name.replace('/', '-')}.html"


def _figure(picture: str) -> str:
    """Return a picture under its own title, which has the sizes that it is drawn for."""
    if not picture:
        return ""
    title = re.search(r"<title[^>]*>(.*?)</title>", picture, flags=re.DOTALL)
    caption = "The picture is of these sizes; it does not follow the controls."
    inside = f'<figure id="picture"><div>{picture}</div><figcaption>{caption}</figcaption></figure>'
    return f"<details open><summary>Picture{f': {title[1]}' if title else ''}</summary>{inside}</details>"


def _part(name: str) -> str:
    return files("shapecalc.page").joinpath(name).read_text(encoding="utf-8")


def _filled(template: str, style: str, script: str, *, styles: list[str] | None = None, **texts: str) -> str:
    """Return a template with its parts in place, and the policy that names them by their hashes."""
    css, code = f"\n{_part(style)}", f"\n{script}\n"
    allowed = " ".join(map(_hash, [css, *(styles or ())]))
    policy = (
        f"default-src 'none'; script-src {_hash(code)}; style-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    return Template(_part("head.html") + _part(template)).substitute(
        texts, style=css, script=code, policy=policy
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _paper(model: Model) -> str:
    """Return the line under the title: the paper of a network."""
    paper = model.paper
    if paper is None:
        return escape(model.name)
    year = f" ({paper.year})" if paper.year else ""
    title = f"{escape(paper.title)}{year}"
    if paper.url and str(paper.url).startswith(("https://", "http://")):
        title = f'<a href="{escape(str(paper.url))}" rel="noreferrer">{title}</a>'
    return f"{escape(model.name)}: {title}"
