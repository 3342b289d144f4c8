"""Documentation that names a network: real small sites are built, and their pages read."""

from __future__ import annotations

import logging
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest

import shapecalc
from shapecalc.bridges import need
from shapecalc.errors import NotInstalled, SpecError
from shapecalc.ext.option_pages import DocumentSite
from shapecalc.ext.options import NAMES, Options, of_block, options
from shapecalc.render.html_writer import html
from shapecalc.views.layer_table import layer_table
from tests.support.layer_tables import cells

ROOT = Path(shapecalc.__file__).parent.parent
NET = """name: own
title: "<script>alert(1)</script> a_b & $x$"
parameters: {H: 28, W: 28, width: 8}
input: [1, H, W]
layers:
  - conv2d: {out_channels: width, kernel_size: 3}
  - flatten
  - linear: {out_features: 10}
"""
TITLE = "<script>alert(1)</script> a_b & $x$"


def parsed(path: Path) -> ET.Element:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root: ET.Element = parser.parse(path.read_text(encoding="utf-8"))
    return root


def tables(root: ET.Element) -> list[list[list[str]]]:
    """Return the words of every cell of every table."""
    return [
        [
            ["".join(cell.itertext()).strip() for cell in row if cell.tag in ("td", "th")]
            for row in table.iter("tr")
        ]
        for table in root.iter("table")
    ]


# ---- Sphinx

FIELD = cells(shapecalc.load("lenet5").analyze(), fields=True)[0][4].replace("5", "3")
"""Of a first convolution with a kernel of 3."""
RST = """A site
======

.. shapecalc:: resnet50
   :depth: 1
   :caption: At a glance
   :name: glance

It has :shapecalc:`resnet50 params` parameters, see :ref:`glance`, and puts out
:shapecalc:`resnet50 output stage4 free=H,W`.

.. shapecalc:: nets/net.yaml
   :parameters: width=16
   :free: H
   :columns: layer, output, params, field

.. shapecalc:: lenet5
   :view: derivation
   :layers: c3

.. shapecalc:: unet
   :view: sizes

.. shapecalc:: alexnet
   :view: diff
   :against: alexnet_2012
   :caption: Two of them

.. shapecalc:: lenet5
   :view: check
   :input: 1x12x12

.. shapecalc:: lenet5
   :view: layer
   :layers: c1

.. shapecalc:: lenet5
   :view: summary

.. shapecalc:: resnet18
"""


