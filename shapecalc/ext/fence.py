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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapecalc.errors import Located, Place, ShapecalcError, SpecError, printable
from shapecalc.ext.option_pages import Resolve, Trusted, files, page, value_line
from shapecalc.ext.options import of_block
from shapecalc.render.html_writer import html, inline

if TYPE_CHECKING:
    from markdown import Markdown

logger = logging.getLogger("mkdocs.plugins.shapecalc")
"""A logger of MkDocs' plugins, so that every warning counts in its strict mode."""


class Fences:
    """Makes HTML of blocks; reports the files that they depend on, and the place of a bad one."""

    def __init__(
        self,
        base: Callable[[], Path] = Path.cwd,
        located: Callable[[str, int], str] = lambda _source, line: f"line {line} of a shapecalc block",
        depends: Callable[[Path], None] = lambda _path: None,
        *,
        imports: bool = False,
    ) -> None:
        self.base = base
        self.located = located
        self.depends = depends
        self.resolve: Resolve = Trusted(self._resolve) if imports else self._resolve

    def _resolve(self, name: str) -> str:
        """Return where a spec file is: relative paths are seen from the base."""
        return str(self.base() / name)

    def fence(
        self,
        source: str,
        language: str,
        css_class: str,
        options: dict[str, Any],
        md: Markdown,
        **kwargs: Any,
    ) -> str:
        """Return a block as HTML; a bad one becomes a warning, and is shown as what it is."""
        try:
            options_ = of_block(source)
            for path in files(options_, self.resolve):
                self.depends(path)
            return html(page(options_, self.resolve, self.base()))
        except ShapecalcError as error:
            return self._bad(source, error)

    def value(self, source: str, language: str, css_class: str, md: Markdown) -> str:
        """Return a single value, in the words of `shapecalc value`, for inlinehilite's custom_inline."""
        try:
            return f'<span class="shapecalc">{inline(value_line(source, self.resolve))}</span>'
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


_FENCES = Fences()
fence = _FENCES.fence
value = _FENCES.value
