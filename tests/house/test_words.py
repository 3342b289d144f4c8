"""Words of an old private dialect, which readers had to decode: code and messages use the field's terms."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIALECT = {
    "told": "reported, declared, stated",
    "foretold": "predicted",
    "stands for": "represents, is",
    "settles": "determines, resolves",
    "settled": "determined, resolved",
    "settling": "deciding",
    "what arrives": "the input",
    "what stands": "the value, the text",
}
"""A word, and what says the same in terms that a reader knows."""
_WORDS = re.compile(
    r"(?<![a-z])(" + "|".join(DIALECT).replace(" ", r"\s+") + r")(?![a-z])", flags=re.IGNORECASE
)


def dialect(text: str) -> list[str]:
    """Return the words of the dialect in names, comments, docstrings and messages."""
    return [match[0] for match in _WORDS.finditer(text)]


def test_the_package_uses_the_terms_of_the_field() -> None:
    files = [
        path
        for suffix in ("py", "pyi", "yaml", "js", "html")
        for path in sorted((ROOT / "shapecalc").rglob(f"*.{suffix}"))
    ]
    assert len(files) > 300
    used = {
        path.relative_to(ROOT).as_posix(): words
        for path in files
        if (words := dialect(path.read_text("utf-8")))
    }
    assert used == {}


def test_a_word_is_found_in_names_and_over_the_end_of_a_line() -> None:
    assert dialect("is_told = f(what\n    arrives)") == ["told", "what\n    arrives"]
    assert dialect("a toldo unsettled") == []
