"""How an object shows itself in a notebook: as HTML, LaTeX, Markdown or text, whichever the reader takes."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from shapecalc.render import written

if TYPE_CHECKING:
    from shapecalc.render.piece import Page


class Shown:
    """A base of everything that a notebook can show; `_page` is the document that every form is written from.

    `_repr_mimebundle_` offers every form at once, and the others are there for tools that request one form
    by its name. Data knows no output form: where the view is in a room above, `_view` names it.
    """

    __slots__ = ()
    _view: ClassVar[str] = ""
    """`module:function`, which is imported when the page is first made."""

    def _page(self) -> Page:
        module, _, function = self._view.partition(":")
        page: Page = getattr(import_module(module), function)(self)
        return page

    def _plain(self) -> str:
        return written(self._page(), "text")

    def _repr_html_(self) -> str:
        return written(self._page(), "html")

    def _repr_markdown_(self) -> str:
        return written(self._page(), "markdown")

    def _repr_latex_(self) -> str:
        return written(self._page(), "latex")

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Return the forms that are requested, each under its media type."""
        forms = {
            "text/plain": self._plain,
            "text/html": self._repr_html_,
            "text/markdown": self._repr_markdown_,
            "text/latex": self._repr_latex_,
        }
        return {
            name: form()
            for name, form in forms.items()
            if (not include or name in include) and name not in (exclude or ())
        }
