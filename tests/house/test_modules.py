"""The files of the package: each has a name of its own, says what it is for, and is read in one sitting."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "shapecalc"
LIMIT = 350
LONGER = {
    "algebra/expr.py": 699,
}
"""Modules above the limit, with the lines that they may have. The list only shrinks."""


def lines(package: Path) -> dict[str, int]:
    """Return the number of lines of each module, by its path in the package."""
    return {
        path.relative_to(package).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in package.rglob("*.py")
    }


def too_long(lengths: dict[str, int]) -> dict[str, int]:
    return {path: length for path, length in lengths.items() if length > LONGER.get(path, LIMIT)}


def twice(paths: list[str]) -> list[str]:
    """Return the file names that several modules have; every package has its own `__init__`."""
    names = Counter(path.rpartition("/")[2] for path in paths)
    return sorted(name for name, number in names.items() if number > 1 and name != "__init__.py")


def test_no_module_is_long() -> None:
    assert too_long(lines(PACKAGE)) == {}


def test_the_exceptions_are_still_needed() -> None:
    lengths = lines(PACKAGE)
    assert [path for path in LONGER if lengths.get(path, 0) <= LIMIT] == []


def test_every_file_name_is_there_once() -> None:
    assert twice([*lines(PACKAGE)]) == []


def test_every_test_file_name_is_there_once() -> None:
    assert twice([*lines(ROOT / "tests")]) == []


def test_every_module_is_measured_and_a_long_one_is_noticed(tmp_path: Path) -> None:
    """Two modules of one name in different packages are both measured."""
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "rules.py").write_text("\n" * (LIMIT + (place == "a")))
    assert lines(tmp_path) == {"a/rules.py": LIMIT + 1, "b/rules.py": LIMIT}
    assert too_long(lines(tmp_path)) == {"a/rules.py": LIMIT + 1}
    assert twice([*lines(tmp_path)]) == ["rules.py"]
    assert len(lines(PACKAGE)) == len([*PACKAGE.rglob("*.py")])


@pytest.mark.parametrize("path", sorted(lines(PACKAGE)))
def test_a_module_says_what_it_is_for(path: str) -> None:
    assert (PACKAGE / path).read_text(encoding="utf-8").startswith(('"""', 'r"""'))