class Site:
    """A small site and what Sphinx says of it."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        (folder / "nets").mkdir()
        (folder / "nets" / "net.yaml").write_text(NET)
        (folder / "conf.py").write_text('extensions = ["shapecalc.ext.sphinx"]\n')
        (folder / "index.rst").write_text(text)

    def build(self, builder: str) -> tuple[Path, str]:
        """Build the site; return where it is, and the warnings."""
        from io import StringIO

        from sphinx.application import Sphinx
        from sphinx.util.docutils import docutils_namespace

        out, warnings = self.folder / "out" / builder, StringIO()
        with docutils_namespace():
            app = Sphinx(
                self.folder, self.folder, out, self.folder / "trees", builder, status=None, warning=warnings
            )
            app.build()
        return out, re.sub(r"\x1b\[[\d;]*m", "", warnings.getvalue())


@pytest.fixture
def quiet() -> Iterator[None]:
    """Keep the handlers of Sphinx from later tests."""
    logger = logging.getLogger("sphinx")
    before = [*logger.handlers]
    yield
    logger.handlers = before


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")


def test_sphinx_builds_html(tmp_path: Path, quiet: None) -> None:
    out, warnings = Site(tmp_path, RST).build("html")
    assert warnings == ""
    root = parsed(out / "index.html")
    first, own, totals, nested = tables(root)
    assert [row[0] for row in first] == [
        "Layer",
        *("stem", "relu", "max_pool2d", "stage1", "stage2", "stage3", "stage4"),
        *("adaptive_avg_pool2d", "flatten", "fc", "Total"),
    ]
    assert first[-1][3:5] == ["1000", "25,557,032"]
    assert [row[0] for row in own] == ["Layer", "conv2d", "flatten", "linear", "Total"]
    assert own[1] == ["conv2d", r"\(16 \times (H - 2) \times 26\)", "160", FIELD]
    assert ["params", "61,100,840", "60,965,224"] in totals
    resnet18 = shapecalc.load("resnet18").analyze()
    assert [row[0] for row in nested[1:]] == [row[0] for row in cells(resnet18)]
    assert any(row.depth > 2 for row in layer_table(resnet18).rows)
    words = " ".join("".join(root.itertext()).split())
    assert "It has 25,557,032 parameters, see At a glance, and puts out" in words
    assert TITLE in words
    assert root.find(".//script[.='alert(1)']") is None
    assert "error[too-small]" in words
    assert "(specs/unet.yaml:28:9)" in words
    assert str(tmp_path) not in words
    maths = ["".join(one.itertext()) for one in root.iter("span") if "math" in (one.get("class") or "")]
    assert r"\(2048 \times \left\lceil \frac{H}{32} \right\rceil \times 7\)" not in maths
    assert any(r"\lfloor \frac{14 + 2 \cdot 0 - 5}{1}" in one for one in maths)
    assert (out / "_static" / "shapecalc.css").is_file()
    assert any("shapecalc.css" in (link.get("href") or "") for link in root.iter("link"))


def test_sphinx_builds_latex(tmp_path: Path, quiet: None) -> None:
    out, warnings = Site(tmp_path, RST).build("latex")
    assert warnings == ""
    (path,) = out.glob("*.tex")
    text = path.read_text(encoding="utf-8").partition(r"\begin{document}")[2]
    assert r"\begin{tabulary}{\linewidth}[t]{LLLLRRRR}" in text
    assert r"\sphinxcaption{At a glance}" in text
    assert r"\(2048 \times \left\lceil \frac{H}{32} \right\rceil \times \left\lceil \frac{W}{32}" in text
    assert "25,557,032" in text
    assert re.search(
        r"\\begin\{longtable\}\{\\X\{\d+\}\{(\d+)\}.*>\{\\raggedleft\\arraybackslash\}\\X\{\d+\}\{\1\}\}",
        text,
    )
    assert "xa0" not in text
    assert r"a\_b \& \$x\$" in text
    assert not set("⌊⌋⌈⌉≥≤≠≡") & {*text}  # none of which the usual engine can set


def test_sphinx_builds_text(tmp_path: Path, quiet: None) -> None:
    out, warnings = Site(tmp_path, RST).build("text")
    assert warnings == ""
    text = (out / "index.txt").read_text(encoding="utf-8")
    assert "puts out\n2048×⌈H/32⌉×⌈W/32⌉." in text or "puts out 2048×⌈H/32⌉×⌈W/32⌉." in " ".join(text.split())
    assert re.search(r"\| \*\*Total\*\* +\|.*\*\*25,557,032\*\*", text)
    assert "H_out = ⌊(H_in + 2·p - k)/s⌋ + 1 = ⌊(14 + 2·0 - 5)/1⌋ + 1 = 10" in text
    assert "\\" not in text


def test_sphinx_builds_again_when_a_spec_changes(tmp_path: Path, quiet: None) -> None:
    import os

    site = Site(tmp_path, "A\n=\n\n.. shapecalc:: nets/net.yaml\n\n:shapecalc:`later.yaml params`\n")
    out, warnings = site.build("html")
    assert "index.rst:6: WARNING: " in warnings
    assert "there is no such file" in warnings
    before = tables(parsed(out / "index.html"))
    (tmp_path / "nets" / "net.yaml").write_text(NET.replace("kernel_size: 3", "kernel_size: 5"))
    (tmp_path / "later.yaml").write_text(NET)
    for path in (tmp_path / "nets" / "net.yaml", tmp_path / "later.yaml"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    out, warnings = site.build("html")
    assert warnings == ""
    after = tables(parsed(out / "index.html"))
    assert before[0][1][2] == "3x3"
    assert after[0][1][2] == "5x5"


BAD_RST = """A site
======

Words.

.. shapecalc:: resnet51

.. shapecalc:: lenet5
   :depth: none

.. shapecalc:: lenet5
   :columns: layer, outptu

.. shapecalc:: nets/net.yaml
   :input: 1x2x2

.. shapecalc:: os:system

In a line, :shapecalc:`lenet5 parms`.
"""


def test_a_bad_spec_is_a_warning_at_the_line_of_the_document(tmp_path: Path, quiet: None) -> None:
    out, warnings = Site(tmp_path, BAD_RST).build("html")
    found = re.findall(r"index\.rst:(\d+): WARNING: (.*)", warnings)
    assert [int(line) for line, _ in found] == [6, 8, 11, 14, 17, 19]
    told = [text for _, text in found]
    assert "did you mean 'resnet50'?" in told[0]
    assert told[1].startswith("depth: ")
    assert "did you mean 'output'?" in told[2]
    assert "net.yaml:6:5: conv2d: the output height would be 0" in told[3]
    assert "'os:system' names an object" in told[4]
    assert "did you mean 'params'?" in told[5]
    assert "no bundled model" in "".join(parsed(out / "index.html").itertext())


# ---- MkDocs

PAGE = """# A site

It has `#!shapecalc resnet50 params` parameters.

```shapecalc
resnet50
depth: 1
caption: At a glance
```

!!! note

    ```shapecalc
    nets/net.yaml
    free: H
    parameters: {width: 16}
    columns: [layer, output, params]
    ```

