"""MkDocs: `plugins: [shapecalc]` makes ```` ```shapecalc ```` blocks of every page tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from shapecalc.bridges import need
from shapecalc.ext.fence import Fences
from shapecalc.ext.option_pages import DocumentSite

need("mkdocs")
need("pymdownx", "pymdown-extensions")

from mkdocs.config.base import Config  # noqa: E402  (`need` says what is missing)
from mkdocs.config.config_options import Type  # noqa: E402
from mkdocs.plugins import BasePlugin  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

SUPERFENCES = "pymdownx.superfences"
INLINE = "pymdownx.inlinehilite"


class Settings(Config):
    """The configuration of the plugin in mkdocs.yml."""

    python = Type(bool, default=False)
    """Whether pages may name objects in Python modules, which are imported."""


class ShapecalcPlugin(BasePlugin[Settings]):
    """Registers the fence and the inline value; spec files are relative to mkdocs.yml."""

    def __init__(self) -> None:
        self.specs: set[Path] = set()
        self._page = ""
        self._lines: list[str] = []

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Add this plugin's fence to those of superfences, which is switched on if it is not."""
        folder = Path(config.config_file_path).parent if config.config_file_path else Path.cwd()
        site = DocumentSite(
            lambda name: str(folder / name), lambda: folder, self.specs.add, imports=self.config.python
        )
        fences = Fences(site, self._located)
        _add(config, SUPERFENCES, "custom_fences", {"name": "shapecalc", "class": "", "format": fences.fence})
        _add(config, INLINE, "custom_inline", {"name": "shapecalc", "class": "", "format": fences.value})
        return config

    def on_page_markdown(self, markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Record the current page, for the place of a bad block."""
        self._page = page.file.src_uri
        text = page.file.content_string
        self._lines = text.replace("\r\n", "\n").split("\n")
        return markdown

    def on_serve(
        self, server: LiveReloadServer, /, *, config: MkDocsConfig, builder: Any
    ) -> LiveReloadServer:
        """Rebuild the site when a spec changes."""
        for path in sorted(self.specs):
            server.watch(str(path))
        return server

    def _located(self, source: str, line: int) -> str:
        """Return the page, and the line of a block or value with this source."""
        wanted = [line_.strip() for line_ in source.strip().split("\n")]
        for number in range(len(self._lines) - len(wanted) + 1):
            here = [text.strip(" \t>") for text in self._lines[number : number + len(wanted)]]
            if here == wanted or (len(wanted) == 1 and f"shapecalc {wanted[0]}`" in here[0]):
                return f"{self._page}:{number + line}"
        return self._page


def _add(config: MkDocsConfig, extension: str, key: str, value: dict[str, Any]) -> None:
    """Add to a list in the settings of a Markdown extension, which is switched on if it is not."""
    if extension not in config.markdown_extensions:
        config.markdown_extensions.append(extension)
    settings = config.mdx_configs.setdefault(extension, {})
    others = [other for other in settings.get(key, []) if other.get("name") != value["name"]]
    settings[key] = [*others, value]
