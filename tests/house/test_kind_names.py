"""No kind is known by its name outside `layers` and the twins: what is peculiar to a kind is on its class."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from shapecalc.layers.index import KERAS, KINDS, ONNX

ROOT = Path(__file__).resolve().parents[2] / "shapecalc"
ORDINARY = {"attention", "average", "dot", "maximum", "minimum"}
"""Kinds of Keras with names that are words for other things: a group of families, a bound, a program, a sign."""
NAMES = {*KINDS, *KERAS, *ONNX} - ORDINARY

WORDS = {
    "bridges/onnx/operators/": NAMES,  # torch's functions of the elements are called as kinds are
    "bridges/torch/tracer/": NAMES,  # functions of torch are called as kinds are
    "bridges/keras/keras_layer.py": {"linear"},  # what Keras calls no activation
    "conventions/fvcore.py": {"bilinear"},  # a mode of interpolation
    "conventions/thop.py": {"linear", "bilinear"},  # the same
    "diagnostics/window_warnings.py": {"slice"},  # a unit along the depth
    "engine/error_recovery.py": {"concat"},  # the code of a requirement
    "engine/receptive.py": {"constant"},  # the name of a function
    "page/free.py": {"parameter"},  # what a name is
    "report/outline.py": {"identity"},  # what a branch without layers is
}
"""Where a word is not the name of a kind, or is written for a reader."""


def names_in(path: Path) -> list[str]:
    """Return the strings of a module that are the name of a kind."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [value for value in constants if isinstance(value, str) and value in NAMES]


@cache
def knowing() -> dict[str, list[str]]:
    """Return the names of kinds in each module, outside of the rooms that may have them."""
    found = {}
    for path in ROOT.rglob("*.py"):
        home = path.relative_to(ROOT).as_posix()
        if not home.startswith("layers/") and "twins" not in home and (names := names_in(path)):
            found[home] = names
    return found


def excused(home: str) -> set[str]:
    return set().union(*(words for place, words in WORDS.items() if home.startswith(place)))


def test_no_module_knows_a_kind_by_its_name() -> None:
    left = {home: {*names} - excused(home) for home, names in knowing().items()}
    assert {home: names for home, names in left.items() if names} == {}


@pytest.mark.parametrize("place", WORDS)
def test_every_exception_is_needed(place: str) -> None:
    names = {name for home, names in knowing().items() if home.startswith(place) for name in names}
    assert names
    assert WORDS[place] is NAMES or WORDS[place] <= names


def test_a_name_is_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text('"""conv2d"""\nKINDS = {"conv2d": 1, "other": "relu"}\n', encoding="utf-8")
    assert names_in(file) == ["conv2d", "conv2d", "relu"]
