"""Output documents, and one writer per form: text, Markdown, LaTeX, HTML, reStructuredText. Internal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapecalc.render.piece import Page


def written(page: Page, form: str, width: int | None = None) -> str:
    """Return a page in a form: `text`, `markdown`, `html`, `latex` or `rst`; only its writer is imported.

    A text may have a width that it is to fit.
    """
    from importlib import import_module

    writer = getattr(import_module(f"{__name__}.{form}_writer"), form)
    text: str = writer(page) if width is None else writer(page, width)
    return text
