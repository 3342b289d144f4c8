"""No kind is known by its name outside `layers` and the twins: what is peculiar to a kind is on its class."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shapecalc.layers.index import KERAS, KINDS

ROOT = Path(__file__).resolve().parents[2] / "shapecalc"
NAMES = {*KINDS, *KERAS}

WORDS = {
    "bridges/torch/tracer/": "functions of torch are called as kinds are",
    "page/free.py": "a control is a parameter of the spec",
    "report/outline.py": "a branch without layers is shown as an identity",
}
"""Places where such a word is not the name of a kind."""

UNDONE = {
    "bridges/torch/proof/free_sizes.py",
    *(f"conventions/{name}.py" for name in ("calflops", "composites", "computed_weights", "elementwise_ops")),
    *(
        f"conventions/{name}.py"
        for name in ("exact", "families", "fvcore", "losses", "operations", "ptflops")
    ),
    *(f"conventions/{name}.py" for name in ("recurrent_ops", "thop", "torchinfo")),
    *(f"diagnostics/{name}.py" for name in ("design_warnings", "divergence")),
    *(f"engine/{name}.py" for name in ("error_recovery", "receptive")),
    *(f"repair/{name}.py" for name in ("edit_sites", "propose")),
    "solving/window.py",
}
"""Modules that still know kinds by name; the list only shrinks."""


def names_in(path: Path) -> list[str]:
    """Return the strings of a module that are the name of a kind."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [value for value in constants if isinstance(value, str) and value in NAMES]


def knowing() -> dict[str, list[str]]:
    """Return the names of kinds in each module, outside of the rooms that may have them."""
    found = {}
    for path in ROOT.rglob("*.py"):
        home = path.relative_to(ROOT).as_posix()
        if not home.startswith("layers/") and "twins" not in home and (names := names_in(path)):
            found[home] = names
    return found


def test_no_module_knows_a_kind_by_its_name() -> None:
    allowed = (*WORDS, *UNDONE)
    assert {home: names for home, names in knowing().items() if not home.startswith(allowed)} == {}


@pytest.mark.parametrize("place", WORDS)
def test_every_exception_is_needed(place: str) -> None:
    assert any(home.startswith(place) for home in knowing())


def test_a_name_is_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text('"""conv2d"""\nKINDS = {"conv2d": 1, "other": "relu"}\n', encoding="utf-8")
    assert names_in(file) == ["conv2d", "conv2d", "relu"]
