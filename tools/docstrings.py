"""Docstrings as Markdown for the reference: examples become code, for doctest itself is no Markdown."""

from __future__ import annotations

import re

import griffe

_EXAMPLE = re.compile(r"(?:^ *>>>(?:.*\S.*\n?)+\n?)+", re.MULTILINE)


class Examples(griffe.Extension):
    """Puts a fence around every example of a docstring."""

    def on_object(self, *, obj: griffe.Object, **kwargs: object) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """Return a docstring with its examples in fences."""
    return _EXAMPLE.sub(lambda found: f"```pycon\n{found[0].strip()}\n```\n\n", text).rstrip()
