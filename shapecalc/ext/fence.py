"""Python-Markdown: a fenced block ```` ```shapecalc ```` for pymdownx.superfences, a value for inlinehilite.

pymdownx.superfences:
  custom_fences:
    - name: shapecalc
      class: shapecalc
      format: !!python/name:shapecalc.ext.fence.fence
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from shapecalc.errors import Located, Place, ShapecalcError, SpecError, printable
from shapecalc.ext.option_pages import DocumentSite
from shapecalc.ext.options import of_block
from shapecalc.render.html_writer import html, inline

if TYPE_CHECKING:
    from markdown import Markdown

logger = logging.getLogger("mkdocs.plugins.shapecalc")
"""A logger of MkDocs' plugins, so that every warning counts in its strict mode."""


class Fences:
    """Makes HTML of blocks and values; the place of a bad one is reported."""

    def __init__(
        self,
        site: DocumentSite,
        located: Callable[[str, int], str] = lambda _source, line: f"line {line} of a shapecalc block",
    ) -> None:
        self.site = site
        self.located = located

    def fence(
        self,
        source: str,
        language: str,
        css_class: str,
        options: dict[str, Any],
        md: Markdown,
        **kwargs: Any,
    ) -> str:
        """Return a block as HTML; a bad one becomes a warning, and its error is shown in its place."""
        try:
            return html(self.site.page(of_block(source)))
        except ShapecalcError as error:
            return self._bad(source, error)

    def value(self, source: str, language: str, css_class: str, md: Markdown) -> str:
        """Return a single value as HTML, for inlinehilite's custom_inline."""
        try:
            return f'<span class="shapecalc">{inline(self.site.value(source))}</span>'
        except ShapecalcError as error:
            logger.warning("%s: %s", self.located(source, 1), error)
            return f'<code class="shapecalc-error">{escape(source)}</code>'

    def _bad(self, source: str, error: ShapecalcError) -> str:
        place = error.place if isinstance(error, Located) else Place()
        line = 1
        if isinstance(error, Located) and place.file is None and place.line:
            line = place.line
            error = SpecError(error.message, path=error.path, hint=error.hint)
        logger.warning("%s: %s", self.located(source, line), error)
        text = "\n".join(map(printable, str(error).split("\n")))
        return f'<pre class="shapecalc-error">{escape(text)}</pre>'


_FENCES = Fences(DocumentSite(str))
fence = _FENCES.fence
value = _FENCES.value
