"""Write `docs/diagnostics.md`: every diagnostic, with an example and what `check` says of it.

Run it after changing `shapecalc/diagnostics/rules.yaml`, or what a check says; a test compares.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import shapecalc
from shapecalc.diagnostics.rule import Rule, rules
from shapecalc.repair.repair import check_of_example

DOCUMENT = ROOT / "docs" / "diagnostics.md"

HEAD = """# The diagnostics

Every finding of `shapecalc check` has a stable code, in brackets: `error[channels]`.
`shapecalc explain CODE` prints its entry. An error is what the framework would refuse (or a budget
that is exceeded); a warning runs and is most likely a mistake; a note runs, and may be intended.
Each entry has the smallest network that shows it, and the output of the check for that network.

This page is written by `python tools/diagnostics.py`."""


def document() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    for severity, name in (("error", "Errors"), ("warning", "Warnings"), ("note", "Notes")):
        yield from ("", f"## {name}")
        for rule in rules().values():
            if rule.severity == severity:
                yield from _entry(rule)


def _entry(rule: Rule) -> Iterator[str]:
    yield from ("", f"### {rule.code}", "", f"**{rule.title}** {rule.means}", "", rule.remedy_and_fixes)
    language = "python" if rule.file.endswith(".py") else "yaml"
    yield from ("", f"```{language}", rule.example, "```")
    yield from ("", "```text", check_of_example(rule, shapecalc.loads), "```")


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
