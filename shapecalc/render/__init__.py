"""Output documents, and one writer per form: text, Markdown, LaTeX, HTML, reStructuredText. Internal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapecalc.render.piece import Page


def written(page: Page, form: str) -> str:
    """Return a page in a form, which is the name of a module here; only that one is imported."""
    from importlib import import_module

    writer = getattr(import_module(f"{__name__}.{form}_writer"), form)
    text: str = writer(page)
    return text
