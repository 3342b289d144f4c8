"""Write `docs/warnings.md`: what `check` says of the published networks, and why it is true of each.

Run it after changing what `check` says or `tests/diagnostics/warnings.yaml`: `python tools/true_warnings.py`.
A test compares, and fails when there is a warning that the table does not justify.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import shapecalc
from shapecalc.diagnostics.diagnostic import Diagnostic

DOCUMENT = ROOT / "docs" / "warnings.md"


@cache
def table() -> dict[str, Any]:
    """Return what is known to be true, by code."""
    data: dict[str, Any] = yaml.safe_load(
        (ROOT / "tests" / "diagnostics" / "warnings.yaml").read_text(encoding="utf-8")
    )
    return data


def published() -> list[str]:
    """Return the names of the networks that are no tutorial's."""
    return [name for name in shapecalc.names() if not name.startswith("tutorials/")]


@cache
def said() -> dict[str, list[Diagnostic]]:
    """Return what `check` says, by the network with a finding."""
    found = {name: shapecalc.load(name).check() for name in published()}
    return {name: every for name, every in found.items() if every}


def justified() -> set[tuple[str, str]]:
    """Return the codes and networks of which a warning is known to be true."""
    return {
        (code, name)
        for code, known in table().items()
        for group in known["found"]
        for name in group["networks"]
    }


def document() -> str:
    """Return the page."""
    every = [one for found in said().values() for one in found]
    counts = [sum(one.severity == severity for one in every) for severity in ("error", "warning", "note")]
    lines = [HEAD.format(*counts, networks=len(published()), some=len(said()))]
    for code, known in table().items():
        severities = sorted({one.severity for one in every if one.code == code})
        lines += ["", f"## `{code}` ({', '.join(severities)})", "", known["means"], ""]
        lines += ["| Network | What is said | Where | Why it is true |", "|---|---|---|---|"]
        for group in known["found"]:
            for name in group["networks"]:
                lines += [row(name, one, group["why"]) for one in said()[name] if one.code == code]
    return "\n".join([*lines, ""])


def row(name: str, one: Diagnostic, why: str) -> str:
    """Return one line of a table."""
    more = f" and {len(one.paths) - 1} more" if len(one.paths) > 1 else ""
    return f"| {name} | {one.message} | `{one.path}`{more}, line {one.place.line} | {why} |"


HEAD = """\
# What `check` says of the published networks

`shapecalc check` on the {networks} published networks finds {0} errors, {1} warnings and {2} notes, on
{some} of them. Each is true, and here is why. This page is written by `tools/true_warnings.py` from what
the command says; a test fails when it says something that is not justified here."""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
