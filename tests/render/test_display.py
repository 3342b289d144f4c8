"""What a notebook shows: every form of every thing, nothing in it that a name smuggled in, long networks folded."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given
from hypothesis import strategies as st

import shapecalc
from shapecalc.errors import printable
from shapecalc.render import written
from shapecalc.render.html_writer import html
from shapecalc.render.latex_writer import latex
from shapecalc.render.markdown_writer import markdown
from shapecalc.render.mathml_writer import mathml
from shapecalc.render.piece import (
    Block,
    Code,
    Column,
    Facts,
    Math,
    Page,
    Paragraph,
    Row,
    Strong,
    Table,
    Verbatim,
    plain,
)
from shapecalc.render.rst_writer import rst
from shapecalc.report.comparison import compare
from shapecalc.solving.mirror import solve_mirror
from shapecalc.solving.window import solve_window
from shapecalc.views.derivation_page import derivation_page
from shapecalc.views.layer_table import LONG, layer_table, notebook_page

SMALL = {str(number) for number in range(100)}
FORMS = ("text/plain", "text/html", "text/markdown", "text/latex")
THINGS: dict[str, Callable[[], Any]] = {
    "model": lambda: shapecalc.load("lenet5"),
    "report": lambda: shapecalc.load("lenet5").analyze(),
    "long": lambda: shapecalc.load("resnet50").analyze(),
    "free": lambda: shapecalc.load("densenet40_cifar").analyze(symbolic=("depth", "H")),
    "node": lambda: shapecalc.load("resnet50").analyze(symbolic=True)["stem.conv2d"],
    "shared": lambda: shapecalc.load("tutorials/torch_vgg16").analyze().nodes[5],
    "sizes": lambda: shapecalc.load("unet").sizes(),
    "no_sizes": lambda: shapecalc.load("tutorials/torch_inception_v3").sizes(),
    "derivation": lambda: shapecalc.load("lenet5").derive(symbolic=True),
    "diff": lambda: _compared("alexnet", "alexnet_2012"),
    "same": lambda: _compared("lenet5", "lenet5"),
    "diagnostic": lambda: shapecalc.load("lenet5").check(input=(1, 12, 12))[0],
    "window": lambda: solve_window(224, 112),
    "no_window": lambda: solve_window(224, 113, stride=2, kernel=1),
    "mirror": lambda: solve_mirror("conv2d", {"kernel_size": 3, "stride": 2, "padding": 1}),
    "inputs": lambda: shapecalc.load("resnet50").solve(output=(7, 7), at="stage4"),
    "budget": lambda: shapecalc.load("mobilenet_v2").solve(macs=300_000_000, free=("H", "W")),
    "features": lambda: shapecalc.load("alexnet").solve(in_features=True),
    "broken": lambda: shapecalc.load("tutorials/torch_inception_v3"),
}
EVERY_THING = pytest.mark.parametrize("name", THINGS)


def _compared(left: str, right: str) -> Any:
    return compare(shapecalc.load(left).analyze(), shapecalc.load(right).analyze())


def tree(text: str) -> ET.Element:
    """Return HTML as a browser reads it; raise where the standard says that something is wrong."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    parsed: ET.Element = parser.parseFragment(text)
    return parsed


def at(element: ET.Element, path: str) -> ET.Element:
    found = element.find(path)
    assert found is not None
    return found


def words(element: ET.Element) -> str:
    return "".join(element.itertext())


@EVERY_THING
def test_every_form_is_there_and_valid(name: str) -> None:
    thing = THINGS[name]()
    bundle = thing._repr_mimebundle_()
    assert tuple(bundle) == FORMS
    assert all(bundle.values())
    assert balanced(bundle["text/latex"])
    said = numbers(bundle["text/plain"])
    assert said - numbers(" ".join(tree(bundle["text/html"]).itertext())) == set()
    assert said - numbers(bundle["text/markdown"]) == set()


def numbers(text: str) -> set[str]:
    """Return the numbers of three digits and more, without what separates their thousands."""
    return {
        re.sub(r"\D", "", number) for number in re.findall(r"\d(?:\d|(?:,|\{,\})(?=\d{3}))*", text)
    } - SMALL


@EVERY_THING
def test_only_the_forms_that_are_asked_for_are_made(name: str) -> None:
    thing = THINGS[name]()
    assert [*thing._repr_mimebundle_(include={"text/html"})] == ["text/html"]
    assert [*thing._repr_mimebundle_(exclude={"text/html", "text/plain"})] == ["text/markdown", "text/latex"]


def balanced(text: str) -> bool:
    """Say whether every brace and environment of LaTeX is closed."""
    plain = re.sub(r"\\[{}\\]", "", text)
    begun = re.findall(r"\\(begin|end)\{(\w+\*?)\}", text)
    depth: list[str] = []
    for what, name in begun:
        if what == "begin":
            depth.append(name)
        elif not depth or depth.pop() != name:
            return False
    return (
        plain.count("{") == plain.count("}") and not depth and plain.count("$") % 2 == plain.count(r"\$") % 2
    )


