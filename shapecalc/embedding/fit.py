"""The output of a command as part of a document: a table as it is, plain text as a block of text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from shapecalc.embedding.markers import Region
from shapecalc.errors import SpecError
from shapecalc.render import markdown_writer as markdown
from shapecalc.render import rst_writer as rst

_LANGUAGES = {
    "text": "text",
    "json": "json",
    "csv": "text",
    "python": "python",
    "mmd": "mermaid",
    "dot": "dot",
}
"""The language of a block by the form of its text; GitHub draws those of Mermaid."""
_NATIVE = {"markdown": ("markdown", "html", "latex", "svg"), "html": ("html", "svg"), "rst": ("rst",)}
"""The forms that a document contains unchanged."""
_ESCAPED: dict[str, Callable[[str], str]] = {"markdown": markdown.escaped, "html": escape, "rst": rst.escaped}


@dataclass(frozen=True, slots=True)
class Output:
    """The output of a command, its form, and whether it is a single value for a sentence."""

    text: str
    form: str
    is_value: bool = False


def without_controls(text: str) -> str:
    r"""Return text in which control characters, and those that reverse the direction, are escaped.

    >>> print(without_controls("a\x1b[31m"))
    a\x1b[31m
    """
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def fitted(output: Output, region: Region, name: str | None = None) -> str:
    """Return the text between the markers; `name` is the substitution that reStructuredText defines.

    Raises `SpecError` where the output is not allowed: several lines in a sentence, an end of the
    surrounding string, another marker.
    """
    flavour = region.flavour.name
    text = without_controls(output.text).rstrip()
    if not region.is_block:
        if "\n" in text:
            raise SpecError(
                "the output has several lines, and the markers are in one",
                hint="put each marker on a line of its own",
            )
        content = _ESCAPED[flavour](text) if output.form == "text" else text
    else:
        body = _body(output, text, flavour, is_python=bool(region.forbidden))
        if name is not None:
            body = f".. |{name}| replace:: {_ESCAPED[flavour](text)}"
        lines = body.split("\n") if flavour == "html" else ["", *body.split("\n"), ""]
        later = "" if body.startswith("<pre>") else region.indent  # there, an indent would be shown
        indents = [region.indent, *[later] * (len(lines) - 1)]
        content = "".join(
            f"{indent}{line}".rstrip() + region.ending for indent, line in zip(indents, lines, strict=True)
        )
    for end in region.forbidden:
        if end in content:
            raise SpecError(
                f"the output holds {end}, which would end or change the string around it",
                hint='begin the docstring with r"""' if end == "\\" else "",
            )
    if region.flavour.pattern.search(content):
        raise SpecError("the output holds a marker itself")
    return content


def _body(output: Output, text: str, flavour: str, *, is_python: bool) -> str:
    if output.is_value and output.form == "text":
        return _ESCAPED[flavour](text)
    if output.form in _NATIVE[flavour]:
        return text
    if flavour == "html":
        return f"<pre>{escape(text)}</pre>"
    if flavour == "markdown":
        return markdown.fenced(text, _LANGUAGES.get(output.form, "text"))
    block = rst.literal(text, _LANGUAGES.get(output.form, output.form))
    return f"::\n{block.partition(chr(10))[2]}" if is_python else block
