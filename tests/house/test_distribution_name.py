"""The name `shapecalc` on the package index is another project's: nothing here installs it from there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FROM_INDEX = re.compile(
    r"(?:pip3?|pipx|uvx?|poetry|conda|rye)\s+(?:tool\s+)?(?:install|run|add)(?:(?!&&)[^;`#\n])*?(?<![\w/.-])shapecalc(?:-nn)?\b(?![/\w])"
    r"|additional_dependencies:.*\bshapecalc\b"
    r"|(?<![\w.])shapecalc(?:-nn)?\[[a-z]+\]"
)
FILES = ("*.md", "*.yml", "*.yaml", "*.py", "*.js", "*.html", "run", "*.ipynb")


def test_nothing_installs_it_from_the_index() -> None:
    own = Path(__file__).name
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for pattern in FILES
        for path in ROOT.rglob(pattern)
        if path.name != own and not {".git", ".mypy_cache", "site", "build"}.intersection(path.parts)
        for match in FROM_INDEX.finditer(path.read_text("utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    "text",
    [
        "pip install shapecalc",
        "python -m pip install --quiet 'shapecalc'",
        'needs `pip install "shapecalc[torch]"`',
        "pip install shapecalc-nn",
        "uv add shapecalc",
        "additional_dependencies: [shapecalc, torch]",
    ],
)
def test_an_installation_from_the_index_is_noticed(text: str) -> None:
    assert FROM_INDEX.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "python -m pip install . && shapecalc show lenet5",
        'pip install ".[torch]"; shapecalc check',
        "pip install git+https://example.org/shapecalc",
        "pip install torch",
    ],
)
def test_an_installation_from_elsewhere_is_not(text: str) -> None:
    assert not FROM_INDEX.search(text)


def test_the_distribution_has_a_name_of_its_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "shapecalc-nn"
    assert [*project["scripts"]] == ["shapecalc"]
    extras = [need for needs in project["optional-dependencies"].values() for need in needs]
    own = [need for need in extras if need.startswith("shapecalc")]
    assert {need.partition("[")[0] for need in own} == {"shapecalc-nn"}