@pytest.mark.parametrize("name", ["alexnet", "resnet50"])
@pytest.mark.parametrize("form", ["html", "markdown", "latex"])
def test_a_model_shows_the_table_of_its_report(name: str, form: str) -> None:
    model = shapecalc.load(name)
    assert getattr(model, f"_repr_{form}_")() == getattr(model.analyze(), f"_repr_{form}_")()
    assert model._plain() == str(model.analyze())


@pytest.mark.parametrize("options", [{}, {"symbolic": ("H", "W")}])
def test_every_form_has_the_same_cells(options: dict[str, Any]) -> None:
    """Read back from each form, the rows of the table have the same words and numbers."""
    table = layer_table(shapecalc.load("alexnet").analyze(**options), fields=True, has_notes=False)
    said = [[plain(cell) for cell in row.cells] for row in table.rows]
    parsed = tree(html((table,)))
    assert [[atoms(words(cell)) for cell in row] for row in parsed.iter("tr")][1:] == [
        [atoms(cell) for cell in row] for row in said
    ]
    assert words(at(parsed, ".//caption")) == plain(table.caption)
    lines = written((table,), "text").splitlines()[4:]
    assert [line.split() for line in lines if set(line) - {"-", " "}] == [
        " ".join(row).split() for row in said
    ]
    rows = [line for line in markdown((table,)).splitlines() if line.startswith("|")][2:]
    assert [line.count("|") for line in rows] == [len(table.columns) + 1] * len(said)
    rows = [line for line in latex((table,)).splitlines() if line.endswith(r"\\")][1:]
    assert [len(re.split(r"(?<!\\)&", line)) for line in rows] == [len(table.columns)] * len(said)


def test_text_and_pieces_of_sizes_say_the_same() -> None:
    sizes = shapecalc.load("unet").sizes()
    said = re.sub(r"\W", "", words(tree(html(sizes._page()))))
    assert said == re.sub(r"\W", "", str(sizes))


def test_a_long_network_folds_and_loses_nothing() -> None:
    report = shapecalc.load("resnet50").analyze()
    parsed = tree(report._repr_html_())
    fold, before = at(parsed, ".//details"), at(parsed, ".//table")
    assert len(before.findall(".//tbody/tr")) <= LONG
    assert len(fold.findall(".//tbody/tr")) == len(layer_table(report).rows) - 1 > LONG
    assert f"{len(report.nodes)} layers" in words(at(fold, "summary"))
    (short,) = notebook_page(shapecalc.load("lenet5").analyze())
    assert isinstance(short, Table)
    assert not short.fold


# ---- formulas


def formulas(page: Page) -> list[Math]:
    found: list[Math] = []
    for block in page:
        if isinstance(block, Facts):
            found += [part for _, line in block.rows for part in line if isinstance(part, Math)]
        elif isinstance(block, Table):
            found += [
                part for row in block.rows for cell in row.cells for part in cell if isinstance(part, Math)
            ]
    return found


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "unet", "vit_b_16", "googlenet", "mobilenet_v2"])
def test_a_formula_has_the_same_numbers_and_letters_in_every_form(name: str) -> None:
    model = shapecalc.load(name)
    page = (*derivation_page(model.derive(symbolic=True)), layer_table(model.analyze(symbolic=True)))
    found = {*formulas(page)}
    assert len(found) > 20
    for one in found:
        parsed = ET.fromstring(mathml(one.latex))
        assert atoms(words(parsed)) == atoms(one.text), one
        children = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3}
        assert all(len(element) == children.get(element.tag, len(element)) for element in parsed.iter())
        assert len([*parsed.iter("mfrac")]) == one.latex.count(r"\frac")
        tags = {element.tag for element in parsed.iter()}
        assert tags <= {
            "math",
            "mi",
            "mn",
            "mo",
            "mrow",
            "mfrac",
            "msub",
            "msup",
            "msubsup",
            "mspace",
            "mtext",
        }


def atoms(formula: str) -> list[str]:
    """Return the numbers and letters of a formula in order, its signs and brackets left out."""
    return re.findall(r"[A-Za-z]|\d", re.sub(r"(?<=\d)x(?=\d)", "×", formula))


# ---- hostile text

HOSTILE = st.text(
    st.sampled_from("<>&\"'`*_|[]()$\\{}#~^%-+.!/ \n\tab1é≥⌊\x1b\u202e") | st.characters(codec="utf-8"),
    min_size=1,
    max_size=40,
)