```shapecalc
model: lenet5
view: derivation
layers: c3
```

```python
x = 1
```
"""
BAD_PAGE = """# A site

```shapecalc
resnet51
```

> ```shapecalc
> lenet5
> view: layers
> depht: 1
> ```

`#!shapecalc lenet5 parms`

```shapecalc
lenet5
- depth
```
"""


@pytest.fixture
def mkdocs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what builds a site of one page with Material, the plugin found by its name."""
    import mkdocs.plugins
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["mkdocs.plugins"]
    installed = mkdocs.plugins.get_plugins()
    ours = {name: EntryPoint(name, value, "mkdocs.plugins") for name, value in entry.items()}
    monkeypatch.setattr(mkdocs.plugins, "get_plugins", lambda: {**installed, **ours})
    (tmp_path / "docs").mkdir()
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "net.yaml").write_text(NET)

    def make(text: str, settings: str = "plugins: [shapecalc]\nmarkdown_extensions: [admonition]\n") -> Path:
        (tmp_path / "docs" / "index.md").write_text(text)
        (tmp_path / "mkdocs.yml").write_text(
            f"site_name: A site\ntheme: {{name: material, font: false}}\n{settings}"
        )
        config = load_config(str(tmp_path / "mkdocs.yml"))
        build(config)
        make.config = config  # type: ignore[attr-defined]
        return tmp_path / "site" / "index.html"

    return make


def of_page(root: ET.Element) -> None:
    """Assert that a page holds what PAGE asks for."""
    first, own, derived = tables(root)
    assert first[-1][0] == "Total"
    assert first[-1][3:5] == ["1000", "25,557,032"]
    assert own[1] == ["conv2d", "16×(H−2)×26", "160"]
    assert derived[-1][0] == "MACs"
    assert derived[-1][1].endswith("=240,000")
    assert TITLE in "".join(root.itertext())
    assert not any((one.text or "").startswith("alert") for one in root.iter("script"))
    note = root.find(".//div[@class='admonition note']")
    assert note is not None
    assert note.find(".//table") is not None


def test_mkdocs_builds_with_material(mkdocs: Any, caplog: pytest.LogCaptureFixture) -> None:
    root = parsed(mkdocs(PAGE))
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    of_page(root)
    assert "It has 25,557,032 parameters." in "".join(root.itertext())


