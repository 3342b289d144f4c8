"""`pytest --where KIND` lists the tests of a kind: those with a case of it, and those whose source names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def where(kind: str, *paths: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--where", kind, *paths],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )


def test_cases_and_sources_are_listed_by_room() -> None:
    done = where(
        "conv2d",
        "tests/layers/test_laws.py",
        "tests/spec/test_language.py",
        "shapecalc/layers/conv.py",
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines.index("shapecalc/layers") < lines.index("tests/layers") < lines.index("tests/spec")
    listed = {line.strip() for line in lines}
    assert "shapecalc/layers/conv.py::shapecalc.layers.conv.Conv2d  (in its source)" in listed
    assert "tests/layers/test_laws.py::test_fields_come_back  (1 case)" in listed
    assert "tests/layers/test_laws.py::test_the_law_of_symbols_can_fail  (in its source)" in listed
    assert "conv3d" not in done.stdout.lower()
    assert " passed" not in done.stdout


@pytest.mark.ci
def test_a_kind_of_keras_is_found_by_either_class() -> None:
    done = where(
        "max_pool2d",
        "shapecalc/layers/pool.py",
        "shapecalc/layers/keras_pool.py",
        "tests/algebra/test_integer_set.py",
    )
    assert "shapecalc.layers.pool.MaxPool2d" in done.stdout
    assert "shapecalc.layers.keras_pool.KerasMaxPool2d" in done.stdout


@pytest.mark.ci
def test_an_unknown_kind_is_refused_with_the_nearest() -> None:
    done = where("conv2", "shapecalc/errors.py", "tests/house")
    assert done.returncode == 4
    assert "did you mean 'conv2d'?" in done.stderr
