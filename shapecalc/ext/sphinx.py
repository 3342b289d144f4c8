"""Sphinx: a directive for tables, derivations and sizes, and a role for single values.

In `conf.py`: `extensions = ["shapecalc.ext.sphinx"]`. Then

    .. shapecalc:: resnet50
       :depth: 1

    It has :shapecalc:`resnet50 params` parameters.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from shapecalc import __version__
from shapecalc.bridges import need
from shapecalc.errors import ShapecalcError, SpecError
from shapecalc.ext.option_pages import DocumentSite
from shapecalc.ext.options import NAMES, options

need("sphinx")

from docutils import nodes  # noqa: E402  (`need` says what is missing)
from docutils.parsers.rst import directives  # noqa: E402
from sphinx.util import logging  # noqa: E402
from sphinx.util.docutils import SphinxDirective, SphinxRole  # noqa: E402

from shapecalc.ext.docutils import SIGN, TEXT, document_nodes, inline_nodes  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment
    from sphinx.util.typing import ExtensionMetadata

logger = logging.getLogger(__name__)


class ShapecalcDirective(SphinxDirective):
    """`.. shapecalc:: NETWORK` with the options of `shapecalc.ext.options`."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(NAMES[1:], directives.unchanged),
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        written = {key: text for key, text in self.options.items() if key != "name"}
        try:
            content = document_nodes(_site(self.env).page(options({"model": self.arguments[0]} | written)))
        except ShapecalcError as error:
            logger.warning("%s", error, location=self.get_location(), type="shapecalc")
            return [nodes.literal_block(str(error), str(error), language="none", classes=["shapecalc-error"])]
        for node in content:
            self.set_source_info(node)
            if isinstance(node, nodes.table):
                self.add_name(node)
        return content


class ShapecalcRole(SphinxRole):
    """A single value, with the arguments of `shapecalc value`: NETWORK VALUE, then LAYER and KEY=VALUE."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            return inline_nodes(_site(self.env).value(self.text)), []
        except ShapecalcError as error:
            logger.warning("%s", error, location=self.get_location(), type="shapecalc")
            return [nodes.literal("", self.text, classes=["shapecalc-error"])], []


def _site(env: BuildEnvironment) -> DocumentSite:
    """Return the site of an environment; files are found as by `literalinclude`."""

    def resolve(name: str) -> str:
        if "\0" in name:
            raise SpecError("a file's name holds no NUL")
        return env.relfn2path(name)[1]

    def depends(path: Path) -> None:
        env.note_dependency(str(path.resolve()))

    return DocumentSite(resolve, lambda: Path(env.srcdir), depends, imports=env.config.shapecalc_python)


def _as_text(app: Sphinx, doctree: nodes.document, _name: str) -> None:
    """Replace formulas by their text for builders without formulas."""
    form = app.builder.format
    if form == "latex":
        return
    for node in [*doctree.findall(nodes.math)]:
        if SIGN in node or (TEXT in node and form in ("text", "man", "texinfo")):
            node.replace_self(nodes.Text(node[TEXT]))


def _static(app: Sphinx) -> None:
    app.config.html_static_path.append(str(Path(__file__).parent / "static"))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive and the role with Sphinx."""
    app.add_directive("shapecalc", ShapecalcDirective)
    app.add_role("shapecalc", ShapecalcRole())
    app.add_config_value("shapecalc_version", __version__, "env")  # another version, another table
    app.add_config_value("shapecalc_python", default=False, rebuild="env", types=[bool])
    app.add_css_file("shapecalc.css")
    app.connect("builder-inited", _static)
    app.connect("doctree-resolved", _as_text)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