def test_superfences_take_the_fence_without_the_plugin(
    mkdocs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fences = "{name: shapecalc, class: '', format: !!python/name:shapecalc.ext.fence.fence }"
    settings = f"markdown_extensions:\n- admonition\n- pymdownx.superfences: {{custom_fences: [{fences}]}}\n"
    of_page(parsed(mkdocs(PAGE, settings)))


def test_other_fences_of_a_site_stay(mkdocs: Any) -> None:
    other = "{name: other, class: other, format: !!python/name:pymdownx.superfences.fence_div_format }"
    settings = (
        "plugins: [shapecalc]\n"
        f"markdown_extensions:\n- admonition\n- pymdownx.superfences: {{custom_fences: [{other}]}}\n"
    )
    root = parsed(mkdocs(PAGE + "\n```other\nas it is\n```\n", settings))
    of_page(root)
    assert root.find(".//div[@class='other']") is not None


def test_a_bad_block_is_a_warning_at_its_line(mkdocs: Any, caplog: pytest.LogCaptureFixture) -> None:
    root = parsed(mkdocs(BAD_PAGE))
    told = [one.getMessage() for one in caplog.records if one.name == "mkdocs.plugins.shapecalc"]
    assert [text.partition(": ")[0] for text in told] == [
        "index.md:4",
        "index.md:10",
        "index.md:17",
        "index.md:13",
    ]
    assert "did you mean 'resnet50'?" in told[0]
    assert "did you mean 'depth'?" in told[1]
    assert "<spec>" not in "".join(told)
    assert "did you mean 'resnet50'?" in "".join(root.itertext())


TRACED = "```shapecalc\na_net_of_docs:Net\ninput: 3x8x8\ncaption: Traced\n```\n"


@pytest.mark.parametrize("is_allowed", [False, True])
def test_modules_are_imported_only_where_that_is_allowed(
    mkdocs: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_allowed: bool,
) -> None:
    code = "from torch import nn\n\ndef Net():\n    return nn.Conv2d(3, 4, 3)\n"
    (tmp_path / "a_net_of_docs.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    settings = f"plugins: [{{shapecalc: {{python: {str(is_allowed).lower()}}}}}]\n"
    root = parsed(mkdocs(TRACED, settings))
    told = [one.getMessage() for one in caplog.records if one.name == "mkdocs.plugins.shapecalc"]
    if is_allowed:
        assert told == []
        assert "112" in tables(root)[0][1]
    else:
        assert ["would be imported and run" in one for one in told] == [True]
        assert "a_net_of_docs" not in sys.modules
    sys.modules.pop("a_net_of_docs", None)


def test_documents_count_by_the_convention_that_they_name() -> None:
    report = shapecalc.load("lenet5").analyze(convention="fvcore")
    asked = of_block("lenet5\nconvention: fvcore")
    written = html(DocumentSite(str).page(asked))
    assert f"{report.cost().total:,}" in written
    assert written != html(DocumentSite(str).page(of_block("lenet5")))
    with pytest.raises(SpecError, match="did you mean 'fvcore'"):
        DocumentSite(str).page(of_block("lenet5\nconvention: fvcor"))


def test_a_site_that_is_served_watches_its_specs(mkdocs: Any, tmp_path: Path) -> None:
    mkdocs(PAGE)
    watched: list[str] = []

    class Server:
        def watch(self, path: str) -> None:
            watched.append(path)

    plugin = mkdocs.config.plugins["shapecalc"]
    plugin.on_serve(Server(), config=mkdocs.config, builder=None)
    assert str(tmp_path / "nets" / "net.yaml") in watched
    assert any(path.endswith(("resnet50.yaml", "resnet.yaml")) for path in watched)


# ---- options


def test_both_forms_mean_the_same() -> None:
    directive = {
        "model": "a",
        "parameters": "width=16, depths=[2, 2] f=1/2",
        "free": "H, W",
        "depth": "2",
        "notes": "no",
    }
    block = "a\nparameters: {width: 16, depths: [2, 2], f: 1/2}\nfree: [H, W]\ndepth: 2\nnotes: false"
    found = options(directive)
    assert found == of_block(block)
    assert found.parameters == ("width=16", "depths=[2, 2]", "f=1/2")
    assert (found.free, found.depth, found.notes) == (("H", "W"), 2, False)


@pytest.mark.parametrize("view", ["layers", "summary", "diff"])
def test_costs_are_counted_by_the_convention_that_is_asked_for(view: str) -> None:
    block = f"resnet50\nview: {view}\nagainst: resnet50_keras\nconvention: fvcore"
    written = html(DocumentSite(str).page(of_block(block)))
    report = shapecalc.load("resnet50").analyze()
    total = report.cost("fvcore").total
    assert f"{total:,}" in written
    assert f"{report.macs:,}" not in written


BAD_BLOCKS = {
    "": "the block is empty",
    "lenet5\nlenet5": "below the name of a network",
    "lenet5\ndepth: 0": "depth: ",
    "lenet5\nview: pictures": "view: ",
    "lenet5\nmodel: lenet5": "named twice",
    "lenet5\nparameters: width": "KEY=VALUE",
    "lenet5\nnotes: perhaps": "notes: ",
    "lenet5\nbatch: 2\nfree: batch": "choose one",
    "lenet5\nconvention: mine": "unknown convention 'mine'",
    "lenet5\nview: diff": "option against",
    "lenet5\nview: layer": "option layers",
    "lenet5\nview: layer\nlayers: c9": "no layer or block 'c9'",
    "lenet5\nparameters: {widht: 3}": "no parameter 'widht'",
    "-": "- is standard input",
    "os:system": "'os:system' names an object",
    "lenet5\n!!python/name:os.system": "tag",
}


@pytest.mark.parametrize("text", BAD_BLOCKS)
def test_a_bad_block_is_told(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        DocumentSite(str).page(of_block(text))
    assert BAD_BLOCKS[text] in str(caught.value)


@pytest.mark.parametrize("view", ["layers", "summary", "derivation", "sizes", "check"])
def test_a_path_of_this_machine_is_nowhere(view: str, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NET)
    asked = Options(model="net.yaml", view=view, input="1x2x2" if view == "check" else "")
    written = html(DocumentSite(lambda name: str(tmp_path / name), lambda: tmp_path).page(asked))
    assert str(tmp_path) not in written
    assert view != "check" or "net.yaml:6:5" in written


def test_what_is_missing_is_told() -> None:
    with pytest.raises(NotInstalled, match=r"pip install no-such-package \(No module named"):
        need("no_such_module", "no-such-package")
    assert NAMES[0] == "model"


@pytest.mark.parametrize(
    ("module", "missing", "package"),
    [
        ("sphinx", "sphinx", "sphinx"),
        ("mkdocs", "mkdocs", "mkdocs"),
        ("mkdocs", "pymdownx", "pymdown-extensions"),
    ],
)
def test_an_extension_without_its_tool_says_what_to_install(
    module: str, missing: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import import_module

    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"shapecalc.ext.{module}", raising=False)
    with pytest.raises(NotInstalled, match=f"this needs {missing}: .* install {package} "):
        import_module(f"shapecalc.ext.{module}")
