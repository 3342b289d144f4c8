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

need("sphinx", "docs")

from docutils import nodes  # noqa: E402  (`need` says what is missing)
from docutils.parsers.rst import directives  # noqa: E402
from sphinx.util import logging  # noqa: E402
from sphinx.util.docutils import SphinxDirective, SphinxRole  # noqa: E402

from shapecalc.ext.docutils import SIGN, TEXT, document_nodes, inline_nodes  # noqa: E402
from shapecalc.ext.option_pages import Resolve, Trusted, files, files_of, page, value_line  # noqa: E402
from shapecalc.ext.options import NAMES, options  # noqa: E402

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
        resolve = _resolver(self.env)
        try:
            chosen = options(
                {"model": self.arguments[0]} | {k: v for k, v in self.options.items() if k != "name"}
            )
            for path in files(chosen, resolve):
                _depend(self.env, path)
            content = document_nodes(page(chosen, resolve, Path(self.env.srcdir)))
        except ShapecalcError as error:
            logger.warning("%s", error, location=self.get_location(), type="shapecalc")
            return [nodes.literal_block(str(error), str(error), language="none", classes=["shapecalc-error"])]
        for node in content:
            self.set_source_info(node)
            if isinstance(node, nodes.table):
                self.add_name(node)
        return content


class ShapecalcRole(SphinxRole):
    """A value in the words of `shapecalc value`: NETWORK VALUE, then LAYER and KEY=VALUE."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        resolve = _resolver(self.env)
        try:
            words = self.text.split()
            if words:
                for path in files_of(words[0], resolve):
                    _depend(self.env, path)
            return inline_nodes(value_line(self.text, resolve)), []
        except ShapecalcError as error:
            logger.warning("%s", error, location=self.get_location(), type="shapecalc")
            return [nodes.literal("", self.text, classes=["shapecalc-error"])], []


class _Resolver:
    """Finds a file as `literalinclude` does: beside the document, or from the root of the sources on."""

    def __init__(self, env: BuildEnvironment) -> None:
        self.env = env

    def __call__(self, name: str) -> str:
        if "\0" in name:
            raise SpecError("a file's name holds no NUL")
        return self.env.relfn2path(name)[1]


def _resolver(env: BuildEnvironment) -> Resolve:
    """Return what finds files, and imports modules where conf.py allows it."""
    resolver = _Resolver(env)
    return Trusted(resolver) if env.config.shapecalc_python else resolver


def _depend(env: BuildEnvironment, path: Path) -> None:
    """Rebuild the document when a spec changes or appears."""
    env.note_dependency(str(path.resolve()))


def _as_text(app: Sphinx, doctree: nodes.document, _name: str) -> None:
    """Give builders that set no formulas the text of a formula instead of its LaTeX."""
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
