"""Repairs of one error after the other, until none is left or none can be repaired."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff

from shapecalc.checks.diagnostic import Diagnostic, Fix
from shapecalc.checks.edit import applied
from shapecalc.checks.repair import Repairer, Source, of_unreadable
from shapecalc.errors import Located

MOST_ROUNDS = 40


def mended(source: Source) -> tuple[str, list[tuple[Diagnostic, Fix]]]:
    """Return the text with errors repaired one after the other as far as it goes, and what was done."""
    done: list[tuple[Diagnostic, Fix]] = []
    text = source.text
    for _ in range(MOST_ROUNDS):
        now = replace(source, text=text)
        chosen = _next(now)
        after = applied(text, chosen[1].edits) if chosen else None
        if chosen is None or after is None or after == text:
            break
        done.append(chosen)
        text = after
    return text, done


def _next(source: Source) -> tuple[Diagnostic, Fix] | None:
    """Return the first error that can be repaired, and how."""
    try:
        found = source.model().check_only(source.given, **source.parameters)
    except Located as error:
        one = of_unreadable(source.text, error, source.reader)
        return (one, one.fixes[0]) if one.fixes else None
    wrong = [one for one in found if one.severity == "error" and one.code != "budget"]
    if not wrong:
        return None
    repairer = Repairer(source)
    for one in wrong:
        fix = next((fix for fix in repairer.fixes([one])[0] if fix.edits), None)
        if fix is not None:
            return one, fix
    return None


def diff(name: str, before: str, after: str) -> str:
    """Return the unified diff of two texts."""
    name = name.lstrip("/")
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)
