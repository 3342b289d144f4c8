"""The documentation site is built as CI builds it: strictly, and with all that is made from the code."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

import shapecalc
from shapecalc.cli import COMMANDS
from shapecalc.layers.registry import kinds
from tools.docstrings import fenced
from tools.site import CALCULATORS

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


def test_examples_of_docstrings_become_code() -> None:
    assert fenced("Adds.\n\n>>> 1 + 1\n2\n\nMore.") == "Adds.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nMore."
    assert fenced("No example.") == "No example."
