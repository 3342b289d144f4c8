"""The page of the spec language, and what it has about one key of a step."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

from shapecalc.spec.json_schema import step_keys

_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page() -> str:
    """Return the text of the page, in an installed package or in a checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "language.md"
    file = inside if inside.is_file() else package.parent / "docs" / "language.md"
    return file.read_text(encoding="utf-8")


def words() -> list[str]:
    """Return the keys of a step that are no kinds."""
    return [*step_keys()]


def example(word: str) -> str:
    """Return the first model of the page that has a key."""
    for block in _BLOCK.findall(page()):
        code = "\n".join(line.partition(" #")[0] for line in block.splitlines())
        if re.search(rf"^[^#]*\b{word}:", code, re.MULTILINE):
            return str(block).rstrip()
    return ""


def about(word: str) -> str:
    """Return what a key of a step means, with a model that has it."""
    text = f"{word}\n\n  {step_keys()[word]}\n\nExample:\n{indent(example(word), '  ')}"
    return f"{text}\n\n`shapecalc help language` prints the page of the language."