@given(HOSTILE)
def test_no_text_becomes_an_element(said: str) -> None:
    block: list[Block] = [
        Paragraph((said, Strong(said), Code(said))),
        Verbatim(said),
        Facts(((said, (said,)),)),
    ]
    table = Table((Column(said),), (Row(((said,),)),), (said,), ((said,),), (said,))
    parsed = tree(html((*block, table)))
    tags = {str(element.tag) for element in parsed.iter()} - {"DOCUMENT_FRAGMENT"}
    assert tags <= {
        "div",
        "p",
        "strong",
        "code",
        "pre",
        "table",
        "tbody",
        "tr",
        "th",
        "td",
        *("caption", "thead", "details", "summary", "ul", "li"),
    }
    assert not any(element.attrib.keys() - {"class", "style", "scope"} for element in parsed.iter())


@given(HOSTILE)
def test_no_text_is_a_command_to_latex(said: str) -> None:
    written = latex((Paragraph((said,)),))
    free = re.sub(
        r"\\(?:[&%$#_{}]|textbackslash\{\}|textasciitilde\{\}|textasciicircum\{\}|dots\{\})", "", written
    )
    free = re.sub(r"\$(?:\\[a-z]+|[<>])\$", "", free)
    assert not re.search(r"[\\{}$&%#_^~]", free)


@given(HOSTILE)
def test_no_text_acts_in_markdown(said: str) -> None:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("gfm-like", {"linkify": False})
    page = reader.parse(markdown((Paragraph(("x", said.strip() or "x", Strong(said.strip() or "x"))),)))
    inner = [child.type for token in page for child in token.children or ()]
    assert {token.type for token in page} <= {"paragraph_open", "inline", "paragraph_close"}
    assert set(inner) <= {"text", "strong_open", "strong_close", "softbreak", "hardbreak"}


@given(HOSTILE)
def test_no_text_acts_in_restructured_text(said: str) -> None:
    line = ("x", said.strip() or "x", Strong(said.strip() or "x"), Code(said), Math("x", "x"), said.strip())
    page = (Paragraph((said.strip() or "x",)), Paragraph(line), Facts((("x", (said.strip() or "x",)),)))
    settings = {"report_level": 2, "halt_level": 2, "syntax_highlight": "none"}
    tree = publish_doctree(rst(page), settings_overrides=settings)
    first, second = tree.children[:2]
    assert squeezed(first.astext()) == squeezed(said.strip() or "x")
    found = squeezed(second.astext())
    assert found.count(squeezed(said.strip() or "x")) >= 2
    assert found.startswith("x")
    allowed = (
        nodes.document,
        nodes.paragraph,
        nodes.Text,
        nodes.strong,
        nodes.literal,
        nodes.math,
        nodes.reference,
    )
    lists = (nodes.definition_list, nodes.definition_list_item, nodes.definition, nodes.term)
    assert all(isinstance(node, allowed + lists) for node in tree.findall())


def squeezed(text: str) -> str:
    return "".join(printable(text).split())


@pytest.mark.parametrize("name", THINGS)
def test_every_page_is_restructured_text(name: str) -> None:
    settings = {"report_level": 1, "halt_level": 1, "syntax_highlight": "none"}
    page = THINGS[name]()._page()
    tree = publish_doctree(rst(page), settings_overrides=settings)
    asked_for = sum(len(block.rows) for block in page if isinstance(block, Table))
    assert len([*tree.findall(nodes.row)]) >= asked_for


def test_a_title_shows_as_it_is() -> None:
    title = "<script>alert(1)</script> $x$ & **y**"
    model = shapecalc.load("lenet5").model_copy(update={"title": title})
    for thing in (model, model.analyze(), model.derive(), model.sizes()):
        parsed = tree(thing._repr_html_())
        assert parsed.find(".//script") is None
        assert title in words(parsed)
        assert "<script>" not in re.sub(r"\\<script", "", thing._repr_markdown_())


# ---- a real notebook

CELLS = {
    "model": "import shapecalc\nmodel = shapecalc.load('resnet50')\nmodel",
    "report": "report = model.analyze(symbolic=True)\nreport",
    "node": "report['stem.conv2d']",
    "sizes": "shapecalc.load('unet').sizes()",
    "derivation": "model.derive('stem')",
    "diff": (
        "from shapecalc.report.comparison import compare\n"
        "compare(model.analyze(), shapecalc.load('resnet101').analyze())"
    ),
    "diagnostic": "shapecalc.load('lenet5').check(input=(1, 12, 12))[0]",
    "number": "report.macs",
    "list": "[report['stem.conv2d']]",
}


def test_a_notebook_shows_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(Path(shapecalc.__file__).parent.parent))
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(code) for code in CELLS.values()]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = dict(zip(CELLS, notebook.cells, strict=True))
    for name in ("model", "report", "node", "sizes", "derivation", "diff", "diagnostic"):
        (output,) = shown[name].outputs
        assert output.output_type == "execute_result"
        assert {*FORMS} <= {*output.data}, name
        tree(output.data["text/html"])
    assert "<details>" in shown["model"].outputs[0].data["text/html"]
    assert shown["number"].outputs[0].data["text/latex"].startswith("$")
    assert "text/html" not in shown["list"].outputs[0].data
