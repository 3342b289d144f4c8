"""What is shown, apart from how: small documents that every output form is made from."""

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
