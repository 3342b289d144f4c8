"""The documentation site is built as CI builds it: strictly, and with all that is made from the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from time import process_time

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

import shapecalc
from shapecalc.cli import COMMANDS
from shapecalc.layers.registry import kinds
from tools.docstrings import fenced
from tools.site import CALCULATORS, PAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site with the command of the README."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def read(page: Path) -> str:
    """Return what a page says, without its tags."""
    return unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8")))


@pytest.mark.ci
def test_the_reference_is_of_the_code(site: Path) -> None:
    gallery, commands, of_kinds = (
        read(site / page) for page in ("gallery.html", "reference/cli.html", "reference/kinds.html")
    )
    assert [name for name in shapecalc.names() if "/" not in name and name not in gallery] == []
    assert [name for name in COMMANDS if f"Usage: shapecalc {name}" not in commands] == []
    assert [name for name in kinds() if f"\n{name}\n" not in of_kinds] == []


@pytest.mark.ci
def test_every_published_network_has_a_page_that_answers(site: Path) -> None:
    links = re.findall(r'href="(pages/[^"]*)"', (site / "gallery.html").read_text(encoding="utf-8"))
    published = [name for name in shapecalc.names() if not name.startswith("tutorials/")]
    assert len(set(links)) == len(published) + len(CALCULATORS)
    for link in links:
        assert "const NETWORK = " in (site / link).read_text(encoding="utf-8")


@pytest.mark.ci
def test_the_api_is_all_there(site: Path) -> None:
    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    assert [name for name in shapecalc.__all__ if f'id="shapecalc.{name}"' not in page] == []


@pytest.mark.ci
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|link|img)[^>]*(?:src|href)="(https?:[^"]*)"', page.read_text("utf-8")
        )
        assert loaded == [], page


@pytest.mark.ci
def test_a_served_site_follows_an_edit_in_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is left out of `mkdocs serve`, and strictly everything else is there."""
    monkeypatch.setenv("SHAPECALC_SITE", "")  # so that it is restored
    monkeypatch.delenv("SHAPECALC_SITE")
    monkeypatch.chdir(ROOT)
    config = load_config("mkdocs.yml", site_dir=str(tmp_path))
    config.plugins.on_startup(command="serve", dirty=False)
    assert os.environ["SHAPECALC_SITE"] == "text"
    build(config)
    start = process_time()
    build(load_config("mkdocs.yml", site_dir=str(tmp_path)))
    assert process_time() - start < 5
    assert not (tmp_path / "pages").exists()
    assert "resnet50" in read(tmp_path / "gallery.html")
    pages = {page.relative_to(ROOT / "docs").with_suffix(".html") for page in (ROOT / "docs").rglob("*.md")}
    assert [page for page in pages if not (tmp_path / page).exists()] == []


def test_every_page_has_one_place_and_is_plain_markdown() -> None:
    """The navigation has a page once, those that are made too; none uses the syntax of one theme."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    listed = re.findall(r": ([\w/]+\.md)$", text, flags=re.MULTILINE)
    written = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert len({*listed}) == len(listed)
    assert {*PAGES} <= {*listed} <= {*written, *PAGES}
    special = re.compile(r"^(?:!!!|\?\?\?|===) |:(?:material|octicons)-|\{%", flags=re.MULTILINE)
    assert [page for page in written if special.search((ROOT / "docs" / page).read_text("utf-8"))] == []


def test_examples_of_docstrings_become_code() -> None:
    assert fenced("Adds.\n\n>>> 1 + 1\n2\n\nMore.") == "Adds.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."
    assert fenced("No example.") == "No example."
