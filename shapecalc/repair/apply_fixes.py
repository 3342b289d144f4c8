"""Repairs of one error after the other, until none is left or none can be repaired."""

from __future__ import annotations

from dataclasses import replace
from difflib import unified_diff

from shapecalc.diagnostics.diagnostic import Diagnostic, Fix
from shapecalc.errors import Located
from shapecalc.repair.repair import Repairer, of_unreadable
from shapecalc.repair.repair_source import Source
from shapecalc.repair.text_edits import applied

MOST_ROUNDS = 40


def mended(source: Source) -> tuple[str, list[tuple[Diagnostic, Fix]]]:
    """Return the text with its errors repaired as far as it goes, and what was done.

    Where a set of edits that leaves no error is known, that set; else one error after the other.
    """
    done: list[tuple[Diagnostic, Fix]] = []
    text = source.text
    for _ in range(MOST_ROUNDS):
        now = replace(source, text=text)
        chosen = _next(now)
        for one, fix in chosen:
            after = applied(text, fix.edits)
            if after is None or after == text:
                return text, done
            done.append((one, fix))
            text = after
        if not chosen:
            break
    return text, done


def _next(source: Source) -> list[tuple[Diagnostic, Fix]]:
    """Return what repairs the whole model step by step, or else the first error that can be repaired."""
    try:
        repairer = Repairer(source)
    except Located as error:
        one = of_unreadable(source.text, error, source.reader)
        return [(one, one.fixes[0])] if one.fixes else []
    wrong = repairer.start.found
    whole = repairer.whole() if wrong else None
    if whole is not None:
        return [(step.one, Fix(step.told(step.one.place.line), step.proposal.edits)) for step in whole.taken]
    for one in wrong:
        fix = next((fix for fix in repairer.fixes([one])[0] if fix.edits), None)
        if fix is not None:
            return [(one, fix)]
    return []


def diff(name: str, before: str, after: str) -> str:
    """Return the unified diff of two texts."""
    name = name.lstrip("/")
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
    return "".join(ended)
