"""How a thing shows itself in a notebook: as HTML, LaTeX, Markdown or text, whichever the reader takes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from shapecalc.render import written

if TYPE_CHECKING:
    from shapecalc.render.piece import Page


class Shown:
    """A base of everything that a notebook can show; `_page` says of which pieces it is made.

    The standard protocol: `_repr_mimebundle_` offers every form at once, and the others are there for
    tools that ask for one form by name.
    """

    __slots__ = ()

    def _page(self) -> Page:
        raise NotImplementedError

    def _plain(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return written(self._page(), "html")

    def _repr_markdown_(self) -> str:
        return written(self._page(), "markdown")

    def _repr_latex_(self) -> str:
        return written(self._page(), "latex")

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """Return the forms that are asked for, each under its media type."""
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
